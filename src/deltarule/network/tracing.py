"""The trace of one example: every number of its forward and backward pass, for people who follow the equations."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from deltarule.arrays import Array
from deltarule.network import backprop
from deltarule.network.backprop import Params

if TYPE_CHECKING:
    from deltarule.network.network import Network


class LayerTrace(NamedTuple):
    """One layer's numbers for one example, as NumPy arrays; a layer without parameters has no dW and db."""

    z: np.ndarray  # weighted input (2)
    a: np.ndarray  # activation (3)
    slope: np.ndarray  # sigma'(z); for softmax the diagonal of the matrix
    delta: np.ndarray  # the error (4): BP1 in the last layer, BP2 below
    dC_da: np.ndarray  # ∇_a C in the last layer, BP2' below
    dW: np.ndarray | None  # BP4
    db: np.ndarray | None  # BP3


class Trace(NamedTuple):
    """The whole of one example: a^1 = x (1), the target, C_x and what each layer computed."""

    x: np.ndarray
    y: np.ndarray
    cost: float
    layers: list[LayerTrace]


def trace(net: "Network", params: Params, x: Array, y: Array) -> Trace:
    """Run one example, x (1, n_1) and y (1, k), forward and back, and keep everything."""
    passes = backprop.forward(net, params, x)
    out = passes[-1]
    delta = net.cost.output_error(net.output_activation, out.z, out.a, y)
    deltas = backprop.errors(net, params, passes, delta)
    grads = backprop.gradients(net, x, passes, deltas)
    layers = []
    for i, (layer, here) in enumerate(zip(net.layers, passes, strict=True)):
        if i + 1 < len(net.layers):
            dC_da = net.layers[i + 1].propagate(params[i + 1], here.a, passes[i + 1], deltas[i + 1])
        else:
            dC_da = net.cost.slope(out.a, y)
        layers.append(
            LayerTrace(
                z=np.asarray(here.z[0]),
                a=np.asarray(here.a[0]),
                slope=np.asarray(layer.slope(here)[0]),
                delta=np.asarray(deltas[i][0]),
                dC_da=np.asarray(dC_da[0]),
                dW=np.asarray(grads[i]["W"]) if "W" in grads[i] else None,
                db=np.asarray(grads[i]["b"]) if "b" in grads[i] else None,
            )
        )
    return Trace(np.asarray(x[0]), np.asarray(y[0]), float(backprop.output_cost(net, out, y)[0]), layers)
