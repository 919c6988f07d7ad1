"""The distribution of new measurements around an ensemble's mean, fitted to leave-one-out errors (LOO).

The mean m(x) is uncertain with the posterior variance V(x), and a new measurement has noise of average variance sigma².
Its distribution is Student's t with nu degrees of freedom around m(x), with the squared scale

    s² v(x),   v(x) = V(x) + sigma² e^eta(x),   eta = theta_0 + theta_1 m + theta_2 m² + theta_x x,        (NOISE)

and eta limited to its range over the training rows. theta maximises the likelihood of the leave-one-out errors e_i with
the variances V_i, under a prior N(0, `PRIOR_STD`²) of its slopes; nu and s maximise the likelihood. theta is used if in
cross-validation the log likelihood improves by more than its standard error; else it is 0.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import gammaln, stdtrit

PRIOR_STD = 0.3  # of a slope of eta, for a standardised column
FREEDOMS = (2.5, 3.0, 4.0, 5.0, 7.0, 10.0, 15.0, 30.0, 100.0, 1e6)
ROBUST = 5.0  # degrees of freedom with which theta is fitted, to limit the influence of outliers
FOLDS, STEPS, LEAST_ROWS = 5, 30, 60


class NoiseLaw(NamedTuple):
    """The distribution (NOISE) of each of k outputs.

    Attributes:
        freedom: nu, one number for all outputs.
        scale: s², (k,).
        slopes: theta, (k, 3 + n_1): of 1, m, m² and each input.
        low, high: the ends of eta, (k,).
    """

    freedom: float
    scale: np.ndarray
    slopes: np.ndarray
    low: np.ndarray
    high: np.ndarray

    def factor(self, X: np.ndarray, mean: np.ndarray) -> np.ndarray:
        """e^eta, the factor of the noise at X (m, n_1) with the mean (m, k): (m, k)."""
        theta = self.slopes.T
        eta = theta[0] + theta[1] * mean + theta[2] * mean**2 + X @ theta[3:]
        return np.exp(np.clip(eta, self.low, self.high))

    def std(self, variance: np.ndarray) -> np.ndarray:
        """The standard deviation of Student's t for v."""
        return np.sqrt(self.scale * variance * self.freedom / (self.freedom - 2))

    def reach(self, coverage: float) -> float:
        """The half width of an interval of this probability, in standard deviations."""
        return float(stdtrit(self.freedom, 0.5 + coverage / 2) * np.sqrt((self.freedom - 2) / self.freedom))

    def log_density(self, error: np.ndarray, variance: np.ndarray) -> np.ndarray:
        """The log density of errors for v."""
        return _log_t(error**2, self.scale * variance, self.freedom)


def fit_noise_law(
    X: np.ndarray, mean: np.ndarray, error: np.ndarray, spread: np.ndarray, noise: np.ndarray, weight: np.ndarray
) -> NoiseLaw:
    """Fit the distribution to leave-one-out predictions.

    Args:
        X: the inputs, (N, n_1).
        mean: m, (N, k).
        error: y - m, (N, k); NaN where y is missing.
        spread: V, (N, k).
        noise: sigma², (k,).
        weight: (N,).
    """
    k = mean.shape[1]
    slopes, low, high = np.zeros((k, 3 + X.shape[1])), np.zeros(k), np.zeros(k)
    valid = np.isfinite(error)
    v = np.where(valid, spread + noise, 1.0)
    for o in range(k):
        some = valid[:, o]
        design = _Design.of(np.column_stack([mean[some, o], mean[some, o] ** 2, X[some]]))
        rows = _Errors(design.columns, error[some, o] ** 2, spread[some, o], float(noise[o]), weight[some])
        if len(rows.square) < LEAST_ROWS or not rows.improves():
            continue
        theta = rows.fit()
        eta = rows.columns @ theta
        slopes[o], low[o], high[o] = design.raw(theta), eta.min(), eta.max()
        v[some, o] = rows.variance(theta)
    e2, w = np.where(valid, error, 0.0) ** 2, weight[:, None] * valid
    candidates = [(_scales(e2, v, w, nu), nu) for nu in FREEDOMS]
    scale, nu = max(candidates, key=lambda candidate: (w * _log_t(e2, candidate[0] * v, candidate[1])).sum())
    return NoiseLaw(nu, scale, slopes, low, high)


class _Design(NamedTuple):
    """A column of ones and standardised columns."""

    columns: np.ndarray
    mean: np.ndarray
    std: np.ndarray

    @classmethod
    def of(cls, raw: np.ndarray) -> "_Design":
        mean, std = raw.mean(axis=0), raw.std(axis=0)
        std = np.where(std > 1e-9, std, np.inf)
        return cls(np.column_stack([np.ones(len(raw)), (raw - mean) / std]), mean, std)

    def raw(self, theta: np.ndarray) -> np.ndarray:
        """theta for the columns before standardisation."""
        slopes = theta[1:] / self.std
        return np.concatenate([[theta[0] - slopes @ self.mean], slopes])


class _Errors(NamedTuple):
    """Squared leave-one-out errors, and the columns of eta."""

    columns: np.ndarray
    square: np.ndarray
    spread: np.ndarray
    noise: float
    weight: np.ndarray

    def of(self, rows: np.ndarray) -> "_Errors":
        return _Errors(self.columns[rows], self.square[rows], self.spread[rows], self.noise, self.weight[rows])

    def variance(self, theta: np.ndarray) -> np.ndarray:
        return self.spread + self.noise * np.exp(np.clip(self.columns @ theta, -12, 12))

    def fit(self, constant: bool = False) -> np.ndarray:
        """theta by Fisher scoring: score g/2 (u e²/v² - 1/v), information g²/(2 v²), u = (nu + 1)/(nu + e²/v)."""
        B = self.columns[:, :1] if constant else self.columns
        theta, penalty = np.zeros(B.shape[1]), np.full(B.shape[1], PRIOR_STD**-2)
        penalty[0] = 1e-6
        for _ in range(STEPS):
            g = self.noise * np.exp(np.clip(B @ theta, -12, 12))
            v = self.spread + g
            u = (ROBUST + 1) / (ROBUST + self.square / v)
            slope = B.T @ (self.weight * 0.5 * g / v * (u * self.square / v - 1)) - penalty * theta
            step = np.linalg.solve((B.T * (self.weight * 0.5 * (g / v) ** 2)) @ B + np.diag(penalty + 1e-9), slope)
            step *= min(1.0, 1.0 / max(np.abs(B @ step).max(), 1e-12))
            theta = theta + step
            if np.abs(step).max() < 1e-5:
                break
        return theta if not constant else np.concatenate([theta, np.zeros(self.columns.shape[1] - 1)])

    def improves(self) -> bool:
        """Whether theta improves the log likelihood in cross-validation by more than its standard error."""
        fold, gain = np.arange(len(self.square)) % FOLDS, np.zeros(len(self.square))
        for f in range(FOLDS):
            train, test = self.of(fold != f), self.of(fold == f)
            for sign, constant in ((1, False), (-1, True)):
                theta = train.fit(constant)
                scale = _scales(train.square[:, None], train.variance(theta)[:, None], train.weight[:, None], ROBUST)
                gain[fold == f] += sign * _log_t(test.square, scale[0] * test.variance(theta), ROBUST)
        return exceeds_standard_error(gain, self.weight)


def effective_count(weight: np.ndarray) -> float:
    """The effective number of weighted rows, (sum w)² / sum w²."""
    return float(weight.sum() ** 2 / (weight**2).sum())


def exceeds_standard_error(gain: np.ndarray, weight: np.ndarray) -> bool:
    """Whether the weighted mean of a gain over rows is larger than its standard error."""
    mean = np.average(gain, weights=weight)
    return bool(mean > np.sqrt(np.average((gain - mean) ** 2, weights=weight) / effective_count(weight)))


def _log_t(square: np.ndarray, scale: np.ndarray, nu: float) -> np.ndarray:
    constant = gammaln((nu + 1) / 2) - gammaln(nu / 2) - 0.5 * np.log(nu * np.pi)
    return constant - 0.5 * np.log(scale) - 0.5 * (nu + 1) * np.log1p(square / (nu * scale))


def _scales(square: np.ndarray, v: np.ndarray, weight: np.ndarray, nu: float) -> np.ndarray:
    """The maximum-likelihood s² of each column, by EM: s² ← mean of u z², u = (nu + 1)/(nu + z²/s²)."""
    z2 = square / v
    total = np.maximum(weight.sum(axis=0), 1e-300)
    s2 = np.maximum((weight * z2).sum(axis=0) / total, 1e-12)
    for _ in range(50):
        s2 = np.maximum((weight * z2 * (nu + 1) / (nu + z2 / s2)).sum(axis=0) / total, 1e-12)
    return s2
