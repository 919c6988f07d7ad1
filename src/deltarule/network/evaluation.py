"""The cost and accuracy of a network over many rows, in blocks of bounded memory."""

from typing import TYPE_CHECKING, NamedTuple

from deltarule import engine
from deltarule.arrays import Array
from deltarule.engine.rows import Rows, block_size
from deltarule.network import backprop
from deltarule.network.backprop import Params

if TYPE_CHECKING:
    from deltarule.network.network import Network, Sizes

EVALUATION_ROWS = 8192  # rows of one block, fewer of large networks
EVALUATION_BYTES = 2**28  # what the activations of rows that go through a network together may take


class Score(NamedTuple):
    """The mean cost over the rows and, for a classifier, the share classified right."""

    cost: Array
    accuracy: Array


def evaluate(net: "Network", params: Params, rows: Rows) -> Score:
    """C over the rows without regularisation, and the share of rows whose largest output is the target's."""
    return engine.of(rows.x).call(_score, params, rows, net=net)


def _score(params: Params, rows: Rows, *, net: "Network") -> Score:

    def sums(x: Array, y: Array, weight: Array) -> tuple[Array, Array]:
        out = backprop.forward(net, params, x)[-1]
        return (weight * backprop.output_cost(net, out, y)).sum(), (weight * correct(out.a, y)).sum()

    cost, right = engine.of(rows.x).sum_over_blocks(rows, evaluation_block(net, rows), sums)
    total = rows.mask.sum()
    return Score(cost / total, right / total)


def evaluation_block(net: "Network", rows: Rows) -> int:
    """The rows of one block."""
    return block_size(rows.x.shape[0], min(EVALUATION_ROWS, rows_per_pass(net.sizes(rows.x.shape[1:]), rows.x)))


def rows_per_pass(sizes: "Sizes", x: Array) -> int:
    """How many rows of x (N, ...) go through a network of these sizes together."""
    return max(1, EVALUATION_BYTES // (x.dtype.itemsize * sizes.neurons))


def correct(a: Array, y: Array) -> Array:
    """Whether each row of outputs names the class of its target: by the largest output, or by 1/2 for one output.

    Of a sequence it is the share of its steps.
    """
    single = a.shape[-1] == 1
    right = (a[..., 0] > 0.5) == (y[..., 0] > 0.5) if single else a.argmax(axis=-1) == y.argmax(axis=-1)
    if a.ndim == 2:
        return right
    there = (y == y).all(axis=-1)
    return (right & there).sum(axis=-1) / there.sum(axis=-1)
