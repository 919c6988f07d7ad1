"""Huber's and Poisson's cost against automatic differentiation of an independent statement, on both engines.

The value, the gradient (BP1-BP4), the exact H v of Newton-CG, and the factors of Levenberg-Marquardt, S r = delta^L.
"""

from itertools import product

import numpy as np
import pytest

import deltarule as dr
from deltarule import trees
from deltarule.curvature.hessian import backward_pass
from deltarule.network.activations import ACTIVATIONS
from engines import BOTH, assert_close, on
from oracle.plain_network import compiled, cost_of_output, jax, jnp, mean_cost, mostly_slow, outputs, problem

pytestmark = pytest.mark.usefixtures("float64")

DELTA = 0.3  # some errors of the points below are smaller, some larger
OUTPUTS = ("linear", "exponential", "tanh", "softplus")
COSTS = {"huber": (dr.Huber(DELTA), DELTA), "poisson": (dr.Poisson(), None)}
QUICK = {("huber", "linear"), ("huber", "tanh"), ("poisson", "exponential"), ("poisson", "softplus")}
PAIRS = mostly_slow(product(COSTS, OUTPUTS), QUICK)


@pytest.mark.parametrize(("name", "output"), PAIRS)
def test_the_gradient_and_the_hessian(name, output):
    cost, delta = COSTS[name]
    activations, sizes = ("tanh", "sigmoid", output), (3, 5, 4, 3)
    params, x, y = problem(OUTPUTS.index(output), sizes, activations, name, 7)
    y[0] = 0  # a count of none
    v = trees.map_leaves(lambda p: np.cos(3 * p), params)

    def value(p):
        return mean_cost(jnp, activations, (name, delta), p, x, y)

    expected_cost, (expected, bent) = compiled(lambda p: (value(p), jax.jvp(jax.grad(value), (p,), (v,))))(params)
    net = dr.Network([dr.Dense(n, sigma) for n, sigma in zip(sizes[1:], activations, strict=True)], cost)
    for engine in BOTH:
        found_cost, found = net.cost_and_gradient(on(engine, params), x, y)
        np.testing.assert_allclose(found_cost, expected_cost, rtol=1e-13)
        assert_close(found, trees.map_leaves(np.asarray, expected))
        p, along, X, Y, weight = on(engine, (params, v, x, y, np.full(7, 1 / 7)))
        product = backward_pass(net, p, X, Y, weight).hessian_product(along)
        assert_close(product, trees.map_leaves(np.asarray, bent), 1e-11)
        assert dr.check_gradient(net, on(engine, params), x, y) < 1e-6


def points(output):
    """Outputs above 0, targets of 0 and others on both sides, no error at the kink of Huber's cost."""
    draw = np.random.default_rng(3)
    z = draw.uniform(0.2, 0.9, size=(5, 3))
    y = draw.uniform(0.0, 1.6, size=(5, 3))
    y[0, 0] = y[3, 1] = 0
    return z, y


@pytest.mark.parametrize(("name", "output"), PAIRS)
def test_the_factors(name, output):
    cost, delta = COSTS[name]
    z, y = points(output)

    def of_input(z, y):
        return cost_of_output(jnp, name, delta, outputs(output, z), y)

    gradient, bend = compiled(lambda z, y: (jax.vmap(jax.grad(of_input))(z, y), jax.vmap(jax.hessian(of_input))(z, y)))(
        z, y
    )
    slope = compiled(jax.vmap(jax.jacobian(lambda z: outputs(output, z))))(z)
    weights = {  # what stands for C''(a)
        "huber": lambda a: np.minimum(1, DELTA / np.maximum(np.abs(a - y), 1e-300)),
        "poisson": lambda a: 1 / a,
    }
    for engine in BOTH:
        (Z, Y), activation = on(engine, (z, y)), ACTIVATIONS[output]
        a = activation.sigma(Z)
        np.testing.assert_allclose(cost.value(activation, Z, a, Y), jax.vmap(of_input)(z, y), rtol=1e-12)
        np.testing.assert_allclose(cost.output_error(activation, Z, a, Y), gradient, rtol=1e-11, atol=1e-13)
        S, r = map(np.asarray, cost.gauss_newton(activation, Z, a, Y))
        np.testing.assert_allclose(np.einsum("mjo,mo->mj", S, r), gradient, rtol=1e-11, atol=1e-13)
        expected = np.einsum("mji,mj,mjl->mil", slope, weights[name](np.asarray(a)), slope)
        np.testing.assert_allclose(np.einsum("mjo,mio->mji", S, S), expected, rtol=1e-11, atol=1e-13)
        for j in range(3):  # the exact second derivative, column by column
            unit = on(engine, np.tile(np.eye(3)[j], (5, 1)))
            column = cost.output_error_tangent(activation, Z, a, Y, unit)
            np.testing.assert_allclose(column, bend[:, :, j], rtol=1e-11, atol=1e-13)
        np.testing.assert_allclose(  # and by a alone
            cost.curvature(a, Y),
            jax.vmap(lambda a, y: jnp.diagonal(jax.hessian(lambda a: cost_of_output(jnp, name, delta, a, y))(a)))(
                np.asarray(a), y
            ),
            rtol=1e-12,
        )


def test_the_natural_pair_of_poisson_is_exact(engine):
    """With exponential outputs S S^T is the Hessian, diag(a)."""
    z, y = on(engine, points("exponential"))
    activation = ACTIVATIONS["exponential"]
    a = activation.sigma(z)
    S, _ = dr.Poisson().gauss_newton(activation, z, a, y)
    np.testing.assert_allclose(np.einsum("mjo,mio->mji", S, S), np.asarray(a)[..., None] * np.eye(3), rtol=1e-12)


@pytest.mark.parametrize("output", OUTPUTS)
def test_the_acceleration_of_huber_s_residual(output, engine):
    """d²/dt² of root (a - y) along z(t) = z + t dz + t²/2 ddz, the root held where it is."""
    draw = np.random.default_rng(5)
    z, y, dz, ddz = (draw.normal(size=(4, 3)) for _ in range(4))
    root = np.sqrt(np.minimum(1, DELTA / np.abs(np.asarray(outputs(output, z)) - y)))

    def velocity(t):
        return jax.jvp(lambda t: root * outputs(output, z + t * dz + t * t / 2 * ddz), (t,), (1.0,))[1]

    expected = jax.jvp(velocity, (0.0,), (1.0,))[1]
    activation = ACTIVATIONS[output]
    Z, Y, dZ, ddZ = on(engine, (z, y, dz, ddz))
    found = dr.Huber(DELTA).residual_acceleration(activation, Z, activation.sigma(Z), Y, dZ, ddZ)
    np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("output", ["exponential", "softplus"])
@pytest.mark.parametrize("target", [0.0, 1.0, 3.0])
def test_poisson_where_the_output_vanishes(output, target, engine):
    """At z = -1000 in float32 a is 0 and ln a is not: the cost grows by y |z|, and delta^L goes to -y."""
    z, y = on(engine, (np.array([[-1e3]], np.float32), np.array([[target]], np.float32)))
    activation, cost = ACTIVATIONS[output], dr.Poisson()
    a = activation.sigma(z)
    # a - y - y ln(a/y) with a = 0: 1000 y + y ln y - y
    expected = 1000 * target + (target * np.log(target) if target else 0) - target
    np.testing.assert_allclose(cost.value(activation, z, a, y), [expected], rtol=1e-6)
    np.testing.assert_allclose(cost.output_error(activation, z, a, y), [[-target]], rtol=1e-6)
    S, r = cost.gauss_newton(activation, z, a, y)
    assert np.isfinite(S).all()
    assert np.isfinite(r).all()
    np.testing.assert_allclose(np.asarray(S)[0] @ np.asarray(r)[0], [-target], rtol=1e-6)
