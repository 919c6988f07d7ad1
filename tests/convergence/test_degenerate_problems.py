"""Problems that determine too little or lie far from 1: a trainer ends with finite parameters, no worse, and says why.

They have one shape, so that JAX compiles each trainer once. Mini-batch Levenberg-Marquardt is not among them: its steps
are judged on their batch, and the cost over all examples may rise.
"""

import numpy as np
import pytest

import deltarule as dr
from deltarule import trees
from deltarule.trainers.stopping import STOP_REASONS
from engines import off

pytestmark = pytest.mark.usefixtures("on_each_engine")

random = np.random.default_rng(0)
X = random.uniform(-1, 1, (30, 3))
Y = np.sin(3 * X[:, :1]) + X[:, 1:2] * X[:, 2:]
COLUMN = np.array([1.0, 0.0, 0.0])
PROBLEMS = {
    "duplicated rows": (np.repeat(X[:5], 6, axis=0), np.repeat(Y[:5], 6, axis=0)),
    "one input, many targets": (np.repeat(X[:1], 30, axis=0), Y),
    "a constant column": (X * (1 - COLUMN) + COLUMN, Y),
    "a column of zeros": (X * COLUMN, Y),
    "duplicated columns": (X[:, [0, 0, 0]], Y),
    "inputs of 1e12": (1e12 * X, Y),
    "inputs of 1e-12": (1e-12 * X, Y),
    "inputs of 1e300": (1e300 * X, Y),
    "targets of 1e12": (X, 1e12 * Y),
    "targets of 1e-12": (X, 1e-12 * Y),
    "columns of 1e12 and 1e-12": (X * np.array([1e12, 1.0, 1e-12]), Y),
    "all zero": (0 * X, 0 * Y),
    "targets without variance": (X, 0 * Y + 3),
    "one example": (X[:1], Y[:1]),
}
SOLVERS = {
    "primal": dr.LevenbergMarquardt(solver="primal"),
    "dual": dr.LevenbergMarquardt(solver="dual"),
    "cg": dr.LevenbergMarquardt(solver="cg"),
    "newton-cg": dr.NewtonCG(),
}
NET = dr.Network([dr.Dense(4, "tanh"), dr.Dense(1, "linear")])


@pytest.mark.parametrize("problem", PROBLEMS)
@pytest.mark.parametrize("solver", SOLVERS)
def test_it_ends_finite_and_no_worse(solver, problem):
    x, y = PROBLEMS[problem]
    params = NET.init(0, (3,), "float64")
    result = dr.train(NET, x, y, trainer=SOLVERS[solver], epochs=15, params=params)
    assert all(np.isfinite(array).all() for array in trees.leaves(off(result.params)))
    before, after = (float(NET.cost_and_gradient(p, x, y)[0]) for p in (params, result.params))
    assert after <= before * (1 + 1e-9)
    assert result.stop_reason in STOP_REASONS[1:]


def test_divergence_is_found_in_the_epoch_in_which_it_happens():
    """eta is so large that the first epoch overflows; eta is named, and the start is kept."""
    params = NET.init(0, (3,))
    result = dr.train(NET, X, Y, trainer=dr.GradientDescent(eta=1e6, batch_size=5), epochs=50, params=params)
    assert (result.stop_reason, result.epochs, result.best_epoch) == ("diverged", 1, 0)
    assert "with eta = 1e+06" in result.message
    np.testing.assert_array_equal(result.params[0]["W"], params[0]["W"])
