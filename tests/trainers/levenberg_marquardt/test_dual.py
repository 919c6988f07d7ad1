"""The dual step against NumPy on an explicit J, its limits, and that J is never formed."""

import re
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

import deltarule as dr
from deltarule.rows import pad_rows
from deltarule.trainers.levenberg_marquardt.dual import dual_model
from deltarule.trainers.levenberg_marquardt.primal import primal_model

pytestmark = pytest.mark.usefixtures("float64")


@partial(jax.jit, static_argnums=(0, 4))
def solve(net, params, rows, l2, accelerate, lam):
    """s, a and what the model holds, as flat vectors."""
    model = dual_model(net, params, rows, l2, accelerate)
    step = model.solve(lam)
    return (
        ravel_pytree(step.s)[0],
        ravel_pytree(step.a)[0],
        model.objective,
        ravel_pytree(model.gradient)[0],
        model.trace,
    )


def step(problem, lam, l2=None, accelerate=True):
    return [np.asarray(v) for v in solve(problem.net, problem.params, problem.rows, l2, accelerate, lam)]


def close(found, expected, tolerance):
    assert np.linalg.norm(found - expected) < tolerance * np.linalg.norm(expected)


@pytest.mark.parametrize("l2", [None, 0.3, 30.0])
@pytest.mark.parametrize("lam", [1e-2, 1.0, 100.0])
def test_the_step_and_its_correction(few, lam, l2):
    s, a, *_ = step(few, lam, l2)
    expected_s, expected_a = few.step(lam, l2)
    close(s, expected_s, 1e-10)
    close(a, expected_a, 1e-10)


def test_an_l2_of_zero_is_none(few):
    for found, expected in zip(step(few, 0.1, 0.0), step(few, 0.1, None), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12)


def test_what_the_model_holds(few):
    _, _, objective, gradient, trace = step(few, 1.0, 0.3)
    assert objective == pytest.approx(few.cost + 0.15 * np.sum(few.is_weight * few.p**2), rel=1e-13)
    close(gradient, few.J.T @ few.r + 0.3 * few.is_weight * few.p, 1e-13)
    assert trace == pytest.approx(np.sum(few.J**2), rel=1e-13)  # of J^T J, though l2 makes two matrices of it


def test_more_residuals_than_parameters(many):
    """J J^T is singular, and with damping the step is the same all the same."""
    s, a, *_ = step(many, 1.0, 0.3)
    expected_s, expected_a = many.step(1.0, 0.3)
    close(s, expected_s, 1e-10)
    close(a, expected_a, 1e-10)


def test_without_damping_it_is_the_smallest_step_that_ends_every_residual(few):
    """lambda -> 0: of all s with J s = -r the one of least norm, NumPy's lstsq."""
    expected = np.linalg.lstsq(few.J, -few.r, rcond=None)[0]
    np.testing.assert_allclose(few.J @ expected, -few.r, rtol=1e-9)
    lam = 1e-15 * np.sum(few.J**2)
    close(step(few, lam)[0], expected, 1e-14 * np.linalg.cond(few.J) ** 2)


def test_with_great_damping_it_is_steepest_descent(few):
    lam = 1e14 * np.sum(few.J**2)
    s, _, _, gradient, _ = step(few, lam, 0.3)
    close(s, -gradient / lam, 1e-12)


def test_without_acceleration_there_is_no_correction(few):
    s, a, *_ = step(few, 1.0, accelerate=False)
    close(s, few.step(1.0)[0], 1e-11)
    np.testing.assert_array_equal(a, 0)


def largest_array(function, *arguments):
    """The number of entries of the largest array in a compiled function, before XLA makes anything of it."""
    shapes = re.findall(r"tensor<((?:\d+x)+)f64>", jax.jit(function).lower(*arguments).as_text())
    return max(int(np.prod([int(n) for n in shape[:-1].split("x")])) for shape in shapes)


@pytest.mark.parametrize("l2", [None, 0.1])
def test_the_jacobian_is_never_formed(l2):
    """Nothing as large as J, m k x n = 16 x 1,051, appears in a dual step; in a primal one J^T J does."""
    net = dr.Network([dr.Dense(30, "tanh"), dr.Dense(30, "tanh"), dr.Dense(1, "linear")])
    params, n = net.init(0, (2,), "float64"), 90 + 930 + 31
    rows = pad_rows(np.zeros((16, 2)), np.zeros((16, 1)))

    def dual(params, lam):
        return dual_model(net, params, rows, l2, True).solve(lam)

    def primal(params, lam):
        return primal_model(net, params, rows, 16, l2, True).solve(lam)

    assert largest_array(dual, params, jnp.asarray(1.0)) < 16 * n / 10
    assert largest_array(primal, params, jnp.asarray(1.0)) == n * n
