"""Several networks of dense layers as one network, whose output is their weighted mean.

Hidden layers are block-diagonal, W = diag(W_1, W_2, ..), and the output layer is [w_1 W_1, w_2 W_2, ..] with the bias
sum w_k b_k, so that z^L = sum_k w_k z^L_k. A network with fewer hidden layers passes the others by identity neurons:
sigma(eps a)/eps = a, with a relative error of eps² a²/3, if sigma(0) = 0, sigma'(0) = 1 and sigma''(0) = 0, as for
tanh. eps multiplies the first such layer and divides the output layer, so no digits are lost.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from deltarule.errors import ConfigurationError
from deltarule.network.activations import get_activation
from deltarule.network.backprop import Params
from deltarule.network.network import Network

EPS = 1e-7  # a relative error of 3e-13 for values up to 10


def can_be_identity(activation: str) -> bool:
    """Whether a neuron with this activation can pass a value unchanged."""
    z = EPS * np.array([-1.0, -0.3, 0.7, 1.0])
    return bool(np.allclose(get_activation(activation).sigma(z), z, rtol=1e-12, atol=0))


def side_by_side(parts: Sequence[tuple[Network, Params]], weights: Sequence[float]) -> tuple[Network, Params]:
    """One network with z^L = sum_k w_k z^L_k, from networks with the same inputs, outputs, cost and activations.

    A ConfigurationError if they differ in depth and their activation cannot pass a value unchanged.
    """
    if len(parts) == 1 and weights[0] == 1:
        return parts[0]
    depth = max(len(net.layers) for net, _ in parts) - 1
    deepest: Any = next(net for net, _ in parts if len(net.layers) == depth + 1)
    for i in range(min(len(net.layers) for net, _ in parts) - 1, depth):
        if not can_be_identity(deepest.layers[i].activation):
            raise ConfigurationError(
                f"the networks have different numbers of layers, and a neuron of {deepest.layers[i].activation!r} "
                "cannot pass a value unchanged: give all the same number of layers."
            )
    deepened = [_deepened(params, depth) for _, params in parts]
    Ws = [[p[i]["W"] for p, _ in deepened] for i in range(depth)]
    params = [
        {"W": np.concatenate(W) if i == 0 else _diagonal(W), "b": np.concatenate([p[i]["b"] for p, _ in deepened])}
        for i, W in enumerate(Ws)
    ]
    outer = [w * scale * p[-1]["W"] for w, (p, scale) in zip(weights, deepened, strict=True)]
    bias = np.sum([w * p[-1]["b"] for w, (p, _) in zip(weights, deepened, strict=True)], axis=0)
    params.append({"W": np.concatenate(outer, axis=1) if depth else np.sum(outer, axis=0), "b": bias})
    layers = [replace(layer, n=len(p["b"])) for layer, p in zip(deepest.layers, params, strict=True)]
    return Network(layers, deepest.cost), params


def _deepened(params: Params, depth: int) -> tuple[Params, float]:
    """The parameters with identity neurons up to `depth` hidden layers, and the factor of the output layer's W."""
    arrays = [{name: np.asarray(array) for name, array in layer.items()} for layer in params]
    *hidden, last = arrays
    missing, width = depth - len(hidden), last["W"].shape[1]
    further = [{"W": np.eye(width), "b": np.zeros(width)} for _ in range(missing)]
    if missing:
        further[0]["W"] = EPS * further[0]["W"]
    return [*hidden, *further, last], 1 / EPS if missing else 1.0


def _diagonal(blocks: Sequence[np.ndarray]) -> np.ndarray:
    """The block-diagonal matrix."""
    rows, columns = (np.cumsum([0, *(block.shape[axis] for block in blocks)]) for axis in (0, 1))
    joined = np.zeros((rows[-1], columns[-1]))
    for block, row, column in zip(blocks, rows, columns, strict=False):
        joined[row : row + block.shape[0], column : column + block.shape[1]] = block
    return joined
