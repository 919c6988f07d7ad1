"""Conjugate gradients by hand and by their rules, and the matrix-free step against NumPy on an explicit J."""

import numpy as np
import pytest

from deltarule import engine as engines
from deltarule.trainers.levenberg_marquardt.model import conjugate_gradients, matrix_free_model, matrix_free_step
from engines import put
from trainers.levenberg_marquardt.conftest import close, flat

pytestmark = pytest.mark.usefixtures("float64")


def _solve(M, b, preconditioner, tolerance, iterations):
    layers = [{"W": b}], [{"W": preconditioner}]
    return conjugate_gradients(lambda v: [{"W": M @ v[0]["W"]}], *layers, tolerance, iterations)[0]["W"]


def solve(engine, M, b, preconditioner, tolerance, iterations):
    """M x = b for vectors, as parameters of one layer."""
    arrays = (put(engine, np.asarray(array, float)) for array in (M, b, preconditioner))
    return np.asarray(engines.get(engine).call(_solve, *arrays, tolerance, iterations))


BY_HAND = [[4.0, 1.0], [1.0, 3.0]], [1.0, 2.0]


def test_two_iterations_by_hand(engine):
    """M = [[4, 1], [1, 3]], b = [1, 2], no preconditioner."""
    np.testing.assert_array_equal(solve(engine, *BY_HAND, np.ones(2), 0.0, 0), [0, 0])
    # d = r = b, r·r = 5, M d = [6, 7], d·M d = 20, t = 1/4: x = b/4.
    np.testing.assert_allclose(solve(engine, *BY_HAND, np.ones(2), 0.0, 1), [0.25, 0.5], rtol=1e-15)
    # In two iterations it is exact: M^-1 b = [3 - 2, -1 + 8]/11.
    np.testing.assert_allclose(solve(engine, *BY_HAND, np.ones(2), 0.0, 2), [1 / 11, 7 / 11], rtol=1e-14)


def test_one_preconditioned_iteration_by_hand(engine):
    """P = diag(1/4, 1/3): z = [1/4, 2/3], r·z = 19/12, M z = [5/3, 9/4], z·M z = 23/12, t = 19/23."""
    x = solve(engine, *BY_HAND, [1 / 4, 1 / 3], 0.0, 1)
    np.testing.assert_allclose(x, [19 / 23 / 4, 19 / 23 * 2 / 3], rtol=1e-14)


def test_it_stops_on_the_relative_residual(engine):
    draw = np.random.default_rng(0)
    B = draw.normal(size=(40, 40))
    M, b = B @ B.T / 40 + np.eye(40), 1e6 * draw.normal(size=40)
    for tolerance in (1e-1, 1e-4, 1e-8):
        x = solve(engine, M, b, np.ones(40), tolerance, 1000)
        residual = np.linalg.norm(b - M @ x) / np.linalg.norm(b)
        assert 1e-3 * tolerance < residual <= tolerance * (1 + 1e-6)  # soon enough, and no sooner
    exact = np.linalg.solve(M, b)
    np.testing.assert_allclose(solve(engine, M, b, np.ones(40), 1e-14, 1000), exact, rtol=1e-12)


def test_a_diagonal_system_is_solved_at_once_by_its_preconditioner(engine):
    diagonal = np.array([1e-6, 1.0, 1e6])
    found = solve(engine, np.diag(diagonal), np.ones(3), 1 / diagonal, 0.0, 1)
    np.testing.assert_allclose(found, 1 / diagonal, rtol=1e-14)


def test_nothing_to_solve_for_is_solved_by_nothing(engine):
    np.testing.assert_array_equal(solve(engine, np.eye(3), np.zeros(3), np.ones(3), 1e-3, 50), np.zeros(3))


def step(problem, engine, lam, l2=None, tolerance=1e-14, iterations=2000, block=None, accelerate=True):
    """The step, and the model that it is made from."""
    F, p = problem.on(engine, l2, block)
    model = F.call(matrix_free_model, p)
    found = F.call(matrix_free_step, p, model, lam, tolerance, iterations, accelerate=accelerate)
    return flat(found.corrected), model


@pytest.mark.parametrize(("l2", "block"), [(None, 32), (0.3, 8)])
@pytest.mark.parametrize("lam", [0.1, 100.0])
def test_the_step_and_its_correction(many, engine, lam, l2, block):
    close(step(many, engine, lam, l2, block=block)[0], many.corrected_step(lam, l2), 1e-10)
    s, model = step(many, engine, lam, l2, block=block, accelerate=False)
    close(s, many.step(lam, l2)[0], 1e-10)
    energy = (l2 or 0) / 2 * np.sum(many.is_weight * many.p**2)
    assert float(model.objective) == pytest.approx(many.cost + energy, rel=1e-13)
    close(flat(model.gradient), many.J.T @ many.r + (l2 or 0) * many.is_weight * many.p, 1e-13)
    assert float(model.trace) == pytest.approx(np.sum(many.J**2), rel=1e-13)


def test_a_loose_tolerance_still_holds(many, engine):
    """‖M s + gradient‖ <= tolerance ‖gradient‖, and not far below it."""
    s, model = step(many, engine, 0.1, 0.3, tolerance=1e-2, accelerate=False)
    M, gradient = many.J.T @ many.J + np.diag(0.1 + 0.3 * many.is_weight), flat(model.gradient)
    residual = np.linalg.norm(M @ s + gradient) / np.linalg.norm(gradient)
    assert 1e-6 < residual <= 1e-2


def test_few_iterations_still_lead_downhill(many, engine):
    for iterations in (1, 2, 5):
        s, model = step(many, engine, 0.1, iterations=iterations, accelerate=False)
        assert s @ flat(model.gradient) < 0


def test_more_parameters_than_residuals(few, engine):
    close(step(few, engine, 1.0, accelerate=False)[0], few.step(1.0)[0], 1e-11)
