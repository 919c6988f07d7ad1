"""The dual Gram matrix J J^T as a sum over layers of Hadamard products, with J never formed (GRAM).

A row of J is, layer by layer, the outer product of an error Delta and the activation below (BP4), so the inner
product of two rows is ⟨Delta, Delta'⟩ (1 + ⟨a, a'⟩): two small Gram matrices, multiplied entry by entry.
"""

from collections.abc import Callable, Sequence

from deltarule.arrays import Array
from deltarule.curvature.linearization import Linearization
from deltarule.network.layers import LayerParams


def gram(
    left: Linearization,
    right: Linearization,
    group: Callable[[int, str], str] | None = None,
    errors: tuple[list[Array], list[Array]] | None = None,
    covariance: Sequence[LayerParams] | None = None,
) -> dict[str, Array]:
    """J_left J_right^T, summed within groups of parameters, or J_left D^-1 J_right^T.

    Args:
        left: m examples, k residuals each.
        right: m' examples, at the same parameters.
        group: the group of a parameter, from its layer's index and its name; None has them all in "all".
        errors: `errors()` of both, if they are at hand.
        covariance: D^-1 where it varies by input: for each layer {"W": (n_in,), "b": ()}. An input scaled by it before
            its inner products scales every weight that leaves it.

    Returns:
        For each group its (m k, m' k) matrix. Weighted by 1/d of each group and added up they are J D^-1 J^T.
    """
    if errors is None:
        own = left.errors()
        errors = (own, own if right is left else right.errors())
    sums: dict[str, Array] = {}
    for i, layer in enumerate(left.net.layers):
        a, a2 = left.passes[i].a_prev, right.passes[i].a_prev
        a = a if covariance is None else a * covariance[i]["W"]
        terms = layer.gram((a, a2), (errors[0][i], errors[1][i]))
        if covariance is not None:
            terms = terms | {"b": covariance[i]["b"] * terms["b"]}
        for name, term in terms.items():
            into = "all" if group is None else group(i, name)
            sums[into] = sums[into] + term if into in sums else term
    return {into: total.reshape(left.r.size, right.r.size) for into, total in sums.items()}


def gram_diagonal(lin: Linearization, covariance: Sequence[LayerParams]) -> Array:
    """The diagonal of J D^-1 J^T alone, (m, k); `covariance` is that of `gram`."""
    parts = zip(lin.net.layers, lin.passes, lin.errors(), covariance, strict=True)
    return sum(layer.gram_diagonal(here, d, D_inverse) for layer, here, d, D_inverse in parts)


def gram_traces(lin: Linearization, errors: list[Array], M: Array) -> list[LayerParams]:
    """tr(M J_g J_g^T) of every group g: for each layer {"W": (n_in,), the weights from each input, "b": ()}.

    Args:
        lin: m examples, k residuals each.
        errors: `lin.errors()`.
        M: symmetric, (m k, m k).
    """
    parts = zip(lin.net.layers, lin.passes, errors, strict=True)
    return [layer.gram_trace(here, d, M) for layer, here, d in parts]
