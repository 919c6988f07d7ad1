"""Step features: neurons with fixed weights before a network, a smooth step at some positions of every column.

    x ↦ ([x, sigma((x_j - t_i)/s_i) for every position t_i of every column j] - mean) / std

A column of few values gets a step between any two of them, any other column at quantiles. With these inputs a network
can change abruptly along a column, and the precision of each input switches off the steps that explain nothing. They
are one more hidden layer, so model files and exports need no special case.

"Fine" steps are for columns that number something, such as a person, a school or a machine: a step between any two
values, up to `MOST_LEVELS` of them, if each value occurs in several rows.
"""

from typing import NamedTuple

import numpy as np

from deltarule.network.activations import get_activation
from deltarule.network.backprop import Params
from deltarule.network.layers import Dense, LayerParams
from deltarule.network.network import Network
from deltarule.network.side_by_side import EPS

MOST_VALUES = 13  # of a column that gets a step between any two
QUANTILES = 8  # steps of other columns
MOST = 60  # steps in all, though each column gets at least one
MOST_LEVELS, LEAST_ROWS = 400, 8  # fine steps in all, and rows for each value on average
SHARE = 1 / 6  # the most fine steps for each row
KINDS = ("coarse", "fine")
LEAST_WIDTH = 1e-3  # of a step, in standard deviations of the column


class StepFeatures(NamedTuple):
    """The fixed neurons: W (u, n_1), b (u,), their activation, and mean and std (n_1 + u,) of inputs and steps."""

    W: np.ndarray
    b: np.ndarray
    mean: np.ndarray
    std: np.ndarray
    activation: str

    @classmethod
    def of(cls, X: np.ndarray, activation: str, kind: str = "coarse") -> "StepFeatures | None":
        """Return the step features of this kind for the rows X (N, n_1); None if no column is suitable."""
        n, positions = X.shape[1], step_positions(X, kind)
        if not positions:
            return None
        W = np.zeros((len(positions), n))
        for i, (j, _, s) in enumerate(positions):
            W[i, j] = 1 / s
        b, width = np.array([-t / s for _, t, s in positions]), n + len(W)
        steps = cls(W, b, np.zeros(width), np.ones(width), activation)
        features = steps(X)
        std = features.std(axis=0)
        return steps._replace(mean=features.mean(axis=0), std=np.where(std > 1e-9, std, 1.0))

    def __call__(self, X: np.ndarray) -> np.ndarray:
        """The standardised inputs and steps, (m, n_1 + u)."""
        features = np.concatenate([X, get_activation(self.activation).sigma(X @ self.W.T + self.b)], axis=1)
        return (features - self.mean) / self.std

    def layers(self) -> list[tuple[Dense, LayerParams]]:
        """Two layers that compute the features: sigma of [eps x, W x + b], and a linear one that standardises."""
        n, width = self.W.shape[1], len(self.std)
        first = {"W": np.concatenate([EPS * np.eye(n), self.W]), "b": np.concatenate([np.zeros(n), self.b])}
        size = self.std * np.where(np.arange(width) < n, EPS, 1.0)
        scaling = {"W": np.diag(1 / size), "b": -self.mean / self.std}
        return [(Dense(width, self.activation), first), (Dense(width, "linear"), scaling)]

    def before(self, net: Network, params: Params) -> tuple[Network, Params]:
        """Put the step features before `net`, as one network of x."""
        (layer, first), (_, scaling) = self.layers()
        W, b = (np.asarray(params[0][name]) for name in ("W", "b"))
        second = {"W": W * np.diag(scaling["W"]), "b": b + W @ scaling["b"]}
        return Network([layer, *net.layers], net.cost), [first, second, *params[1:]]


def step_positions(X: np.ndarray, kind: str = "coarse") -> list[tuple[int, float, float]]:
    """Column, position and width of every step for the rows X (N, n_1); [] for fine steps that do not suit them."""
    fine = [kind == "fine" and _is_identifier(column) for column in X.T]
    if kind == "fine" and not any(fine):
        return []
    most = max(1, MOST // max(1, sum(len(np.unique(column)) > 2 for column in X.T)))
    positions = [
        (j, t, s) for j, is_fine in enumerate(fine) for t, s in (_between if is_fine else _coarse)(X[:, j], most)
    ]
    return [] if kind == "fine" and len(positions) > min(SHARE * len(X), MOST_LEVELS) else positions


def _coarse(column: np.ndarray, most: int) -> list[tuple[float, float]]:
    """Positions and widths of at most so many steps of a column."""
    values = np.unique(column)
    if len(values) < 3:
        return []
    if len(values) <= min(MOST_VALUES, most + 1):
        return _between(column, most)
    count = min(QUANTILES, most)
    t = np.unique(np.quantile(column, (np.arange(count) + 0.5) / count))
    gaps = np.gradient(t) if len(t) > 1 else np.array([column.std()])
    widths = np.maximum(0.5 * gaps, LEAST_WIDTH * column.std())
    return [*zip(t, widths, strict=True)]


def _between(column: np.ndarray, most: int) -> list[tuple[float, float]]:
    """Positions and widths of the steps between any two values of a column."""
    values = np.unique(column)
    gaps = np.diff(values)
    return [*zip(values[:-1] + gaps / 2, gaps / 4, strict=True)]


def _is_identifier(column: np.ndarray) -> bool:
    """Whether a column has too many values for coarse steps, each in several rows."""
    return MOST_VALUES < len(np.unique(column)) <= min(MOST_LEVELS, len(column) // LEAST_ROWS)
