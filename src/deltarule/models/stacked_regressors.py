"""Stacking of regressions: networks averaged with the weights that together predict best what each has not seen.

With p_ik the density that model k gives to row i without having seen it (LOO), the weights maximise

    sum_i v_i ln sum_k w_k p_ik,   w >= 0,  sum_k w_k = 1,                                               (STACK)

v_i the weight of the row. The objective is concave in w and is maximised by EM: q_ik is the probability that row i
comes from model k, and w_k the mean of it,  w_k ← sum_i v_i q_ik / sum_i v_i,  q_ik = w_k p_ik / sum_j w_j p_ij.

Among models of nearly equal quality few rows say little about the weights, and the average of all is better than the
one that happens to score highest. So a Dirichlet prior adds `PRIOR` √N rows that are divided evenly among the models,
but not to a model that is clearly worse, whose weight some steps of EM without the prior take below `MIN_WEIGHT`.

Weights by evidence would leave all weight to one model whose evidence is tens of nats ahead; these do not.
Source: Yao, Vehtari, Simpson & Gelman 2018.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from deltarule.data.dataset import Examples
from deltarule.models.weighted_rows import left_out_weight
from deltarule.network.examples import checked_rows
from deltarule.network.network import Network
from deltarule.trainers.bayesian import BayesianEnsemble
from deltarule.trainers.bayesian.ensemble import moments
from deltarule.trainers.bayesian.leave_one_out import LeftOut, leave_one_out
from deltarule.trainers.bayesian.log_scale import LogScale
from deltarule.trainers.bayesian.noise_law import NoiseLaw, fit_noise_law
from deltarule.trainers.bayesian.steps import StepFeatures
from deltarule.training.session import TrainingResult

MAX_ITERATIONS, TOLERANCE = 2000, 1e-9  # of EM; it ends when an iteration gains less per row
SCREENING, MIN_WEIGHT = 30, 0.02  # iterations without the prior, and the weight below which they exclude a model
PRIOR = 0.5  # times the square root of the number of rows: the rows that the prior divides evenly
INTERPOLATES = 0.95  # effective parameters per example and output from which a network passes through the examples
OPTIMISM = 0.25  # nats per effective parameter by which (LOO) overrates a network


class StackedRegressor(NamedTuple):
    """A trained network, its posterior, and its leave-one-out predictions of the training rows.

    `log_density` is ln of the density of each row's standardised targets, (N,), by the network without that row.
    """

    net: Network
    result: TrainingResult
    posterior: BayesianEnsemble
    left_out: LeftOut
    log_density: np.ndarray

    @property
    def steps(self) -> StepFeatures | None:
        """The step features that precede the network's inputs."""
        return self.posterior.steps[0]

    @property
    def gamma(self) -> float:
        """The effective number of parameters."""
        return float(self.posterior.gamma[0])

    @property
    def log_evidence(self) -> float:
        """The log evidence of the hyper-parameters."""
        return float(self.posterior.log_evidence[0])

    @property
    def used(self) -> float:
        """The effective parameters per example and output, gamma/(m k)."""
        return self.gamma / (float(self.posterior.examples) * self.net.outputs)


def leave_rows_out(
    net: Network, result: TrainingResult, train: Examples, steps: StepFeatures | None = None
) -> StackedRegressor | None:
    """The trained network with its leave-one-out predictions of `train`; None if they are not finite.

    `steps` are the step features with which it was trained.
    """
    X = train.X if steps is None else steps(np.asarray(train.X, np.float64))
    posterior = replace(BayesianEnsemble.of(net, result, X, train.Y, train.weights), steps=(steps,))
    member = posterior.members[0]
    rows = checked_rows(posterior.net, member.params, "X", X, train.Y, train.weights)
    left_out = leave_one_out(posterior.net, member, rows, left_out_weight(train))
    variance = left_out.variance + np.asarray(member.noise)
    density = -0.5 * (np.log(2 * np.pi * variance) + (train.Y - left_out.mean) ** 2 / variance)
    density = np.nansum(density, axis=1)
    return StackedRegressor(net, result, posterior, left_out, density) if np.isfinite(density).all() else None


def weigher(train: Examples) -> Callable[[Sequence[StackedRegressor]], tuple[np.ndarray, float]]:
    """A function that returns the weights of several trained networks, and their joint score.

    (LOO) keeps the penalties and the minimum that were chosen with all rows, so it overrates a network by what it has
    used of them, gamma/(m k): `OPTIMISM` times that is taken from its score. A network that passes through all examples
    has no residuals that could show what it predicts without one of them, so it gets no weight beside one that does
    not.
    """

    def weigh(members: Sequence[StackedRegressor]) -> tuple[np.ndarray, float]:
        densities = np.stack([member.log_density - OPTIMISM * member.used for member in members], axis=1)
        interpolates = np.array([member.used > INTERPOLATES for member in members])
        if not interpolates.all():
            densities[:, interpolates] = -np.inf
        w = stacking_weights(densities, train.weights, PRIOR)
        return w, score(densities, w, train.weights)

    return weigh


def stacking_weights(log_density: np.ndarray, weight: np.ndarray | None = None, prior: float = 0.0) -> np.ndarray:
    """The weights of (STACK), (K,), from ln p_ik (N, K) and the weights of the rows (N,), None for ones.

    The prior divides `prior` times the square root of the sum of the weights evenly among the models.

    >>> stacking_weights(np.log([[0.9, 0.1], [0.8, 0.2]])).round(3).tolist()
    [1.0, 0.0]
    """
    v = np.ones(len(log_density)) if weight is None else weight
    even = prior / (prior + np.sqrt(v.sum()))  # prior sqrt(N) of N + prior sqrt(N) rows
    v = v / v.sum()
    w = _maximize(log_density, v, 0.0, SCREENING if prior else MAX_ITERATIONS)
    if prior:
        good = w >= MIN_WEIGHT
        w = np.zeros(len(w))
        w[good] = _maximize(log_density[:, good], v, even, MAX_ITERATIONS)
    return w


def _maximize(log_density: np.ndarray, v: np.ndarray, even: float, most: int) -> np.ndarray:
    """EM from equal weights in at most `most` iterations, a share `even` of the rows divided evenly."""
    p = np.exp(log_density - log_density.max(axis=1, keepdims=True))
    w, before = np.full(p.shape[1], 1 / p.shape[1]), -np.inf
    for _ in range(most):
        mixture = p @ w
        now = float((1 - even) * (v @ np.log(mixture)) + even * np.log(np.maximum(w, 1e-300)).mean())
        if now - before < TOLERANCE:
            break
        before = now
        w = (1 - even) * w * (p.T @ (v / mixture)) + even / len(w)
    return w / w.sum()


def score(log_density: np.ndarray, w: np.ndarray, weight: np.ndarray | None = None) -> float:
    """The mean over the rows of ln sum_k w_k p_ik."""
    return float(np.average(log_mixture(log_density, w), weights=weight))


def log_mixture(log_density: np.ndarray, w: np.ndarray) -> np.ndarray:
    """ln sum_k w_k p_ik of each row, (N,)."""
    log_density, w = log_density[:, w > 0], w[w > 0]
    top = log_density.max(axis=1, keepdims=True)
    return np.log(np.exp(log_density - top) @ w) + top[:, 0]


def build_ensemble(
    members: Sequence[StackedRegressor],
    weights: np.ndarray,
    train: Examples,
    varying_noise: bool = True,
    log: LogScale | None = None,
) -> BayesianEnsemble:
    """The ensemble with these weights and, with `varying_noise`, a noise that depends on the inputs.

    `train` are the examples with the targets that were fitted: with `log` their logarithms.
    """
    ensemble = BayesianEnsemble.together([member.posterior for member in members], weights)
    law, error = _fit_noise(members, ensemble, train)
    log = None if log is None else log.with_smearing(error, train.each_weight)
    return replace(ensemble, law=law if varying_noise else None, log=log)


def _fit_noise(
    members: Sequence[StackedRegressor], ensemble: BayesianEnsemble, train: Examples
) -> tuple[NoiseLaw, np.ndarray]:
    """How the noise depends on the inputs, and the leave-one-out errors from which this was fitted."""
    f, variance = (np.stack([getattr(each.left_out, name) for each in members]) for name in ("mean", "variance"))
    mean, spread = moments(ensemble.weights, f, variance)
    X, Y = (np.asarray(array, np.float64) for array in (train.X, train.Y))
    law = fit_noise_law(X, mean, Y - mean, spread, ensemble.noise, train.each_weight)
    grown = 1 + sum(w * member.used for w, member in zip(ensemble.weights, members, strict=True))
    return law._replace(scale=law.scale * grown), Y - mean
