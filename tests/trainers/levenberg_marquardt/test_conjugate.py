"""Conjugate gradients by hand and by their rules, and the matrix-free step against NumPy on an explicit J."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

from deltarule.trainers.levenberg_marquardt.conjugate import cg_model, conjugate_gradients

pytestmark = pytest.mark.usefixtures("float64")


@jax.jit
def solve(M, b, preconditioner, tolerance, iterations):
    """M x = b for vectors, as trees of one leaf."""
    trees = {"v": b}, {"v": preconditioner}
    return conjugate_gradients(lambda v: {"v": M @ v["v"]}, *trees, tolerance, iterations)["v"]


def test_two_iterations_by_hand():
    """M = [[4, 1], [1, 3]], b = [1, 2], no preconditioner."""
    M, b = jnp.asarray([[4.0, 1.0], [1.0, 3.0]]), jnp.asarray([1.0, 2.0])
    np.testing.assert_array_equal(solve(M, b, jnp.ones(2), 0.0, 0), [0, 0])
    # d = r = b, r·r = 5, M d = [6, 7], d·M d = 20, t = 1/4: x = b/4.
    np.testing.assert_allclose(solve(M, b, jnp.ones(2), 0.0, 1), [0.25, 0.5], rtol=1e-15)
    # In two iterations it is exact: M^-1 b = [3 - 2, -1 + 8]/11.
    np.testing.assert_allclose(solve(M, b, jnp.ones(2), 0.0, 2), [1 / 11, 7 / 11], rtol=1e-14)


def test_one_preconditioned_iteration_by_hand():
    """P = diag(1/4, 1/3): z = [1/4, 2/3], r·z = 19/12, M z = [5/3, 9/4], z·M z = 23/12, t = 19/23."""
    M, b = jnp.asarray([[4.0, 1.0], [1.0, 3.0]]), jnp.asarray([1.0, 2.0])
    x = solve(M, b, jnp.asarray([1 / 4, 1 / 3]), 0.0, 1)
    np.testing.assert_allclose(x, [19 / 23 / 4, 19 / 23 * 2 / 3], rtol=1e-14)


def test_it_stops_on_the_relative_residual():
    draw = np.random.default_rng(0)
    B = draw.normal(size=(40, 40))
    M, b = jnp.asarray(B @ B.T / 40 + np.eye(40)), jnp.asarray(1e6 * draw.normal(size=40))
    for tolerance in (1e-1, 1e-4, 1e-8):
        residual = np.linalg.norm(b - M @ solve(M, b, jnp.ones(40), tolerance, 1000)) / np.linalg.norm(b)
        assert 1e-3 * tolerance < residual <= tolerance * (1 + 1e-6)  # soon enough, and no sooner
    np.testing.assert_allclose(solve(M, b, jnp.ones(40), 1e-14, 1000), np.linalg.solve(M, b), rtol=1e-12)


def test_a_diagonal_system_is_solved_at_once_by_its_preconditioner():
    diagonal = jnp.asarray([1e-6, 1.0, 1e6])
    np.testing.assert_allclose(solve(jnp.diag(diagonal), jnp.ones(3), 1 / diagonal, 0.0, 1), 1 / diagonal, rtol=1e-14)


def test_nothing_to_solve_for_is_solved_by_nothing():
    np.testing.assert_array_equal(solve(jnp.eye(3), jnp.zeros(3), jnp.ones(3), 1e-3, 50), np.zeros(3))


@partial(jax.jit, static_argnums=(0, 3, 5))
def model_step(net, params, rows, block, l2, accelerate, tolerance, iterations, lam):
    """s, a and what the model holds, as flat vectors."""
    model = cg_model(net, params, rows, block, l2, accelerate, tolerance, iterations)
    step = model.solve(lam)
    return (
        ravel_pytree(step.s)[0],
        ravel_pytree(step.a)[0],
        model.objective,
        ravel_pytree(model.gradient)[0],
        model.trace,
    )


def step(problem, lam, l2=None, tolerance=1e-14, iterations=2000, block=None, accelerate=True):
    block = block or problem.rows.x.shape[0]
    arguments = problem.net, problem.params, problem.rows, block, l2, accelerate, tolerance, iterations, lam
    return [np.asarray(v) for v in model_step(*arguments)]


def close(found, expected, tolerance):
    assert np.linalg.norm(found - expected) < tolerance * np.linalg.norm(expected)


@pytest.mark.parametrize(("l2", "block"), [(None, 32), (0.3, 8)])
@pytest.mark.parametrize("lam", [0.1, 100.0])
def test_the_step_and_its_correction(many, lam, l2, block):
    s, a, objective, gradient, trace = step(many, lam, l2, block=block)
    expected_s, expected_a = many.step(lam, l2)
    close(s, expected_s, 1e-10)
    close(a, expected_a, 1e-10)
    assert objective == pytest.approx(many.cost + (l2 or 0) / 2 * np.sum(many.is_weight * many.p**2), rel=1e-13)
    close(gradient, many.J.T @ many.r + (l2 or 0) * many.is_weight * many.p, 1e-13)
    assert trace == pytest.approx(np.sum(many.J**2), rel=1e-13)


def test_a_loose_tolerance_still_holds(many):
    """‖M s + gradient‖ <= tolerance ‖gradient‖, and not far below it."""
    s, _, _, gradient, _ = step(many, 0.1, 0.3, tolerance=1e-2)
    M = many.J.T @ many.J + np.diag(0.1 + 0.3 * many.is_weight)
    residual = np.linalg.norm(M @ s + gradient) / np.linalg.norm(gradient)
    assert 1e-6 < residual <= 1e-2


def test_few_iterations_still_lead_downhill(many):
    for iterations in (1, 2, 5):
        s, _, _, gradient, _ = step(many, 0.1, iterations=iterations)
        assert s @ gradient < 0


def test_without_acceleration_there_is_no_correction(few):
    s, a, *_ = step(few, 1.0, accelerate=False)
    close(s, few.step(1.0)[0], 1e-11)
    np.testing.assert_array_equal(a, 0)
