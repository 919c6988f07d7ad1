"""The normal equations of one Gauss-Newton step, J^T J and J^T r, accumulated over blocks of examples."""

import itertools
from typing import TYPE_CHECKING, NamedTuple

import jax.numpy as jnp
from jax import Array
from jax.flatten_util import ravel_pytree

from deltarule.backprop import Params
from deltarule.curvature.linearization import jacobian_transpose, linearize, transpose_product
from deltarule.rows import Rows, sum_over_blocks

if TYPE_CHECKING:
    from deltarule.network import Network

PANEL = 192  # the least rows of a panel of the symmetric product


class NormalEquations(NamedTuple):
    """sum_i w_i C_i, J^T r (n,) and J^T J (n, n)."""

    cost: Array
    gradient: Array
    hessian: Array


def normal_equations(net: "Network", params: Params, rows: Rows, block: int) -> NormalEquations:
    """The sums over all rows; memory is n² and one block's J, however many rows there are."""

    def part(x: Array, y: Array, weight: Array) -> NormalEquations:
        lin = linearize(net, params, x, y, weight)
        gradient = ravel_pytree(transpose_product(net, params, lin, lin.r))[0]
        return NormalEquations(lin.cost, gradient, symmetric_product(jacobian_transpose(net, params, lin)))

    return sum_over_blocks(rows, block, part)


def symmetric_product(B: Array) -> Array:
    """B B^T by row panels: only the panels on and above the diagonal are multiplied, the others are mirrored."""
    n = B.shape[0]
    panels = min(8, n // PANEL)
    if panels < 2:
        return B @ B.T
    edges = [round(i * n / panels) for i in range(panels + 1)]
    H = jnp.zeros((n, n), B.dtype)
    for start, end in itertools.pairwise(edges):
        upper = B[start:end] @ B[start:].T
        H = H.at[start:end, start:].set(upper)
        H = H.at[end:, start:end].set(upper[:, end - start :].T)
    return H
