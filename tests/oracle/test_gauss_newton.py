"""The factors of the curvature at the output: S r = delta^L, and S S^T against jax.hessian, for every pair."""

import numpy as np
import pytest

from deltarule.network.activations import ACTIVATIONS
from deltarule.network.costs import Quadratic, get_cost
from engines import BOTH, on
from oracle.plain_network import OUTPUTS, compiled, cost_of_output, every_pair, jax, jnp, outputs

pytestmark = pytest.mark.usefixtures("float64")

EXACT = {("sigmoid", "cross-entropy"), ("softmax", "log-likelihood"), ("linear", "quadratic")}


def points(output, cost):
    """Four rows of z whose outputs lie in (0, 1), and targets: soft, and for the classification costs also hard."""
    draw = np.random.default_rng(OUTPUTS.index(output))
    z = draw.uniform(0.2, 0.8, size=(4, 3)) if output in ("relu", "linear", "tanh") else draw.normal(size=(4, 3))
    if output == "softplus":
        z = -np.abs(z) - 0.1
    y = draw.uniform(0.05, 0.95, size=(4, 3))
    if output == "softmax" or cost == "log-likelihood":
        y = y / y.sum(axis=1, keepdims=True)
    if cost != "quadratic":
        y[0], y[1] = [0, 1, 0], [1, 0, 0]
    return jnp.asarray(z), jnp.asarray(y)


@every_pair()
def test_the_factors(output, cost):
    name, scale = cost
    cost = Quadratic(scale) if name == "quadratic" else get_cost(name)
    z, y = points(output, name)

    def of_output(a, y):
        return cost_of_output(jnp, name, scale, a, y)

    def of_input(z, y):
        return of_output(outputs(output, z), y)

    @compiled
    def derivatives(z, y):
        a = outputs(output, z)
        slope = jax.vmap(jax.jacobian(lambda z: outputs(output, z)))(z)
        bend = jax.vmap(jax.hessian(of_output))(a, y)
        return jax.vmap(jax.grad(of_input))(z, y), slope, bend, jax.vmap(jax.hessian(of_input))(z, y)

    gradient, slope, bend, hessian = map(np.asarray, derivatives(z, y))

    for engine in BOTH:
        check_the_factors(output, name, cost, on(engine, (z, y)), gradient, slope, bend, hessian)


def check_the_factors(output, name, cost, point, gradient, slope, bend, hessian):
    (z, y), activation = point, ACTIVATIONS[output]
    a = activation.sigma(z)
    S, r = map(np.asarray, cost.gauss_newton(activation, z, a, y))
    assert S.shape == (4, 3, 3)
    assert r.shape == (4, 3)
    # S r = delta^L, from the library and from automatic differentiation.
    np.testing.assert_allclose(cost.output_error(activation, z, a, y), gradient, rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(np.einsum("mjo,mo->mj", S, r), gradient, rtol=1e-11, atol=1e-13)

    # S S^T = sigma'^T C''(a) sigma', the Gauss-Newton matrix, and the Hessian itself where that is exact.
    product = np.einsum("mjo,mio->mji", S, S)
    if (output, name) in EXACT:
        np.testing.assert_allclose(product, hessian, rtol=1e-11, atol=1e-13)
    if (output, name) not in {("sigmoid", "cross-entropy"), ("softmax", "log-likelihood")}:
        np.testing.assert_allclose(product, np.einsum("mji,mjk,mkl->mil", slope, bend, slope), rtol=1e-11, atol=1e-13)


def test_the_factors_of_method_md(engine):
    """The closed forms of the table in section 5, at one point: z = ln 3, a = 3/4."""
    z, a, y = on(engine, (np.log([[3.0]]), np.array([[0.75]]), np.array([[1.0]])))
    S, r = get_cost("cross-entropy").gauss_newton(ACTIVATIONS["sigmoid"], z, a, y)
    # √(a (1 - a)) = √3/4; r = (a - y)/S = -1/4 · 4/√3
    np.testing.assert_allclose(S, [[[np.sqrt(3) / 4]]], rtol=1e-14)
    np.testing.assert_allclose(r, [[-1 / np.sqrt(3)]], rtol=1e-14)


@pytest.mark.parametrize("output", OUTPUTS)
def test_the_acceleration_of_the_quadratic_residual(output, engine):
    """d²r/dt² along z(t) = z + t dz + t²/2 ddz, r = √(2 scale) (a - y), against forward mode applied twice."""
    draw = np.random.default_rng(5)
    z, y, dz, ddz = (jnp.asarray(draw.normal(size=(4, 3))) for _ in range(4))

    def residual(t):
        return jnp.sqrt(2.0) * (outputs(output, z + t * dz + t * t / 2 * ddz) - y)

    def velocity(t):
        return jax.jvp(residual, (t,), (1.0,))[1]

    expected = jax.jvp(velocity, (0.0,), (1.0,))[1]
    activation = ACTIVATIONS[output]
    z, y, dz, ddz = on(engine, (z, y, dz, ddz))
    found = Quadratic(1).residual_acceleration(activation, z, activation.sigma(z), y, dz, ddz)
    np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-13)
