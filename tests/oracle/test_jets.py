"""Jets, their adjoints, J, J v, J^T u and (GRAM-JET) against nested automatic differentiation, in float64."""

import itertools
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import deltarule as dr
from deltarule import engine as engines_of
from deltarule import trees
from deltarule.curvature.linearization import gram, linearize
from deltarule.equations.problem import lift
from deltarule.equations.residual import Residual, probe_residual
from deltarule.network import backprop
from deltarule.network.activations import ACTIVATIONS
from deltarule.network.layers.jet import lifted_params
from engines import BOTH, on
from oracle.plain_network import jax, jnp

pytestmark = pytest.mark.usefixtures("float64")
SMOOTH = ("tanh", "sigmoid", "softplus", "exponential", "linear")
PLAIN = {
    "tanh": jnp.tanh,
    "sigmoid": jax.nn.sigmoid,
    "softplus": jax.nn.softplus,
    "exponential": jnp.exp,
    "linear": lambda z: z,
}


def nonlinear(x, u, p, sin=np.sin):
    """Bends in u, all its first and second derivatives, x and the unknowns; two residuals of a point."""
    d = x.shape[1]
    first, second = p["nu"] * u.value * u.d(0), u.value * p["c"]
    for i in range(d):
        first = first + sin(u.d(i)) * (1 + x[:, i : i + 1])
        for j in range(i, d):
            second = second + u.d(i, j) * u.value + u.d(i, j) ** 2 * (i + 2 * j + 1) * p["nu"]
    return first.sum(axis=1), second.sum(axis=1)


class Point:
    """u at one point by nested automatic differentiation, with an axis of one example."""

    def __init__(self, f, x):
        self.value = f(x)[None]
        self.slopes, self.bends = jax.jacfwd(f)(x), jax.jacfwd(jax.jacfwd(f))(x)

    def d(self, *inputs):
        array = self.slopes if len(inputs) == 1 else self.bends
        return array[(slice(None), *inputs)][None]


def residuals_by_jax(activations, params, theta, X):
    """All residuals, (m q,)."""

    def one(x):
        def f(x):
            a = x
            for layer, name in zip(params, activations, strict=True):
                a = PLAIN[name](layer["W"] @ a + layer["b"])
            return a

        found = nonlinear(x[None], Point(f, x), {"nu": theta[0], "c": theta[1]}, jnp.sin)
        return jnp.concatenate(found)

    return jax.vmap(one)(X).reshape(-1)


def case(sizes, activations, m, seed):
    draw = np.random.default_rng(seed)
    params = [
        {"W": draw.normal(size=(b, a)) / a**0.5, "b": draw.normal(size=b) / 2} for a, b in itertools.pairwise(sizes)
    ]
    theta, X = draw.normal(size=2), draw.normal(size=(m, sizes[0]))
    net = dr.Network([dr.Dense(n, name) for n, name in zip(sizes[1:], activations, strict=True)])
    return net, params, theta, X


def close(found, expected, what):
    found, largest = np.asarray(found), np.abs(expected).max()
    np.testing.assert_allclose(found.reshape(expected.shape), expected, 0, 1e-10 * max(largest, 1e-3), err_msg=what)


@partial(jax.jit, static_argnums=0)
def by_jax(flat, vector, v):
    """r, J and d²r/dt² along v, compiled as one: step by step every operation would be compiled alone."""
    bend = jax.jvp(lambda p: jax.jvp(flat, (p,), (v,))[1], (vector,), (v,))[1]
    return flat(vector), jax.jacfwd(flat)(vector), bend


def by_us(engine, net, *given):
    """The same and the rest on an engine."""

    def everything(p, x, y, weight, direction, along):
        lin, half = linearize(net, p, x, y, weight), slice(0, len(x) // 2 + 1)
        some, errors = linearize(net, p, x[half], y[half], weight[half]), lin.errors()
        return {
            "r": lin.r,
            "cost": lin.cost,
            "J": lin.jacobian_transpose(errors).T,
            "J v": lin.product(direction),
            "d2r": lin.acceleration(direction),
            "gram": gram(lin, lin)["all"],
            "cross-gram": gram(some, lin)["all"],
            "J^T u": trees.ravel(lin.transpose_product(along)),
            "diagonal": trees.ravel(lin.squared_jacobian()),
            "gradient": trees.ravel(backprop.cost_and_gradient(net, p, x, y, weight)[1]),
        }

    return engines_of.get(engine).call(everything, *on(engine, given))


def assert_all(sizes, activations, m, seed, engines=BOTH):
    net, params, theta, X = case(sizes, activations, m, seed)

    def flat(vector):
        p = trees.unravel(vector, [*params, {"theta": theta}])
        return residuals_by_jax(activations, p[:-1], p[-1]["theta"], X)

    lifted = lifted_params(params, theta)
    vector = trees.ravel(lifted)
    v = np.random.default_rng(seed + 1).normal(size=vector.size)
    r, J, bend = map(np.asarray, by_jax(flat, vector, v))
    u, some = np.random.default_rng(seed + 2).normal(size=r.size), r.size // m * (m // 2 + 1)
    expected = {"r": r, "cost": 0.5 * r @ r, "J": J, "J v": J @ v, "d2r": bend, "gram": J @ J.T}
    expected |= {"cross-gram": J[:some] @ J.T, "J^T u": J.T @ u, "diagonal": (J * J).sum(axis=0), "gradient": J.T @ r}
    for engine in engines:
        cost = probe_residual(Residual(nonlinear, None, sizes[0], sizes[-1], ("nu", "c")), X)
        start = cost.components.seed(X, np.zeros(sizes[0]), np.ones(sizes[0]))
        along = u.reshape(m, -1)
        found = by_us(engine, lift(net, cost), lifted, start, X, np.ones(m), trees.unravel(v, lifted), along)
        for name, array in found.items():
            close(array, np.asarray(expected[name]), f"{name} on {engine}")


EVERY = [("tanh", "sigmoid", "linear"), ("exponential", "softplus", "linear")]
ALONE = [(name, name, "tanh" if name == "linear" else "linear") for name in SMOOTH]


@pytest.mark.parametrize("activations", [*EVERY, *(pytest.param(names, marks=pytest.mark.slow) for names in ALONE)])
def test_every_activation(activations):
    assert_all((2, 4, 3, 1), activations, 5, seed=SMOOTH.index(activations[0]))


def test_they_are_all_that_have_jets():
    assert {name for names in EVERY for name in names} == set(SMOOTH)
    assert {name for name, activation in ACTIVATIONS.items() if len(activation.higher) >= 2} == set(SMOOTH)


@settings(max_examples=3)
@given(
    sizes=st.lists(st.integers(1, 4), min_size=2, max_size=4),
    m=st.integers(2, 5),
    seed=st.integers(0, 2**16),
    data=st.data(),
)
def test_every_shape(sizes, m, seed, data):
    activations = [data.draw(st.sampled_from(SMOOTH[:3])) for _ in sizes[2:]] + ["linear"]
    assert_all(tuple(sizes), activations, m, seed, engines=("numpy",))


def test_a_transform_is_differentiated_through():
    """u = sin(x0) + x0 v² + x1 v: u, u_i, u_ij and J by the parameters against nested differentiation."""
    sizes, activations = (2, 4, 1), ("tanh", "linear")
    net, params, _, X = case(sizes, activations, 6, 3)

    def transform(x, v, sin=np.sin):
        return sin(x[:, :1]) + x[:, :1] * v**2 + x[:, 1:] * v

    def R(x, u, p):
        return u.value * u.d(0, 1) + u.d(0) * u.d(1) + u.d(0, 0) + x[:, 1:] * u.d(1, 1)

    def flat(vector):
        p = trees.unravel(vector, params)

        def one(x):
            def f(x):
                v = p[1]["W"] @ jnp.tanh(p[0]["W"] @ x + p[0]["b"]) + p[1]["b"]
                return transform(x[None], v[None], jnp.sin)[0]

            return R(x[None], Point(f, x), {})[0]

        return jax.vmap(one)(X).reshape(-1)

    vector = trees.ravel(params)
    v = np.random.default_rng(0).normal(size=vector.size)
    r, J, bend = map(np.asarray, by_jax(flat, vector, v))
    cost = probe_residual(Residual(R, None, 2, 1, (), transform), X)
    start, direction = cost.components.seed(X, np.zeros(2), np.ones(2)), [*trees.unravel(v, params), {}]
    lifted = lifted_params(params, np.zeros(0))
    for engine in BOTH:
        found = by_us(engine, lift(net, cost), lifted, start, X, np.ones(6), direction, np.zeros((6, 1)))
        for name, expected in {"r": r, "J": J, "d2r": bend}.items():
            close(found[name], expected, f"{name} on {engine}")
