"""Conjugate gradients inside a trust region: the direction of Newton-CG (Steihaug 1983).

The model of the objective around p is m(s) = g^T s + (1/2) s^T H s, to be made small within ‖s‖ <= radius. Conjugate
gradients start at s = 0, where each iterate lies further out than the one before and lower on m, and end

- where the residual ‖g + H s‖ has fallen far enough: Newton's step, to a tolerance;
- on the boundary, where the next iterate would leave the region;
- on the boundary, along a direction of negative curvature, d^T H d <= 0, on which m has no minimum.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax

from deltarule.backprop import Params

Number = float | Array

ENDINGS = ("running", "converged", "boundary", "negative curvature")
RUNNING, CONVERGED, BOUNDARY, NEGATIVE = range(4)


class Solution(NamedTuple):
    """The step s, what m promises of it, -m(s) >= 0, how the search ended (an index in ENDINGS), and its products."""

    s: Params
    promised: Array
    ending: Array
    products: Array


def steihaug(
    product: Callable[[Params], Params], g: Params, radius: Array, tolerance: Number, iterations: Number
) -> Solution:
    """A step that lowers m at least as far as steepest descent inside the region does.

    Args:
        product: v ↦ H v.
        g: the gradient, in the shape of the parameters.
        radius: of the region, > 0.
        tolerance: the share of ‖g‖ to which the residual is to fall.
        iterations: the most products; past them the iterate so far is the step, and "running" its ending.

    Source: J. Nocedal, S. Wright, Numerical Optimization, algorithm 7.2.
    """
    gg = dot(g, g)
    target = tolerance * tolerance * gg

    def going(carry: tuple) -> Array:
        *_, ending, i = carry
        return (ending == RUNNING) & (i < iterations)

    def advance(carry: tuple) -> tuple:
        s, r, d, rr, _, i = carry
        Hd = product(d)
        curvature = dot(d, Hd)
        downhill = curvature > 0
        t = rr / jnp.where(downhill, curvature, 1)
        outside = norm(plus(s, d, t)) >= radius
        t = jnp.where(downhill & ~outside, t, _to_boundary(s, d, radius))
        s, r = plus(s, d, t), plus(r, Hd, t)
        rr_new = dot(r, r)
        ending = jnp.where(rr_new <= target, CONVERGED, RUNNING)
        ending = jnp.where(downhill, jnp.where(outside, BOUNDARY, ending), NEGATIVE).astype(jnp.int32)
        return s, r, plus(scaled(r, -1.0), d, rr_new / rr), rr_new, ending, i + 1

    start = jnp.where(gg > 0, RUNNING, CONVERGED).astype(jnp.int32)
    zero = scaled(g, 0.0)
    s, r, _, _, ending, products = lax.while_loop(
        going, advance, (zero, g, scaled(g, -1.0), gg, start, jnp.zeros((), jnp.int32))
    )
    # r = g + H s, so m(s) = g^T s + (1/2) s^T (r - g) = (1/2) (g + r)^T s.
    return Solution(s, -0.5 * (dot(g, s) + dot(r, s)), ending, products)


def _to_boundary(s: Params, d: Params, radius: Array) -> Array:
    """The t >= 0 with ‖s + t d‖ = radius, for s inside."""
    dd, sd, ss = dot(d, d), dot(s, d), dot(s, s)
    root = jnp.sqrt(jnp.maximum(sd * sd + dd * (radius * radius - ss), 0))
    return (root - sd) / dd


def dot(u: Params, v: Params) -> Array:
    """The inner product of two vectors in the shape of the parameters."""
    return jax.tree.reduce(jnp.add, jax.tree.map(jnp.vdot, u, v))


def norm(v: Params) -> Array:
    """‖v‖."""
    return jnp.sqrt(dot(v, v))


def plus(u: Params, v: Params, scale: Number = 1.0) -> Params:
    """u + scale v."""
    return jax.tree.map(lambda a, b: a + scale * b, u, v)


def scaled(v: Params, scale: Number) -> Params:
    """scale v."""
    return jax.tree.map(lambda a: scale * a, v)
