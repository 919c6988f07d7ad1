"""Regularisation: L2, L1 and max-norm ([N] ch. 3) for the parameters that a layer calls weights, never for biases.

L2 adds (lambda/2N) sum w² to the cost, L1 adds (lambda/N) sum |w|; the max-norm constraint is no term of the cost but a
projection after each step: ‖w‖ <= c for the incoming weights w of every neuron (Srebro & Shraibman 2005).
"""

from collections.abc import Callable, Sequence
from typing import Any

from deltarule.arrays import Array
from deltarule.network.backprop import Params
from deltarule.network.layers import Layer, LayerParams

Strength = Any


def penalty(layers: Sequence[Layer], params: Params, l2: Strength, l1: Strength, total: Array) -> Array | float:
    """The penalty on the mean cost over `total` examples (N, or the sum of their weights)."""
    added = 0.0
    for W in _weights(layers, params):
        if l2 is not None:
            added = added + l2 / (2 * total) * (W * W).sum()
        if l1 is not None:
            added = added + l1 / total * abs(W).sum()
    return added


def add_penalty_gradient(
    layers: Sequence[Layer], grads: Params, params: Params, l2: Strength, l1: Strength, total: Array
) -> Params:
    """dC/dW + (l2/N) W + (l1/N) sign(W) for weights; biases unchanged."""
    if l2 is None and l1 is None:
        return grads

    def regularised(dW: Array, W: Array) -> Array:
        if l2 is not None:
            dW = dW + l2 / total * W
        if l1 is not None:
            dW = dW + l1 / total * W.__array_namespace__().sign(W)
        return dW

    return [_map_weights(*entry, regularised) for entry in zip(layers, grads, params, strict=True)]


def limit_norms(layers: Sequence[Layer], params: Params, max_norm: Strength) -> Params:
    """w min(1, c/‖w‖) for the weights w of each neuron or filter: a row of each of the layer's weight arrays."""
    if max_norm is None:
        return params

    def limited(layer: Layer, p: LayerParams) -> LayerParams:
        squares = [(W * W).sum(axis=tuple(range(1, W.ndim))) for W in _weights([layer], [p])]
        if not squares:
            return p
        xp = squares[0].__array_namespace__()
        share = max_norm / xp.maximum(xp.sqrt(sum(squares[1:], squares[0])), max_norm)
        return _map_weights(layer, p, p, lambda W, _: W * share.reshape(-1, *[1] * (W.ndim - 1)))

    return [limited(layer, p) for layer, p in zip(layers, params, strict=True)]


def _map_weights(layer: Layer, entries: LayerParams, params: LayerParams, f: Callable[..., Array]) -> LayerParams:
    """f(entry, weight) for the entries of a layer that belong to weights, the others unchanged."""
    return {name: f(entry, params[name]) if layer.role(name) == "weight" else entry for name, entry in entries.items()}


def _weights(layers: Sequence[Layer], params: Params) -> list[Array]:
    pairs = zip(layers, params, strict=True)
    return [array for layer, p in pairs for name, array in p.items() if layer.role(name) == "weight"]
