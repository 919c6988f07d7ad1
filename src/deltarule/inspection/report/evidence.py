"""What a report shows of a model on rows with known targets: numbers first, pictures later."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from deltarule.backprop import Params
from deltarule.data.columns import CategoricalColumn, NumericColumn
from deltarule.data.pixels import Pixels
from deltarule.data.schema import Schema
from deltarule.network import Network

ROWS = 1000  # the most rows that importance and dependence are measured on
REPEATS = 5
PLACES = 40  # of a dependence curve
MOST_CURVES = 6


@dataclass(frozen=True, eq=False)
class Dependence:
    """How the mean prediction moves with one column, the others as they are.

    Args:
        column: its name.
        values: (places,) in the column's units, or the names of its categories.
        means: (places, k): targets in their units, or probabilities.
    """

    column: str
    values: list[Any]
    means: np.ndarray


@dataclass(frozen=True, eq=False)
class Evidence:
    """The model on rows with known targets.

    Args:
        source: what the rows are called.
        predicted: (N, k), targets in their units or probabilities.
        actual: (N, k) in their units, or the true class of each row, (N,) whole numbers.
        importance: by column name, how much the error grows when the column is shuffled: the RMSE over the targets,
            each in units of its standard deviation, or the share of rows classified wrong. Empty for images.
        dependence: of the most important columns.
    """

    source: str
    predicted: np.ndarray
    actual: np.ndarray
    importance: dict[str, float]
    dependence: tuple[Dependence, ...]


def gather(net: Network, params: Params, schema: Schema, X: np.ndarray, Y: np.ndarray, source: str) -> Evidence:
    """Measure the model on encoded rows X (N, n_1), Y (N, k)."""
    outputs = np.asarray(net(params, X), np.float64)
    predicted = _in_units(schema, outputs)
    actual = np.argmax(Y, axis=1) if schema.classes is not None else schema.decode(Y)
    if isinstance(schema.inputs[0], Pixels):
        return Evidence(source, predicted, actual, {}, ())
    chosen = np.random.default_rng(0).permutation(len(X))[:ROWS]
    importance = _importance(net, params, schema, X[chosen], Y[chosen])
    best = sorted(importance, key=lambda name: -importance[name])[:MOST_CURVES]
    curves = tuple(_dependence(net, params, schema, X[chosen], name) for name in best)
    return Evidence(source, predicted, actual, importance, curves)


def _in_units(schema: Schema, outputs: np.ndarray) -> np.ndarray:
    """Targets in their units, or probabilities: softmax outputs as they are, others divided by their sum."""
    if schema.classes is None:
        return schema.decode(outputs)
    positive = np.maximum(outputs, np.finfo(np.float64).tiny)
    return positive / positive.sum(axis=1, keepdims=True)


def _blocks(schema: Schema) -> dict[str, tuple[Any, slice]]:
    """Each column with the network inputs it becomes."""
    blocks, start = {}, 0
    for column in schema.inputs:
        if isinstance(column, NumericColumn | CategoricalColumn):
            blocks[column.name] = (column, slice(start, start + column.width))
        start += column.width
    return blocks


def _importance(net: Network, params: Params, schema: Schema, X: np.ndarray, Y: np.ndarray) -> dict[str, float]:
    """How much the error grows when a column is shuffled, the mean of `REPEATS` shuffles."""
    random = np.random.default_rng(0)

    def error(inputs: np.ndarray) -> float:
        outputs = np.asarray(net(params, inputs))
        if schema.classes is not None:
            return float(np.mean(np.argmax(outputs, axis=1) != np.argmax(Y, axis=1)))
        return float(np.sqrt(np.mean((outputs - Y) ** 2)))

    before, found = error(X), {}
    for name, (_, block) in _blocks(schema).items():
        errors = []
        for _ in range(REPEATS):
            shuffled = X.copy()
            shuffled[:, block] = X[random.permutation(len(X)), block]
            errors.append(error(shuffled))
        found[name] = float(np.mean(errors)) - before
    return found


def _dependence(net: Network, params: Params, schema: Schema, X: np.ndarray, name: str) -> Dependence:
    """The mean prediction with the column held at each of some values, from its 2nd to its 98th percentile."""
    column, block = _blocks(schema)[name]
    if isinstance(column, NumericColumn):
        low, high = np.quantile(X[:, block], [0.02, 0.98])
        encoded = np.linspace(low, high, PLACES)[:, None]
        values = column.decode(encoded[:, 0]).tolist()
    else:
        encoded, values = np.eye(column.width), list(column.categories)
    means = []
    for cells in encoded:
        held = X.copy()
        held[:, block] = cells
        means.append(_in_units(schema, np.asarray(net(params, held), np.float64)).mean(axis=0))
    return Dependence(name, values, np.array(means))
