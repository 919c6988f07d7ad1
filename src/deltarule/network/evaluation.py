"""The cost and accuracy of a network over many rows, in blocks of bounded memory."""

from typing import TYPE_CHECKING, NamedTuple

from deltarule import engine
from deltarule.arrays import Array
from deltarule.engine.rows import Rows, block_size
from deltarule.network import backprop
from deltarule.network.backprop import Params

if TYPE_CHECKING:
    from deltarule.network.network import Network, Sizes

EVALUATION_ROWS = 8192  # the most rows of a block
EVALUATION_BYTES = 2**28  # the most bytes of activations of a block


class Score(NamedTuple):
    """The mean cost over the rows, and the share of rows classified correctly."""

    cost: Array
    accuracy: Array


def evaluate(net: "Network", params: Params, rows: Rows) -> Score:
    """The mean cost without regularisation, and the share of rows whose largest output is that of the target."""
    return engine.of(rows.x).call(_score, params, rows, net=net)


def _score(params: Params, rows: Rows, *, net: "Network") -> Score:
    def sums(x: Array, y: Array, weight: Array) -> tuple[Array, Array]:
        out = backprop.forward(net, params, x)[-1]
        return (weight * backprop.output_cost(net, out, y)).sum(), (weight * correct(out.a, y)).sum()

    cost, right = engine.of(rows.x).sum_over_blocks(rows, evaluation_block(net, rows), sums)
    total = rows.mask.sum()
    return Score(cost / total, right / total)


def evaluation_block(net: "Network", rows: Rows) -> int:
    """How many rows are evaluated together."""
    return block_size(rows.x.shape[0], min(EVALUATION_ROWS, rows_per_pass(net.sizes(rows.x.shape[1:]), rows.x)))


def rows_per_pass(sizes: "Sizes", x: Array) -> int:
    """How many rows of x (N, ...) fit `EVALUATION_BYTES` in one forward pass."""
    return max(1, EVALUATION_BYTES // (x.dtype.itemsize * sizes.neurons))


def correct(a: Array, y: Array) -> Array:
    """1 for rows whose class is that of the target, by the largest output, or by a threshold of 1/2 for one output.

    For sequences it is the share of the steps.
    """
    single = a.shape[-1] == 1
    right = (a[..., 0] > 0.5) == (y[..., 0] > 0.5) if single else a.argmax(axis=-1) == y.argmax(axis=-1)
    if a.ndim == 2:
        return right
    measured = (y == y).all(axis=-1)
    return (right & measured).sum(axis=-1) / measured.sum(axis=-1)
