"""Conjugate gradients inside a trust region: the direction of Newton-CG (Steihaug 1983).

The model of the objective around p is m(s) = g^T s + (1/2) s^T H s, to be minimised within ‖s‖ <= radius. Conjugate
gradients start at s = 0; each iterate is longer than the one before and lower on m. They end

- if the residual ‖g + H s‖ is small enough: s is then Newton's step, to a tolerance;
- on the boundary, if the next iterate would leave the region;
- on the boundary, along a direction of negative curvature, d^T H d <= 0, on which m has no minimum.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from deltarule import engine
from deltarule.arrays import Array
from deltarule.network.backprop import Params
from deltarule.trees import add, dot, norm, scale

Number = Any

ENDINGS = ("running", "converged", "boundary", "negative curvature")
RUNNING, CONVERGED, BOUNDARY, NEGATIVE = range(4)


class Solution(NamedTuple):
    """The step s, the predicted fall -m(s) >= 0, how the search ended (an index in ENDINGS), and its products H v."""

    s: Params
    predicted: Array
    ending: Array
    products: Array


def steihaug(
    product: Callable[[Params], Params], g: Params, radius: Array, tolerance: Number, iterations: Number
) -> Solution:
    """Return a step that lowers m at least as far as steepest descent inside the region.

    Args:
        product: v ↦ H v.
        g: the gradient, in the shape of the parameters.
        radius: of the region, > 0.
        tolerance: the residual at which to stop, as a fraction of ‖g‖.
        iterations: the most products; after them the step is the current iterate, and its ending "running".

    Source: J. Nocedal, S. Wright, Numerical Optimization, algorithm 7.2.
    """
    gg = dot(g, g)
    E, xp = engine.of(gg), gg.__array_namespace__()
    target = tolerance * tolerance * gg

    def going(carry: tuple) -> Array:
        *_, ending, i = carry
        return (ending == RUNNING) & (i < iterations)

    def advance(carry: tuple) -> tuple:
        s, r, d, rr, _, i = carry
        Hd = product(d)
        curvature = dot(d, Hd)
        is_convex = curvature > 0
        t = rr / xp.where(is_convex, curvature, 1)
        leaves = norm(add(s, d, t)) >= radius
        stays = xp.logical_and(is_convex, xp.logical_not(leaves))
        t = xp.where(stays, t, _to_boundary(s, d, radius))
        s, r = add(s, d, t), add(r, Hd, t)
        rr_new = dot(r, r)
        ending = xp.where(rr_new <= target, CONVERGED, RUNNING)
        ending = xp.where(is_convex, xp.where(leaves, BOUNDARY, ending), NEGATIVE)
        return s, r, add(scale(r, -1.0), d, rr_new / rr), rr_new, ending, i + 1

    start = xp.where(gg > 0, RUNNING, CONVERGED)
    zero = scale(g, 0.0)
    s, r, _, _, ending, products = E.while_loop(going, advance, (zero, g, scale(g, -1.0), gg, start, 0))
    # r = g + H s, so m(s) = g^T s + (1/2) s^T (r - g) = (1/2) (g + r)^T s.
    return Solution(s, -0.5 * (dot(g, s) + dot(r, s)), ending, products)


def _to_boundary(s: Params, d: Params, radius: Array) -> Array:
    """The t >= 0 with ‖s + t d‖ = radius, for s inside."""
    dd, sd, ss = dot(d, d), dot(s, d), dot(s, s)
    xp = dd.__array_namespace__()
    root = xp.sqrt(xp.maximum(sd * sd + dd * (radius * radius - ss), 0))
    return (root - sd) / dd
