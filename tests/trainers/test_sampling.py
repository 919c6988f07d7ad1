"""Mini-batches: a permutation is one and is uniform, draws are uniform, and a short batch drops no example."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import deltarule as dr
from deltarule import loop
from deltarule.rows import Rows, pad_rows
from deltarule.trainers import sampling
from deltarule.trainers.sampling import GATHERED_BYTES, batches_at_once, permutation, take_batch, with_replacement


@pytest.mark.parametrize(("size", "count"), [(8, 1), (8, 5), (16, 16), (144, 131)])
def test_it_is_a_permutation_of_the_real_rows(size, count):
    order = np.asarray(permutation(jax.random.key(3), size, jnp.asarray(count)))
    assert order.shape == (size,)
    assert order.dtype == np.int32
    np.testing.assert_array_equal(np.sort(order[:count]), np.arange(count))
    assert (order[count:] < size).all()


def test_a_key_is_an_order():
    first, again, other = (np.asarray(permutation(jax.random.key(k), 144, jnp.asarray(131))) for k in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_every_permutation_is_equally_likely():
    """12,000 orders of 5: chi-square over all 120, whose 99.9 % quantile at 119 degrees of freedom is 172.6."""
    keys = jax.random.split(jax.random.key(0), 12_000)
    orders = np.asarray(jax.vmap(lambda key: permutation(key, 8, jnp.asarray(5)))(keys))[:, :5]
    codes = orders @ 5 ** np.arange(5)
    counts = np.unique(codes, return_counts=True)[1]
    assert len(counts) == 120
    assert ((counts - 100) ** 2 / 100).sum() < 172.6


def test_every_place_is_equally_likely_in_a_larger_one():
    """Where example 7 of 100 goes in 10,000 orders: 99.9 % quantile at 99 degrees of freedom is 148.2."""
    keys = jax.random.split(jax.random.key(1), 10_000)
    place = jax.vmap(lambda key: jnp.argmax(permutation(key, 104, jnp.asarray(100)) == 7))(keys)
    counts = np.bincount(np.asarray(place), minlength=100)
    assert len(counts) == 100
    assert ((counts - 100) ** 2 / 100).sum() < 148.2


def test_draws_with_replacement_are_uniform_and_independent():
    """20,000 draws from 10: singles (9 degrees of freedom, 27.9) and successive pairs (99, 148.2)."""
    draws = np.asarray(with_replacement(jax.random.key(0), 20_000, jnp.asarray(10)))
    assert draws.dtype == np.int32
    singles = np.bincount(draws, minlength=10)
    assert len(singles) == 10
    assert ((singles - 2000) ** 2 / 2000).sum() < 27.9
    pairs = np.bincount(draws[::2] * 10 + draws[1::2], minlength=100)
    assert ((pairs - 100) ** 2 / 100).sum() < 148.2


def test_small_batches_are_gathered_together_and_large_ones_one_by_one():
    """1,000 rows of 9 + 1 numbers of 4 bytes: a batch of 10 takes 400 bytes."""
    rows = Rows(jnp.zeros((1000, 3, 3)), jnp.zeros((1000, 1)), None, jnp.asarray(1000))
    assert batches_at_once(rows, 10, 10**6) == GATHERED_BYTES // 400
    assert batches_at_once(rows, 10, 100) == 100
    assert batches_at_once(rows, 10**6, 1) == 1


@pytest.mark.parametrize(
    ("options", "weighted"), [({"momentum": 0.9}, True), ({"sampling": "uniform", "steps": 23}, False)]
)
def test_how_many_are_gathered_together_changes_nothing(monkeypatch, options, weighted):
    """103 examples in batches of 5: all of an epoch's batches gathered together, or one or two of them."""
    random = np.random.default_rng(0)
    X, Y = random.normal(size=(103, 3)), random.normal(size=(103, 1))
    weights = random.uniform(0.5, 2, 103) if weighted else None
    net = dr.Network([dr.Dense(4, "tanh"), dr.Dense(1, "linear")])
    found = []
    for batches in (100, 1, 2):
        monkeypatch.setattr(sampling, "GATHERED_BYTES", batches * 5 * 4 * 8)
        loop.advance.clear_cache()  # pyright: ignore[reportFunctionMemberAccess]
        result = dr.train(
            net,
            X,
            Y,
            trainer=dr.GradientDescent(eta=0.1, batch_size=5, **options),
            weights=weights,
            epochs=3,
            seed=1,
            dtype="float64",
            restarts=2,
        )
        found.append(result)
    for other in found[1:]:
        for one, two in zip(found[0].starts, other.starts, strict=True):
            jax.tree.map(np.testing.assert_array_equal, (one.params, one.history), (two.params, two.history))


def test_a_short_batch_weighs_its_missing_places_nothing():
    rows = pad_rows(np.arange(7, dtype="float32")[:, None], np.zeros((7, 1), "float32"))
    order = jnp.asarray([6, 5, 4, 3, 2, 1, 0, 7])
    # Batches of 3 from 7: places 6, 7, 8 hold example 0 and two that do not count.
    x, _, weight = take_batch(rows, order[5:8], 6 * jnp.ones((), jnp.int32), rows.count)
    assert weight.tolist() == [1, 0, 0]
    x, y, weight = take_batch(rows, order[3:6], 3 * jnp.ones((), jnp.int32), rows.count)
    assert x.tolist() == [[3], [2], [1]]
    assert y.shape == (3, 1)
    assert weight.tolist() == [1, 1, 1]


def test_the_weights_of_the_examples_come_along():
    weights = np.arange(1, 8, dtype="float32")
    rows = pad_rows(np.zeros((7, 1), "float32"), np.zeros((7, 1), "float32"), weights)
    _, _, weight = take_batch(rows, jnp.asarray([2, 0, 6]), jnp.asarray(5), rows.count)
    assert weight.tolist() == [3, 1, 0]


def test_where_every_place_is_a_draw_all_weigh_as_their_examples():
    x, y = np.zeros((7, 1), "float32"), np.zeros((7, 1), "float32")
    index = jnp.asarray([2, 0, 6])
    assert take_batch(pad_rows(x, y), index, jnp.asarray(500), None)[2].tolist() == [1, 1, 1]
    weights = np.arange(1, 8, dtype="float32")
    assert take_batch(pad_rows(x, y, weights), index, jnp.asarray(500), None)[2].tolist() == [3, 1, 7]
