"""The damped quadratic model at one point, and what its three forms have in common.

With A the prior (l2 on weights, 0 on biases) and D = A + lambda I, every form solves

    (J^T J + D) s = -(J^T r + A p)                                                  (LM)

for the step s, and then, with the same factor, the geodesic correction [T&S]

    (J^T J + D) a = -(1/2) J^T d²r/dt²  along s.

The forms differ in what they factor: `primal` J^T J + D (n x n), `dual` J D^-1 J^T + I (m k x m k), `cg` nothing.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from deltarule import backprop
from deltarule.backprop import Params
from deltarule.curvature import linearize, residual_acceleration, transpose_product
from deltarule.rows import Rows, sum_over_blocks

if TYPE_CHECKING:
    from deltarule.network import Network

Number = float | Array
LARGEST_CORRECTION = 0.375  # of the geodesic correction beside the step: 2‖a‖/‖s‖ <= 0.75 in [T&S]


class Step(NamedTuple):
    """A solution of the damped model: the step s and the geodesic correction a, in the shape of the parameters.

    bent is the step to take, s + a with a clipped; predicted the fall of the objective that the model promises for s,
    (lambda ‖s‖² - g^T s)/2. What a caller leaves unused is not computed.
    """

    s: Params
    a: Params
    bent: Params
    predicted: Array


class QuadraticModel(NamedTuple):
    """The model at one point: the objective, its gradient g = J^T r + A p and ‖g‖, tr J^T J, and the solver.

    The gradient's norm stands beside it because the dual form has the one without the other.
    """

    objective: Array
    gradient: Params
    gradient_norm: Array
    trace: Array
    solve: Callable[[Array], Step]


def prior(params: Params, l2: Number | None) -> Params:
    """The diagonal of A in the shape of the parameters: l2 for weights, 0 for biases."""
    strength = 0.0 if l2 is None else l2

    def diagonal(path: tuple, p: Array) -> Array:
        return jnp.full_like(p, strength if path[-1].key == "W" else 0.0)

    return jax.tree_util.tree_map_with_path(diagonal, params)


def objective(net: "Network", params: Params, rows: Rows, block: int, l2: Number | None) -> Array:
    """F(p) = sum_i w_i C_i + (l2/2) sum w²: what a step must decrease. It is N times the regularised mean cost."""

    def part(x: Array, y: Array, weight: Array) -> Array:
        return jnp.sum(weight * backprop.output_cost(net, backprop.forward(net, params, x)[-1], y))

    return sum_over_blocks(rows, block, part) + prior_energy(params, l2)


def prior_energy(params: Params, l2: Number | None) -> Array | float:
    """(l2/2) sum w²."""
    return 0.0 if l2 is None else 0.5 * dot(params, times(prior(params, l2), params))


def acceleration_force(net: "Network", params: Params, rows: Rows, block: int, s: Params) -> Params:
    """J^T d²r/dt² along the line p + t s, summed over blocks."""

    def part(x: Array, y: Array, weight: Array) -> Params:
        lin = linearize(net, params, x, y, weight)
        return transpose_product(net, params, lin, residual_acceleration(net, params, lin, weight, s))

    return sum_over_blocks(rows, block, part)


def norm(v: Params) -> Array:
    """‖v‖."""
    return jnp.sqrt(dot(v, v))


def correction_share(s_norm: Array, a_norm: Array) -> Array:
    """The share of the geodesic correction that is taken: it is clipped beside the step rather than refused."""
    return jnp.minimum(1, LARGEST_CORRECTION * s_norm / jnp.maximum(a_norm, jnp.finfo(a_norm.dtype).tiny))


def bent(s: Params, a: Params, predicted: Array) -> Step:
    """The step that follows s + a."""
    return Step(s, a, plus(s, a, correction_share(norm(s), norm(a))), predicted)


def predicted_fall(gradient: Params, s: Params, lam: Array) -> Array:
    """(lambda ‖s‖² - g^T s)/2, what F falls by if the model holds; (LM) makes it F(p) - model(p + s)."""
    return 0.5 * (lam * dot(s, s) - dot(gradient, s))


def dot(u: Params, v: Params) -> Array:
    """The inner product of two vectors in the shape of the parameters."""
    return jax.tree.reduce(jnp.add, jax.tree.map(lambda a, b: jnp.vdot(a, b), u, v))


def times(d: Params, v: Params) -> Params:
    """d ⊙ v."""
    return jax.tree.map(jnp.multiply, d, v)


def plus(u: Params, v: Params, scale: Number = 1.0) -> Params:
    """u + scale v."""
    return jax.tree.map(lambda a, b: a + scale * b, u, v)


def scaled(v: Params, scale: Number) -> Params:
    """scale v."""
    return jax.tree.map(lambda a: scale * a, v)
