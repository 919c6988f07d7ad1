"""Stacking of classifiers: one network whose logits are the weighted sum of the networks' logits.

With z_ik the logits of candidate k (the outputs before the softmax) for row i, without that row (ALO), the weights
minimise

    sum_i v_i C(sum_k w_k z_ik, y_i) + (STRENGTH K / 2) ‖w - 1/K‖²,   w >= 0,                             (STACK-Z)

v_i the weight of the row, C the cost of classes, which is convex in z and so in w. A weighted sum of logits is again a
network, whose hidden layers stand side by side; an average of probabilities is not. The weights need not sum to 1:
1/sum is the temperature that calibrates the mean, found on all rows with none held out. The second term, a normal prior
around equal weights, keeps few rows from trusting one candidate alone, and T from 0 if all rows are right.

Source: the logarithmic pool of Genest & Zidek 1986, weighted as Yao, Vehtari, Simpson & Gelman 2018 do.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from deltarule import trees
from deltarule.data.dataset import Examples
from deltarule.models.calibration import Calibration, expected_calibration_error
from deltarule.models.weighted_rows import left_out_weight
from deltarule.network.backprop import Params
from deltarule.network.examples import checked_rows
from deltarule.network.network import Network
from deltarule.network.side_by_side import side_by_side
from deltarule.trainers.bayesian import BayesianEnsemble
from deltarule.trainers.bayesian.leave_one_out import leave_one_out_logits
from deltarule.trainers.bayesian.steps import StepFeatures
from deltarule.training.session import TrainingResult

STRENGTH = 10.0  # measured on the choosing half of the development tables, beside 1, 3 and 30
MIN_SUM = 1e-3  # of the weights, if the candidates are useless: a temperature of 1,000
MAX_STEPS, TOLERANCE = 50, 1e-10  # of Newton's method; it ends when the relative decrease is smaller
MAX_HALVINGS = 30  # of a Newton step


class StackedClassifier(NamedTuple):
    """A trained network, its step features, and its leave-one-out logits of the training rows, z (N, k)."""

    net: Network
    result: TrainingResult
    steps: StepFeatures | None
    gamma: float
    log_evidence: float
    z: np.ndarray


def leave_rows_out(
    net: Network, result: TrainingResult, train: Examples, steps: StepFeatures | None = None
) -> StackedClassifier | None:
    """The trained network with its leave-one-out logits of `train`; None if they are not finite.

    `steps` are the step features with which it was trained.
    """
    X = np.asarray(train.X, np.float64) if steps is None else steps(np.asarray(train.X, np.float64))
    posterior = BayesianEnsemble.of(net, result, X, train.Y, train.weights)
    member = posterior.members[0]
    rows = checked_rows(net, member.params, "X", X, train.Y, train.weights)
    z = leave_one_out_logits(net, member, rows, left_out_weight(train))
    if not np.isfinite(z).all():
        return None
    return StackedClassifier(net, result, steps, float(posterior.gamma[0]), float(posterior.log_evidence[0]), z)


def weigher(train: Examples) -> Callable[[Sequence[StackedClassifier]], tuple[np.ndarray, float]]:
    """A function that returns the weights of several trained networks, and minus their joint leave-one-out cost."""
    weight = train.each_weight

    def weigh(members: Sequence[StackedClassifier]) -> tuple[np.ndarray, float]:
        Z, net = np.stack([member.z for member in members]), members[0].net
        w = stacking_weights(net, Z, train.Y, weight)
        return w, -mean_cost(net, Z, train.Y, weight, w)

    return weigh


def stacking_weights(net: Network, Z: np.ndarray, Y: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """The weights of (STACK-Z), (K,), by Newton's method over those that are not held at 0.

    Z are the logits of each candidate for every row, (K, N, k), Y the targets (N, k), `weight` those of the rows, (N,).
    """
    K = len(Z)
    w, prior = np.full(K, 1 / K), STRENGTH * K
    before = mean_cost(net, Z, Y, weight, w) * weight.sum()
    for _ in range(MAX_STEPS):
        z = np.tensordot(w, Z, 1)
        a, sigma = net.output_activation.sigma(z), net.output_activation
        delta = weight[:, None] * net.cost.output_error(sigma, z, a, Y)
        tangents = np.stack([weight[:, None] * net.cost.output_error_tangent(sigma, z, a, Y, dz) for dz in Z])
        gradient = np.tensordot(Z, delta, 2) + prior * (w - 1 / K)
        H = np.tensordot(Z, tangents, ([1, 2], [1, 2])) + prior * np.eye(K)
        free = (w > 0) | (gradient < 0)
        step = np.zeros(K)
        step[free] = -np.linalg.solve(H[np.ix_(free, free)], gradient[free])
        w, now = _line_search(net, Z, Y, weight, w, step, before)
        if before - now <= TOLERANCE * max(abs(before), 1.0):
            break
        before = now
    return w if w.sum() > MIN_SUM else np.full(K, MIN_SUM / K)


def mean_cost(net: Network, Z: np.ndarray, Y: np.ndarray, weight: np.ndarray, w: np.ndarray) -> float:
    """The mean cost of the weighted sum of the logits."""
    z = np.tensordot(w, Z, 1)
    return float(
        np.average(net.cost.value(net.output_activation, z, net.output_activation.sigma(z), Y), weights=weight)
    )


def _line_search(
    net: Network, Z: np.ndarray, Y: np.ndarray, weight: np.ndarray, w: np.ndarray, step: np.ndarray, before: float
) -> tuple[np.ndarray, float]:
    """The step, negative weights set to 0, halved until the objective does not rise; `w` itself if it always does."""
    K = len(w)
    for _ in range(MAX_HALVINGS):
        trial = np.maximum(w + step, 0.0)
        prior = 0.5 * STRENGTH * K * float(((trial - 1 / K) ** 2).sum())
        now = mean_cost(net, Z, Y, weight, trial) * weight.sum() + prior
        if now <= before:
            return trial, now
        step = 0.5 * step
    return w, before


def merge(members: Sequence[StackedClassifier], weights: np.ndarray) -> tuple[Network, Params]:
    """One network whose logits are the weighted sum of the members' logits."""
    parts = [(member.net, trees.map_leaves(np.asarray, member.result.params)) for member in members]
    whole = [
        part if member.steps is None else member.steps.before(*part)
        for member, part in zip(members, parts, strict=True)
    ]
    return side_by_side(whole, weights.tolist())


def calibration(members: Sequence[StackedClassifier], weights: np.ndarray, train: Examples) -> Calibration:
    """The temperature 1/sum of the weights, and the leave-one-out calibration error of their mean and of their sum."""
    Z, net, classes = np.stack([member.z for member in members]), members[0].net, np.argmax(train.Y, axis=1)
    T = 1 / weights.sum()
    mean, scaled = (net.output_activation.sigma(np.tensordot(w, Z, 1)) for w in (T * weights, weights))
    before, after = (expected_calibration_error(P, classes, train.each_weight) for P in (mean, scaled))
    return Calibration(float(T), before, after, len(classes))
