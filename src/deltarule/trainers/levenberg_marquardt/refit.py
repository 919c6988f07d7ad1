"""The damped least-squares refit of a linear output layer at a trial point.

A linear layer under the quadratic cost enters the outputs linearly, so once the step has moved the layers below, its
best change is one ridge regression on B = [a^{L-1}, 1]:

    (B^T B + D) dW^T = B^T (y - a^L) - A W^T,  D = A + lambda I.

It keeps the damping of the step: without it the output weights run away when B loses rank.
"""

from typing import TYPE_CHECKING

from deltarule import engine
from deltarule.arrays import Array
from deltarule.network import backprop
from deltarule.network.backprop import Params
from deltarule.objective import Objective

if TYPE_CHECKING:
    from deltarule.network.network import Network


def can_refit(net: "Network") -> bool:
    """Whether the output layer is linear in its parameters and the cost quadratic."""
    return net.layers[-1].is_linear and net.cost.is_square


def refit_output_layer(F: Objective, p: Params, lam: Array) -> Params:
    """The parameters with the output layer refitted; the layers below are left as they are."""
    W, b = p[-1]["W"], p[-1]["b"]
    E, xp, h = engine.of(W), W.__array_namespace__(), W.shape[1]
    if F.in_one_block and F.rows.outputs <= h and F.l2 is None:  # the dual of the same regression, as in Woodbury
        B, missing = _regression(F.net, p, F.rows.x, F.rows.y, F.scale * F.rows.mask)
        change = B.T @ E.solve(E.factor(E.symmetric_product(B), lam), missing)
    else:
        BtB, force = F.sum(_regression_sums, p)
        damping = lam
        if F.l2 is not None:
            alpha = xp.concatenate([xp.full(h, F.scale * F.l2, dtype=W.dtype), xp.zeros(1, dtype=W.dtype)])
            force = force - alpha[:, None] * xp.concatenate([W, b[:, None]], axis=1).T
            damping = alpha + lam
        change = E.solve(E.factor(BtB, damping), force)
    return [*p[:-1], {"W": W + change[:h].T, "b": b + change[h]}]


def _regression_sums(net: "Network", p: Params, x: Array, y: Array, weight: Array) -> tuple[Array, Array]:
    """B^T B and B^T (y - a^L)."""
    B, missing = _regression(net, p, x, y, weight)
    return engine.of(B).symmetric_product(B.T), B.T @ missing


def _regression(net: "Network", p: Params, x: Array, y: Array, weight: Array) -> tuple[Array, Array]:
    """B and y - a^L, each row scaled by the root of its weight."""
    out, xp = backprop.forward(net, p, x)[-1], x.__array_namespace__()
    below = out.a_prev
    share = backprop.beside(xp.sqrt(weight), below)
    root, r = net.cost.residual(out.a, y)  # of a square r = root (a - y), and root is one number
    B = share * root[..., :1] * xp.concatenate([below, xp.ones((*below.shape[:-1], 1), dtype=below.dtype)], axis=-1)
    return B.reshape(-1, B.shape[-1]), (-share * r).reshape(-1, r.shape[-1])
