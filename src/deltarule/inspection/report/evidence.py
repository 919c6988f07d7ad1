"""What a report shows of a model on rows with known targets: numbers first, pictures later."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from deltarule.data.labels import probabilities
from deltarule.data.schema import Schema
from deltarule.inspection.importance import column_blocks, permutation_importance, sample_rows
from deltarule.network.backprop import Params
from deltarule.network.network import Network

if TYPE_CHECKING:
    from deltarule.trainers.bayesian import BayesianEnsemble

PLACES = 40  # of a dependence curve
MOST_CURVES = 12
MOST_MISREAD = 40
ROWS_OF_BAND = 20  # over which the error bars of a dependence curve are a mean
PARTS = ("training", "validation", "test")


@dataclass(frozen=True, eq=False)
class PartialDependence:
    """How the mean prediction moves with one column, the others as they are.

    Args:
        column: its name.
        values: (places,) in the column's units, or the names of its categories.
        means: (places, k): targets in their units, or probabilities.
        band: the ends, (2, places, k), between which a new measurement lies with 95 %, means over some rows; None
            without error bars.
    """

    column: str
    values: list[Any]
    means: np.ndarray
    band: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class Evidence:
    """The model on rows with known targets.

    Args:
        source: what the rows are called.
        predicted: (N, k), targets in their units or probabilities.
        actual: (N, k) in their units, or the true class of each row, (N,) whole numbers.
        importance: by column name, how much the error grows when the column is shuffled: the RMSE over the targets,
            each in units of its standard deviation, or the log-loss. Empty for images.
        dependence: of the most important columns.
        below: (N, k), the probability that a new measurement of each row lies below the one that there is; None without
            error bars.
        parts: of each row the part of the training data that it was, a name in `PARTS`, (N,); None where not known.
        rows: the number of each row in its source, (N,); None counts them.
        misread: of grey images (some of) those whose class was misread, (n, h, w), and their places among the rows.
    """

    source: str
    predicted: np.ndarray
    actual: np.ndarray
    importance: dict[str, float]
    dependence: tuple[PartialDependence, ...]
    below: np.ndarray | None = None
    parts: np.ndarray | None = None
    misread: tuple[np.ndarray, np.ndarray] | None = None
    rows: np.ndarray | None = None

    def of_part(self, name: str) -> np.ndarray:
        """The places of the rows of a part; all of them where parts are not known."""
        return np.arange(len(self.actual)) if self.parts is None else np.flatnonzero(self.parts == name)

    @property
    def judged(self) -> np.ndarray:
        """The places of the rows to judge by: those of the test part, if it is known and not empty, else all."""
        test = self.of_part("test")
        return test if len(test) else np.arange(len(self.actual))


def collect_evidence(
    net: Network,
    params: Params,
    schema: Schema,
    X: np.ndarray,
    Y: np.ndarray,
    source: str,
    error_bars: "BayesianEnsemble | None" = None,
    parts: np.ndarray | None = None,
    rows: np.ndarray | None = None,
) -> Evidence:
    """Measure the model on encoded rows X (N, n_1), Y (N, k) of these parts and numbers, with error bars also them."""
    predicted = _in_units(schema, np.asarray(net(params, X), np.float64))
    actual = np.argmax(Y, axis=1) if schema.classes is not None else schema.decode(Y)
    found = Evidence(source, predicted, actual, {}, (), parts=parts)
    if schema.image_shape is not None:
        wrong = np.flatnonzero(predicted.argmax(axis=1) != actual)[:MOST_MISREAD]
        grey = len(schema.image_shape) == 2 and len(wrong)
        return replace(found, misread=(X[wrong].reshape(-1, *schema.image_shape), wrong)) if grey else found
    some = sample_rows(len(X))
    importance = permutation_importance(net, params, schema, X[some], Y[some])
    best = sorted(importance, key=lambda name: -importance[name])[:MOST_CURVES]
    curves = tuple(partial_dependence(net, params, schema, X[some], name, error_bars) for name in best)
    found = replace(found, importance=importance, dependence=curves, rows=rows)
    return found if error_bars is None else replace(found, below=error_bars.probability(X, Y))


def _in_units(schema: Schema, outputs: np.ndarray) -> np.ndarray:
    """Targets in their units, or probabilities."""
    return schema.decode(outputs) if schema.classes is None else probabilities(outputs)


def partial_dependence(
    net: Network, params: Params, schema: Schema, X: np.ndarray, name: str, error_bars: "BayesianEnsemble | None"
) -> PartialDependence:
    """How the mean prediction on X (N, n_1) moves with a column, from its 2nd to its 98th percentile."""
    column, block = column_blocks(schema)[name]
    values, encoded = column.sweep(X[:, block], PLACES)
    means, some = [], []
    for cells in encoded:
        held = X.copy()
        held[:, block] = cells
        means.append(_in_units(schema, np.asarray(net(params, held), np.float64)).mean(axis=0))
        some.append(held[:ROWS_OF_BAND])
    if error_bars is None:
        return PartialDependence(name, values, np.array(means))
    X = np.concatenate(some)
    middle, *ends = (schema.decode(y) for y in (net(params, X), *error_bars.interval(X, 0.95)))
    reach = [(end - middle).reshape(len(encoded), -1, len(schema.targets)).mean(axis=1) for end in ends]
    return PartialDependence(name, values, np.array(means), np.array(means) + np.array(reach))
