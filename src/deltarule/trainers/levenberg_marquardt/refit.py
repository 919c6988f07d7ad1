"""The damped least-squares refit of a linear output layer at a trial point.

A linear layer under the quadratic cost enters the outputs linearly, so once the step has moved the layers below, its
best change is one ridge regression on B = [a^{L-1}, 1]:

    (B^T B + D) dW^T = B^T (y - a^L) - A W^T,  D = A + lambda I.

It keeps the damping of the step: without it the output weights run away when B loses rank.
"""

from typing import TYPE_CHECKING

import jax.numpy as jnp
from jax import Array
from jax.scipy.linalg import cho_factor, cho_solve

from deltarule import backprop
from deltarule.backprop import Params
from deltarule.costs import Quadratic
from deltarule.layers import Dense
from deltarule.rows import Rows, sum_over_blocks
from deltarule.trainers.levenberg_marquardt.model import Number

if TYPE_CHECKING:
    from deltarule.network import Network


def can_refit(net: "Network") -> bool:
    """Whether the output layer is linear in its parameters and the cost quadratic."""
    last = net.layers[-1]
    return isinstance(last, Dense) and last.activation == "linear" and isinstance(net.cost, Quadratic)


def refit_output_layer(net: "Network", params: Params, rows: Rows, block: int, lam: Array, l2: Number | None) -> Params:
    """The parameters with the output layer refitted; the layers below are left as they are."""
    if rows.x.shape[0] > params[-1]["W"].shape[1] or l2 is not None:
        return refitted(params, *regression_sums(net, params, rows, block), lam, l2)
    # The dual of the same regression, as in Woodbury.
    B, missing = _regression(net, params, rows.x, rows.y, rows.mask)
    factor = cho_factor(B @ B.T + lam * jnp.eye(B.shape[0]), lower=True)
    return _changed(params, B.T @ cho_solve(factor, missing))


def regression_sums(net: "Network", params: Params, rows: Rows, block: int) -> tuple[Array, Array]:
    """B^T B and B^T (y - a^L) over the rows."""

    def sums(x: Array, y: Array, weight: Array) -> tuple[Array, Array]:
        B, missing = _regression(net, params, x, y, weight)
        return B.T @ B, B.T @ missing

    return sum_over_blocks(rows, block, sums)


def refitted(params: Params, BtB: Array, Btm: Array, lam: Array, l2: Number | None) -> Params:
    """The parameters after the ridge regression with these sums."""
    W, b = params[-1]["W"], params[-1]["b"]
    alpha = jnp.concatenate([jnp.full(W.shape[1], 0.0 if l2 is None else l2, W.dtype), jnp.zeros(1, W.dtype)])
    force = -alpha[:, None] * jnp.concatenate([W, b[:, None]], axis=1).T
    factor = cho_factor(BtB + jnp.diag(alpha + lam), lower=True)
    return _changed(params, cho_solve(factor, Btm + force))


def _regression(net: "Network", params: Params, x: Array, y: Array, weight: Array) -> tuple[Array, Array]:
    """B and y - a^L, each row scaled by the root of its weight."""
    assert isinstance(net.cost, Quadratic)
    passes = backprop.forward(net, params, x)
    below = passes[-2].a if len(passes) > 1 else x
    root = jnp.sqrt(2 * net.cost.scale * weight)[:, None]
    B = root * jnp.concatenate([below, jnp.ones((x.shape[0], 1), below.dtype)], axis=1)
    return B, root * (y - passes[-1].a)


def _changed(params: Params, change: Array) -> Params:
    """The output layer moved by `change`, (h + 1, k): its weights, transposed, and below them its biases."""
    W, b = params[-1]["W"], params[-1]["b"]
    h = W.shape[1]
    return [*params[:-1], {"W": W + change[:h].T, "b": b + change[h]}]
