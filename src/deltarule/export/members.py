"""A Bayesian ensemble as plain arrays, for exported code that computes error bars."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deltarule import trees
from deltarule.errors import ConfigurationError
from deltarule.network.layers.stages import Stage

if TYPE_CHECKING:
    from deltarule.trainers.bayesian import BayesianEnsemble

MAX_NUMBERS = 300_000  # in all matrices R: 7 MB of text, which gcc compiles in a second to 2.4 MB of constants


@dataclass(frozen=True, eq=False)
class Member:
    """One network of an ensemble: w_i, its layers, of which the first `fixed` are not trained, and R_i row by row."""

    weight: float
    fixed: int
    stages: tuple[Stage, ...]
    root: np.ndarray

    @property
    def parameters(self) -> int:
        """The number of trained parameters."""
        return sum(stage.W.size + len(stage.b) for stage in self.stages[self.fixed :])


@dataclass(frozen=True, eq=False)
class NoiseModel:
    """The noise of new measurements by (NOISE) in `deltarule.trainers.bayesian.noise_law`, (k,) each.

    An ensemble without a noise law has the same noise everywhere: inflation 1 and eta 0.
    """

    noise: np.ndarray  # sigma²
    inflation: np.ndarray  # s² nu / (nu - 2)
    lowest: np.ndarray  # the bounds of eta
    highest: np.ndarray
    slopes: np.ndarray  # theta, (k, 3 + n_1)

    @classmethod
    def of(cls, ensemble: "BayesianEnsemble") -> "NoiseModel":
        """The noise model of an ensemble."""
        law, k, steps = ensemble.law, ensemble.net.outputs, ensemble.steps[0]
        if law is None:
            n = ensemble.members[0].params[0]["W"].shape[1] if steps is None else steps.W.shape[1]
            return cls(ensemble.noise, np.ones(k), np.zeros(k), np.zeros(k), np.zeros((k, 3 + n)))
        return cls(ensemble.noise, law.std(np.ones(k)) ** 2, law.low, law.high, law.slopes)


def read_members(ensemble: "BayesianEnsemble") -> tuple[Member, ...]:
    """The members of an ensemble as plain arrays.

    Raises:
        ConfigurationError: their matrices are too large for a C file, or they were fitted to the target's logarithm.
    """
    if ensemble.log is not None:
        raise ConfigurationError(
            "the networks were fitted to the logarithm of the target, whose error bars are not exported: export "
            "without error bars, or train with effort='quick' or hidden=(20,)."
        )
    sizes = [trees.size(member.params) for member in ensemble.members]
    total = sum(n * (n + 1) // 2 for n in sizes)
    if total > MAX_NUMBERS:
        raise ConfigurationError(
            f"the error bars of {len(ensemble.members)} networks of up to {max(sizes)} parameters need {total:,} "
            f"numbers, and a C file may hold {MAX_NUMBERS:,}: train with effort='quick', fewer neurons or fewer "
            "restarts, or export without error bars."
        )
    members = []
    for i, (posterior, net) in enumerate(zip(ensemble.members, ensemble.nets, strict=True)):
        steps = ensemble.steps[i]
        fixed = [] if steps is None else steps.layers()
        layers = [*fixed, *zip(net.layers, posterior.params, strict=True)]
        stages = tuple(layer.stage(p, ()) for layer, p in layers)
        upper = np.linalg.cholesky(_as_positive_definite(ensemble.covariance(i))).T
        members.append(Member(float(ensemble.weights[i]), len(fixed), stages, upper[np.triu_indices(len(upper))]))
    return tuple(members)


def _as_positive_definite(covariance: np.ndarray) -> np.ndarray:
    """Make the covariance exactly symmetric, and raise its diagonal by rounding so that it has a Cholesky factor."""
    symmetric = (covariance + covariance.T) / 2
    return symmetric + np.eye(len(symmetric)) * np.finfo(np.float64).eps * np.trace(symmetric)
