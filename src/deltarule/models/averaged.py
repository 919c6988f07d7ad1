"""Several networks trained by Bayesian regularisation as one: weighed by how they predict rows left out (STACK)."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from deltarule.data.dataset import Examples
from deltarule.models.content import leaving
from deltarule.models.stacking import PRIOR, score, stacked
from deltarule.network.examples import checked_rows
from deltarule.network.network import Network
from deltarule.trainers.bayesian import BayesianEnsemble
from deltarule.trainers.bayesian.ensemble import moments
from deltarule.trainers.bayesian.leave_one_out import LeftOut, leave_one_out
from deltarule.trainers.bayesian.log_scale import LogScale
from deltarule.trainers.bayesian.noise_law import NoiseLaw, fit_noise_law
from deltarule.trainers.bayesian.steps import StepFeatures
from deltarule.training.session import TrainingResult

ALL = 0.95  # effective parameters for each example and output from which a network passes through the examples
OPTIMISM = 0.25  # nats that an effective parameter costs a network's score, for what (LOO) does not see of its choice


class Trained(NamedTuple):
    """A network, its training and its posterior, and what it predicts for each training row without that row.

    `log_density` is ln of the density of each row's targets then, (N,), the targets standardised.
    """

    net: Network
    result: TrainingResult
    alone: BayesianEnsemble
    left_out: LeftOut
    log_density: np.ndarray

    @property
    def steps(self) -> StepFeatures | None:
        """What its inputs went through."""
        return self.alone.steps[0]

    @property
    def used(self) -> float:
        """The effective parameters for each example and output, gamma/(m k)."""
        return float(self.alone.gamma[0] / (self.alone.examples * self.net.outputs))


def judged(net: Network, result: TrainingResult, train: Examples, steps: StepFeatures | None = None) -> Trained | None:
    """A trained network with its predictions of rows left out; None where they are not finite.

    Args:
        net: the network.
        result: its training.
        train: the examples.
        steps: what their inputs went through.
    """
    X = train.X if steps is None else steps(np.asarray(train.X, np.float64))
    alone = replace(BayesianEnsemble.of(net, result, X, train.Y, train.weights), steps=(steps,))
    known = alone.members[0]
    rows = checked_rows(alone.net, known.params, "X", X, train.Y, train.weights)
    left = leave_one_out(alone.net, known, rows, leaving(train))
    variance = left.variance + np.asarray(known.noise)
    density = -0.5 * (np.log(2 * np.pi * variance) + (train.Y - left.mean) ** 2 / variance)
    density = np.nansum(density, axis=1)
    return Trained(net, result, alone, left, density) if np.isfinite(density).all() else None


def weigher(train: Examples) -> Any:
    """The weights of several trained networks, and the score of all together.

    (LOO) keeps the penalties and the valley that all rows have chosen, so it is too good by what a network has used of
    them, gamma/(m k): a share `OPTIMISM` of that is taken from its score. A network that passes through all examples
    has no errors left from which to say what it predicts without one of them, so it has weight only among its like.
    """

    def weigh(several: Sequence[Trained]) -> tuple[np.ndarray, float]:
        densities = np.stack([one.log_density - OPTIMISM * one.used for one in several], axis=1)
        exact = np.array([one.used > ALL for one in several])
        if not exact.all():
            densities[:, exact] = -np.inf
        w = stacked(densities, train.weights, PRIOR)
        return w, score(densities, w, train.weights)

    return weigh


def together(
    several: Sequence[Trained], weights: np.ndarray, train: Examples, law: bool = True, log: LogScale | None = None
) -> BayesianEnsemble:
    """The ensemble with these weights, and the law of its noise, if it may have one.

    `train` are the examples as they trained, with `log` the targets' logarithms.
    """
    plain = BayesianEnsemble.together([one.alone for one in several], weights)
    found, error = _law(several, plain, train)
    log = None if log is None else log.with_smearing(error, train.each_weight)
    return replace(plain, law=found if law else None, log=log)


def _law(several: Sequence[Trained], plain: BayesianEnsemble, train: Examples) -> tuple[NoiseLaw, np.ndarray]:
    """The law, and the errors of rows left out."""
    f, variance = (np.stack([getattr(one.left_out, name) for one in several]) for name in ("mean", "variance"))
    mean, spread = moments(plain.weights, f, variance)
    X, Y = (np.asarray(array, np.float64) for array in (train.X, train.Y))
    law = fit_noise_law(X, mean, Y - mean, spread, plain.noise, train.each_weight)
    grown = 1 + sum(w * one.used for w, one in zip(plain.weights, several, strict=True))
    return law._replace(scale=law.scale * grown), Y - mean
