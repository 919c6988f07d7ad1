"""The numbers behind a report's figures: a model's predictions and errors on rows with known targets."""

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

PLACES = 40  # points of a dependence curve
MOST_CURVES = 12
MOST_MISREAD = 40
BAND_ROWS = 20  # rows over which the error bars of a dependence curve are averaged
PARTS = ("training", "validation", "test")


@dataclass(frozen=True, eq=False)
class PartialDependence:
    """The mean prediction as a function of one column, the others as they are.

    Args:
        column: its name.
        values: (places,) in the column's units, or the names of its categories.
        means: (places, k): targets in their units, or probabilities.
        band: lower and upper ends of the 95 % interval of a new measurement, (2, places, k), averaged over some rows;
            None without error bars.
    """

    column: str
    values: list[Any]
    means: np.ndarray
    band: np.ndarray | None = None

    def of_output(self, j: int) -> "PartialDependence":
        """The same of output j alone."""
        band = None if self.band is None else self.band[:, :, j : j + 1]
        return replace(self, means=self.means[:, j : j + 1], band=band)


@dataclass(frozen=True, eq=False)
class Evidence:
    """A model's predictions and errors on rows with known targets.

    Args:
        source: the name of the rows.
        predicted: (N, k), targets in their units or probabilities.
        actual: (N, k) in their units, or the true class of each row, (N,) whole numbers.
        importance: by column name, the growth of the error when the column is shuffled: of the RMSE over the targets,
            each in units of its standard deviation, or of the log-loss. Empty for images.
        dependence: of the most important columns.
        below: (N, k), the probability that a new measurement of each row lies below the actual one; None without error
            bars.
        parts: (N,), the part of the training data to which each row belonged, a name in `PARTS`; None if not known.
        rows: the number of each row in its source, (N,); None counts them from 0.
        misread: grey images whose class was misread, at most `MOST_MISREAD`, (n, h, w), and their row positions.
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
        """The positions of the rows of a part; all rows if parts are not known."""
        return np.arange(len(self.actual)) if self.parts is None else np.flatnonzero(self.parts == name)

    @property
    def evaluated(self) -> np.ndarray:
        """The positions of the rows by which to judge the model: the test rows if they are known, else all rows."""
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
    """Measure the model on encoded rows X (N, n_1), Y (N, k); the other arguments are those of `Evidence`."""
    predicted = _in_units(schema, np.asarray(net(params, X), np.float64))
    actual = np.argmax(Y, axis=1) if schema.classes is not None else schema.decode(Y)
    evidence = Evidence(source, predicted, actual, {}, (), parts=parts)
    if schema.image_shape is not None:
        wrong = np.flatnonzero(predicted.argmax(axis=1) != actual)[:MOST_MISREAD]
        grey = len(schema.image_shape) == 2 and len(wrong)
        return replace(evidence, misread=(X[wrong].reshape(-1, *schema.image_shape), wrong)) if grey else evidence
    sample = sample_rows(len(X))
    importance = permutation_importance(net, params, schema, X[sample], Y[sample])
    best = sorted(importance, key=lambda name: -importance[name])[:MOST_CURVES]
    curves = tuple(partial_dependence(net, params, schema, X[sample], name, error_bars) for name in best)
    evidence = replace(evidence, importance=importance, dependence=curves, rows=rows)
    return evidence if error_bars is None else replace(evidence, below=error_bars.probability(X, Y))


def _in_units(schema: Schema, outputs: np.ndarray) -> np.ndarray:
    """Outputs as targets in their units, or as probabilities."""
    return schema.decode(outputs) if schema.classes is None else probabilities(outputs)


def partial_dependence(
    net: Network, params: Params, schema: Schema, X: np.ndarray, name: str, error_bars: "BayesianEnsemble | None"
) -> PartialDependence:
    """The mean prediction on X (N, n_1) as a function of a column, from its 2nd to its 98th percentile."""
    column, block = column_blocks(schema)[name]
    values, encoded = column.sweep(X[:, block], PLACES)
    means, band_rows = [], []
    for cells in encoded:
        changed = X.copy()
        changed[:, block] = cells
        means.append(_in_units(schema, np.asarray(net(params, changed), np.float64)).mean(axis=0))
        band_rows.append(changed[:BAND_ROWS])
    if error_bars is None:
        return PartialDependence(name, values, np.array(means))
    X = np.concatenate(band_rows)
    middle, *ends = (schema.decode(y) for y in (net(params, X), *error_bars.interval(X, 0.95)))
    reach = [(end - middle).reshape(len(encoded), -1, len(schema.targets)).mean(axis=1) for end in ends]
    return PartialDependence(name, values, np.array(means), np.array(means) + np.array(reach))
