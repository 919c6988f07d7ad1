"""The search: the best trial, successive halving, compilation, and paused trials."""

import doctest

import numpy as np
import pytest

import deltarule as dr
from deltarule import trees
from deltarule.errors import ConfigurationError, DataError
from deltarule.tuning import Range, search, study
from deltarule.tuning.study import rungs
from engines import off

DRAW = np.random.default_rng(0)
X = DRAW.normal(size=(60, 2))
LABELS = (X[:, 0] * X[:, 1] > 0).astype(int)
NET = dr.Network([dr.Dense(6, "tanh"), dr.Dense(2, "softmax")], "log-likelihood")
DATA = {"X": X[:40], "Y": LABELS[:40], "validation_data": (X[40:], LABELS[40:])}


def build(values):
    return NET, dr.GradientDescent(eta=values["eta"], batch_size=10, l2=values.get("l2", 0.0))


def run(space=None, epochs=18, **options):
    return search(build, space or {"eta": Range(1e-3, 1.0)}, **(DATA | {"epochs": epochs, "seed": 1} | options))


def test_the_examples_in_the_docstrings():
    assert doctest.testmod(study).failed == 0


@pytest.mark.usefixtures("on_each_engine")
@pytest.mark.parametrize("method", ["random", "grid", "bayes"])
def test_the_best_is_the_best_on_the_validation_data(method):
    if method == "bayes":
        pytest.importorskip("optuna")
    seen = []
    found = run(method=method, trials=9, points=9, callback=seen.append)
    assert len(found.trials) == len(seen) == 9
    assert found.best == found.trials[0]
    assert {trial.number for trial in seen} == set(range(9))
    assert found.best.cost == min(trial.cost for trial in found.trials)
    assert found.best.cost == pytest.approx(float(np.nanmin(found.result.history["validation_cost"])))
    cost, _ = found.net.cost_and_gradient(found.result.params, X[40:], LABELS[40:])
    assert float(cost) == pytest.approx(found.best.cost, rel=1e-5)
    # A tiny eta learns nothing in 18 epochs: the best is far from the low end.
    assert found.best.values["eta"] > 0.02
    assert not found.interrupted


@pytest.mark.usefixtures("on_each_engine")
def test_a_surviving_trial_is_the_same_training():
    found = run(trials=9)
    alone = dr.train(
        NET, X[:40], LABELS[:40], trainer=build(found.best.values)[1], epochs=18, seed=1,
        validation_data=(X[40:], LABELS[40:]),
    )  # fmt: skip
    assert set(found.result.history) == set(alone.history)
    for name, values in alone.history.items():
        np.testing.assert_array_equal(found.result.history[name], values)
    trees.map_leaves(np.testing.assert_array_equal, off(found.result.params), off(alone.params))
    assert found.result.best_epoch == alone.best_epoch


@pytest.mark.usefixtures("on_each_engine")
def test_successive_halving():
    found = run(trials=9)
    # Rungs of 9 trials and 18 epochs: 2, 6, 18; nine, three and one of them go that far.
    epochs = sorted(trial.epochs for trial in found.trials)
    assert epochs == [2] * 6 + [6] * 2 + [18]
    assert [trial.state for trial in found.trials].count("pruned") == 8
    assert found.best.state == "complete"
    assert {trial.epochs for trial in run(trials=3, prune=False).trials} == {18}


def test_rungs_leave_a_trial_and_an_epoch():
    assert rungs(1, 50, 3) == [50]
    assert rungs(16, 16, 2) == [1, 2, 4, 8, 16]
    assert rungs(1000, 2, 3) == [2]


def test_many_values_compile_once():
    compiled_loop = pytest.importorskip("deltarule.training.compiled_loop", reason="JAX is not installed")
    run({"eta": [0.1], "l2": [0.1]}, method="grid", epochs=2, engine="jax")
    size = compiled_loop._advance._cache_size()
    assert size > 0
    run({"eta": Range(0.01, 1), "l2": Range(0.01, 1)}, trials=12, epochs=9, engine="jax")
    assert compiled_loop._advance._cache_size() == size


@pytest.mark.usefixtures("on_each_engine")
def test_accuracy_as_the_monitor():
    found = run(trials=6, monitor="accuracy", epochs=30)
    assert found.best.accuracy == max(trial.accuracy for trial in found.trials)
    outputs = np.asarray(found.net(found.result.params, X[40:]))
    assert (outputs.argmax(axis=1) == LABELS[40:]).mean() == pytest.approx(found.best.accuracy)


@pytest.mark.usefixtures("on_each_engine")
def test_a_diverging_trial_is_never_the_best():
    found = run({"eta": [0.1, 1e30]}, method="grid", epochs=6)
    assert [trial.state for trial in found.trials] == ["complete", "diverged"]
    assert found.best.values == {"eta": 0.1}


@pytest.mark.usefixtures("on_each_engine")
def test_networks_and_trainers_may_vary_too():
    def build(values):
        net = dr.Network([dr.Dense(values["n"], "tanh"), dr.Dense(2, "softmax")], "log-likelihood")
        return net, dr.NewtonCG(l2=0.1) if values["newton"] else dr.GradientDescent(eta=0.1)

    found = search(build, {"n": [2, 5], "newton": [True, False]}, **DATA, epochs=4, method="grid")
    assert len(found.trials) == 4
    assert found.net.layers[0].n == found.best.values["n"]


def test_ctrl_c_leaves_the_best_so_far():
    def stop(trial):
        raise KeyboardInterrupt

    found = run(trials=4, callback=stop)
    assert found.interrupted
    assert np.isfinite(found.best.cost)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "luck"}, "method .*is 'luck'"),
        ({"monitor": "loss"}, "monitor .*cost, accuracy"),
        ({"epochs": 0}, "epochs .*at least 1"),
        ({"trials": 0}, "trials .*at least 1"),
        ({"reduction": 1}, "reduction .*is 1"),
        ({"validation_data": None}, "judged on validation data"),
        ({"validation_data": (X,)}, "validation_data is a tuple of length 1"),
    ],
)
def test_options_outside_their_range(options, message):
    with pytest.raises(ConfigurationError, match=message):
        run(**options)


@pytest.mark.parametrize(("made", "message"), [(NET, "build returned Network"), ((NET, "sgd"), "trainer is 'sgd'")])
def test_what_build_returns_is_checked(made, message):
    with pytest.raises(ConfigurationError, match=message):
        search(lambda values: made, {"eta": [0.1]}, **DATA, epochs=1)


@pytest.mark.usefixtures("on_each_engine")
def test_the_validation_data_may_be_weighted():
    """Of weights that are 0 but for one example, the score is that of this example."""
    weights = np.eye(20)[3]
    weighed = run({"eta": [0.1]}, epochs=1, validation_data=(X[40:], LABELS[40:], weights))
    alone = run({"eta": [0.1]}, epochs=1, validation_data=(X[43:44], LABELS[43:44]))
    assert weighed.best.cost == pytest.approx(alone.best.cost, rel=1e-5)


@pytest.mark.usefixtures("on_each_engine")
def test_nothing_finite():
    with pytest.raises(DataError, match=r"2 trials .*finite"):
        run({"eta": [1e38, 1e37]}, method="grid", epochs=2)
