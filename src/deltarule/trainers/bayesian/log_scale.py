"""A network fitted to the logarithm of its target, seen from the target's own units.

    u = (ln(y + shift) - mean) / std,   y(u) = exp(mean + std u) - shift                              (LOG)

y is the target as the network's user standardises it, so shift says where its own zero lies. Where u is f(x) with an
error e, the mean of y is exp(mean + std f + smear) - shift with smear = ln of the mean of exp(std e), over errors of
rows left out [Duan 1983]; its quantiles are y(quantiles of u), so an interval reaches further up than down. The density
of y is that of u times du/dy = 1/(std (y + shift)).

Which of the two scales the rows speak for is asked of what one network on each predicts for rows left out.
"""

from dataclasses import replace
from typing import Any, NamedTuple, Self

import numpy as np

from deltarule.network.backprop import Params
from deltarule.network.layers import Dense
from deltarule.network.network import Network
from deltarule.trainers.bayesian.noise_law import effective

LEAST_RATIO = 5.0  # of the largest target to the smallest, from which the logarithm is tried
LEAST_ROWS = 30
LEAST_SKEW = 0.5  # third standardised moment
LARGEST_VARIANCE = 2.0  # of ln y, beyond which the standard deviation of y is not followed
TINY = 1e-12  # of a standardised target, below which no logarithm is taken
LARGEST_SMEAR = LARGEST_VARIANCE / 2
FARTHEST = 4.0  # standard deviations, by the median error, past which an error smears no further


class LogScale(NamedTuple):
    """(LOG) of one target; `smear` is known once rows were left out."""

    shift: float
    mean: float
    std: float
    smear: float = 0.0

    @classmethod
    def of(cls, Y: np.ndarray, zero: np.ndarray, weight: np.ndarray) -> Self | None:
        """That of targets (N, 1) whose zero lies at `zero` (1,); None where it is not worth a try.

        There must be one target, each above zero, the largest `LEAST_RATIO` times the smallest, with a tail upwards,
        and at least `LEAST_ROWS` rows.
        """
        if Y.shape[1:] != (1,) or not np.isfinite(Y).all() or effective(weight) < LEAST_ROWS:
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
        """u of y, -inf where y lies below its zero."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return (np.where(-self.shift >= Y, -np.inf, np.log(Y + self.shift)) - self.mean) / self.std

    def quantile(self, u: np.ndarray) -> np.ndarray:
        """y(u)."""
        return np.exp(self.mean + self.std * u) - self.shift

    def expected(self, f: np.ndarray) -> np.ndarray:
        """The mean of y around f."""
        return self._level(f) - self.shift

    def relative_error(self, y: np.ndarray, expected: np.ndarray) -> np.ndarray:
        """ln of the mean over y, of targets y and the means that are predicted: relative errors."""
        return np.log(np.maximum(expected + self.shift, TINY)) - np.log(np.maximum(y + self.shift, TINY))

    def deviation(self, f: np.ndarray, std: np.ndarray) -> np.ndarray:
        """The standard deviation of y, of ln y normal with the deviation std of u."""
        variance = np.minimum((self.std * std) ** 2, LARGEST_VARIANCE)
        return self._level(f) * np.sqrt(np.expm1(variance))

    def log_slope(self, Y: np.ndarray) -> np.ndarray:
        """ln du/dy, -inf below the zero of y."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(-self.shift >= Y, -np.inf, -np.log(self.std * (Y + self.shift)))

    def with_smearing(self, error: np.ndarray, weight: np.ndarray) -> Self:
        """With the smear of errors of u of rows left out, (N, 1)."""
        known = np.isfinite(error[:, 0]) & (weight > 0)
        e = error[known, 0]
        e = np.clip(e, *(np.array([-FARTHEST, FARTHEST]) * 1.4826 * np.median(np.abs(e))))  # a fault lifts no mean
        smear = float(np.log(np.average(np.exp(self.std * e), weights=weight[known])))
        return self._replace(smear=float(np.clip(smear, -LARGEST_SMEAR, LARGEST_SMEAR)))

    def append_to(self, net: Network, params: Params) -> tuple[Network, Params]:
        """A network with linear outputs f, followed by the mean of y: an exponential layer and a linear one."""
        *hidden, last = net.layers
        *lower, top = params
        level: Any = replace(last, activation="exponential")  # pyright: ignore[reportArgumentType]
        inner = {"W": self.std * top["W"], "b": self.std * top["b"] + self.mean + self.smear}
        outer = {"W": np.ones((1, 1)), "b": np.array([-self.shift])}
        return Network([*hidden, level, Dense(1, "linear")], net.cost), [*lower, inner, outer]

    def _level(self, f: np.ndarray) -> np.ndarray:
        return np.exp(self.mean + self.std * f + self.smear)


def prefers_log_scale(Y: np.ndarray, plain: Any, logged: Any, log: LogScale, weight: np.ndarray) -> bool:
    """Whether a network fitted to u predicts targets y of rows left out better than one fitted to y.

    Its density must be larger and its squared error smaller, each by more than the standard error of the difference.

    Args:
        Y: y, (N, 1).
        plain, logged: what each predicts for rows left out, with `left_out.mean` (N, 1) and `log_density` (N,).
        log: the scale of the second.
        weight: of the rows, (N,).
    """
    f = logged.left_out.mean
    mean = log.with_smearing(log.encode(Y) - f, weight).expected(f)
    closer = ((Y - plain.left_out.mean) ** 2 - (Y - mean) ** 2)[:, 0]
    likelier = logged.log_density + log.log_slope(Y)[:, 0] - plain.log_density
    return _is_positive(closer, weight) and _is_positive(likelier, weight)


def _is_positive(gain: np.ndarray, weight: np.ndarray) -> bool:
    """Whether a mean over rows is above its standard error."""
    known = np.isfinite(gain) & (weight > 0)
    mean = np.average(gain[known], weights=weight[known])
    return bool(mean > np.sqrt(np.average((gain[known] - mean) ** 2, weights=weight[known]) / effective(weight[known])))
