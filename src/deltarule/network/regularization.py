"""What keeps weights small ([N] ch. 3), and never touches biases.

L2 adds (lambda/2N) sum w² to the cost, L1 adds (lambda/N) sum |w|; the max-norm constraint is no term of the cost but a
projection after each step: ‖w‖ <= c for the incoming weights w of every neuron (Srebro & Shraibman 2005).
"""

from collections.abc import Callable
from typing import Any

from deltarule.arrays import Array
from deltarule.network.backprop import Params
from deltarule.network.layers import LayerParams

Strength = Any


def penalty(params: Params, l2: Strength, l1: Strength, total: Array) -> Array | float:
    """What regularisation adds to the mean cost over `total` examples (N, or the sum of their weights)."""
    added = 0.0
    for W in _weights(params):
        if l2 is not None:
            added = added + l2 / (2 * total) * (W * W).sum()
        if l1 is not None:
            added = added + l1 / total * abs(W).sum()
    return added


def add_penalty_gradient(grads: Params, params: Params, l2: Strength, l1: Strength, total: Array) -> Params:
    """dC/dW + (l2/N) W + (l1/N) sign(W); biases as they are. A strength of None costs nothing."""
    if l2 is None and l1 is None:
        return grads

    def regularised(dW: Array, W: Array) -> Array:
        if l2 is not None:
            dW = dW + l2 / total * W
        if l1 is not None:
            dW = dW + l1 / total * W.__array_namespace__().sign(W)
        return dW

    return [_with_weights(dp, regularised, dp, p) for dp, p in zip(grads, params, strict=True)]


def limit_norms(params: Params, max_norm: Strength) -> Params:
    """w min(1, c/‖w‖) for every row w of every W, which is all that enters one neuron or filter.

    A limit of None costs nothing.
    """
    if max_norm is None:
        return params

    def limited(W: Array) -> Array:
        xp = W.__array_namespace__()
        norm = xp.sqrt((W * W).sum(axis=tuple(range(1, W.ndim)), keepdims=True))
        return W * (max_norm / xp.maximum(norm, max_norm))

    return [_with_weights(p, limited, p) for p in params]


def _with_weights(layer: LayerParams, f: Callable[..., Array], *parts: LayerParams) -> LayerParams:
    """The layer's entries, its weights replaced by f of those of `parts`."""
    return layer | {"W": f(*(part["W"] for part in parts))} if "W" in layer else layer


def _weights(params: Params) -> list[Array]:
    return [layer["W"] for layer in params if "W" in layer]
