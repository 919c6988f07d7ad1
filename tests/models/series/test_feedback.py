"""Free runs, and how they move: against the recursion written out, differences, and a run worked by hand."""

import numpy as np
import pytest

from deltarule import trees
from deltarule.data.lagged import Lags, lagged
from deltarule.models.series import feedback
from deltarule.models.series.feedback import Feedback
from deltarule.network.layers import Dense
from deltarule.network.network import Network

CASES = {
    "one output": (Lags((1, 2), (1, 2)), 1, 1, (4,)),
    "gaps between lags": (Lags((1, 4), (0, 3)), 2, 1, (3,)),
    "two outputs": (Lags((1, 3), (1,)), 1, 2, (4,)),
    "no input": (Lags((1, 2, 3), ()), 0, 1, (3, 2)),
    "linear": (Lags((1, 2), (1,)), 1, 1, ()),
}


def example(case, runs=3, steps=12):
    lags, m, k, hidden = CASES[case]
    random = np.random.default_rng(5)
    net = Network([*(Dense(h, "tanh") for h in hidden), Dense(k, "linear")])
    width = k * len(lags.outputs) + m * len(lags.inputs)
    line = np.zeros((k, width))
    line[:, :k] = 0.5 * np.eye(k)
    params = [
        {"W": 0.5 * random.normal(size=p["W"].shape), "b": random.normal(size=p["b"].shape)}
        for p in net.init(0, (width,))
    ]
    U = random.normal(size=(runs, lags.max_lag + steps, m))
    return Feedback(net, lags, m, line), params, U, random.normal(size=(runs, lags.max_lag, k))


@pytest.mark.parametrize("case", CASES)
def test_every_step_of_a_free_run_is_one_step_ahead_of_its_own_past(case):
    model, params, U, start = example(case)
    Y = model.free_run(params, U, start)
    X = lagged(U, Y, model.lags)
    np.testing.assert_allclose(
        model.step(params, X.reshape(-1, model.width)).reshape((*X.shape[:2], -1)),
        Y[:, model.lags.max_lag :],
        atol=1e-13,
    )


@pytest.mark.parametrize("case", CASES)
def test_long_runs_are_corrected_from_similar_runs(case, monkeypatch):
    """Newton's method on all steps at once ends in the numbers that one step after the other gives."""
    model, params, U, start = example(case, steps=feedback.LONG + 5)
    params = [{"W": 0.3 * p["W"], "b": p["b"]} for p in params]  # so that errors die out along the runs
    near = model.free_run(trees.multiply(trees.map_leaves(lambda p: np.full_like(p, 1.05), params), params), U, start)
    alone = model.free_run(params, U, start)
    assert np.abs(near - alone).max() > 1e-3
    found = []
    monkeypatch.setattr(Feedback, "_correct", watched(Feedback._correct, found))
    np.testing.assert_allclose(model.free_run(params, U, start, near), alone, rtol=0, atol=1e-12)
    assert found[0] is not None
    # from nowhere near, or where a run leaves all bounds, the steps are made one after the other
    far = np.full_like(near, np.nan)
    assert (model.free_run(params, U, start, far) == alone).all()
    assert found[1] is None


def watched(function, found):
    def call(*arguments):
        found.append(function(*arguments))
        return found[-1]

    return call


@pytest.mark.parametrize("case", CASES)
def test_the_jacobian_equals_differences(case):
    model, params, U, start = example(case)
    J = model.unroll(params, U, model.free_run(params, U, start)).jacobian()
    random = np.random.default_rng(0)
    for _ in range(3):
        v = trees.map_leaves(lambda p: random.normal(size=p.shape), params)
        ahead, behind = (model.free_run(trees.add(params, v, h), U, start) for h in (1e-6, -1e-6))
        difference = ((ahead - behind) / 2e-6)[:, model.lags.max_lag :].ravel()
        np.testing.assert_allclose(J @ trees.ravel(v), difference, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("case", CASES)
def test_the_jacobian_by_the_start_equals_differences(case):
    model, params, U, start = example(case, runs=1)
    unrolled = model.unroll(params, U, model.free_run(params, U, start))
    response = unrolled.propagate(unrolled.start_jacobian()[0])
    random = np.random.default_rng(0)
    v = random.normal(size=start.shape)
    ahead, behind = (model.free_run(params, U, start + h * v) for h in (1e-6, -1e-6))
    difference = ((ahead - behind) / 2e-6)[:, model.lags.max_lag :].ravel()
    np.testing.assert_allclose(response @ v.ravel(), difference, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("case", CASES)
def test_the_second_derivative_equals_differences(case):
    model, params, U, start = example(case)
    Y = model.free_run(params, U, start)
    unrolled, random = model.unroll(params, U, Y), np.random.default_rng(0)
    v = trees.map_leaves(lambda p: random.normal(size=p.shape), params)
    bend = unrolled.second_derivative(v, unrolled.jacobian() @ trees.ravel(v))
    h = 1e-4
    ahead, behind = (model.free_run(trees.add(params, v, step), U, start) for step in (h, -h))
    difference = ((ahead - 2 * Y + behind) / h**2)[:, model.lags.max_lag :].ravel()
    np.testing.assert_allclose(bend, difference, rtol=1e-4, atol=1e-4 * np.abs(bend).max())


def test_three_steps_by_hand():
    """y_t = 0.5 y_{t-1} + w y_{t-1} + v u_{t-1} + b with w = 0.1, v = 2, b = 1, from y_0 = 1 and u = 1, 0, -1, ..

    y_1 = 0.6·1 + 2·1 + 1 = 3.6;  y_2 = 0.6·3.6 + 0 + 1 = 3.16;  y_3 = 0.6·3.16 - 2 + 1 = 0.896
    dy/dw: 1;  3.6 + 0.6·1 = 4.2;  3.16 + 0.6·4.2 = 5.68
    dy/dv: 1;  0 + 0.6 = 0.6;  -1 + 0.36 = -0.64
    dy/db: 1;  1.6;  1.96
    """
    model = Feedback(Network([Dense(1, "linear")]), Lags((1,), (1,)), 1, np.array([[0.5, 0.0]]))
    params = [{"W": np.array([[0.1, 2.0]]), "b": np.array([1.0])}]
    U = np.array([1.0, 0.0, -1.0, 0.0]).reshape(1, 4, 1)
    Y = model.free_run(params, U, np.ones((1, 1, 1)))
    np.testing.assert_allclose(Y.ravel(), [1, 3.6, 3.16, 0.896], rtol=1e-14)
    J = model.unroll(params, U, Y).jacobian()
    np.testing.assert_allclose(J, [[1, 1, 1], [4.2, 0.6, 1.6], [5.68, -0.64, 1.96]], rtol=1e-14)
