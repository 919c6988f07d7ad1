"""Correlations of the errors of a time-series model, with each other and with the inputs.

If the model has learnt all it can, its errors one step ahead are white noise, independent of the inputs. Then each
correlation except that of lag 0 is N(0, 1/N), N the number of steps, and 95 % of them lie within ± 1.96 / sqrt(N).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

BOUND = 1.96


class Correlations(NamedTuple):
    """Correlations of the errors e_t of one output.

    Attributes:
        lags: 0..M, the lags of `autocorrelation`.
        autocorrelation: corr(e_t, e_{t-lag}), (M + 1,).
        input_lags: -M..M, the lags of `input_error`.
        input_error: corr(u_{t-lag}, e_t) for each input, (m, 2 M + 1).
        bound: half the width of the 95 % band around 0.
    """

    lags: np.ndarray
    autocorrelation: np.ndarray
    input_lags: np.ndarray
    input_error: np.ndarray
    bound: float

    @property
    def outside(self) -> float:
        """The share of all correlations, except the autocorrelation at lag 0, outside the band; 0.05 by chance."""
        values = np.concatenate([self.autocorrelation[1:], self.input_error.ravel()])
        return float(np.mean(np.abs(values) > self.bound))

    def by_name(self, inputs: Sequence[str] = ()) -> list[tuple[str, np.ndarray, np.ndarray]]:
        """Name, lags and correlations: first with earlier errors, then with each input, by these names."""
        names = inputs or [f"input {j}" for j in range(len(self.input_error))]
        others = [(name, self.input_lags, values) for name, values in zip(names, self.input_error, strict=True)]
        return [("earlier errors", self.lags[1:], self.autocorrelation[1:]), *others]


def correlations(error: np.ndarray, U: np.ndarray, max_lag: int = 20) -> Correlations:
    """Correlate one output's errors (T,), NaN where unknown, with each other and with the inputs U (T, m)."""
    known = int(np.isfinite(error).sum())
    max_lag = min(max_lag, max(known // 4, 1))
    lags, both = np.arange(max_lag + 1), np.arange(-max_lag, max_lag + 1)
    e = error - np.nanmean(error)
    centred = U - np.nanmean(U, axis=0) if U.size else U
    auto = np.array([_correlation(e, e, lag) for lag in lags.tolist()])
    cross = np.array([[_correlation(u, e, lag) for lag in both.tolist()] for u in centred.T]).reshape(
        U.shape[1], len(both)
    )
    return Correlations(lags, auto, both, cross, BOUND / np.sqrt(known))


def _correlation(first: np.ndarray, second: np.ndarray, lag: int) -> float:
    """corr(first_{t-lag}, second_t) over the steps at which both are known; 0 where one does not vary."""
    T = len(first)
    pairs = first[max(-lag, 0) : T - max(lag, 0)] * second[max(lag, 0) : T - max(-lag, 0)]
    scale = np.sqrt(np.nanmean(first**2) * np.nanmean(second**2))
    return float(np.nanmean(pairs) * len(pairs) / T / scale) if scale > 0 else 0.0
