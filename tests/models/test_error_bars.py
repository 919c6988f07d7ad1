"""The regressor's error bars: what a fit with the evidence leaves, intervals, how often they hold, what has none."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
from sklearn.base import clone

import deltarule as dr
from deltarule import NetworkRegressor
from deltarule.errors import ConfigurationError, ShapeError
from deltarule.models.candidates import EFFORTS
from deltarule.models.scaling import Scaling


def test_attributes_of_bayesian_regularisation(regressor):
    """The noise of `regression` is 10, in the units of y."""
    assert regressor.noise_std_.shape == (1,)
    assert 7 < regressor.noise_std_.item() < 13
    assert 3 < regressor.effective_parameters_ < 25
    assert regressor.log_evidence_ == regressor.ensemble_.log_evidence[regressor.ensemble_.best]
    assert regressor.log_evidence_ == pytest.approx(regressor.history_["log_evidence"].max(), rel=1e-12)
    assert regressor.ensemble_.weights.sum() == pytest.approx(1, rel=1e-14)
    assert regressor.ensemble_.examples == 90


def test_standard_deviations(regressor, regression):
    X = regression[0]
    mean, std = regressor.predict(X, return_std=True)
    assert mean.shape == std.shape == (90,)
    np.testing.assert_allclose(mean, regressor.predict(X), rtol=1e-11)
    least = regressor.ensemble_.law.std(regressor.ensemble_.noise * np.exp(regressor.ensemble_.law.low))
    assert std.min() >= least.item() * regressor.y_scaling_.std.item()
    far = regressor.predict([[5000.0, 0.05]], return_std=True)[1].item()
    assert far > 5 * std.max()


def test_intervals(regressor, regression):
    X = regression[0]
    mean, std = regressor.predict(X, return_std=True)
    widths = []
    for coverage in (0.5, 0.9, 0.95, 0.999):
        low, high = regressor.predict_interval(X, coverage)
        np.testing.assert_allclose((low + high) / 2, mean, rtol=1e-12)
        widths.append((high - low) / (2 * std))
    assert np.all(np.diff(widths, axis=0) > 0)
    # Student's t of any freedom, in units of its own standard deviation, has its 97.5 % quantile at 1.4 to 2.
    np.testing.assert_allclose(widths[2], regressor.ensemble_.law.reach(0.95))
    assert 1.4 < regressor.ensemble_.law.reach(0.95) < 2.0
    np.testing.assert_array_equal(regressor.predict_interval(X), regressor.predict_interval(X, coverage=0.95))


@pytest.mark.parametrize("coverage", [0, 1, 95, -0.1, float("nan")])
def test_coverage_must_lie_between_0_and_1(regressor, regression, coverage):
    with pytest.raises(ConfigurationError, match="coverage must be"):
        regressor.predict_interval(regression[0], coverage)


def test_error_bars_survive_a_pickle(regressor, regression):
    again = pickle.loads(pickle.dumps(regressor))
    for one, other in zip(
        again.predict_interval(regression[0]), regressor.predict_interval(regression[0]), strict=True
    ):
        np.testing.assert_array_equal(one, other)


def test_a_column_of_targets_has_columns_of_error_bars(regressor, regression):
    X, y = regression
    column = clone(regressor).fit(X, y[:, None])
    mean, std = column.predict(X, return_std=True)
    assert mean.shape == std.shape == column.predict_interval(X)[0].shape == (90, 1)
    np.testing.assert_array_equal(std[:, 0], regressor.predict(X, return_std=True)[1])


def test_a_whole_weight_equals_copies(regressor, regression):
    X, y = regression
    weight = np.random.default_rng(0).integers(0, 4, len(X))
    weighted = clone(regressor).fit(X, y, sample_weight=weight)
    repeated = clone(regressor).fit(np.repeat(X, weight, axis=0), np.repeat(y, weight))
    assert weighted.ensemble_.examples == repeated.ensemble_.examples == weight.sum()
    for one, other in zip(weighted.predict_interval(X), repeated.predict_interval(X), strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_scale_of_fractional_weights_does_not_matter(regressor, regression):
    """1/sigma² of measurements of which half are three times as noisy, in two units; both are as many as the rows."""
    X, y = regression
    sigma = np.where(np.arange(len(X)) % 2, 1.0, 3.0)
    one, other = (clone(regressor).fit(X, y, sample_weight=unit / sigma**2) for unit in (1.0, 2.0**-20))
    assert one.ensemble_.examples == pytest.approx(90)
    np.testing.assert_array_equal(one.predict(X), other.predict(X))
    assert one.noise_std_ == pytest.approx(10, rel=0.4)


@pytest.mark.parametrize(
    ("changes", "way"),
    [({}, "bayesian"), ({"trainer": "lm"}, "bayesian"), ({"l2": 0.1}, "early-stopping")]
    + [({"trainer": name}, "early-stopping") for name in ("adam", "gd", dr.LevenbergMarquardt())]
    + [({"cost": name}, "l2") for name in ("huber", "poisson")]
    + [({"cost": name, "l2": 0.1}, "early-stopping") for name in ("huber", dr.Quadratic(1))]
    + [({"cost": dr.Quadratic(1)}, "early-stopping"), ({"cost": "huber", "trainer": "adam"}, "early-stopping")],
)
def test_what_auto_chooses(changes, way):
    model = NetworkRegressor(**changes)
    model.y_scaling_ = Scaling(*np.ones((4, 1)))
    X = np.random.default_rng(0).normal(size=(60, 3))
    assert model._plan(model._recipe(), X, X[:, :1]).regularization == way
    model.hidden = (100_000,)  # whose step is not cheap for so many rows
    many = np.broadcast_to(np.zeros(3), (10**4, 3))
    if changes.get("cost") != "huber":  # which would look at all of them
        assert model._plan(model._recipe(), many, many[:, :1]).regularization == "early-stopping"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"trainer": "adam"}, "trainer is 'adam'"),
        ({"trainer": dr.LevenbergMarquardt()}, "trainer is LevenbergMarquardt"),
        ({"l2": 0.1}, "l2 is 0.1, and"),
        ({"eta": 0.1}, "eta is 0.1, and"),
        ({"batch_size": 10}, "batch_size is 10, and"),
    ],
)
def test_options_that_contradict_bayesian_are_refused(changes, sentence, regression):
    with pytest.raises(ConfigurationError, match=sentence):
        NetworkRegressor(regularization="bayesian", **changes).fit(*regression)


def test_error_bars_need_bayesian_regularisation(regression):
    X, y = regression
    model = NetworkRegressor(hidden=(3,), regularization="l2", epochs=30, random_state=0).fit(X, y)
    for asked in (lambda: model.predict(X, return_std=True), lambda: model.predict_interval(X)):
        with pytest.raises(ConfigurationError, match=r"'l2'.*regularization='bayesian'"):
            asked()


def test_partial_fit_leaves_no_error_bars(regressor, regression):
    """Not even those of a fit before it, whose parameters it changes."""
    X, y = regression
    model = pickle.loads(pickle.dumps(regressor)).set_params(trainer="adam")
    before = model.predict(X)
    model.partial_fit(X, y)
    assert np.abs(model.predict(X) - before).max() > 0
    with pytest.raises(ConfigurationError, match="was trained with partial_fit"):
        model.predict(X, return_std=True)


# f of inputs in [-1, 1]², and the standard deviation of the noise.
KNOWN = {
    "a wave": (lambda X: np.sin(3 * X[:, 0]) + X[:, 1] ** 2, 0.3),
    "a plane": (lambda X: 40 * X[:, 0] - 7 * X[:, 1], 20.0),
    "a product": (lambda X: X[:, 0] * X[:, 1] + np.exp(-4 * X[:, 0] ** 2), 0.05),
}


@pytest.mark.parametrize("name", ["a wave", "a plane", pytest.param("a product", marks=pytest.mark.slow)])
def test_coverage_of_95_percent_intervals(name):
    """On average over six tables of 90 rows, each with 1,000 new measurements; and the noise is found to 15 %."""
    f, sigma = KNOWN[name]
    held, noise = [], []
    for seed in range(6):
        draw = np.random.default_rng(seed)
        X, new = draw.uniform(-1, 1, (90, 2)), draw.uniform(-1, 1, (1000, 2))
        model = NetworkRegressor(hidden=(6,), random_state=seed).fit(X, f(X) + sigma * draw.normal(size=90))
        low, high = model.predict_interval(new)
        measured = f(new) + sigma * draw.normal(size=1000)
        held.append(np.mean((low <= measured) & (measured <= high)))
        noise.append(model.noise_std_.item())
    assert 0.92 <= np.mean(held) <= 0.98  # what the factor 1 + gamma/m allows for is not always there
    assert np.mean(noise) == pytest.approx(sigma, rel=0.15)


POSTERIOR = ("ensemble_", "log_evidence_", "effective_parameters_", "noise_std_")


@pytest.mark.parametrize("estimator", [NetworkRegressor, dr.NetworkClassifier])
def test_a_second_fit_removes_the_earlier_posterior(estimator, regression):
    X, y = regression
    y = y if estimator is NetworkRegressor else y > np.median(y)
    model = estimator(effort=replace(EFFORTS["default"], max_candidates=2), random_state=0).fit(X, y)
    assert model.networks_.startswith("of ")
    again = pickle.loads(pickle.dumps(model)).set_params(trainer="adam").partial_fit(X, y)
    model.set_params(regularization="early-stopping", epochs=2).fit(X, y)
    for each in (model, again):
        assert each.networks_ is None
        assert not [name for name in POSTERIOR if hasattr(each, name)]
    assert getattr(again, "calibration_", None) is None


def test_log_density_needs_a_target_for_each_row(regressor, regression):
    X, y = regression
    assert regressor.log_density(X[:5], y[:5]).shape == (5,)
    for wrong in (y[:1], y[:6], y[:5].reshape(1, 5)):
        with pytest.raises(ShapeError, match="y has the shape"):
            regressor.log_density(X[:5], wrong)


def test_a_constant_target_gives_a_warning():
    with (
        pytest.warns(UserWarning, match="only 1 row to train on"),
        pytest.warns(UserWarning, match="y holds one value"),
    ):
        NetworkRegressor(hidden=(2,), random_state=0).fit([[1.0, 2.0]], [5.0])
