"""Bayesian regularisation as a trainer: the best evidence is kept, no step uphill, and data on which it could fail."""

import numpy as np
import pytest

import deltarule as dr
from deltarule import engine as engines
from deltarule import trees
from deltarule.engine.rows import EpochContext
from deltarule.errors import ConfigurationError
from deltarule.trainers import form
from deltarule.trainers.bayesian.hyperparameters import broadcast_alpha
from deltarule.trainers.bayesian.trainer import exact_steps_are_cheap
from engines import on
from trainers.bayesian.conftest import NET, fitted

DRAW = np.random.default_rng(3)
X = DRAW.uniform(-1, 1, (40, 2))
BEND = np.sin(3 * X[:, :1]) * X[:, 1:]
HARD = {
    "a constant target": (X, np.zeros((40, 1))),
    "no noise": (X, BEND),
    "a linear target without noise": (X, X[:, :1] - X[:, 1:]),
    "copies of a few rows": (np.tile(X[:5], (8, 1)), np.tile(BEND[:5], (8, 1))),
    "copies with other targets": (np.tile(X[:5], (8, 1)), DRAW.normal(size=(40, 1))),
    "noise alone": (X, DRAW.normal(size=(40, 1))),
    "one outlier": (X, BEND + 1e4 * (np.arange(40) == 7)[:, None]),
    "fewer rows than parameters": (X[:8], BEND[:8]),
    "one row": (X[:1], BEND[:1]),
    "constant inputs": (np.ones((40, 2)), DRAW.normal(size=(40, 1))),
}


@pytest.mark.parametrize("name", HARD)
def test_nothing_runs_away(engine, name):
    result = fitted(*HARD[name], engine=engine)
    assert result.stop_reason in ("evidence", "epochs")
    history = result.history
    for record in ("alpha", "beta", "gamma", "log_evidence", "gradient_norm", "mu"):
        assert np.all(np.isfinite(history[record])), record
    assert np.all((history["alpha"] >= 1e-8) & (history["alpha"] <= 1e8))
    assert np.all((history["beta"] > 0) & (history["beta"] <= 1e10))
    assert np.all((history["gamma"] >= 0) & (history["gamma"] <= 13))
    assert all(np.all(np.isfinite(p)) for p in trees.leaves(result.params))
    assert result.best_epoch == np.argmax(history["log_evidence"])  # records are of the start of an epoch


def test_noise_alone_is_not_learned():
    target = HARD["noise alone"][1]
    result = fitted(*HARD["noise alone"])
    assert np.var(np.asarray(NET(result.params, X))) < 0.3 * np.var(target)


def test_the_noise_and_the_effective_parameters_are_found(two_results, curve):
    """The noise of `curve` is 0.2 of a target that was divided by its standard deviation, about 0.9."""
    for result in two_results:
        best = result.best_epoch
        sigma = result.history["beta"][best] ** -0.5
        assert 0.14 < sigma < 0.34
        assert 3 < result.history["gamma"][best] < 12


def test_it_stops_when_the_evidence_rises_no_more(two_results):
    for result in two_results:
        assert result.stop_reason == "evidence"
        assert f"10 epochs, after {result.epochs}." in result.message
        assert result.epochs == result.best_epoch + 11  # the epoch that began with the best, and ten more
        assert set(result.history) >= {"epoch", "cost", "log_evidence", "gamma", "beta", "alpha", "mu", "accepted"}
        assert result.history["alpha"].shape == (result.epochs, 5)


def test_a_larger_max_fail_waits_longer(curve):
    assert fitted(*curve, max_fail=3).epochs < fitted(*curve, max_fail=40).epochs


def test_primal_and_dual_take_the_same_way(engine):
    """13 parameters, 8 rows."""
    data = HARD["fewer rows than parameters"]
    dual, primal = (fitted(*data, epochs=20, engine=engine, solver=solver) for solver in ("dual", "primal"))
    n = min(dual.epochs, primal.epochs)
    for name in ("log_evidence", "gamma", "cost"):
        np.testing.assert_allclose(primal.history[name][:n], dual.history[name][:n], rtol=1e-6)


def test_a_row_of_weight_two_is_two_rows(engine):
    """40 distinct rows, the last 10 of them copies of the first 10, against weights of 2."""
    data = np.r_[X[:30], X[:10]], np.r_[BEND[:30], BEND[:10]] + 0.05 * np.sin(9 * np.r_[X[:30, :1], X[:10, :1]])
    copied = fitted(*data, epochs=15, engine=engine)
    weights = np.r_[np.full(10, 2.0), np.ones(20), np.zeros(10)]
    trainer = dr.BayesianRegularization()
    weighted = dr.train(NET, *data, trainer=trainer, epochs=15, seed=0, weights=weights, engine=engine)
    for name in ("log_evidence", "gamma", "beta"):
        np.testing.assert_allclose(weighted.history[name], copied.history[name], rtol=1e-6)


@pytest.mark.parametrize("name", ["no noise", "noise alone", "one outlier"])
@pytest.mark.usefixtures("float64")
def test_no_epoch_goes_uphill(engine, name):
    """S under the epoch's own alpha and beta falls where a step was accepted, and the point stays where none was."""
    data, trainer = HARD[name], dr.BayesianRegularization()
    rows = engines.get(engine).make_rows(*on(engine, data), None)

    def S(params, hyper):
        square = np.sum((np.asarray(NET(params, data[0])) - data[1]) ** 2)
        energy = trees.map_leaves(
            lambda a, p: np.sum(np.asarray(a * p * p)), broadcast_alpha(hyper.alpha, params), params
        )
        return 0.5 * float(hyper.beta) * square + 0.5 * float(sum(trees.leaves(energy)))

    params = on(engine, NET.init(0, (2,), "float64"))
    state, accepted = trainer.init(NET, params, rows), 0
    for _ in range(25):
        before = state.params
        state, record = trainer.epoch(NET, state, rows, EpochContext(None, None))
        accepted += int(record["accepted"])
        if record["accepted"]:
            assert S(state.params, state.hyper) < S(before, state.hyper) * (1 + 1e-13)
        else:
            trees.map_leaves(np.testing.assert_array_equal, state.params, before)
    assert accepted > 5


def test_every_second_start_is_nearly_linear():
    start = [{"W": np.ones((3, 2)), "b": np.ones(3)}, {"W": np.ones((1, 3)), "b": np.ones(1)}]
    changed = dr.BayesianRegularization().diversify([start, start, start])
    assert [layer["W"].max() for layer in changed[0] + changed[1] + changed[2]] == [1, 1, 0.3, 0.3, 1, 1]
    assert all(layer["b"].min() == 1 for layer in changed[1])


@pytest.mark.parametrize(
    ("net", "sentence"),
    [
        (dr.Network([dr.Dense(3, "tanh"), dr.Dense(2, "sigmoid")]), "negative log likelihood"),
        (dr.Network([dr.Dense(2, "softmax")], cost="cross-entropy"), "softmax with the log-likelihood"),
        (dr.Network([dr.Dense(1, "linear")], cost=dr.Quadratic(1)), "quadratic cost"),
        (dr.Network([dr.Dropout(0.5), dr.Dense(1, "linear")]), "layer 0 is Dropout.*dense layers only"),
        (dr.Network([dr.Dense(3, "step"), dr.Dense(1, "linear")]), "perceptron"),
    ],
)
def test_networks_it_has_no_evidence_for(net, sentence):
    with pytest.raises(ConfigurationError, match=sentence):
        dr.BayesianRegularization().check(net, 10)


@pytest.mark.parametrize("restarts", [1, 2])
@pytest.mark.parametrize("layers", [[dr.Dense(3, "tanh"), dr.Dropout(0.5)], [dr.Reshape((1, 4, 1)), dr.Flatten()]])
def test_layers_without_weights_are_refused_before_starts_are_made_different(layers, restarts):
    net = dr.Network([*layers, dr.Dense(1, "linear")])
    X = np.random.default_rng(0).normal(size=(20, 4))
    with pytest.raises(ConfigurationError, match="dense layers only"):
        dr.train(net, X, X[:, :1], trainer=dr.BayesianRegularization(), epochs=1, restarts=restarts)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"solver": "cg"}, "solver must be one of"),
        ({"max_fail": 0}, "max_fail must be a whole number"),
        ({"damping": 0.0}, "damping must be"),
    ],
)
def test_options_outside_their_range(options, sentence):
    with pytest.raises(ConfigurationError, match=sentence):
        dr.BayesianRegularization(**options)


def test_what_fits_no_memory_is_refused(monkeypatch):
    from deltarule.trainers import form

    monkeypatch.setattr(form, "available_memory", lambda: 1000)
    with pytest.raises(ConfigurationError, match=r"13 parameters on 40 examples .*13"):
        dr.BayesianRegularization().form(NET.sizes((2,)), 40)


@pytest.mark.parametrize(
    ("inputs", "hidden", "examples", "cheap"),
    [
        (10, 20, 500, True),
        (8, 20, 100_000, True),
        (8, 20, 1_000_000, False),
        (100, 1000, 100, True),  # 102,001 parameters, and the dual form's matrix is 100 x 100
        (800, 20, 700, True),
        (800, 20, 2800, False),  # 800 categories: 18 minutes by exact steps
    ],
)
def test_cheap_is_a_third_of_a_second_an_epoch(inputs, hidden, examples, cheap):
    net = dr.Network([dr.Dense(hidden, "tanh"), dr.Dense(1, "linear")])
    assert exact_steps_are_cheap(net, (examples, inputs)) == cheap


def test_what_does_not_fit_the_memory_is_not_cheap(monkeypatch):
    monkeypatch.setattr(form, "available_memory", lambda: 1e3)
    assert not exact_steps_are_cheap(NET, (500, 2))


def test_inputs_share_a_precision_in_the_first_epochs(engine):
    trainer = dr.BayesianRegularization(shared_epochs=5)
    alpha = dr.train(NET, X, BEND, trainer=trainer, epochs=8, seed=0, engine=engine).history["alpha"][:, : X.shape[1]]
    assert np.ptp(alpha[:6], axis=1) == pytest.approx(0)  # those of epoch 6 are from the update in epoch 5
    assert np.ptp(alpha[6]) > 0


def test_shared_precisions_save_starts_that_switch_an_input_off():
    """y = sin(2 x1) + x2² + [a category]: x1 is switched off in some starts that have precisions of their own."""
    random = np.random.default_rng(0)
    inputs, category = random.uniform(-2, 2, (150, 3)), random.integers(0, 3, 150)
    y = np.sin(2 * inputs[:, 0]) + inputs[:, 1] ** 2 + (category == 1) + 0.2 * random.normal(size=150)
    rows = np.column_stack([inputs, np.eye(3)[category]])
    rows = (rows - rows.mean(axis=0)) / rows.std(axis=0)
    y = ((y - y.mean()) / y.std())[:, None]
    net = dr.Network([dr.Dense(8, "tanh"), dr.Dense(1, "linear")])
    trainer = dr.BayesianRegularization(shared_epochs=10)
    noise = [
        np.sqrt(2 * dr.train(net, rows, y, trainer=trainer, epochs=200, seed=seed).history["cost"][-1])
        for seed in range(8)
    ]
    assert np.sum(np.array(noise) > 0.3) <= 1  # without x1 it is 0.47


def test_patience_begins_after_the_shared_epochs():
    trainer = dr.BayesianRegularization(shared_epochs=12, max_fail=1)
    result = dr.train(NET, X, np.random.default_rng(1).normal(size=(40, 1)), trainer=trainer, epochs=40, seed=0)
    assert result.epochs >= 12
