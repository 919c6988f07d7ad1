"""What kind of array a value is, without importing JAX."""

import sys

import numpy as np
import pytest

from deltarule import arrays
from engines import WITHOUT_JAX


@pytest.mark.parametrize("value", [None, 3, 2.5, [1.0], np.ones(2), np.float32(1), "jax"])
def test_what_is_not_jax_s(value):
    assert not any(is_so(value) for is_so in (arrays.is_jax, arrays.is_key, arrays.is_traced))


def test_nothing_is_jax_s_where_jax_is_not_imported(monkeypatch):
    monkeypatch.delitem(sys.modules, "jax", raising=False)
    assert not arrays.is_jax(np.ones(2))
    assert "jax" not in sys.modules


@WITHOUT_JAX
def test_arrays_and_keys_of_jax():
    import jax

    key = jax.random.key(7)
    assert arrays.is_jax(jax.numpy.ones(2))
    assert not arrays.is_key(jax.numpy.ones(2))
    assert arrays.is_key(key)
    words = arrays.key_data(key)
    assert words.dtype == np.uint32
    again = arrays.wrap_key(words, key)
    assert jax.random.normal(again) == jax.random.normal(key)


@WITHOUT_JAX
def test_traced_numbers_cannot_be_looked_at():
    import jax

    seen = []
    jax.jit(lambda x: (seen.append((arrays.is_traced(x), arrays.is_jax(x))), x)[1])(1.0)
    assert seen == [(True, True)]
