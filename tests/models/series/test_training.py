"""The error of free runs: its gradient, its Gauss-Newton matrix, and steps that lead down."""

import numpy as np

import deltarule as dr
from deltarule import trees
from deltarule.data.lagged import Lags, Segment, windows
from deltarule.models.series.feedback import Feedback
from deltarule.models.series.training import ClosedLoop, initial_state


def problem():
    random = np.random.default_rng(0)
    U, Y = random.normal(size=(60, 1)), random.normal(size=(60, 1)).cumsum(axis=0) / 4
    Y[33] = np.nan  # a run goes through it
    model = Feedback(dr.Network([dr.Dense(3, "tanh"), dr.Dense(1, "linear")]), Lags((1, 2), (1,)), 1, np.eye(1, 3))
    F = ClosedLoop(model, windows([Segment(U, Y)], model.lags, 12), 0.3)
    return F, model.net.init(0, (3,), "float64")


def test_the_gradient_equals_differences():
    F, p = problem()
    assert not F.is_complete
    equations = F.call(ClosedLoop.normal_equations, p)[1]
    gradient = equations.gradient + trees.ravel(trees.multiply(F.prior(p), p))
    v = np.random.default_rng(1).normal(size=gradient.shape)
    ahead, behind = (F.value(trees.add(p, trees.unravel(v, p), h)) for h in (1e-6, -1e-6))
    np.testing.assert_allclose(gradient @ v, (ahead - behind) / 2e-6, rtol=1e-7)
    r = F.residual(p).ravel()
    np.testing.assert_allclose(float(equations.cost), 0.5 * r @ r)


def test_the_trainers_own_step_leads_down_with_the_acceleration():
    F, p = problem()
    trainer = dr.LevenbergMarquardt(l2=0.3, refit=False)
    state, before = initial_state(F, p), F.value(p)
    for _ in range(80):
        state, record = trainer.step(F, "primal", state, 1.0, np.dtype("float64"), lambda: None)
        if not record["accepted"]:
            break
        assert record["cost"] < before
        before = float(record["cost"])
    F.value(p)  # so that the last run is not that of the state
    gradient = F.call(ClosedLoop.normal_equations, state.params)[1].gradient + trees.ravel(
        trees.multiply(F.prior(state.params), state.params)
    )
    assert np.linalg.norm(gradient) < 1e-2
