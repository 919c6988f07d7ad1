"""Several classifiers trained by Bayesian regularisation as one: a weighted sum of their logits (STACK-Z)."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from deltarule import trees
from deltarule.data.dataset import Examples
from deltarule.models import logits
from deltarule.models.calibration import Calibration, expected_calibration_error
from deltarule.models.content import leaving
from deltarule.network.backprop import Params
from deltarule.network.examples import checked_rows
from deltarule.network.network import Network
from deltarule.network.side_by_side import side_by_side
from deltarule.trainers.bayesian import BayesianEnsemble
from deltarule.trainers.bayesian.leave_one_out import leave_one_out_logits
from deltarule.trainers.bayesian.steps import StepFeatures
from deltarule.training.session import TrainingResult


class Classifier(NamedTuple):
    """A network with what its inputs went through, its training, gamma, and z of each row without that row, (N, k)."""

    net: Network
    result: TrainingResult
    steps: StepFeatures | None
    gamma: float
    log_evidence: float
    z: np.ndarray


def judged(
    net: Network, result: TrainingResult, train: Examples, steps: StepFeatures | None = None
) -> Classifier | None:
    """A trained network with its outputs for rows left out; None where they are not finite.

    Args:
        net: of the training.
        result: of the training.
        train: the examples that trained.
        steps: what their inputs went through.
    """
    X = np.asarray(train.X, np.float64) if steps is None else steps(np.asarray(train.X, np.float64))
    alone = BayesianEnsemble.of(net, result, X, train.Y, train.weights)
    known = alone.members[0]
    rows = checked_rows(net, known.params, "X", X, train.Y, train.weights)
    z = leave_one_out_logits(net, known, rows, leaving(train))
    if not np.isfinite(z).all():
        return None
    return Classifier(net, result, steps, float(alone.gamma[0]), float(alone.log_evidence[0]), z)


def weigher(train: Examples) -> Callable[[Sequence[Classifier]], tuple[np.ndarray, float]]:
    """The weights of several trained networks, and the score of all together: minus the mean cost of rows left out."""
    weight = train.each_weight

    def weigh(several: Sequence[Classifier]) -> tuple[np.ndarray, float]:
        Z, net = np.stack([one.z for one in several]), several[0].net
        w = logits.stacked(net, Z, train.Y, weight)
        return w, -logits.lost(net, Z, train.Y, weight, w)

    return weigh


def joined(several: Sequence[Classifier], weights: np.ndarray) -> tuple[Network, Params]:
    """One network whose logits are the weighted sum of theirs."""
    parts = [(one.net, trees.map_leaves(np.asarray, one.result.params)) for one in several]
    whole = [part if one.steps is None else one.steps.before(*part) for one, part in zip(several, parts, strict=True)]
    return side_by_side(whole, weights.tolist())


def calibration(several: Sequence[Classifier], weights: np.ndarray, train: Examples) -> Calibration:
    """What the sum of the weights does beside their mean, on rows left out; the temperature is 1/sum."""
    Z, net, classes = np.stack([one.z for one in several]), several[0].net, np.argmax(train.Y, axis=1)
    T = 1 / weights.sum()
    mean, scaled = (net.output_activation.sigma(np.tensordot(w, Z, 1)) for w in (T * weights, weights))
    before, after = (expected_calibration_error(P, classes, train.each_weight) for P in (mean, scaled))
    return Calibration(float(T), before, after, len(classes))
