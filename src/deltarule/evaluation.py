"""The cost and accuracy of a network over many rows, in blocks of bounded memory."""

from typing import TYPE_CHECKING, NamedTuple

import jax.numpy as jnp
from jax import Array

from deltarule import backprop
from deltarule.backprop import Params
from deltarule.rows import Rows, block_size, sum_over_blocks

if TYPE_CHECKING:
    from deltarule.network import Network

EVALUATION_ROWS = 8192  # rows of one block


class Score(NamedTuple):
    """The mean cost over the rows and, for a classifier, the share classified right."""

    cost: Array
    accuracy: Array


def evaluate(net: "Network", params: Params, rows: Rows) -> Score:
    """C over the rows without regularisation, and the share of rows whose largest output is the target's."""

    def sums(x: Array, y: Array, weight: Array) -> tuple[Array, Array]:
        out = backprop.forward(net, params, x)[-1]
        return jnp.sum(weight * backprop.output_cost(net, out, y)), jnp.sum(jnp.where(correct(out.a, y), weight, 0))

    cost, right = sum_over_blocks(rows, block_size(rows.x.shape[0], EVALUATION_ROWS), sums)
    total = jnp.sum(rows.mask)
    return Score(cost / total, right / total)


def correct(a: Array, y: Array) -> Array:
    """Whether each row of outputs names the class of its target: by the largest output, or by 1/2 for one output."""
    if a.shape[-1] == 1:
        return (a[..., 0] > 0.5) == (y[..., 0] > 0.5)
    return jnp.argmax(a, axis=-1) == jnp.argmax(y, axis=-1)
