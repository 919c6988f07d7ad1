"""`NetworkRegressor(cost=...)`: Huber's cost for outliers, Poisson's for counts, beside clean data and scikit-learn."""

import shutil

import numpy as np
import pytest
from sklearn.linear_model import PoissonRegressor
from sklearn.metrics import mean_poisson_deviance

import deltarule as dr
from contract.consumers import exported
from deltarule.errors import ConfigurationError, DataError


def wave(X):
    return np.sin(2 * X[:, 0]) + X[:, 1]


def spoilt(noise=0.2, count=400, seed=0):
    """X, clean targets, and the same with a tenth of them shifted by 5; and clean rows to judge by."""
    random = np.random.default_rng(seed)
    X, T = random.uniform(-2, 2, (count, 2)), random.uniform(-2, 2, (2000, 2))
    y = wave(X) + noise * random.normal(size=count)
    outliers = random.permutation(count)[: count // 10]
    shifted = y.copy()
    shifted[outliers] += 5
    return X, y, shifted, T, wave(T) + noise * random.normal(size=2000)


def error(predicted, y):
    return float(np.sqrt(np.mean((np.ravel(predicted) - y) ** 2)))


@pytest.mark.parametrize("noise", [pytest.param(0.1, marks=pytest.mark.slow), 0.5])
def test_huber_with_a_tenth_of_outliers(noise, tmp_path):
    X, clean, shifted, T, truth = spoilt(noise)
    named = {"hidden": (10,), "random_state": 0}
    best = error(dr.NetworkRegressor(**named).fit(X, clean).predict(T), truth)
    plain = dr.NetworkRegressor(**named).fit(X, shifted)
    model = dr.NetworkRegressor(cost="huber", random_state=0).fit(X, shifted)
    assert error(plain.predict(T), truth) > 1.3 * best
    assert error(model.predict(T), truth) < 1.2 * best
    assert (model.trainer_, model.regularization_) == ("lm", "l2")
    assert model.net_.cost.name == "huber"
    # 1.345 standard deviations of the noise, in those of the targets
    assert model.net_.cost.delta == pytest.approx(1.345 * noise / model.y_scaling_.std[0], rel=0.4)
    if shutil.which("gcc"):
        assert error(exported(model, "c", tmp_path, T), truth) < 1.2 * best
    path = tmp_path / "model.safetensors"
    model.save(path)
    assert dr.load(path)[0].cost == model.net_.cost


@pytest.mark.parametrize("factor", [10, 50])
def test_huge_outliers_are_not_fitted(factor):
    """They enlarge the deviation that the targets are divided by, and so the penalty that makes them dear."""
    random = np.random.default_rng(0)
    X = np.column_stack([random.uniform(0, 50, 400), random.uniform(0, 5, 400), random.integers(0, 2, 400)])
    truth = 2 * X[:, 0] + 5 * X[:, 1] ** 2 + 10 * X[:, 2]
    y = truth + random.normal(size=400)
    y[3::40] *= factor
    model = dr.NetworkRegressor(cost="huber", random_state=0).fit(X, y)
    assert np.abs(model.predict(X) - truth).max() < 8  # outliers lie up to 2,000 and 11,000 away


def counts(f, count=400, seed=0):
    random = np.random.default_rng(seed)
    X, T = random.uniform(-2, 2, (count, 3)), random.uniform(-2, 2, (3000, 3))
    return X, random.poisson(np.exp(f(X))), T, random.poisson(np.exp(f(T)))


def linear(X):
    return 1 + X @ [0.5, -0.3, 0.2]


def test_poisson_equals_scikit_learn_on_a_log_linear_problem(engine):
    """The same minimum, so the same coefficients: ln(y) = w x + b."""
    X, y, T, truth = counts(linear)
    peer = PoissonRegressor(alpha=0, tol=1e-10, max_iter=1000).fit(X, y)
    model = dr.NetworkRegressor(hidden=(), cost="poisson", regularization=None, engine=engine, random_state=0).fit(X, y)
    assert model.trainer_ == "lm"
    deviances = [mean_poisson_deviance(truth, each.predict(T)) for each in (model, peer)]
    assert deviances[0] == pytest.approx(deviances[1], rel=1e-6)
    np.testing.assert_allclose(model.params_[0]["W"][0] / model.x_scaling_.std, peer.coef_, rtol=1e-4)
    # the cost is half the deviance, of targets that are divided by their mean
    half = mean_poisson_deviance(y, model.predict(X)) / 2
    assert model.loss_curve_[-1] * y.mean() == pytest.approx(half, rel=1e-6)
    # and as it comes, with a hidden layer and its penalty
    fitted = dr.NetworkRegressor(cost="poisson", random_state=0).fit(X, y)
    assert mean_poisson_deviance(truth, fitted.predict(T)) < 1.05 * deviances[1]


def test_poisson_on_a_nonlinear_problem_is_better():
    X, y, T, truth = counts(lambda X: 1 + 0.7 * np.sin(2 * X[:, 0]) + 0.4 * X[:, 1] * X[:, 2])
    peer = mean_poisson_deviance(truth, PoissonRegressor(alpha=0).fit(X, y).predict(T))
    model = dr.NetworkRegressor(cost="poisson", random_state=0).fit(X, y)
    assert mean_poisson_deviance(truth, model.predict(T)) < 0.5 * peer
    assert (model.predict(T) > 0).all()
    assert (model.trainer_, model.regularization_) == ("lm", "l2")


def test_counts_are_scaled_and_not_shifted(tmp_path):
    X, y, T, _ = counts(linear)
    model = dr.NetworkRegressor(hidden=(3,), cost="poisson", epochs=5, random_state=0).fit(X, y)
    assert model.y_scaling_.mean.tolist() == [0]
    assert model.y_scaling_.std[0] == pytest.approx(y.mean(), rel=1e-12)
    column = model.schema().targets[0]
    assert (column.mean, column.low) == (0, 0)
    np.testing.assert_allclose(exported(model, "python", tmp_path, T)[:, 0], model.predict(T), rtol=1e-12)
    nothing = dr.NetworkRegressor(cost="poisson", epochs=5, random_state=0).fit(X, 0 * y)
    assert nothing.predict(T).max() < 1


@pytest.mark.parametrize("trainer", ["sgd", "adam"])
@pytest.mark.parametrize("cost", ["huber", "poisson"])
def test_first_order_trainers(cost, trainer):
    X, y, _, _ = counts(linear)
    model = dr.NetworkRegressor(hidden=(5,), cost=cost, trainer=trainer, epochs=40, random_state=0).fit(X, y)
    assert model.regularization_ == "early-stopping"
    assert model.score(X, y) > 0.4
    further = dr.NetworkRegressor(hidden=(5,), cost=cost, trainer=trainer, random_state=0)
    for _ in range(3):
        further.partial_fit(X, y)
    assert np.isfinite(further.predict(X)).all()


def test_incompatible_options_are_refused():
    X, y, _, _ = counts(linear)
    with pytest.raises(ConfigurationError, match="'absolute' is not known"):
        dr.NetworkRegressor(cost="absolute").fit(X, y)
    with pytest.raises(ConfigurationError, match="quadratic cost"):
        dr.NetworkRegressor(cost="huber", regularization="bayesian").fit(X, y)
    with pytest.raises(DataError, match=r"y holds -1 at index .*at least\s+0"):
        dr.NetworkRegressor(cost="poisson").fit(X, y - 1.0)
    with pytest.raises(ConfigurationError, match="error bars"):
        dr.NetworkRegressor(cost="huber", epochs=2).fit(X, y).predict(X, return_std=True)
