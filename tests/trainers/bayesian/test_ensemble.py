"""Ensembles: moments of a mixture by hand, the merged network, and ensembles of trainings."""

import itertools
import pickle
from dataclasses import replace

import numpy as np
import pytest

import deltarule as dr
from deltarule.errors import ConfigurationError, DataError, ShapeError
from deltarule.trainers.bayesian.hyperparameters import Hyperparameters
from trainers.bayesian.conftest import NET

LINE = dr.Network([dr.Dense(1, "linear")])


def line(w, b, alpha_w, alpha_b, noise):
    """f = w x + b whose whitened Hessian is 4 on the diagonal: the variance is a quarter of the prior's."""
    hyper = Hyperparameters([{"W": np.array([alpha_w]), "b": np.array(alpha_b)}], np.array(1.0))
    return dr.trainers.bayesian.Posterior(
        [{"W": np.array([[w]]), "b": np.array([b])}], hyper, np.array([noise]), 2 * np.eye(2), None
    )


@pytest.fixture(scope="module")
def lines():
    members = line(2.0, 0.0, 1.0, 1.0, 0.01), line(1.0, 3.0, 4.0, 2.0, 0.05)
    return dr.BayesianEnsemble((LINE, LINE), members, np.array([0.75, 0.25]), np.zeros(2), np.array([2.0, 1.0]), 12.0)


def test_the_moments_of_the_mixture_by_hand(lines):
    found = lines.predict([[2.0]])
    # f = 4 and 5; Var f = (x²/alpha_w + 1/alpha_b)/4 = (4 + 1)/4 = 1.25 and (1 + 0.5)/4 = 0.375.
    # mean = 3 + 1.25 = 4.25; E f² = 0.75 (1.25 + 16) + 0.25 (0.375 + 25) = 12.9375 + 6.34375 = 19.28125.
    assert found.mean.item() == pytest.approx(4.25, rel=1e-14)
    spread = 19.28125 - 4.25**2
    assert found.std_of_mean.item() == pytest.approx(spread**0.5, rel=1e-13)
    # and the noise 0.75 · 0.01 + 0.25 · 0.05 = 0.02
    assert found.std.item() == pytest.approx((spread + 0.02) ** 0.5, rel=1e-13)


def test_many_rows_are_predicted_in_blocks(lines):
    X = np.linspace(-3, 3, 1500)[:, None]
    found = lines.predict(X)
    assert [array.shape for array in found] == [(1500, 1)] * 3
    np.testing.assert_allclose(found.mean[:, 0], 0.75 * 2 * X[:, 0] + 0.25 * (X[:, 0] + 3), rtol=1e-13, atol=1e-14)
    np.testing.assert_allclose(found.std[1400:1402], lines.predict(X[1400:1402]).std, rtol=1e-13)


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        (np.zeros((0, 1)), DataError, "X has no rows"),
        (np.zeros(1), ShapeError, r"X has shape \(1,\)"),
        (np.zeros((3, 2)), ShapeError, r"needs parameters of shapes"),
        ([[np.nan]], DataError, r"X holds nan at index \(0, 0\)"),
    ],
)
def test_inputs_that_cannot_be_predicted(lines, X, error, message):
    with pytest.raises(error, match=message):
        lines.predict(X)


@pytest.mark.parametrize("trainer", [dr.LevenbergMarquardt(), dr.GradientDescent(eta=0.1)])
def test_the_result_of_another_trainer_is_refused(trainer):
    X = np.linspace(-1, 1, 9)[:, None]
    result = dr.train(LINE, X, X, trainer=trainer, epochs=2)
    with pytest.raises(ConfigurationError, match=r"no log_evidence: .*BayesianRegularization"):
        dr.BayesianEnsemble.of(LINE, result, X, X)


def test_degrees_of_freedom(lines):
    assert lines.degrees_of_freedom() == pytest.approx(12 - (0.75 * 2 + 0.25 * 1))
    assert replace(lines, examples=1.5).degrees_of_freedom() == 1


def test_the_share_of_measurements_in_their_intervals(lines):
    X = np.linspace(-3, 3, 400)[:, None]
    found = lines.predict(X)
    assert replace(lines, examples=11.75).reach(0.95) == pytest.approx(2.2281, abs=1e-4)  # 10 degrees of freedom
    outside = np.where(np.arange(400)[:, None] % 4 == 0, 1.001, -0.999) * lines.reach(0.95)
    assert lines.coverage(X, found.mean + outside * found.std).tolist() == [0.75]
    assert lines.coverage(X, found.mean + outside * found.std, nominal=0.99).tolist() == [1.0]


def drawn(net, draw):
    """Parameters for inputs of 2 columns."""
    sizes = [2, *(layer.n for layer in net.layers)]
    return [{"W": draw.normal(size=(n, n_in)), "b": draw.normal(size=n)} for n_in, n in itertools.pairwise(sizes)]


@pytest.mark.parametrize("hidden", [(), (4,), (4, 3)])
def test_one_network_computes_the_weighted_mean(hidden):
    net = dr.Network([*(dr.Dense(n, "tanh") for n in hidden), dr.Dense(2, "linear")])
    draw = np.random.default_rng(0)
    starts = [drawn(net, draw) for _ in range(3)]
    members = tuple(line(0.0, 0.0, 1.0, 1.0, 1.0)._replace(params=params) for params in starts)
    weights, X = np.array([0.5, 0.3, 0.2]), draw.normal(size=(20, 2))
    ensemble = dr.BayesianEnsemble((net,) * 3, members, weights, np.zeros(3), np.zeros(3), 20.0)
    joined, params = ensemble.merged()
    expected = sum(w * np.asarray(net(p, X)) for w, p in zip(weights, starts, strict=True))
    np.testing.assert_allclose(np.asarray(joined(params, X)), expected, rtol=1e-12, atol=1e-13)
    assert [layer.n for layer in joined.layers[:-1]] == [3 * layer.n for layer in net.layers[:-1]]
    alone = replace(ensemble, weights=np.array([0.0, 1.0, 0.0])).merged()
    assert alone[0] == net
    np.testing.assert_array_equal(alone[1][0]["W"], starts[1][0]["W"])


@pytest.fixture(scope="module")
def ensemble(two_results, curve):
    first, second = two_results
    return dr.BayesianEnsemble.of(NET, replace(first, starts=(first, second)), *curve)


def test_members_weigh_by_their_evidence(ensemble, two_results):
    evidence = np.array([result.history["log_evidence"].max() for result in two_results])
    np.testing.assert_allclose(ensemble.log_evidence, evidence, rtol=1e-14)
    powers = np.exp((evidence - evidence.max()) / 3)
    np.testing.assert_allclose(ensemble.weights, powers / powers.sum(), rtol=1e-12)
    gamma = [result.history["gamma"][result.best_epoch] for result in two_results]
    np.testing.assert_allclose(ensemble.gamma, gamma, rtol=1e-14)


def test_a_single_result_is_an_ensemble_of_one(two_results, curve):
    alone = dr.BayesianEnsemble.of(NET, two_results[0], *curve)
    assert alone.weights.tolist() == [1.0]
    np.testing.assert_allclose(
        alone.predict(curve[0]).mean, np.asarray(NET(two_results[0].params, curve[0])), rtol=1e-12
    )


def test_error_bars_grow_away_from_the_data(ensemble):
    """The rows lie in [-1, 1]²; the noise is in `std` everywhere."""
    inside, outside = ensemble.predict([[0.0, 0.0]]), ensemble.predict([[4.0, 4.0]])
    assert outside.std_of_mean > 3 * inside.std_of_mean
    noise = sum(w * member.noise[0] for w, member in zip(ensemble.weights, ensemble.members, strict=True))
    for found in (inside, outside):
        assert found.std.item() == pytest.approx((found.std_of_mean.item() ** 2 + noise) ** 0.5, rel=1e-12)


def test_the_covariance_of_a_member(ensemble):
    C = ensemble.covariance(0)
    assert C.shape == (13, 13)
    np.testing.assert_allclose(C, C.T, rtol=1e-9, atol=1e-12)
    assert np.linalg.eigvalsh(C).min() > 0


def test_it_pickles(ensemble, curve):
    again = pickle.loads(pickle.dumps(ensemble))
    np.testing.assert_array_equal(again.predict(curve[0]).std, ensemble.predict(curve[0]).std)
