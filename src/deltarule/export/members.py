"""The starts of a Bayesian training as plain arrays, for a language that computes error bars."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deltarule.errors import ConfigurationError
from deltarule.network.layers.stages import Stage

if TYPE_CHECKING:
    from deltarule.trainers.bayesian import BayesianEnsemble

LARGEST = 100_000  # numbers of all R: 800 KB of constants


@dataclass(frozen=True, eq=False)
class Member:
    """One start of a Bayesian training: w_i, its layers, sigma_i² of each output, and R_i, row by row."""

    weight: float
    stages: tuple[Stage, ...]
    noise: np.ndarray
    root: np.ndarray


def members_of(ensemble: "BayesianEnsemble") -> tuple[Member, ...]:
    """The members as plain arrays.

    Raises:
        ConfigurationError: their matrices would be too large for a C file.
    """
    n = sum(p.size for layer in ensemble.members[0].params for p in layer.values())
    total = len(ensemble.members) * n * (n + 1) // 2
    if total > LARGEST:
        raise ConfigurationError(
            f"the error bars of {len(ensemble.members)} networks of {n} parameters are {total:,} numbers, and a C file "
            f"takes at most {LARGEST:,}: train with fewer neurons or restarts, or export without error bars."
        )
    members = []
    for i, known in enumerate(ensemble.members):
        layers = zip(known.params, ensemble.net.layers, strict=True)
        stages = tuple(layer.stage(p, ()) for p, layer in layers)
        upper = np.linalg.cholesky(_positive(ensemble.covariance(i))).T
        members.append(Member(float(ensemble.weights[i]), stages, np.asarray(known.noise), upper[np.triu_indices(n)]))
    return tuple(members)


def _positive(covariance: np.ndarray) -> np.ndarray:
    """The covariance, symmetric, its diagonal raised by rounding where that is all that is left of it."""
    symmetric = (covariance + covariance.T) / 2
    return symmetric + np.eye(len(symmetric)) * np.finfo(np.float64).eps * np.trace(symmetric)
