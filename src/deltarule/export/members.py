"""The starts of a Bayesian training as plain arrays, for a language that computes error bars."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deltarule import trees
from deltarule.errors import ConfigurationError
from deltarule.network.layers.stages import Stage

if TYPE_CHECKING:
    from deltarule.trainers.bayesian import BayesianEnsemble

LARGEST = 300_000  # numbers of all R: 7 MB of text that gcc compiles in a second, 2.4 MB of constants


@dataclass(frozen=True, eq=False)
class Member:
    """One network of an ensemble: w_i, its layers, of which the first `fixed` were not trained, and R_i, row by row."""

    weight: float
    fixed: int
    stages: tuple[Stage, ...]
    root: np.ndarray

    @property
    def parameters(self) -> int:
        """How many were trained."""
        return sum(stage.W.size + len(stage.b) for stage in self.stages[self.fixed :])


@dataclass(frozen=True, eq=False)
class Scatter:
    """How new measurements scatter: sigma², s² nu/(nu - 2) and the ends of eta, (k,) each; theta, (k, 3 + n_1)."""

    noise: np.ndarray
    grown: np.ndarray
    lowest: np.ndarray
    highest: np.ndarray
    slopes: np.ndarray

    @classmethod
    def of(cls, ensemble: "BayesianEnsemble") -> "Scatter":
        """Of an ensemble, whose noise is of one size where it has no law."""
        law, k, n = ensemble.law, ensemble.net.outputs, _inputs(ensemble)
        if law is None:
            return cls(ensemble.noise, np.ones(k), np.zeros(k), np.zeros(k), np.zeros((k, 3 + n)))
        return cls(ensemble.noise, law.std(np.ones(k)) ** 2, law.low, law.high, law.slopes)


def members_of(ensemble: "BayesianEnsemble") -> tuple[Member, ...]:
    """The members as plain arrays.

    Raises:
        ConfigurationError: their matrices would be too large for a C file, or they were fitted to a logarithm.
    """
    if ensemble.log is not None:
        raise ConfigurationError(
            "the networks were fitted to the logarithm of the target, whose error bars are not exported: export "
            "without error bars, or train with effort='quick' or hidden=(20,)."
        )
    sizes = [trees.size(member.params) for member in ensemble.members]
    total = sum(n * (n + 1) // 2 for n in sizes)
    if total > LARGEST:
        raise ConfigurationError(
            f"the error bars of {len(ensemble.members)} networks of up to {max(sizes)} parameters are {total:,} numbers"
            f", and C takes at most {LARGEST:,}: train with effort='quick', fewer neurons or restarts, or export "
            "without error bars."
        )
    members = []
    for i, (known, net) in enumerate(zip(ensemble.members, ensemble.nets, strict=True)):
        steps = ensemble.steps[i]
        before = [] if steps is None else steps.layers()
        layers = [*before, *zip(net.layers, known.params, strict=True)]
        stages = tuple(layer.stage(p, ()) for layer, p in layers)
        upper = np.linalg.cholesky(_positive(ensemble.covariance(i))).T
        members.append(Member(float(ensemble.weights[i]), len(before), stages, upper[np.triu_indices(len(upper))]))
    return tuple(members)


def _inputs(ensemble: "BayesianEnsemble") -> int:
    """n_1."""
    steps = ensemble.steps[0]
    return ensemble.members[0].params[0]["W"].shape[1] if steps is None else steps.W.shape[1]


def _positive(covariance: np.ndarray) -> np.ndarray:
    """The covariance, symmetric, its diagonal raised by rounding where that is all that is left of it."""
    symmetric = (covariance + covariance.T) / 2
    return symmetric + np.eye(len(symmetric)) * np.finfo(np.float64).eps * np.trace(symmetric)
