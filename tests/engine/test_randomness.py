"""Seeds, the streams of their paths, orders of the examples and draws."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deltarule.engine.randomness import DIRECTION, INITIAL, NOISE, ORDER, as_path, draws, generator, orders, words
from deltarule.errors import ConfigurationError


@pytest.mark.parametrize("seed", [0, 7, 2**32 - 1, np.int64(7), np.uint32(7), np.array(7)])
def test_a_seed_is_a_path_of_one_number(seed):
    path = as_path(seed)
    assert path == (int(seed),)
    assert type(path[0]) is int


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, "0", True, None, np.float64(3), np.arange(2), [1]])
def test_a_seed_that_is_no_whole_number_in_its_range_is_named(seed):
    with pytest.raises(ConfigurationError, match=r"seed .*from 0 to 4294967295"):
        as_path(seed)


def test_a_key_of_jax_is_a_path():
    jax = pytest.importorskip("jax")
    key = jax.random.key(3)
    assert as_path(key) == as_path(jax.random.key_data(key)) == as_path(jax.random.PRNGKey(3)) == (0, 3)
    assert as_path(jax.random.split(key)[0]) != as_path(key)
    assert as_path(jax.numpy.asarray(5)) == (5,)
    for seeds in (jax.random.split(key), jax.numpy.ones(2), jax.numpy.asarray(1.5), jax.numpy.arange(3)):
        with pytest.raises(ConfigurationError, match="seed must be a whole number"):
            as_path(seeds)


def test_every_path_has_a_stream_of_its_own():
    """Initial parameters of starts and layers, orders of starts, masks of epochs, batches, layers; directions."""
    few = range(3)
    paths = [(seed, INITIAL, start, layer) for seed in few for start in few for layer in few]
    paths += [(seed, ORDER, start) for seed in few for start in few]
    paths += [(seed, NOISE, 0, epoch, layer) for seed in few for epoch in few for layer in few]
    paths += [(seed, NOISE, 1, epoch, batch, 0) for seed in few for epoch in few for batch in few]
    paths += [(seed, DIRECTION) for seed in few]
    streams = {generator(*path).random(4).tobytes() for path in paths}
    assert len(streams) == len(paths)
    assert generator(*paths[5]).random(4).tobytes() in streams


@given(first=st.integers(0, 1000), count=st.integers(1, 40))
def test_words_are_a_window_on_one_endless_row(first, count):
    row = words((5, 2), 0, 4 * 1000 + 40)
    np.testing.assert_array_equal(words((5, 2), first, count), row[4 * first : 4 * first + count])


@given(count=st.integers(1, 100), first=st.integers(0, 50), epochs=st.integers(1, 4))
def test_every_epoch_has_its_own_order_wherever_one_begins(count, first, epochs):
    found = orders((3, 1), first, epochs, count)
    assert found.dtype == np.int32
    assert found.shape == (epochs, count)
    np.testing.assert_array_equal(np.sort(found, axis=1), np.tile(np.arange(count), (epochs, 1)))
    for i in range(epochs):
        np.testing.assert_array_equal(orders((3, 1), first + i, 1, count)[0], found[i])


def test_orders_are_uniform():
    """24 orders of 4 examples over 24,000 epochs: chi-squared with 23 degrees of freedom, its mean 23."""
    found = orders((0,), 0, 24_000, 4) @ [64, 16, 4, 1]
    seen = np.unique(found, return_counts=True)[1]
    assert len(seen) == 24
    assert np.sum((seen - 1000) ** 2 / 1000) < 23 + 5 * np.sqrt(2 * 23)


@given(count=st.integers(1, 100), first=st.integers(0, 50))
def test_draws_are_examples_and_do_not_hang_on_where_one_begins(count, first):
    found = draws((3, 1), first, 3, 7, count)
    assert found.dtype == np.int32
    assert found.shape == (3, 7)
    assert found.min() >= 0
    assert found.max() < count
    np.testing.assert_array_equal(draws((3, 1), first + 2, 1, 7, count)[0], found[2])


def test_draws_are_uniform_and_with_replacement():
    found = draws((0,), 0, 100, 1000, 10)
    seen = np.bincount(found.ravel(), minlength=10)
    assert np.sum((seen - 10_000) ** 2 / 10_000) < 9 + 5 * np.sqrt(2 * 9)
