"""The primal step against NumPy on an explicit J, and its two limits: Gauss-Newton and steepest descent."""

from functools import partial

import jax
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

from deltarule.trainers.levenberg_marquardt.primal import primal_model

pytestmark = pytest.mark.usefixtures("float64")


@partial(jax.jit, static_argnums=(0, 3, 5))
def solve(net, params, rows, block, l2, accelerate, lam):
    """s, a and what the model holds, as flat vectors."""
    model = primal_model(net, params, rows, block, l2, accelerate)
    step = model.solve(lam)
    return (
        ravel_pytree(step.s)[0],
        ravel_pytree(step.a)[0],
        model.objective,
        ravel_pytree(model.gradient)[0],
        model.trace,
    )


def step(problem, lam, l2=None, block=None, accelerate=True):
    block = block or problem.rows.x.shape[0]
    return [np.asarray(v) for v in solve(problem.net, problem.params, problem.rows, block, l2, accelerate, lam)]


def close(found, expected, tolerance):
    assert np.linalg.norm(found - expected) < tolerance * np.linalg.norm(expected)


@pytest.mark.parametrize(("l2", "block"), [(None, 32), (0.3, 32), (0.3, 8)])
@pytest.mark.parametrize("lam", [1e-3, 1.0, 100.0])
def test_the_step_and_its_correction(many, lam, l2, block):
    s, a, *_ = step(many, lam, l2, block)
    expected_s, expected_a = many.step(lam, l2)
    close(s, expected_s, 1e-10)
    close(a, expected_a, 1e-10)


def test_what_the_model_holds(many):
    _, _, objective, gradient, trace = step(many, 1.0, 0.3)
    assert objective == pytest.approx(many.cost + 0.15 * np.sum(many.is_weight * many.p**2), rel=1e-13)
    close(gradient, many.J.T @ many.r + 0.3 * many.is_weight * many.p, 1e-13)
    assert trace == pytest.approx(np.sum(many.J**2), rel=1e-13)


def test_more_parameters_than_residuals(few):
    s, a, *_ = step(few, 0.01)
    expected_s, expected_a = few.step(0.01)
    close(s, expected_s, 1e-10)
    close(a, expected_a, 1e-10)


def test_without_damping_it_is_gauss_newton(many):
    """The least-squares solution of J s = -r; its conditioning is squared by the normal equations."""
    expected = np.linalg.lstsq(many.J, -many.r, rcond=None)[0]
    lam = 1e-15 * np.sum(many.J**2)
    close(step(many, lam)[0], expected, 1e-14 * np.linalg.cond(many.J) ** 2)


def test_with_great_damping_it_is_steepest_descent(many):
    """s -> -gradient/lambda, and the correction, a quarter of a quadratic in s, vanishes beside it."""
    lam = 1e14 * np.sum(many.J**2)
    s, a, _, gradient, _ = step(many, lam, 0.3)
    close(s, -gradient / lam, 1e-12)
    assert np.linalg.norm(a) < 1e-12 * np.linalg.norm(s)


def test_without_acceleration_there_is_no_correction(many):
    s, a, *_ = step(many, 1.0, accelerate=False)
    close(s, many.step(1.0)[0], 1e-11)
    np.testing.assert_array_equal(a, 0)


def test_a_matrix_that_is_not_positive_definite_gives_nan(few):
    """J^T J is singular here, and less than nothing is added to it: the trial is rejected, nothing is raised."""
    assert np.isnan(step(few, -1.0)[0]).all()
