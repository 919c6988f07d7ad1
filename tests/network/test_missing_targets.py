"""Several targets of which some are NaN: each is learnt from the rows that have it, on both engines."""

import numpy as np
import pytest

import deltarule as dr
from deltarule import trees
from deltarule.errors import ConfigurationError, DataError
from deltarule.files.model_file import load_model
from deltarule.network.missing_targets import OfMeasured, mask_missing_targets, unmasked
from deltarule.objective import Objective
from deltarule.trainers.bayesian import hyperparameters
from deltarule.trainers.bayesian.evidence import EVIDENCE, POINTS
from deltarule.trainers.bayesian.stored import from_tensors
from engines import rows_on

RANDOM = np.random.default_rng(0)
X = RANDOM.uniform(-1, 1, (80, 2))
TRUE = np.column_stack([np.sin(3 * X[:, 0]), X[:, 0] * X[:, 1]])
WHOLE = TRUE + 0.03 * RANDOM.normal(size=TRUE.shape)
MISSING = np.zeros(WHOLE.shape, bool)
MISSING[::3, 0] = MISSING[1::3, 1] = True
Y = np.where(MISSING, np.nan, WHOLE)
NET = dr.Network([dr.Dense(8, "tanh"), dr.Dense(2, "linear")])
TRAINERS = {
    "sgd": (dr.GradientDescent(eta=0.5, batch_size=10), 300, 0.15),
    "primal": (dr.LevenbergMarquardt(solver="primal"), 30, 0.05),
    "dual": (dr.LevenbergMarquardt(solver="dual"), 30, 0.05),
    "newton-cg": (dr.NewtonCG(), 60, 0.05),
    "bayesian": (dr.BayesianRegularization(), 60, 0.05),
}


def rmse(net, params):
    return np.sqrt(np.mean((np.asarray(net(params, X)) - TRUE) ** 2, axis=0))


def test_without_missing_targets_the_network_is_unchanged():
    assert mask_missing_targets(NET, WHOLE, None) is NET
    assert mask_missing_targets(NET, np.arange(3)) is NET
    wrapped = mask_missing_targets(NET, WHOLE, Y)
    assert isinstance(wrapped.cost, OfMeasured)
    assert wrapped.cost.name == "quadratic"
    assert unmasked(wrapped) == unmasked(NET) == NET


@pytest.mark.parametrize("name", TRAINERS)
def test_each_target_is_learnt_from_the_rows_that_have_it(engine, name):
    trainer, epochs, least = TRAINERS[name]
    result = dr.train(NET, X, Y, trainer=trainer, epochs=epochs, engine=engine)
    assert (rmse(NET, result.params) < least).all()
    assert np.isfinite(result.history["cost"]).all()


@pytest.mark.parametrize("form", ["primal", "dual"])
def test_the_evidence_counts_what_was_measured(engine, form):
    """(BR2) with 106 of 160 residuals, and the same by both forms: missing ones add zeros to J alone."""
    net, params = mask_missing_targets(NET, Y), NET.init(3, (2,), "float64")
    rows = rows_on(engine, X, Y)
    with dr.engine.get(engine).computing_in(np.float64):
        p = trees.map_leaves(lambda leaf: dr.engine.get(engine).put(leaf, np.dtype("float64")), params)
        F = Objective(net, rows, 10_000)
        hyper = hyperparameters.initial(p)._replace(beta=p[0]["W"].dtype.type(7.0))
        point = POINTS[form](F, p)
        found = EVIDENCE[form](F, p, point, hyper)
    errors = (np.asarray(NET(params, X)) - WHOLE)[~MISSING]
    assert errors.size == 106
    assert float(point.square) == pytest.approx(errors @ errors, rel=1e-12)
    A = np.asarray(trees.ravel(hyperparameters.broadcast_alpha(hyper.alpha, p)))
    flat = np.asarray(trees.ravel(p))
    J = jacobian(params)[~MISSING.reshape(-1)]
    S = 3.5 * errors @ errors + 0.5 * flat @ (A * flat)
    H = np.eye(len(A)) + 7.0 * (J / np.sqrt(A)).T @ (J / np.sqrt(A))
    expected = 0.5 * 106 * np.log(7.0 / (2 * np.pi)) - S - 0.5 * np.linalg.slogdet(H)[1]
    expected += float(hyperparameters.log_hyper_prior(trees.map_leaves(np.asarray, hyper.alpha)))
    assert float(found.log_evidence) == pytest.approx(expected, rel=1e-10)


def jacobian(params):
    """J of the outputs at X by central differences of second order, (160, n)."""
    flat, h = np.asarray(trees.ravel(params)), 1e-6

    def outputs(p):
        return NET(trees.unravel(p, params), X).reshape(-1)

    return np.stack([(outputs(flat + h * e) - outputs(flat - h * e)) / (2 * h) for e in np.eye(len(flat))], axis=1)


@pytest.mark.parametrize("solver", ["primal", "dual"])
def test_error_bars_are_those_of_the_measured_residuals(solver):
    result = dr.train(NET, X, Y, trainer=dr.BayesianRegularization(solver=solver), epochs=60)
    ensemble = dr.BayesianEnsemble.of(NET, result, X, Y, solver=solver)
    assert ensemble.examples == 53
    assert np.allclose(ensemble.noise_std, 0.03, rtol=0.4)
    assert (np.abs(ensemble.predict(X).mean - TRUE) < 5 * ensemble.predict(X).std_of_mean + 0.02).mean() > 0.95
    other = dr.BayesianEnsemble.of(NET, result, X, Y, solver="dual" if solver == "primal" else "primal")
    np.testing.assert_allclose(ensemble.predict(X[:9]).std, other.predict(X[:9]).std, rtol=1e-6)
    assert ensemble.merged()[0].cost == NET.cost


def test_an_estimator_trains_saves_and_predicts(tmp_path):
    scale = [100.0, 0.01]
    model = dr.NetworkRegressor(hidden=(8,), random_state=0).fit(X, Y * scale + [5, 0])
    assert model.regularization_ == "bayesian"
    assert model.score(X, TRUE * scale + [5, 0]) > 0.98
    few = dr.NetworkRegressor(hidden=(20,), random_state=0).fit(X[:20], Y[:20])
    assert few.ensemble_.members[0].rows is not None  # the dual form
    few.save(tmp_path / "m.safetensors")
    loaded = load_model(tmp_path / "m.safetensors")
    bars = from_tensors(loaded.net, loaded.error_bars).predict(few.x_scaling_.encode(X[:5])).std * few.y_scaling_.std
    np.testing.assert_allclose(bars, few.predict(X[:5], return_std=True)[1], rtol=1e-12)


@pytest.mark.parametrize("options", [{"trainer": "adam"}, {"cost": "huber"}, {"regularization": "early-stopping"}])
def test_other_ways_of_an_estimator(options):
    model = dr.NetworkRegressor(hidden=(8,), random_state=0, **options)
    assert model.fit(X, Y).score(X, TRUE) > model.fit(X, WHOLE).score(X, TRUE) - 0.1


def test_a_mixed_table_and_rows_of_weight_0():
    import pandas as pd

    frame = pd.DataFrame({"a": X[:, 0], "b": X[:, 1], "c": ["u", "v"] * 40})
    weight = (np.arange(80) % 4 > 0).astype(float)
    model = dr.NetworkRegressor(hidden=(8,), random_state=0).fit(
        frame, pd.DataFrame(Y, columns=["f", "g"]), sample_weight=weight
    )
    assert model.score(frame, TRUE) > 0.97
    assert model.schema().target_names == ("f", "g")


def test_counts_of_which_some_are_missing():
    counts = np.random.default_rng(1).poisson(np.exp(1 + TRUE)).astype(float)
    model = dr.NetworkRegressor(cost="poisson", random_state=0).fit(X, np.where(MISSING, np.nan, counts))
    assert np.corrcoef(np.log(model.predict(X)).ravel(), (1 + TRUE).ravel())[0, 1] > 0.9


def test_partial_fit_takes_them():
    model = dr.NetworkRegressor(trainer="adam", random_state=0)
    for _ in range(200):
        model.partial_fit(X, Y)
    assert model.score(X, TRUE) > 0.9


def test_what_cannot_be_is_refused():
    nothing = Y.copy()
    nothing[4] = np.nan
    trainer = dr.LevenbergMarquardt()
    with pytest.raises(DataError, match="Y row 4 "):
        dr.train(NET, X, nothing, trainer=trainer, epochs=1)
    with pytest.raises(DataError, match="row 4 of y "):
        dr.NetworkRegressor().fit(X, nothing)
    with pytest.raises(DataError, match=r"target 1 of y .*NaN"):
        dr.NetworkRegressor().fit(X, np.column_stack([TRUE[:, 0], np.full(80, np.nan)]))
    with pytest.raises(DataError, match="not finite"):
        dr.train(NET, X, np.where(MISSING, np.inf, Y), trainer=trainer, epochs=1)
    one = dr.Network([dr.Dense(1, "linear")])
    with pytest.raises(DataError, match="not finite"):
        dr.train(one, X, Y[:, :1], trainer=trainer, epochs=1)
    classes = dr.Network([dr.Dense(2, "softmax")], "log-likelihood")
    with pytest.raises(ConfigurationError, match=r"NaN.* log-likelihood"):
        dr.train(classes, X, Y, trainer=dr.GradientDescent(eta=0.1), epochs=1)
    with pytest.raises(ConfigurationError, match="refit"):
        dr.train(NET, X, Y, trainer=dr.LevenbergMarquardt(refit=True), epochs=1)
