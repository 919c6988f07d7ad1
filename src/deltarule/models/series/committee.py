"""`Committee`: several networks with lags as one, whose output is their weighted mean; each is fed its own outputs.

Side by side they are one network with feedback, of block-diagonal layers and M k outputs, member by member. Measured
outputs are fed to all of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.linalg import block_diag

from deltarule.data.lagged import Lags, Segment, Windows, lagged
from deltarule.models.series.feedback import Feedback
from deltarule.network.backprop import Params
from deltarule.network.layers import Dense
from deltarule.network.network import Network


@dataclass(frozen=True, eq=False)
class Committee:
    """The networks side by side: the one that they make, of M k outputs, and their weights, (M,), which sum to 1."""

    model: Feedback
    params: Params
    weights: np.ndarray

    @classmethod
    def of(cls, model: Feedback, members: Sequence[Params], weights: Sequence[float]) -> "Committee":
        """Put members of one architecture side by side; their weights need not sum to 1."""
        share, k = np.array(weights, float) / np.sum(weights), model.net.outputs
        layers: Any = model.net.layers
        *hidden, last = layers
        sizes = [Dense(layer.n * len(members), layer.activation) for layer in hidden]
        net = Network([*sizes, Dense(last.n * len(members), "linear")])
        lags, lines = model.lags, [model.line] * len(members)
        first = _side_by_side([p[0]["W"] for p in members], lags, k)
        Ws = [first, *(block_diag(*[p[i]["W"] for p in members]) for i in range(1, len(sizes) + 1))]
        params = [{"W": W, "b": np.concatenate([p[i]["b"] for p in members])} for i, W in enumerate(Ws)]
        return cls(Feedback(net, lags, model.inputs, _side_by_side(lines, lags, k)), params, share)

    @property
    def lags(self) -> Lags:
        """The lags of each member."""
        return self.model.lags

    @property
    def outputs(self) -> int:
        """k, the number of outputs of one member."""
        return self.model.net.outputs // len(self.weights)

    def repeat(self, Y: np.ndarray) -> np.ndarray:
        """Outputs (.., k) once for each member, (.., M k)."""
        return np.tile(Y, len(self.weights))

    def mean(self, Y: np.ndarray) -> np.ndarray:
        """The weighted mean of the members' outputs, (.., M k) ↦ (.., k)."""
        return (Y.reshape(*Y.shape[:-1], len(self.weights), self.outputs) * self.weights[:, None]).sum(axis=-2)

    def step(self, record: Segment) -> np.ndarray:
        """Predict a record (T, k) one step ahead, from step D on: (T - D, k), NaN if an input or lag is missing."""
        return self.mean(self.model.step(self.params, lagged(record.U, self.repeat(record.Y), self.lags)))

    def free_run(self, U: np.ndarray, start: np.ndarray) -> np.ndarray:
        """The members' free runs from measured outputs (K, D, k) with inputs (K, D + H, m), (K, D + H, M k)."""
        with np.errstate(all="ignore"):
            return self.model.free_run(self.params, U, self.repeat(start))

    def errors(self, windows: Windows) -> np.ndarray:
        """The errors of the free runs of windows, (K, H, k), 0 if an output is not measured."""
        D = self.lags.max_lag
        run = self.mean(self.free_run(windows.U, windows.Y[:, :D]))[:, D:]
        return np.where(windows.measured > 0, run - windows.Y[:, D:], 0.0)


def _side_by_side(Ws: Sequence[np.ndarray], lags: Lags, k: int) -> np.ndarray:
    """Join weights of first layers (n, n_1): each takes its own member's outputs, and all take the same inputs."""
    M, n, width = len(Ws), len(Ws[0]), k * len(lags.outputs)
    joined = np.zeros((M, n, len(lags.outputs), M, k))
    for i, W in enumerate(Ws):
        joined[i, :, :, i] = W[:, :width].reshape(n, len(lags.outputs), k)
    return np.concatenate([joined.reshape(M * n, M * width), np.concatenate([W[:, width:] for W in Ws])], axis=1)


def rms_by_horizon(errors: np.ndarray, windows: Windows) -> np.ndarray:
    """The root mean square of the errors at measured outputs, by steps ahead, (H, k)."""
    return np.sqrt((errors**2).sum(axis=0) / np.maximum(windows.measured.sum(axis=0), 1))
