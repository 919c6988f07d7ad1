"""A logarithmic scale for a positive, skewed target: the network is trained on u, and predictions are those of y.

    u = (ln(y + shift) - mean) / std,   y(u) = exp(mean + std u) - shift                              (LOG)

y is the standardised target, and -shift its original zero. If u is f(x) with an error e, the mean of y is
exp(mean + std f + smear) - shift, where smear is the log of the mean of exp(std e) over leave-one-out errors (smearing,
Duan 1983). The quantiles of y are y(quantiles of u), so intervals are wider above than below. The density of y is that
of u times du/dy = 1/(std (y + shift)).

The scale is chosen by comparing the leave-one-out predictions of one network trained on each.
"""

from dataclasses import replace
from typing import Any, NamedTuple, Self

import numpy as np

from deltarule.network.backprop import Params
from deltarule.network.layers import Dense
from deltarule.network.network import Network
from deltarule.trainers.bayesian.noise_law import effective_count, exceeds_standard_error

LEAST_RATIO = 5.0  # of the largest target to the smallest
LEAST_ROWS = 30
LEAST_SKEW = 0.5  # third standardised moment
LARGEST_VARIANCE = 2.0  # of ln y, by which the standard deviation of y is limited
TINY = 1e-12  # lower limit of y + shift before its logarithm is taken
LARGEST_SMEAR = LARGEST_VARIANCE / 2
LARGEST_ERROR = 4.0  # robust standard deviations, to which errors are clipped for the smear


class LogScale(NamedTuple):
    """(LOG) for one target; `smear` is 0 until it is estimated."""

    shift: float
    mean: float
    std: float
    smear: float = 0.0

    @classmethod
    def of(cls, Y: np.ndarray, zero: np.ndarray, weight: np.ndarray) -> Self | None:
        """Return the scale of targets (N, 1) whose original zero is at `zero` (1,); None unless it is worth a try.

        There must be one target, all values positive, the largest `LEAST_RATIO` times the smallest, skewed to the
        right, and at least `LEAST_ROWS` rows.
        """
        if Y.shape[1:] != (1,) or not np.isfinite(Y).all() or effective_count(weight) < LEAST_ROWS:
            return None
        shift = -float(zero[0])
        y = Y[:, 0] + shift
        if not y.min() > 0 or y.max() < LEAST_RATIO * y.min():
            return None
        z = y - np.average(y, weights=weight)
        skew = np.average(z**3, weights=weight) / np.average(z**2, weights=weight) ** 1.5
        u = np.log(y)
        mean = float(np.average(u, weights=weight))
        std = float(np.sqrt(np.average((u - mean) ** 2, weights=weight)))
        return cls(shift, mean, std) if skew > LEAST_SKEW and std > 0 else None

    def encode(self, Y: np.ndarray) -> np.ndarray:
        """u of y, -inf for y below the original zero."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return (np.where(-self.shift >= Y, -np.inf, np.log(Y + self.shift)) - self.mean) / self.std

    def quantile(self, u: np.ndarray) -> np.ndarray:
        """y(u)."""
        return np.exp(self.mean + self.std * u) - self.shift

    def expected(self, f: np.ndarray) -> np.ndarray:
        """The mean of y at the output f."""
        return self._level(f) - self.shift

    def relative_error(self, y: np.ndarray, expected: np.ndarray) -> np.ndarray:
        """The log of predicted mean over target: a relative error."""
        return np.log(np.maximum(expected + self.shift, TINY)) - np.log(np.maximum(y + self.shift, TINY))

    def deviation(self, f: np.ndarray, std: np.ndarray) -> np.ndarray:
        """The standard deviation of y for a normal u with mean f and standard deviation std."""
        variance = np.minimum((self.std * std) ** 2, LARGEST_VARIANCE)
        return self._level(f) * np.sqrt(np.expm1(variance))

    def log_slope(self, Y: np.ndarray) -> np.ndarray:
        """ln du/dy, -inf for y below the original zero."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(-self.shift >= Y, -np.inf, -np.log(self.std * (Y + self.shift)))

    def with_smearing(self, error: np.ndarray, weight: np.ndarray) -> Self:
        """Return the scale with the smear of leave-one-out errors of u, (N, 1)."""
        valid = np.isfinite(error[:, 0]) & (weight > 0)
        e = error[valid, 0]
        limit = LARGEST_ERROR * 1.4826 * np.median(np.abs(e))  # an outlier must not raise the mean
        smear = float(np.log(np.average(np.exp(self.std * np.clip(e, -limit, limit)), weights=weight[valid])))
        return self._replace(smear=float(np.clip(smear, -LARGEST_SMEAR, LARGEST_SMEAR)))

    def append_to(self, net: Network, params: Params) -> tuple[Network, Params]:
        """Append the mean of y to a network with linear outputs f, as an exponential and a linear layer."""
        *hidden, last = net.layers
        *lower, top = params
        exponential: Any = replace(last, activation="exponential")  # pyright: ignore[reportArgumentType]
        inner = {"W": self.std * top["W"], "b": self.std * top["b"] + self.mean + self.smear}
        outer = {"W": np.ones((1, 1)), "b": np.array([-self.shift])}
        return Network([*hidden, exponential, Dense(1, "linear")], net.cost), [*lower, inner, outer]

    def _level(self, f: np.ndarray) -> np.ndarray:
        return np.exp(self.mean + self.std * f + self.smear)


def prefers_log_scale(Y: np.ndarray, plain: Any, logged: Any, log: LogScale, weight: np.ndarray) -> bool:
    """Whether the leave-one-out predictions of a network trained on u are better than those of one trained on y.

    Their density must be larger and their squared error smaller, each by more than its standard error.

    Args:
        Y: y, (N, 1).
        plain, logged: leave-one-out predictions of both, with `left_out.mean` (N, 1) and `log_density` (N,).
        log: the scale of the second.
        weight: of the rows, (N,).
    """
    f = logged.left_out.mean
    mean = log.with_smearing(log.encode(Y) - f, weight).expected(f)
    closer = ((Y - plain.left_out.mean) ** 2 - (Y - mean) ** 2)[:, 0]
    likelier = logged.log_density + log.log_slope(Y)[:, 0] - plain.log_density
    return _is_positive(closer, weight) and _is_positive(likelier, weight)


def _is_positive(gain: np.ndarray, weight: np.ndarray) -> bool:
    valid = np.isfinite(gain) & (weight > 0)
    return exceeds_standard_error(gain[valid], weight[valid])
