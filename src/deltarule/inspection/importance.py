"""Which columns matter: how much worse a model is on rows with known targets when a column is shuffled among them."""

from typing import Any

import numpy as np

from deltarule.data.labels import probabilities
from deltarule.data.schema import Schema
from deltarule.network.backprop import Params
from deltarule.network.network import Network

ROWS = 1000  # the most rows that importance is measured on
REPEATS = 5
SMALLEST = float(
    np.finfo(np.float32).eps
)  # probability that counts, so that one sure mistake does not outweigh all rows


def column_blocks(schema: Schema) -> dict[str, tuple[Any, slice]]:
    """Each column with the network inputs it becomes; none for images."""
    return {} if schema.image_shape else {column.name: (column, block) for column, block in schema.column_slices}


def sample_rows(count: int, most: int = ROWS) -> np.ndarray:
    """At most so many of the rows, always the same ones."""
    return np.random.default_rng(0).permutation(count)[:most]


def permutation_importance(
    net: Network, params: Params, schema: Schema, X: np.ndarray, Y: np.ndarray
) -> dict[str, float]:
    """How much the error grows when a column is shuffled, the mean of `REPEATS` shuffles, by column name.

    Args:
        net: the network.
        params: its parameters.
        schema: its columns.
        X: encoded rows, (N, n_1).
        Y: encoded targets, (N, k).

    Returns:
        The growth of the root mean square error over the targets, each in units of its standard deviation, or of the
        log-loss: the mean over the rows of -ln p, p the probability of the row's own class. The share of wrong rows
        would not do: where one class is rare, all rows may be given the other, and no shuffle changes that. Empty for
        images.
    """
    random = np.random.default_rng(0)

    def error(inputs: np.ndarray) -> float:
        outputs = np.asarray(net(params, inputs))
        if schema.classes is not None:
            own = probabilities(outputs)[np.arange(len(Y)), Y.argmax(axis=1)]
            return float(-np.log(np.maximum(own, SMALLEST)).mean())
        return float(np.sqrt(np.mean((outputs - Y) ** 2)))

    before, found = error(X), {}
    for name, (_, block) in column_blocks(schema).items():
        errors = []
        for _ in range(REPEATS):
            shuffled = X.copy()
            shuffled[:, block] = X[random.permutation(len(X)), block]
            errors.append(error(shuffled))
        found[name] = float(np.mean(errors)) - before
    return found
