"""A second, independent statement of the mathematics, to hold the library against: nothing here comes from deltarule.

`xp` is jax.numpy, which automatic differentiation can follow, or numpy, for difference quotients without compiling.
"""

from collections.abc import Callable, Container, Iterable
from itertools import pairwise, product
from types import ModuleType
from typing import Any

import numpy as np
import pytest

jax = pytest.importorskip("jax")  # which skips the tests that import this, where it is missing
jnp = jax.numpy

HIDDEN = ("sigmoid", "tanh", "relu", "softplus", "linear")
OUTPUTS = (*HIDDEN, "softmax")
COSTS = (("quadratic", 0.5), ("quadratic", 1.0), ("cross-entropy", None), ("log-likelihood", None))

# Each test of a pair compiles its own derivatives. The quick ones have every output and every cost, the natural pairs,
# and an output of each kind under a cost that is not its own.
QUICK = {
    ("sigmoid", COSTS[0]),
    ("sigmoid", COSTS[2]),
    ("tanh", COSTS[3]),
    ("relu", COSTS[2]),
    ("softplus", COSTS[1]),
    ("linear", COSTS[0]),
    ("softmax", COSTS[1]),
    ("softmax", COSTS[3]),
}


def mostly_slow(cases: Iterable[Any], quick: Container[Any]) -> list[Any]:
    """The cases of a parametrised test, of which those that are not `quick` run with `-m slow` only."""
    as_tuples = ((case, case if isinstance(case, tuple) else (case,)) for case in cases)
    return [pytest.param(*one, marks=() if case in quick else pytest.mark.slow) for case, one in as_tuples]


def every_pair() -> Any:
    """A test for each output and each cost."""
    pairs = mostly_slow(product(OUTPUTS, COSTS), QUICK)
    return pytest.mark.parametrize(("output", "cost"), pairs, ids=str)


def activation(xp: ModuleType, name: str, z: Any) -> Any:
    """sigma(z), each written another way than in the library."""
    if name == "softmax":
        powers = xp.exp(z - xp.max(z, axis=-1, keepdims=True))
        return powers / xp.sum(powers, axis=-1, keepdims=True)
    return {
        "sigmoid": lambda: (1 + xp.tanh(z / 2)) / 2,
        "tanh": lambda: xp.sinh(z) / xp.cosh(z),
        "relu": lambda: xp.where(z > 0, z, 0 * z),
        "softplus": lambda: xp.log(1 + xp.exp(z)),
        "linear": lambda: z,
        "exponential": lambda: xp.exp(z / 2) ** 2,
    }[name]()


def cost_of_output(xp: ModuleType, name: str, scale: float | None, a: Any, y: Any) -> Any:
    """C_x from the outputs, as in the table of method.md, section 2."""
    if name == "quadratic":
        return scale * xp.sum((y - a) ** 2, axis=-1)
    if name == "cross-entropy":
        return -xp.sum(y * xp.log(a) + (1 - y) * xp.log(1 - a), axis=-1)
    if name == "huber":
        size = xp.abs(y - a)
        return xp.sum(xp.where(size <= scale, size**2 / 2, scale * size - scale**2 / 2), axis=-1)
    if name == "poisson":  # y ln y is 0 where y is 0
        return xp.sum(a - y - y * (xp.log(a) - xp.log(xp.maximum(y, 1e-300))), axis=-1)
    return -xp.sum(y * xp.log(a), axis=-1)


def mean_cost(xp: ModuleType, activations: tuple[str, ...], cost: tuple[str, float | None], params, x, y) -> Any:
    """C = (1/N) sum_x C_x of the whole network."""
    a = x
    for name, p in zip(activations, params, strict=True):
        a = activation(xp, name, xp.einsum("jk,mk->mj", p["W"], a) + p["b"])
    return xp.mean(cost_of_output(xp, *cost, a, y))


def problem(seed: int, sizes: tuple[int, ...], activations: tuple[str, ...], cost: str, m: int) -> tuple:
    """Parameters, inputs and targets in float64 for which the cost and its derivatives exist.

    Biases are not zero, so that no relu sits on its kink. Cross-entropy and log-likelihood need outputs in (0, 1): for
    an output that is neither sigmoid nor softmax, the last weights are scaled so that |W a| <= 0.3 over the batch and
    the last bias is 0.5 for tanh, relu and linear, -0.5 for softplus: then z lies in [0.2, 0.8] or [-0.8, -0.2] and a
    in (0.19, 0.81). Targets are in (0, 1); under a softmax or for log-likelihood their rows sum to one.
    """
    draw = np.random.default_rng(seed)
    params = [
        {"W": draw.normal(size=(n, n_in)) / np.sqrt(n_in), "b": 0.5 * draw.normal(size=n)}
        for n_in, n in pairwise(sizes)
    ]
    x, y = draw.normal(size=(m, sizes[0])), draw.uniform(0.05, 0.95, size=(m, sizes[-1]))
    if activations[-1] == "softmax" or cost == "log-likelihood":
        y = y / y.sum(axis=1, keepdims=True)
    if cost not in ("quadratic", "huber") and activations[-1] not in ("sigmoid", "softmax"):
        a = x
        for name, p in zip(activations[:-1], params[:-1], strict=True):
            a = activation(np, name, a @ p["W"].T + p["b"])
        last = params[-1]
        last["W"] = last["W"] * (0.3 / max(np.abs(a @ last["W"].T).max(), 0.3))
        last["b"] = np.full_like(last["b"], -0.5 if activations[-1] in ("softplus", "exponential") else 0.5)
    return params, x, y


def outputs(name: str, z: Any) -> Any:
    """sigma(z) for automatic differentiation."""
    return activation(jnp, name, z)


def compiled(function: Callable) -> Callable:
    """The function compiled quickly rather than well: an oracle runs once, so compiling is all of its time."""
    return jax.jit(function, compiler_options={"xla_backend_optimization_level": 0})
