"""The dual Gram matrix J J^T as a sum over layers of Hadamard products, with J never formed (GRAM).

A row of J is, layer by layer, the outer product of an error Delta and the activation below (BP4), so the inner
product of two rows is ⟨Delta, Delta'⟩ (1 + ⟨a, a'⟩): two small Gram matrices, multiplied entry by entry.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from deltarule.arrays import Array
from deltarule.curvature.linearization import Linearization, residual_errors
from deltarule.network import backprop
from deltarule.network.backprop import Params
from deltarule.network.layers import LayerParams

if TYPE_CHECKING:
    from deltarule.network.network import Network


def gram(
    net: "Network",
    params: Params,
    left: Linearization,
    right: Linearization,
    group: Callable[[int, str], str] = lambda layer, name: "all",
    errors: list[Array] | None = None,
    covariance: Sequence[LayerParams] | None = None,
    right_errors: list[Array] | None = None,
) -> dict[str, Array]:
    """J_left J_right^T, summed within groups of parameters, or J_left D^-1 J_right^T.

    Args:
        net: the network.
        params: the parameters both linearizations were made at.
        left: m examples, k residuals each.
        right: m' examples.
        group: the group of a parameter, from its layer's index and its name; by default one group holds all.
        errors: what `residual_errors` gave for `left`, if it is at hand.
        covariance: D^-1 where it varies by input: for each layer {"W": (n_in,), "b": ()}. An input scaled by it before
            its inner products scales every weight that leaves it.
        right_errors: what `residual_errors` gave for `right`.

    Returns:
        For each group its (m k, m' k) matrix. Weighted by 1/d of each group and added up they are J D^-1 J^T.
    """
    left_errors = residual_errors(net, params, left) if errors is None else errors
    if right_errors is None:
        right_errors = left_errors if right is left else residual_errors(net, params, right)
    left_inputs = backprop.inputs_of(left.x, left.passes)
    right_inputs = backprop.inputs_of(right.x, right.passes)
    sums: dict[str, Array] = {}
    for i, layer in enumerate(net.layers):
        a_prev = left_inputs[i] if covariance is None else left_inputs[i] * covariance[i]["W"]
        terms = layer.gram((a_prev, right_inputs[i]), (left_errors[i], right_errors[i]))
        if covariance is not None:
            terms = terms | {"b": covariance[i]["b"] * terms["b"]}
        for name, term in terms.items():
            into = group(i, name)
            sums[into] = sums[into] + term if into in sums else term
    return {into: total.reshape(left.r.size, right.r.size) for into, total in sums.items()}


def gram_diagonal(net: "Network", params: Params, lin: Linearization, covariance: Sequence[LayerParams]) -> Array:
    """The diagonal of J D^-1 J^T alone, (m, k); the arguments are those of `gram`."""
    inputs, errors = backprop.inputs_of(lin.x, lin.passes), residual_errors(net, params, lin)
    parts = zip(net.layers, inputs, errors, covariance, strict=True)
    return sum(layer.gram_diagonal(a, d, D_inverse) for layer, a, d, D_inverse in parts)


def gram_traces(net: "Network", lin: Linearization, errors: list[Array], M: Array) -> list[LayerParams]:
    """tr(M J_g J_g^T) of every group g: for each layer {"W": (n_in,), the weights from each input, "b": ()}.

    Args:
        net: the network.
        lin: m examples, k residuals each.
        errors: what `residual_errors` gave for them.
        M: symmetric, (m k, m k).
    """
    inputs = backprop.inputs_of(lin.x, lin.passes)
    return [layer.gram_trace(a, d, M) for layer, a, d in zip(net.layers, inputs, errors, strict=True)]
