"""Several classifiers trained by Bayesian regularisation as one: a weighted sum of their logits (STACK-Z)."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from deltarule.data.dataset import Examples
from deltarule.models import logits
from deltarule.models.calibration import Calibration, expected_calibration_error
from deltarule.network.examples import checked_rows
from deltarule.network.network import Network
from deltarule.trainers.bayesian import BayesianEnsemble
from deltarule.trainers.bayesian.left_out import left_out
from deltarule.training.session import TrainingResult


class Classifier(NamedTuple):
    """A network, its training, its effective number of parameters, and z of each row without that row, (N, k)."""

    net: Network
    result: TrainingResult
    gamma: float
    log_evidence: float
    z: np.ndarray


def judged(net: Network, result: TrainingResult, train: Examples) -> Classifier | None:
    """A trained network with its outputs for rows left out; None where they are not finite."""
    alone = BayesianEnsemble.of(net, result, train.X, train.Y, train.weights)
    known = alone.members[0]
    z = left_out(net, known, checked_rows(net, known.params, "X", train.X, train.Y, train.weights))
    if not np.isfinite(z).all():
        return None
    return Classifier(net, result, float(alone.gamma[0]), float(alone.log_evidence[0]), z)


def weigher(train: Examples) -> Callable[[Sequence[Classifier]], tuple[np.ndarray, float]]:
    """The weights of several trained networks, and the score of all together: minus the mean cost of rows left out."""
    weight = _weight(train)

    def weigh(several: Sequence[Classifier]) -> tuple[np.ndarray, float]:
        Z, net = np.stack([one.z for one in several]), several[0].net
        w = logits.stacked(net, Z, train.Y, weight)
        return w, -logits.lost(net, Z, train.Y, weight, w)

    return weigh


def calibration(several: Sequence[Classifier], weights: np.ndarray, train: Examples) -> Calibration:
    """What the sum of the weights does beside their mean, on rows left out; the temperature is 1/sum."""
    Z, net, classes = np.stack([one.z for one in several]), several[0].net, np.argmax(train.Y, axis=1)
    T = 1 / weights.sum()
    mean, scaled = (net.output_activation.sigma(np.tensordot(w, Z, 1)) for w in (T * weights, weights))
    before, after = (expected_calibration_error(P, classes, _weight(train)) for P in (mean, scaled))
    return Calibration(float(T), before, after, len(classes))


def _weight(train: Examples) -> np.ndarray:
    return np.ones(len(train)) if train.weights is None else np.asarray(train.weights, np.float64)
