"""Epoch by epoch on both engines: chunks, divergence; what compiles again is in `test_compiled_loop.py`."""

import numpy as np
import pytest

import deltarule as dr
from deltarule import trees
from deltarule.training import loop, session
from engines import off

pytestmark = pytest.mark.usefixtures("on_each_engine")

DRAW = np.random.default_rng(0)
X, Y = DRAW.normal(size=(12, 2)).astype("float32"), DRAW.uniform(size=(12, 1)).astype("float32")
SIGMOID = dr.Network([dr.Dense(3, "sigmoid"), dr.Dense(1, "sigmoid")])
LINEAR = dr.Network([dr.Dense(1, "linear")])


def finite(params):
    return all(np.isfinite(p).all() for p in trees.leaves(off(params)))


@pytest.mark.parametrize("batch_size", [None, 4])
def test_an_absurd_learning_rate_is_noticed_in_the_first_epoch(batch_size):
    """Saturated sigmoids have a finite cost for ever: it is the parameters that tell."""
    params = SIGMOID.init(0, (2,))
    trainer = dr.GradientDescent(eta=1e30, batch_size=batch_size)
    result = dr.train(SIGMOID, X, Y, trainer=trainer, epochs=50, params=params)
    assert (result.stop_reason, result.epochs, result.best_epoch) == ("diverged", 1, 0)
    assert result.message.startswith("training diverged in epoch 1 ")
    assert "eta = 1e+30" in result.message
    assert result.message.endswith("use a smaller eta.")
    trees.map_leaves(np.testing.assert_array_equal, off(result.params), params)


@pytest.mark.parametrize("batch_size", [None, 4])
def test_a_slow_divergence_keeps_the_best_parameters(batch_size):
    """A linear neuron with too large a step: every epoch is worse than the one before, so the start is the best."""
    start = [{"W": np.ones((1, 2), "float32"), "b": np.ones(1, "float32")}]
    trainer = dr.GradientDescent(eta=3, batch_size=batch_size)
    result = dr.train(LINEAR, X, Y, trainer=trainer, epochs=1000, params=start)
    assert result.stop_reason == "diverged"
    assert 1 < result.epochs < 1000
    assert finite(result.params)
    cost = float(LINEAR.cost_and_gradient(result.params, X, Y)[0])
    assert cost <= float(LINEAR.cost_and_gradient(start, X, Y)[0])
    assert result.best_epoch == 0


def test_the_best_is_chosen_on_the_validation_data():
    """Here the first steps still help: eta is stable for validation's best epoch, then an unstable direction wins."""
    inputs = np.array([[1.0, 0.0], [0.0, 0.1]], "float32")
    targets = np.array([[0.0], [1.0]], "float32")
    start = [{"W": np.array([[1e-6, 0.0]], "float32"), "b": np.zeros(1, "float32")}]
    trainer = dr.GradientDescent(eta=4.0)
    result = dr.train(
        LINEAR, inputs, targets, trainer=trainer, epochs=1000, params=start, validation_data=(inputs, targets)
    )
    assert result.stop_reason == "diverged"
    assert finite(result.params)
    scores = result.history["validation_cost"]
    assert result.best_epoch == int(np.nanargmin(scores)) + 1
    found = float(LINEAR.cost_and_gradient(result.params, inputs, targets)[0])
    assert found == pytest.approx(float(np.nanmin(scores)), rel=1e-6)


def test_divergence_outranks_the_goal():
    """A cost of NaN or a parameter out of range never counts as reached."""
    trainer = dr.GradientDescent(eta=1e30)
    result = dr.train(SIGMOID, X, Y, trainer=trainer, epochs=5, stopping=dr.Stopping(goal=1e9, min_grad=1e9))
    assert result.stop_reason == "diverged"


@pytest.mark.parametrize("callbacks", [(), (lambda record: None,)], ids=["alone", "callback"])
@pytest.mark.parametrize("chunk", [1, 3, 256])
def test_the_length_of_a_chunk_changes_nothing(monkeypatch, chunk, callbacks):
    # One neuron on x = 1, y = 10 from 0: a ← a + 0.2 (10 - a), so a_t = 10 (1 - 0.8^t), at a cost of 50 · 0.64^t.
    start = [{"W": np.zeros((1, 1)), "b": np.zeros(1)}]
    monkeypatch.setattr(loop, "LONGEST_CHUNK", chunk)
    monkeypatch.setattr(loop, "LONGEST_CHUNK", chunk)
    monkeypatch.setattr(session, "CHUNK_SECONDS", 1e9)  # every chunk as long as it may be
    result = dr.train(
        LINEAR, [[1.0]], [[10.0]], trainer=dr.GradientDescent(eta=0.1), epochs=40, params=start, callbacks=callbacks
    )
    output = float(result.params[0]["W"][0, 0] + result.params[0]["b"][0])
    assert output == pytest.approx(10 * (1 - 0.8**40), rel=1e-13)
    np.testing.assert_array_equal(result.history["epoch"], np.arange(1, 41))
    np.testing.assert_allclose(result.history["cost"], 50 * 0.64 ** np.arange(40), rtol=1e-11)


@pytest.mark.parametrize("sampling", ["permutation", "uniform"])
def test_how_many_orders_are_drawn_at_once_changes_nothing(engine, monkeypatch, sampling):
    trainer = dr.GradientDescent(eta=0.3, batch_size=4, sampling=sampling)
    found = []
    for drawn in (1, 12 * 5, 2**16):
        monkeypatch.setattr(loop, "DRAWN", drawn)
        if engine == "jax":
            monkeypatch.setattr("deltarule.training.compiled_loop.ORDER_NUMBERS", drawn)
        found.append(dr.train(SIGMOID, X, Y, trainer=trainer, epochs=17, seed=5))
    for other in found[1:]:
        trees.map_leaves(np.testing.assert_array_equal, off(other.params), off(found[0].params))
        np.testing.assert_array_equal(other.history["cost"], found[0].history["cost"])
