"""Whole trainings on both engines from the same start: the same minimum, by second-order steps, and the same way there.

The mathematics is one, so the first steps agree to rounding; rounding then grows along a way that bends, and what two
computations must share at the end is the minimum.
"""

import numpy as np
import pytest

import deltarule as dr
from deltarule import trees
from engines import WITHOUT_JAX, off

pytestmark = WITHOUT_JAX

DRAW = np.random.default_rng(0)
X = DRAW.uniform(-1, 1, (60, 2))
SMOOTH = np.sin(2 * X[:, :1]) * X[:, 1:] + 0.05 * DRAW.normal(size=(60, 1))
LABELS = np.eye(3)[(X > 0).sum(axis=1)]
REGRESSION = dr.Network([dr.Dense(4, "tanh"), dr.Dense(1, "linear")])
DEEP = dr.Network([dr.Dense(4, "tanh"), dr.Dense(3, "sigmoid"), dr.Dense(1, "linear")])
CLASSES = dr.Network([dr.Dense(3, "tanh"), dr.Dense(3, "softmax")], "log-likelihood")
L2 = 0.3  # so that a minimum is a point and not a valley

TRAININGS = {
    "lm primal": (REGRESSION, SMOOTH, dr.LevenbergMarquardt(solver="primal", l2=L2)),
    "lm dual": (REGRESSION, SMOOTH, dr.LevenbergMarquardt(solver="dual", l2=L2)),
    "lm cg": (REGRESSION, SMOOTH, dr.LevenbergMarquardt(solver="cg", l2=L2, cg_tolerance=1e-8)),
    "lm without refit": (DEEP, SMOOTH, dr.LevenbergMarquardt(l2=L2, refit=False)),
    "lm without acceleration": (REGRESSION, SMOOTH, dr.LevenbergMarquardt(l2=L2, acceleration=False)),
    "lm on classes": (CLASSES, LABELS, dr.LevenbergMarquardt(l2=L2)),
    "newton-cg": (REGRESSION, SMOOTH, dr.NewtonCG(l2=L2, cg_tolerance=1e-3)),
    "newton-cg on classes": (CLASSES, LABELS, dr.NewtonCG(l2=L2, cg_tolerance=1e-3)),
}


def on_both(net, Y, trainer, **options):
    return [dr.train(net, X, Y, trainer=trainer, seed=2, engine=engine, **options) for engine in ("numpy", "jax")]


QUICK = ("lm primal", "lm cg", "newton-cg on classes")  # each way of solving; the first steps of all are below


@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in TRAININGS]
)
def test_the_same_minimum(name):
    one, other = on_both(*TRAININGS[name], epochs=400, stopping=dr.Stopping(min_grad=1e-8))
    assert (one.engine, other.engine) == ("numpy", "jax")
    for result in (one, other):
        assert result.history["gradient_norm"][-1] < 1e-7  # also where rounding is reached before the rule
    np.testing.assert_allclose(other.history["cost"][-1], one.history["cost"][-1], rtol=1e-11)
    for left, right in zip(trees.leaves(off(one.params)), trees.leaves(off(other.params)), strict=True):
        np.testing.assert_allclose(right, left, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", TRAININGS)
def test_the_same_first_steps(name):
    """Costs, gradients, dampings and radii of three epochs, and every trial among them."""
    one, other = on_both(*TRAININGS[name], epochs=3)
    assert one.history.keys() == other.history.keys()
    for record, values in one.history.items():
        assert values.dtype == other.history[record].dtype
        np.testing.assert_allclose(other.history[record], values, rtol=1e-7, atol=1e-9, err_msg=record)


@pytest.mark.parametrize("solver", ["primal", "dual"])
def test_the_same_evidence(solver):
    one, other = on_both(REGRESSION, SMOOTH, dr.BayesianRegularization(solver=solver), epochs=100)
    assert one.stop_reason == other.stop_reason == "evidence"
    np.testing.assert_allclose(other.history["log_evidence"].max(), one.history["log_evidence"].max(), rtol=1e-6)
    for record, values in one.history.items():
        np.testing.assert_allclose(other.history[record][:3], values[:3], rtol=1e-8, err_msg=record)


@pytest.mark.parametrize(
    "trainer",
    [
        dr.GradientDescent(eta=0.3),
        dr.GradientDescent(eta=0.1, batch_size=7, momentum=0.9, l1=0.01),
        dr.GradientDescent(eta=0.01, batch_size=7, rule="adam", max_norm=2.0),
        dr.LevenbergMarquardt(batch_size=20, l2=L2),
        dr.NewtonCG(batch_size=20, l2=L2),
    ],
)
@pytest.mark.parametrize("weights", [None, DRAW.uniform(0.5, 2, 60)], ids=["plain", "weighted"])
def test_the_same_way(trainer, weights):
    one, other = on_both(REGRESSION, SMOOTH, trainer, epochs=4, dtype="float64", weights=weights)
    assert one.history.keys() == other.history.keys()
    for record, values in one.history.items():
        np.testing.assert_allclose(other.history[record], values, rtol=1e-8, atol=1e-11, err_msg=record)
    for left, right in zip(trees.leaves(off(one.params)), trees.leaves(off(other.params)), strict=True):
        np.testing.assert_allclose(right, left, rtol=1e-7, atol=1e-9)
