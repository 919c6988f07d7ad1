"""The dual Gram matrix J J^T as a sum over layers of Hadamard products, with J never formed (GRAM).

A row of J is, layer by layer, the outer product of an error Delta and the activation below (BP4), so the inner
product of two rows is ⟨Delta, Delta'⟩ (1 + ⟨a, a'⟩): two small Gram matrices, multiplied entry by entry.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from jax import Array

from deltarule import backprop
from deltarule.backprop import Params
from deltarule.curvature.linearization import Linearization, residual_errors

if TYPE_CHECKING:
    from deltarule.network import Network


def gram(
    net: "Network",
    params: Params,
    left: Linearization,
    right: Linearization,
    group: Callable[[int, str], str] = lambda layer, name: "all",
    errors: list[Array] | None = None,
) -> dict[str, Array]:
    """J_left J_right^T, summed within groups of parameters.

    Args:
        net: the network.
        params: the parameters both linearizations were made at.
        left: m examples, k residuals each.
        right: m' examples.
        group: the group of a parameter, from its layer's index and its name; by default one group holds all.
        errors: what `residual_errors` gave for `left`, if it is at hand.

    Returns:
        For each group its (m k, m' k) matrix. Weighted by 1/d of each group and added up they are J D^-1 J^T.
    """
    left_errors = residual_errors(net, params, left) if errors is None else errors
    right_errors = left_errors if right is left else residual_errors(net, params, right)
    left_inputs = backprop.inputs_of(left.x, left.passes)
    right_inputs = backprop.inputs_of(right.x, right.passes)
    sums: dict[str, Array] = {}
    for i, layer in enumerate(net.layers):
        terms = layer.gram((left_inputs[i], right_inputs[i]), (left_errors[i], right_errors[i]))
        for name, term in terms.items():
            into = group(i, name)
            sums[into] = sums[into] + term if into in sums else term
    return {into: total.reshape(left.r.size, right.r.size) for into, total in sums.items()}
