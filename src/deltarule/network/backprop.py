"""Backpropagation: the forward pass (2), (3) and the four equations BP1-BP4, through a stack of layers, by hand.

Every function is pure and takes arrays of NumPy or of JAX. Batches come first: x is (m, n_1), y is (m, k). Lists run
over net.layers, so index 0 is layer 2 of the equations.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from deltarule import engine
from deltarule.arrays import Array
from deltarule.network.layers import LayerParams, Pass, Tangents
from deltarule.network.sequences import split_ends

if TYPE_CHECKING:
    from deltarule.network.network import Network

Params = list[LayerParams]

# A direction in parameter space: for each layer a change of its parameters, or the errors delta^l whose gradient it is.
Direction = Sequence[LayerParams | Array]


def forward(net: "Network", params: Params, x: Array, key: Any = None) -> list[Pass]:
    """a^1 = x (1), then z^l and a^l of every layer (2), (3).

    With a key, as in training, every random layer gets a key of its own. Sequences may end in NaN: layers see zeros
    there, and recurrent layers get the last step of each sequence.
    """
    passes, a, ends = [], x, None
    if net.is_recurrent and x.ndim > 2:
        a, ends = split_ends(x)
    for i, (layer, p) in enumerate(zip(net.layers, params, strict=True)):
        layer_key = engine.of(a).fold_in(key, i) if layer.is_random and key is not None else None
        passes.append(layer.forward(p, a, ends if layer.is_recurrent else layer_key))
        a = passes[-1].a
    return passes


def errors(net: "Network", passes: Sequence[Pass], delta: Array) -> list[Array]:
    """The error delta^l of every layer, from the output's: delta^l = ((W^{l+1})^T delta^{l+1}) ⊙ sigma'(z^l) (BP2)."""
    deltas = [delta]
    for i in range(len(net.layers) - 1, 0, -1):
        dC_da = net.layers[i].propagate(passes[i], deltas[0])
        deltas.insert(0, net.layers[i - 1].error(passes[i - 1], dC_da))
    return deltas


def gradients(net: "Network", passes: Sequence[Pass], deltas: Sequence[Array]) -> Params:
    """dC/db = delta (BP3) and dC/dW_jk = a_k delta_j (BP4) of every layer, summed over the batch."""
    return [layer.gradient(values, delta) for layer, values, delta in zip(net.layers, passes, deltas, strict=True)]


def tangents(net: "Network", passes: Sequence[Pass], v: Direction) -> list[Tangents]:
    """The tangents of every layer as the parameters move by v: the derivative of (2) and (3)."""
    found: list[Tangents] = []
    for layer, values, along in zip(net.layers, passes, v, strict=True):
        tangent = layer.tangent if isinstance(along, dict) else layer.tangent_along_gradient
        found.append(tangent(values, along, found[-1].da if found else None))
    return found


def output_cost(net: "Network", out: Pass, y: Array) -> Array:
    """C_x of every example, (m,), from the output layer's pass; summed over the steps of a sequence."""
    cost = net.cost.value(net.output_activation, out.z, out.a, y)
    return cost if cost.ndim == 1 else cost.sum(axis=-1)


def with_trailing_axes(weight: Array, array: Array) -> Array:
    """One number for each example, (m,), reshaped to (m, 1, ..., 1) so that it multiplies the array."""
    return weight.reshape(-1, *[1] * (array.ndim - 1))


def cost_and_gradient(
    net: "Network", params: Params, x: Array, y: Array, weight: Array, key: Any = None
) -> tuple[Array, Params]:
    """C = sum_i w_i C_i over the batch and its gradient, by BP1-BP4.

    Args:
        net: the network.
        params: its parameters.
        x: inputs, (m, ...).
        y: targets, (m, k).
        weight: w_i, (m,); weights of 1/m give the mean. They enter at the output error, because everything below is
            linear in it: scaling these m k numbers costs nothing, scaling every dW afterwards would.
        key: of the random numbers that layers such as Dropout draw in training; None switches them off.
    """
    passes = forward(net, params, x, key)
    out = passes[-1]
    cost = (weight * output_cost(net, out, y)).sum()
    delta = with_trailing_axes(weight, out.z) * net.cost.output_error(net.output_activation, out.z, out.a, y)  # BP1
    return cost, gradients(net, passes, errors(net, passes, delta))
