"""The examples of a training on the NumPy engine: whole, batch by batch, and summed block by block."""

from collections.abc import Callable
from typing import Any

import numpy as np

from deltarule import trees
from deltarule.engine.turn import Batches, Turn

GATHERED_ROWS = 512  # examples of several small batches that are gathered together


def laid_out(x: np.ndarray, y: np.ndarray, weight: np.ndarray | None, rows: int | None = None) -> tuple[Any, ...]:
    """The first fields of `Rows`: the examples as they are, and their number; nothing is padded to `rows`."""
    return x, y, weight, len(x)


def real(rows: Any) -> np.ndarray:
    """1 for every row: none is padding."""
    return np.ones(len(rows.x), rows.x.dtype)


def take_batch(rows: Any, order: np.ndarray, i: int, m: int, drawn: int) -> Any:
    """Batch i of an order of the examples, whose first `drawn` places count: m of them, the last one may be shorter."""
    index = order[i * m : min((i + 1) * m, drawn)]
    weight = None if rows.weight is None else rows.weight[index]
    return rows._replace(x=rows.x[index], y=rows.y[index], weight=weight, count=len(index))


def full_gradient(gradient: Callable[..., Any], params: Any, rows: Any, weight: np.ndarray, key: Any) -> Any:
    """gradient(params, x, y, weight, key) of all rows at once."""
    return gradient(params, rows.x, rows.y, weight, key)


def descend(net: Any, trainer: Any, state: Any, rows: Any, order: np.ndarray | None, key: Any) -> tuple[Any, Any]:
    """One epoch of mini-batches over a chunk of a stream: the state after it and its record."""
    return trainer.epoch(net, state, rows, Turn(order, key))


def each_batch(gradient: Callable[..., Any], batches: Batches, step: Callable[..., Any], carry: Any) -> Any:
    """carry ← step(carry, C, ∇C, its share) for each of the batches.

    Args:
        gradient: (params, x, y, weight, key) ↦ sum_i w_i C_i and its gradient.
        batches: of the epoch.
        step: takes the mean cost of a batch at carry[0].params, its gradient, and what it is the mean by: the number
            of its examples times the mean weight of all, see `deltarule.trainers.base`.
        carry: before the first batch.
    """
    rows, turn, m = batches.rows, batches.turn, batches.m
    mean_weight = batches.total / len(rows.x)
    places = min(batches.steps * m, len(turn.order))
    some = m * max(1, GATHERED_ROWS // m)
    dtype, whole = rows.x.dtype, np.full(m, 1 / (m * mean_weight), rows.x.dtype)
    for begin in range(0, places, some):
        index = turn.order[begin : begin + some]
        x, y = rows.x[index], rows.y[index]
        weights = None if rows.weight is None else rows.weight[index]
        for first in range(0, len(index), m):
            turn.clock()
            batch = slice(first, first + m)
            share = len(x[batch]) * mean_weight
            weight = whole if len(x[batch]) == m else np.full(len(x[batch]), 1 / share, dtype)
            if weights is not None:
                weight = weight * weights[batch]
            key = None if turn.key is None else (*turn.key, (begin + first) // m)
            cost, grads = gradient(carry[0].params, x[batch], y[batch], weight, key)
            carry = step(carry, cost, grads, share)
    return carry


def sum_over_blocks(rows: Any, block: int, part: Callable[[np.ndarray, np.ndarray, np.ndarray], Any]) -> Any:
    """The sum of part(x, y, weight) over blocks of `block` rows."""
    mask = rows.mask
    total = part(rows.x[:block], rows.y[:block], mask[:block])
    for first in range(block, len(rows.x), block):
        some = slice(first, first + block)
        more = part(rows.x[some], rows.y[some], mask[some])
        # What `part` returned first may be somebody's array; from the first sum on the total is written over.
        total = trees.mapped(np.add if first == block else _add_into, total, more)
    return total


def _add_into(total: Any, more: Any) -> Any:
    """total + more, in the memory of total where it is an array."""
    return np.add(total, more, out=total) if isinstance(total, np.ndarray) else total + more
