"""The compiled part of a training: chunks, divergence, and what compiles again (nothing that a user varies)."""

import logging

import jax
import numpy as np
import pytest

import deltarule as dr
from deltarule import loop, session

DRAW = np.random.default_rng(0)
X, Y = DRAW.normal(size=(12, 2)).astype("float32"), DRAW.uniform(size=(12, 1)).astype("float32")
SIGMOID = dr.Network([dr.Dense(3, "sigmoid"), dr.Dense(1, "sigmoid")])
LINEAR = dr.Network([dr.Dense(1, "linear")])


def finite(params):
    return all(np.isfinite(p).all() for p in jax.tree.leaves(params))


@pytest.mark.parametrize("batch_size", [None, 4])
def test_an_absurd_learning_rate_is_noticed_in_the_first_epoch(batch_size):
    """Saturated sigmoids have a finite cost for ever: it is the parameters that tell."""
    params = SIGMOID.init(0, (2,))
    trainer = dr.GradientDescent(eta=1e30, batch_size=batch_size)
    result = dr.train(SIGMOID, X, Y, trainer=trainer, epochs=50, params=params)
    assert (result.stop_reason, result.epochs, result.best_epoch) == ("diverged", 1, 0)
    assert result.message.startswith("training diverged in epoch 1 with eta = 1e+30: ")
    assert result.message.endswith("use a smaller eta.")
    jax.tree.map(np.testing.assert_array_equal, result.params, params)


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
    monkeypatch.setattr(loop, "CHUNK", chunk)
    monkeypatch.setattr(session, "CHUNK_SECONDS", 1e9)  # every chunk as long as it may be
    loop.advance.clear_cache()  # the length of its buffers is CHUNK
    try:
        result = dr.train(
            LINEAR, [[1.0]], [[10.0]], trainer=dr.GradientDescent(eta=0.1), epochs=40, params=start, callbacks=callbacks
        )
    finally:
        loop.advance.clear_cache()
    output = (result.params[0]["W"] + result.params[0]["b"]).item()
    assert output == pytest.approx(10 * (1 - 0.8**40), rel=1e-13)
    np.testing.assert_array_equal(result.history["epoch"], np.arange(1, 41))
    np.testing.assert_allclose(result.history["cost"], 50 * 0.64 ** np.arange(40), rtol=1e-11)


CLASSIFIER = dr.Network([dr.Dense(3, "tanh"), dr.Dense(2, "softmax")], "log-likelihood")
POINTS, LABELS = DRAW.normal(size=(30, 2)), DRAW.integers(2, size=30)


def run(N=30, seed=0, goal=1e-9, time_limit=None, **options):
    trainer = dr.GradientDescent(**({"eta": 0.1, "batch_size": 4, "momentum": 0.5, "l2": 0.1} | options))
    stopping = dr.Stopping(goal=goal, max_fail=10, time_limit=time_limit)
    return dr.train(
        CLASSIFIER,
        POINTS[:N],
        LABELS[:N],
        trainer=trainer,
        epochs=2,
        seed=seed,
        stopping=stopping,
        validation_data=(POINTS[:5], LABELS[:5]),
    )


@pytest.fixture
def compiled():
    """The names of what JAX compiles during a test."""
    names = []

    class Listener(logging.Handler):
        def emit(self, record):
            message = record.getMessage()
            if message.startswith("Finished XLA compilation of"):
                names.append(message.removeprefix("Finished XLA compilation of ").split(" in ")[0])

    logger, listener = logging.getLogger("jax"), Listener()
    propagate, logger.propagate = logger.propagate, False
    logger.addHandler(listener)
    with jax.log_compiles():
        yield names
    logger.removeHandler(listener)
    logger.propagate = propagate


def test_a_number_compiles_nothing_again(compiled):
    run()
    assert any("advance" in name for name in compiled)
    compiled.clear()
    size = loop.advance._cache_size()
    run(eta=0.3)
    run(l2=0.7)
    run(momentum=0.9)
    run(seed=12)
    run(goal=1e-3)
    assert compiled == []
    assert loop.advance._cache_size() == size


def test_the_number_of_rows_within_a_bucket_compiles_nothing_again(compiled):
    run(N=25)  # 25 to 32 rows are padded to 32
    compiled.clear()
    for N in (26, 29, 30):
        run(N=N)
    assert compiled == []
    run(N=24)  # another bucket: the listener does hear what compiles
    assert any("advance" in name for name in compiled)


def test_a_time_limit_compiles_nothing_again(compiled):
    run(time_limit=1e6)
    compiled.clear()
    run(time_limit=2e6)
    assert compiled == []


def test_another_training_of_another_length_compiles_nothing_again(compiled):
    trainer = dr.GradientDescent(eta=0.1)
    dr.train(CLASSIFIER, POINTS, LABELS, trainer=trainer, epochs=5)
    compiled.clear()
    dr.train(CLASSIFIER, POINTS, LABELS, trainer=trainer, epochs=700)
    assert compiled == []


def test_prediction_and_gradient_compile_once_for_a_shape(compiled):
    params = CLASSIFIER.init(0, (2,))
    CLASSIFIER(params, POINTS)
    CLASSIFIER.cost_and_gradient(params, POINTS, LABELS)
    compiled.clear()
    other = CLASSIFIER.init(1, (2,))
    CLASSIFIER(other, 2 * POINTS)
    CLASSIFIER.cost_and_gradient(other, POINTS, 1 - LABELS)
    assert compiled == []
