"""The primal step against NumPy on an explicit J, and its two limits: Gauss-Newton and steepest descent."""

import numpy as np
import pytest

from deltarule.trainers.levenberg_marquardt.model import primal_model, primal_step
from trainers.levenberg_marquardt.conftest import close, flat

pytestmark = pytest.mark.usefixtures("float64")


def step(problem, engine, lam, l2=None, block=None, accelerate=True):
    """The step, and the model that it is made from."""
    F, p = problem.on(engine, l2, block)
    model = F.call(primal_model, p)
    return flat(F.call(primal_step, p, model, lam, accelerate=accelerate).corrected), model


@pytest.mark.parametrize(("l2", "block"), [(None, 32), (0.3, 32), (0.3, 8)])
@pytest.mark.parametrize("lam", [1e-3, 1.0, 100.0])
def test_the_step_and_its_correction(many, engine, lam, l2, block):
    close(step(many, engine, lam, l2, block)[0], many.corrected_step(lam, l2), 1e-10)
    close(step(many, engine, lam, l2, block, accelerate=False)[0], many.step(lam, l2)[0], 1e-10)


def test_the_fields_of_the_model(many, engine):
    _, model = step(many, engine, 1.0, 0.3)
    gradient = many.J.T @ many.r + 0.3 * many.is_weight * many.p
    assert float(model.objective) == pytest.approx(many.cost + 0.15 * np.sum(many.is_weight * many.p**2), rel=1e-13)
    close(flat(model.gradient), gradient, 1e-13)
    assert float(model.gradient_norm) == pytest.approx(np.linalg.norm(gradient), rel=1e-13)
    assert float(model.trace) == pytest.approx(np.sum(many.J**2), rel=1e-13)
    np.testing.assert_allclose(model.hessian, many.J.T @ many.J, rtol=1e-12, atol=1e-13)


def test_the_linearization_of_one_block_is_kept(many, engine):
    assert step(many, engine, 1.0)[1].linearization is not None
    assert step(many, engine, 1.0, block=8)[1].linearization is None


def test_the_predicted_fall(many, engine):
    F, p = many.on(engine, 0.3)
    found = F.call(primal_step, p, F.call(primal_model, p), 0.7, accelerate=True)
    s, A = many.step(0.7, 0.3)[0], 0.3 * many.is_weight
    expected = -((many.J.T @ many.r + A * many.p) @ s + 0.5 * (np.sum((many.J @ s) ** 2) + s @ (A * s)))
    assert float(found.predicted) == pytest.approx(expected, rel=1e-11)


def test_more_parameters_than_residuals(few, engine):
    close(step(few, engine, 0.01)[0], few.corrected_step(0.01), 1e-10)


def test_without_damping_it_is_gauss_newton(many, engine):
    """The least-squares solution of J s = -r; its conditioning is squared by the normal equations."""
    expected = np.linalg.lstsq(many.J, -many.r, rcond=None)[0]
    lam = 1e-15 * np.sum(many.J**2)
    close(step(many, engine, lam, accelerate=False)[0], expected, 1e-14 * np.linalg.cond(many.J) ** 2)


def test_with_great_damping_it_is_steepest_descent(many, engine):
    """s -> -gradient/lambda, and the correction, a quarter of a quadratic in s, vanishes beside it."""
    lam = 1e14 * np.sum(many.J**2)
    found, model = step(many, engine, lam, 0.3)
    close(found, -flat(model.gradient) / lam, 1e-12)


def test_a_matrix_that_is_not_positive_definite_gives_nan(few, engine):
    """J^T J is singular here, and less than nothing is added to it: the trial is rejected, nothing is raised."""
    assert np.isnan(step(few, engine, -1.0)[0]).all()
