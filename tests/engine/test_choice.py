"""The engine that "auto" chooses: the same for the same call; a warning if JAX would be faster but is missing."""

import warnings

import numpy as np
import pytest

import deltarule as dr
from deltarule import engine as engines
from deltarule.engine import choice
from deltarule.engine.choice import CALL_JAX, CALL_NUMPY, COMPILING, RATE, choose_engine, estimate
from deltarule.errors import ConfigurationError, EngineWarning
from engines import WITHOUT_JAX

SMALL = dr.Network([dr.Dense(4, "tanh"), dr.Dense(1, "linear")])
DIGITS = dr.Network([dr.Dense(30), dr.Dense(10)], "cross-entropy")
SGD = dr.GradientDescent(eta=0.5, batch_size=10)
SECOND_ORDER = (
    dr.LevenbergMarquardt(),
    dr.LevenbergMarquardt(batch_size=10),
    dr.NewtonCG(),
    dr.NewtonCG(batch_size=10),
    dr.BayesianRegularization(),
)
X = np.random.default_rng(0).uniform(-1, 1, (40, 2))


def chosen(net=DIGITS, trainer=SGD, shape=(50_000, 784), epochs=30, engine="auto", devices=None):
    return choose_engine(engine, net, trainer, shape, epochs, devices)


@pytest.fixture
def no_jax(monkeypatch):
    """Make JAX look as if it were not installed."""
    monkeypatch.setattr(engines, "jax_is_installed", lambda: False)
    monkeypatch.setattr(choice, "jax_is_installed", lambda: False)


def test_the_estimate_by_hand():
    """One epoch of [N]'s digits: 5,000 steps of 10 examples, 30 · 784 and 10 · 30 products forward."""
    products = 30 * 784 + 10 * 30
    found = estimate(DIGITS, SGD, (50_000, 784), 1)
    assert found.numpy == pytest.approx(5000 * (2 * CALL_NUMPY + 6 * 10 * products / RATE), rel=1e-12)
    assert found.jax == pytest.approx(COMPILING + 5000 * (CALL_JAX + 6 * 10 * products / RATE), rel=1e-12)
    assert found.engine == "numpy"


def test_a_convolution_s_products_are_counted_at_every_place():
    """5 features of 3 x 3 of 1 channel at 26 x 26 places, then 10 x (5 · 13 · 13) weights."""
    net = dr.Network(
        [dr.Reshape((28, 28, 1)), dr.Convolution(5, (3, 3), "relu"), dr.MaxPool((2, 2)), dr.Flatten(), dr.Dense(10)]
    )
    found = estimate(net, SGD, (100, 784), 1)
    operations = 6 * 10 * np.array([5 * 9 * 26 * 26, 10 * 5 * 13 * 13])
    assert found.numpy == pytest.approx(
        10 * (5 * CALL_NUMPY + operations[0] / choice.RATE_CONVOLUTION + operations[1] / RATE), rel=1e-12
    )
    assert found.jax == pytest.approx(COMPILING + 10 * (CALL_JAX + operations.sum() / RATE), rel=1e-12)


@WITHOUT_JAX
def test_long_trainings_compile_and_short_ones_do_not():
    assert chosen(epochs=30) == "jax"
    assert chosen(epochs=1) == "numpy"
    assert chosen(SMALL, dr.GradientDescent(eta=0.1), (40, 2), 1000) == "numpy"
    seconds = [estimate(DIGITS, SGD, (50_000, 784), epochs) for epochs in (1, 2, 4, 30, 300)]
    assert [found.engine for found in seconds] == sorted((found.engine for found in seconds), reverse=True)


@pytest.mark.parametrize("trainer", SECOND_ORDER, ids=repr)
def test_second_order_steps_are_numpy_s(trainer):
    assert chosen(SMALL, trainer, (10**6, 2), 10**6) == "numpy"
    assert dr.train(SMALL, X, X[:, :1], trainer=trainer, epochs=1).engine == "numpy"


@pytest.mark.filterwarnings("ignore::deltarule.EngineWarning")
def test_the_same_call_takes_the_same_engine_wherever_it_runs(monkeypatch):
    """The clock, the machine and earlier calls have no influence."""
    calls = [
        (net, trainer, shape, epochs)
        for net, width in ((SMALL, 2), (DIGITS, 784))
        for trainer in (SGD, dr.GradientDescent(eta=0.1), dr.LevenbergMarquardt())
        for shape in ((20, width), (5_000, width))
        for epochs in (1, 100, 10_000)
    ]
    here = [chosen(*call) for call in calls]
    monkeypatch.setattr("os.cpu_count", lambda: 512)
    monkeypatch.setattr("deltarule.engine.machine.total_memory", lambda: 1)
    monkeypatch.setattr("time.perf_counter", lambda: 1e9)
    assert [chosen(*call) for call in reversed(calls)] == here[::-1]
    assert len(set(here)) == (2 if engines.jax_is_installed() else 1)


@WITHOUT_JAX
@pytest.mark.parametrize("engine", ["auto", "jax"])
def test_what_only_jax_can_do_is_jax_s(engine):
    optax = pytest.importorskip("optax")
    rule = dr.GradientDescent(rule=optax.sgd(0.1), batch_size=10)
    assert chosen(SMALL, rule, (20, 2), 1, engine) == "jax"
    assert chosen(SMALL, dr.LevenbergMarquardt(), (20, 2), 1, engine, devices=["any"]) == "jax"
    result = dr.train(SMALL, X, X[:, :1], trainer=rule, epochs=1, engine=engine)
    assert result.engine == "jax"


@WITHOUT_JAX
def test_what_numpy_cannot_do_is_refused():
    optax = pytest.importorskip("optax")
    with pytest.raises(ConfigurationError, match=r"engine is 'numpy'.* devices"):
        chosen(engine="numpy", devices=["any"])
    with pytest.raises(ConfigurationError, match=r"engine is 'numpy'.* Optax"):
        chosen(trainer=dr.GradientDescent(rule=optax.sgd(0.1)), engine="numpy")


@pytest.mark.parametrize("engine", ["torch", "JAX", None, 3])
def test_no_other_engine_is_known(engine):
    with pytest.raises(ConfigurationError, match=r"engine .* auto, numpy, jax"):
        chosen(engine=engine)
    with pytest.raises(ConfigurationError, match=r"engine .* auto, numpy, jax"):
        dr.train(SMALL, X, X[:, :1], trainer=SGD, epochs=1, engine=engine)


def test_the_engine_that_is_asked_for_is_taken():
    assert chosen(engine="numpy") == "numpy"
    assert chosen(SMALL, dr.LevenbergMarquardt(), (20, 2), 1, engine="jax") == "jax"


@pytest.mark.usefixtures("no_jax")
def test_where_jax_is_missed_one_line_says_so():
    """There is a warning only if JAX would be at least twice as fast."""
    work = SMALL, SGD, (50_000, 2)
    found = estimate(*work, 300)
    assert found.numpy > choice.WORTH_WARNING * found.jax
    with pytest.warns(EngineWarning, match=r"\d+ s by NumPy .*\d+ s by JAX.*'deltarule\[jax\]'"):
        assert chosen(*work, epochs=300) == "numpy"
    epochs = next(n for n in range(1, 100) if estimate(*work, n).engine == "jax")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert chosen(*work, epochs=epochs) == "numpy"  # JAX would be faster, and by less than that
        assert chosen(*work, epochs=1) == "numpy"
        assert chosen(engine="numpy") == "numpy"


@pytest.mark.usefixtures("no_jax")
def test_without_jax_what_needs_it_is_refused_with_the_way_to_get_it():
    said = r"needs the package jax, which is not installed: run pip install 'deltarule\[jax\]'"
    for options in ({"engine": "jax"}, {"devices": ["any"]}):
        with pytest.raises(ConfigurationError, match=said):
            dr.train(SMALL, X, X[:, :1], trainer=dr.LevenbergMarquardt(), epochs=1, **options)
    with pytest.raises(ConfigurationError, match=said):
        dr.GradientDescent(rule=object())
