"""Permutation importance: how much worse a model becomes when a column is shuffled among the rows."""

from typing import Any

import numpy as np

from deltarule.data.labels import probabilities
from deltarule.data.schema import Schema
from deltarule.network.backprop import Params
from deltarule.network.network import Network

ROWS = 1000  # the most rows on which importance is measured
REPEATS = 5
SMALLEST = float(np.finfo(np.float32).eps)  # a smaller probability counts as this, or one row would outweigh all


def column_blocks(schema: Schema) -> dict[str, tuple[Any, slice]]:
    """Each column with its network inputs, by name; empty for images."""
    return {} if schema.image_shape else {column.name: (column, block) for column, block in schema.column_slices}


def sample_rows(count: int, most: int = ROWS) -> np.ndarray:
    """Return a random sample of `most` of `count` row positions, always the same one."""
    return np.random.default_rng(0).permutation(count)[:most]


def permutation_importance(
    net: Network, params: Params, schema: Schema, X: np.ndarray, Y: np.ndarray
) -> dict[str, float]:
    """The growth of the error when a column is shuffled, averaged over `REPEATS` shuffles, by column name.

    Args:
        net: the network.
        params: its parameters.
        schema: its columns.
        X: encoded rows, (N, n_1).
        Y: encoded targets, (N, k).

    Returns:
        The growth of the root mean square error over the targets, each in units of its standard deviation, or for
        classes of the log-loss: the mean over the rows of -ln p, p the probability of the row's own class. (The share
        of wrong rows may stay the same: where a class is rare, all rows may be predicted as the other.) Empty for
        images.
    """
    random = np.random.default_rng(0)

    def error(inputs: np.ndarray) -> float:
        outputs = np.asarray(net(params, inputs))
        if schema.classes is not None:
            p = probabilities(outputs)[np.arange(len(Y)), Y.argmax(axis=1)]
            return float(-np.log(np.maximum(p, SMALLEST)).mean())
        return float(np.sqrt(np.mean((outputs - Y) ** 2)))

    before, growth = error(X), {}
    for name, (_, block) in column_blocks(schema).items():
        errors = []
        for _ in range(REPEATS):
            shuffled = X.copy()
            shuffled[:, block] = X[random.permutation(len(X)), block]
            errors.append(error(shuffled))
        growth[name] = float(np.mean(errors)) - before
    return growth
