"""What kind of array a value is; keys of JAX as whole numbers and back."""

import numpy as np
import pytest

from deltarule.arrays import is_jax, is_key, is_traced, key_of, key_words


@pytest.mark.parametrize("value", [1.0, [1.0], None, "a", np.ones(2), np.float64(1.0)])
def test_what_is_not_jax_s(value):
    assert not is_jax(value)
    assert not is_key(value)
    assert not is_traced(value)


def test_arrays_keys_and_tracers_of_jax():
    jax = pytest.importorskip("jax")
    array, key = jax.numpy.ones(2), jax.random.key(3)
    assert [is_jax(array), is_jax(key)] == [True, True]
    assert [is_key(array), is_key(key), is_key(jax.random.split(key))] == [False, True, True]
    seen = []
    jax.jit(lambda x: seen.append((is_jax(x), is_traced(x))) or x)(array)
    assert seen == [(True, True)]
    assert not is_traced(array)


def test_a_key_comes_back_from_its_words():
    jax = pytest.importorskip("jax")
    key = jax.random.key(7)
    words = key_words(key)
    assert words.dtype == np.uint32
    again = key_of(words, jax.random.key(0))
    np.testing.assert_array_equal(jax.random.uniform(again, (3,)), jax.random.uniform(key, (3,)))
