"""Steps as further inputs: neurons with fixed weights before a network, one for each of some places of every column.

    x ↦ ([x, sigma((x_j - t_i)/s_i) for every place t_i of every column j] - mean) / std

A column of few values gets a place between any two of them, another one at quantiles of its values. A network that
takes these inputs can be uneven in one column where smooth ones do not pay, and the precision of each input by itself
switches off those that explain nothing. It is one more hidden layer, so model files and exports need no word of it.

"Fine" steps are for columns that number something, such as a person, a school or a machine: values that come back in
several rows each get a place between any two, up to `MOST_LEVELS` of them.
"""

from typing import NamedTuple

import numpy as np

from deltarule.network.activations import get_activation
from deltarule.network.backprop import Params
from deltarule.network.layers import Dense, LayerParams
from deltarule.network.network import Network
from deltarule.network.side_by_side import EPS

MOST_VALUES = 13  # of a column that gets a place between any two
QUANTILES = 8  # places of other columns
MOST = 60  # places in all, but that each column gets one
MOST_LEVELS, LEAST_ROWS = 400, 8  # fine steps in all, and rows for each value on average
SHARE = 1 / 6  # steps for each row at most, of fine ones
KINDS = ("coarse", "fine")
FLATTEST = 1e-3  # of the column's standard deviation: the least width of a step


class StepFeatures(NamedTuple):
    """The fixed neurons: W (u, n_1), b (u,), and mean and std (n_1 + u,) of x and what they give; their activation."""

    W: np.ndarray
    b: np.ndarray
    mean: np.ndarray
    std: np.ndarray
    activation: str

    @classmethod
    def of(cls, X: np.ndarray, activation: str, kind: str = "coarse") -> "StepFeatures | None":
        """Those for the rows X (N, n_1); None where no column has three values, or none that calls for fine steps."""
        n, found = X.shape[1], step_positions(X, kind)
        if not found:
            return None
        W = np.zeros((len(found), n))
        for i, (j, _, s) in enumerate(found):
            W[i, j] = 1 / s
        steps = cls(W, np.array([-t / s for _, t, s in found]), np.zeros(n + len(W)), np.ones(n + len(W)), activation)
        given = steps(X)
        std = given.std(axis=0)
        return steps._replace(mean=given.mean(axis=0), std=np.where(std > 1e-9, std, 1.0))

    def __call__(self, X: np.ndarray) -> np.ndarray:
        """The inputs of the network behind, (m, n_1 + u)."""
        given = np.concatenate([X, get_activation(self.activation).sigma(X @ self.W.T + self.b)], axis=1)
        return (given - self.mean) / self.std

    def layers(self) -> list[tuple[Dense, LayerParams]]:
        """Two layers that compute the same: sigma of [eps x, W x + b], and a linear one that scales."""
        n, width = self.W.shape[1], len(self.std)
        first = {"W": np.concatenate([EPS * np.eye(n), self.W]), "b": np.concatenate([np.zeros(n), self.b])}
        size = self.std * np.where(np.arange(width) < n, EPS, 1.0)
        scaling = {"W": np.diag(1 / size), "b": -self.mean / self.std}
        return [(Dense(width, self.activation), first), (Dense(width, "linear"), scaling)]

    def before(self, net: Network, params: Params) -> tuple[Network, Params]:
        """One network that takes x, of this layer and then those of `net`."""
        (layer, first), (_, scaling) = self.layers()
        W, b = (np.asarray(params[0][name]) for name in ("W", "b"))
        second = {"W": W * np.diag(scaling["W"]), "b": b + W @ scaling["b"]}
        return Network([layer, *net.layers], net.cost), [first, second, *params[1:]]


def step_positions(X: np.ndarray, kind: str = "coarse") -> list[tuple[int, float, float]]:
    """Column, place and width of every step for the rows X (N, n_1); none of a kind that they do not call for."""
    fine = [kind == "fine" and _numbers_something(column) for column in X.T]
    if kind == "fine" and not any(fine):
        return []
    most = max(1, MOST // max(1, sum(len(np.unique(column)) > 2 for column in X.T)))
    found = [(j, t, s) for j, own in enumerate(fine) for t, s in (_between if own else _places)(X[:, j], most)]
    return [] if kind == "fine" and len(found) > min(SHARE * len(X), MOST_LEVELS) else found


def _places(column: np.ndarray, most: int) -> list[tuple[float, float]]:
    """At most so many places of a column, and the widths of their steps."""
    values = np.unique(column)
    if len(values) < 3:
        return []
    if len(values) <= min(MOST_VALUES, most + 1):
        return _between(column, most)
    count = min(QUANTILES, most)
    t = np.unique(np.quantile(column, (np.arange(count) + 0.5) / count))
    gaps = np.gradient(t) if len(t) > 1 else np.array([column.std()])
    widths = np.maximum(0.5 * gaps, FLATTEST * column.std())
    return [*zip(t, widths, strict=True)]


def _between(column: np.ndarray, most: int) -> list[tuple[float, float]]:
    """A place between any two values of a column."""
    values = np.unique(column)
    gaps = np.diff(values)
    return [*zip(values[:-1] + gaps / 2, gaps / 4, strict=True)]


def _numbers_something(column: np.ndarray) -> bool:
    """Whether a column holds too many values for coarse steps, each in several rows."""
    return MOST_VALUES < len(np.unique(column)) <= min(MOST_LEVELS, len(column) // LEAST_ROWS)
