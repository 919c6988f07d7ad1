"""What the JAX engine compiles again from training to training: nothing that a user varies."""

import logging

import numpy as np
import pytest

import deltarule as dr
from engines import on

jax = pytest.importorskip("jax", reason="JAX is not installed")
compiled_loop = pytest.importorskip("deltarule.training.compiled_loop")

CLASSIFIER = dr.Network([dr.Dense(3, "tanh"), dr.Dense(2, "softmax")], "log-likelihood")
DRAW = np.random.default_rng(0)
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
        engine="jax",
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
    size = compiled_loop._advance._cache_size()
    run(eta=0.3)
    run(l2=0.7)
    run(momentum=0.9)
    run(seed=12)
    run(goal=1e-3)
    assert compiled == []
    assert compiled_loop._advance._cache_size() == size


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
    dr.train(CLASSIFIER, POINTS, LABELS, trainer=trainer, epochs=5, engine="jax")
    compiled.clear()
    dr.train(CLASSIFIER, POINTS, LABELS, trainer=trainer, epochs=700, engine="jax")
    assert compiled == []


def test_prediction_and_gradient_compile_once_for_a_shape(compiled):
    params, other = (on("jax", CLASSIFIER.init(seed, (2,))) for seed in (0, 1))
    CLASSIFIER(params, POINTS)
    CLASSIFIER.cost_and_gradient(params, POINTS, LABELS)
    compiled.clear()
    CLASSIFIER(other, 2 * POINTS)
    CLASSIFIER.cost_and_gradient(other, POINTS, 1 - LABELS)
    assert compiled == []


def test_numpy_compiles_nothing(compiled):
    trainer = dr.GradientDescent(eta=0.1, batch_size=4)
    result = dr.train(CLASSIFIER, POINTS, LABELS, trainer=trainer, epochs=2, engine="numpy")
    CLASSIFIER(result.params, POINTS)
    dr.train(CLASSIFIER, POINTS, LABELS, trainer=dr.LevenbergMarquardt(), epochs=2, engine="numpy")
    assert compiled == []
