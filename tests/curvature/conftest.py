"""Blocks of examples with J and r written out here and differentiated automatically, to hold the products against."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest

import deltarule as dr
from deltarule import trees
from deltarule.engine import jax_is_installed
from deltarule.network.network import Network

if jax_is_installed():
    import jax
    import jax.numpy as jnp


class Block(NamedTuple):
    """A 3-4-3-2 network at a point p of its parameters, six weighted examples, J (12, n), r (12,) and the cost."""

    net: Network
    params: list
    x: np.ndarray
    y: np.ndarray
    weight: np.ndarray
    p: np.ndarray
    unravel: Callable
    J: np.ndarray
    r: np.ndarray
    cost: float
    acceleration: Callable  # v -> d²r/dt² along p + t v, (12,)


def compiled(function):
    """Compiled quickly rather than well: everything here runs once."""
    return jax.jit(function, compiler_options={"xla_backend_optimization_level": 0})


def softmax(z):
    powers = jnp.exp(z)
    return powers / jnp.sum(powers, axis=-1, keepdims=True)


# For each: the network's layers and cost, its output of z, and r as the table of method.md, section 5, has it.
KINDS = {
    "softmax, quadratic of scale 1": ("softmax", dr.Quadratic(1), softmax, lambda a, y: jnp.sqrt(2) * (a - y)),
    "sigmoid, cross-entropy": (
        "sigmoid",
        dr.CrossEntropy(),
        lambda z: 1 / (1 + jnp.exp(-z)),
        lambda a, y: (a - y) / jnp.sqrt(a * (1 - a)),
    ),
    "softmax, log-likelihood": ("softmax", dr.LogLikelihood(), softmax, lambda a, y: (a - y) / jnp.sqrt(a)),
}


@pytest.fixture(scope="session", params=KINDS)
def block(request) -> Block:
    """One block for each kind of output and cost; JAX differentiates it."""
    pytest.importorskip("jax")
    output, cost, sigma, residual = KINDS[request.param]
    draw = np.random.default_rng(3)
    x, weight = draw.normal(size=(6, 3)), draw.uniform(0.2, 3, size=6)
    y = draw.uniform(0.1, 0.9, size=(6, 2))
    y = y / y.sum(axis=1, keepdims=True)
    net = dr.Network([dr.Dense(4, "tanh"), dr.Dense(3, "softplus"), dr.Dense(2, output)], cost)
    root = np.sqrt(weight)[:, None]
    with jax.enable_x64(True):
        params = [{"W": draw.normal(size=(n, n_in)), "b": draw.normal(size=n)} for n_in, n in ((3, 4), (4, 3), (3, 2))]
        p = jnp.asarray(trees.ravel(params))

    def unravel(p):
        return trees.unravel(p, params)

    def z_of(p):
        first, second, last = unravel(p)
        a = jnp.tanh(x @ first["W"].T + first["b"])
        a = jnp.log1p(jnp.exp(a @ second["W"].T + second["b"]))
        return a @ last["W"].T + last["b"]

    def weighted_residual(p):
        return root * residual(sigma(z_of(p)), y)

    def weighted_cost(p):
        a = sigma(z_of(p))
        if isinstance(cost, dr.Quadratic):
            each = cost.scale * (a - y) ** 2
        else:
            each = -y * jnp.log(a) - (0 if output == "softmax" else (1 - y) * jnp.log(1 - a))
        return jnp.sum(weight * jnp.sum(each, axis=1))

    def times_factor(v):  # S^T v of the natural pairs: the table's S, symmetric for the sigmoid
        a = sigma(z_of(p))
        if output == "sigmoid":
            return root * jnp.sqrt(a * (1 - a)) * v
        return root * jnp.sqrt(a) * (v - jnp.sum(a * v, axis=1, keepdims=True))

    @compiled
    def acceleration(v):
        function = weighted_residual if isinstance(cost, dr.Quadratic) else z_of
        bent = jax.jvp(lambda t: jax.jvp(lambda t: function(p + t * v), (t,), (1.0,))[1], (0.0,), (1.0,))[1]
        return (bent if isinstance(cost, dr.Quadratic) else times_factor(bent)).reshape(-1)

    @compiled
    def at(p):
        if isinstance(cost, dr.Quadratic):
            J = jax.jacrev(weighted_residual)(p)
        else:
            J = jax.vmap(times_factor, -1, -1)(jax.jacrev(z_of)(p))
        return J.reshape(12, -1), weighted_residual(p).reshape(-1), weighted_cost(p)

    with jax.enable_x64(True):
        J, r, value = map(np.asarray, at(p))
    return Block(net, params, x, y, weight, np.asarray(p), unravel, J, r, float(value), acceleration)
