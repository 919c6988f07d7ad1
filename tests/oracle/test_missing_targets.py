"""Missing targets against automatic differentiation of the cost written without them: gradient, J, J^T r, curvature."""

import numpy as np
import pytest

import deltarule as dr
from deltarule import trees
from deltarule.curvature.hessian import backward_pass
from deltarule.curvature.linearization import linearize
from deltarule.network import backprop
from deltarule.network.missing_targets import mask_missing_targets
from engines import BOTH, on
from oracle.plain_network import jax, jnp

pytestmark = pytest.mark.usefixtures("float64")

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(7, 3))
WEIGHT = RANDOM.uniform(0.5, 2, 7)
MISSING = np.array([[0, 1], [0, 0], [1, 0], [0, 0], [1, 0], [0, 1], [0, 0]], bool)
CASES = {
    "quadratic": (dr.Quadratic(), "linear", RANDOM.normal(size=(7, 2)), lambda a, y: (a - y) ** 2 / 2),
    "scale 1, tanh": (dr.Quadratic(1.0), "tanh", RANDOM.uniform(-1, 1, (7, 2)), lambda a, y: (a - y) ** 2),
    "huber": (
        dr.Huber(0.3),
        "linear",
        RANDOM.normal(size=(7, 2)),
        lambda a, y: jnp.where(jnp.abs(a - y) <= 0.3, (a - y) ** 2 / 2, 0.3 * (jnp.abs(a - y) - 0.15)),
    ),
    "poisson": (dr.Poisson(), "exponential", RANDOM.poisson(2, (7, 2)) + 1.0, lambda a, y: a - y - y * jnp.log(a / y)),
}


def made(case):
    """The network with its cost of measured targets, parameters, and the targets, some of them NaN."""
    cost, output, Y, _ = CASES[case]
    Y = np.where(MISSING, np.nan, Y)
    net = mask_missing_targets(dr.Network([dr.Dense(4, "tanh"), dr.Dense(2, output)], cost), Y)
    return net, net.init(1, (3,), "float64"), Y


def oracle(case, net, params):
    """p ↦ sum_i w_i sum over measured j of C_ij, with the other targets never looked at."""
    _, output, Y, of_one = CASES[case]
    places = np.argwhere(~MISSING)
    sigma = {"linear": lambda z: z, "tanh": jnp.tanh, "exponential": jnp.exp}[output]

    def value(flat):
        (hidden, last) = trees.unravel(flat, params)
        a = sigma(jnp.tanh(X @ hidden["W"].T + hidden["b"]) @ last["W"].T + last["b"])
        return sum(WEIGHT[i] * of_one(a[i, j], Y[i, j]) for i, j in places)

    return value


@pytest.mark.parametrize("case", CASES)
def test_cost_gradient_and_normal_equations(case):
    net, params, Y = made(case)
    flat = np.asarray(trees.ravel(params))
    value = oracle(case, net, params)
    cost, gradient = value(flat), np.asarray(jax.jit(jax.grad(value))(flat))
    for engine in BOTH:
        p, x, y, w = on(engine, (params, X, Y, WEIGHT))
        ours = backprop.cost_and_gradient(net, p, x, y, w)
        np.testing.assert_allclose(ours[0], cost, rtol=1e-12)
        np.testing.assert_allclose(trees.ravel(ours[1]), gradient, rtol=1e-10, atol=1e-12)
        equations = linearize(net, p, x, y, w).normal_equations()
        np.testing.assert_allclose(equations.gradient, gradient, rtol=1e-10, atol=1e-12)
        lin = linearize(net, p, x, y, w)
        J = np.asarray(lin.jacobian_transpose()).T
        rows = J.reshape(7, 2, -1)
        assert (rows[MISSING] == 0).all()
        assert (np.abs(rows[~MISSING]).max(axis=1) > 0).all()
        np.testing.assert_allclose(J.T @ J, equations.hessian, rtol=1e-10, atol=1e-12)
        assert not np.isnan(np.asarray(lin.r)).any()


@pytest.mark.parametrize("case", ["quadratic", "scale 1, tanh", "poisson"])
def test_newton_s_curvature(case):
    """H v of the exact Hessian; Huber's has corners."""
    net, params, Y = made(case)
    flat = np.asarray(trees.ravel(params))
    v = RANDOM.normal(size=flat.shape)
    expected = np.asarray(jax.jit(jax.hessian(oracle(case, net, params)))(flat)) @ v
    for engine in BOTH:
        p, x, y, w, direction = on(engine, (params, X, Y, WEIGHT, trees.unravel(v, params)))
        ours = backward_pass(net, p, x, y, w).hessian_product(direction)
        np.testing.assert_allclose(trees.ravel(ours), expected, rtol=1e-9, atol=1e-11)
