"""Mini-batches on both engines: no example is dropped, weights are used, and several batches are gathered together."""

import numpy as np
import pytest

import deltarule as dr
from deltarule import engine as engines
from deltarule import trees
from deltarule.engine import rows as numpy_rows
from engines import WITHOUT_JAX, assert_close, off, rounding


def rows(engine, x, weights=None):
    """Examples with targets of 0."""
    x = np.asarray(x, "float32")
    return engines.get(engine).make_rows(x, np.zeros((len(x), 1), "float32"), weights)


def batch(engine, rows, order, i, m, drawn):
    """The inputs and the weights of a batch's examples; where an engine pads a batch, what it pads with weighs 0."""
    found = engines.get(engine).take_batch(rows, np.asarray(order, np.int32), i, m, drawn)
    x, weight = off((found.x, found.mask))
    assert len(x) == (m if engine == "jax" else min(m, drawn - i * m))
    real = min(m, drawn - i * m)
    np.testing.assert_array_equal(weight[real:], 0)
    return x[:real].tolist(), weight[:real].tolist()


def test_a_short_batch_holds_what_is_left(engine):
    """Batches of 3 from 7."""
    seven = rows(engine, np.arange(7)[:, None])
    order = [6, 5, 4, 3, 2, 1, 0]
    assert batch(engine, seven, order, 0, 3, 7) == ([[6], [5], [4]], [1, 1, 1])
    assert batch(engine, seven, order, 1, 3, 7) == ([[3], [2], [1]], [1, 1, 1])
    assert batch(engine, seven, order, 2, 3, 7) == ([[0]], [1])


def test_the_weights_of_the_examples_come_along(engine):
    weighted = rows(engine, np.zeros((7, 1)), np.arange(1, 8, dtype="float32"))
    assert batch(engine, weighted, [2, 0, 6], 0, 3, 3)[1] == [3, 1, 7]
    assert batch(engine, weighted, [2, 0, 6], 0, 3, 2)[1] == [3, 1]


def train(engine, options, weights):
    """Three epochs of 103 examples in batches of 5 from two starts."""
    random = np.random.default_rng(0)
    X, Y = random.normal(size=(103, 3)), random.normal(size=(103, 1))
    net = dr.Network([dr.Dense(4, "tanh"), dr.Dropout(0.2), dr.Dense(1, "linear")])
    trainer = dr.GradientDescent(eta=0.1, batch_size=5, **options)
    settings = {"weights": weights, "epochs": 3, "seed": 1, "dtype": "float64", "restarts": 2, "engine": engine}
    return dr.train(net, X, Y, trainer=trainer, **settings)


@pytest.mark.parametrize(
    ("options", "weighted", "engine"),
    [
        ({"momentum": 0.9}, True, "numpy"),
        ({"sampling": "uniform", "steps": 23}, False, "numpy"),
        pytest.param({"sampling": "uniform", "steps": 23}, True, "jax", marks=WITHOUT_JAX),
        pytest.param({"momentum": 0.9}, False, "jax", marks=[WITHOUT_JAX, pytest.mark.slow]),
    ],
)
def test_how_many_are_gathered_together_changes_nothing(engine, monkeypatch, options, weighted):
    """All of an epoch's batches gathered together, or one or two of them."""
    weights = np.random.default_rng(1).uniform(0.5, 2, 103) if weighted else None
    found = []
    for batches in (100, 1, 2):
        if engine == "jax":
            from deltarule.engine import jax_batches
            from deltarule.training import compiled_loop

            monkeypatch.setattr(jax_batches, "GATHERED_BYTES", batches * 5 * 4 * 8)
            compiled_loop._advance.clear_cache()
        monkeypatch.setattr(numpy_rows, "GATHERED_ROWS", batches * 5)
        found.append(train(engine, options, weights))
    for other in found[1:]:
        for one, two in zip(found[0].starts, other.starts, strict=True):
            assert_close((one.params, one.history), (two.params, two.history), rounding(engine))


@pytest.mark.parametrize("options", [{}, {"momentum": 0.9}, {"sampling": "uniform", "steps": 23}, {"rule": "adam"}])
@WITHOUT_JAX
def test_the_same_seed_is_the_same_order_on_both_engines(options):
    """Two epochs agree to rounding, which no other order of the examples would; Dropout alone draws its own masks."""
    random = np.random.default_rng(0)
    X, Y = random.normal(size=(103, 3)), random.normal(size=(103, 1))
    net = dr.Network([dr.Dense(4, "tanh"), dr.Dense(1, "linear")])
    trainer = dr.GradientDescent(eta=0.1, batch_size=5, **options)
    one, other = (
        dr.train(net, X, Y, trainer=trainer, epochs=2, seed=6, dtype="float64", engine=engine)
        for engine in engines.ENGINES
    )
    trees.map_leaves(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12), one.params, off(other.params)
    )
    np.testing.assert_allclose(one.history["cost"], other.history["cost"], rtol=1e-11)
    another = dr.train(net, X, Y, trainer=trainer, epochs=2, seed=7, params=net.init(6, (3,), "float64"))
    assert np.max(np.abs(another.history["cost"] - one.history["cost"])) > 1e-6


@WITHOUT_JAX
def test_small_batches_are_gathered_together_and_large_ones_one_by_one():
    """1,000 rows of 9 + 1 numbers of 4 bytes: a batch of 10 takes 400 bytes."""
    from deltarule.engine import jax_batches

    images = rows("jax", np.zeros((1000, 3, 3)))
    assert jax_batches._gathered_batches(images, 10, 10**6) == jax_batches.GATHERED_BYTES // 400
    assert jax_batches._gathered_batches(images, 10, 100) == 100
    assert jax_batches._gathered_batches(images, 10**6, 1) == 1
