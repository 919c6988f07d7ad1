"""An ensemble of posteriors: one prediction with its error bar, and one network that predicts the same.

Members weigh w_i ∝ exp(ln evidence_i / T). The evidence is an approximation around one mode, wrong by a few units, so
T = 3 rather than 1: a member 10 behind still weighs 4 %. The mixture's mean and variance are those of its moments,

    mean = sum w_i f_i,  var = sum w_i (Var f_i + sigma_i² + f_i²) - mean².
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np

from deltarule import trees
from deltarule.engine import numpy_engine
from deltarule.errors import ConfigurationError
from deltarule.network.backprop import Params
from deltarule.network.examples import as_inputs, checked_rows, require_finite
from deltarule.network.missing_targets import mask_missing_targets, unmasked
from deltarule.network.network import Network
from deltarule.network.side_by_side import side_by_side
from deltarule.objective import Objective
from deltarule.trainers.bayesian import hyperparameters
from deltarule.trainers.bayesian.hyperparameters import Hyperparameters
from deltarule.trainers.bayesian.log_scale import LogScale
from deltarule.trainers.bayesian.noise_law import NoiseLaw
from deltarule.trainers.bayesian.posterior import Posterior, laplace_posterior, output_variance, parameter_covariance
from deltarule.trainers.bayesian.steps import StepFeatures
from deltarule.trainers.bayesian.trainer import BayesianRegularization

if TYPE_CHECKING:
    from deltarule.training.session import TrainingResult

TEMPERATURE = 3.0
BLOCK = 1024  # inputs predicted at once


class Prediction(NamedTuple):
    """mean, (m, k); std of a new measurement, noise included, (m, k); std_of_mean, of the network's output alone."""

    mean: np.ndarray
    std: np.ndarray
    std_of_mean: np.ndarray


@dataclass(frozen=True, eq=False)
class BayesianEnsemble:
    """What a training by `BayesianRegularization` knows: its starts as posteriors, weighed by their evidence.

    Attributes:
        nets: the network of each member.
        members: their posteriors.
        weights: (members,), they sum to 1.
        log_evidence: of each member, (members,).
        gamma: effective number of parameters of each member, (members,).
        examples: the sum of the weights of the training examples; where targets are missing, the mean over the outputs.
        law: how new measurements scatter, learnt from rows left out; None is Gaussian noise of one size.
        steps: of each member the fixed neurons before it, or None; () for none of any.
        log: the scale (LOG) on which the members were trained; None is that of the targets themselves.
    """

    nets: tuple[Network, ...]
    members: tuple[Posterior, ...]
    weights: np.ndarray
    log_evidence: np.ndarray
    gamma: np.ndarray
    examples: float
    law: NoiseLaw | None = None
    steps: tuple[StepFeatures | None, ...] = ()
    log: LogScale | None = None

    def __post_init__(self):
        """No steps, where none are given."""
        object.__setattr__(self, "steps", self.steps or (None,) * len(self.members))

    @classmethod
    def of(
        cls, net: Network, result: "TrainingResult", X: Any, Y: Any, weights: Any = None, solver: str = "auto"
    ) -> "BayesianEnsemble":
        """From the result of `train`, of at least one epoch, and the examples it was given.

        Raises:
            ConfigurationError: the result is not one of `BayesianRegularization`, or of no epoch.
            DataError, ShapeError: the examples are not those of a training.
        """
        # Without the starts that never began.
        results = [one for one in result.starts or (result,) if "log_evidence" in one.history]
        if not results:
            raise ConfigurationError(
                f"the result is of {result.epochs} epochs and its history has no log_evidence: train at least one "
                "epoch with BayesianRegularization."
            )
        trainer = BayesianRegularization(solver=solver)
        known, evidences, gammas = [], [], []
        X = require_finite("X", X, np.dtype("float64"))
        starts = [trees.map_leaves(np.asarray, one.params) for one in results]
        net = mask_missing_targets(net, Y)
        rows = checked_rows(net, starts[0], "X", X, Y, weights)
        form, block = trainer.plan(net, rows)
        F = Objective(net, rows, block)
        with trainer.thread_limits(net.sizes(rows.x.shape[1:]), len(X)):
            for one, params in zip(results, starts, strict=True):
                at = one.best_epoch  # the record of the epoch that began there
                alpha = hyperparameters.unflatten(one.history["alpha"][at], params)
                gamma = one.history["gamma"][at]
                hyper = Hyperparameters(alpha, one.history["beta"][at])
                known.append(F.call(laplace_posterior, params, hyper, gamma, form=form))
                evidences.append(float(one.history["log_evidence"][at]))
                gammas.append(float(gamma))
        examples = float(net.cost.target_weight(rows.y, rows.mask).mean())
        evidence = np.array(evidences)
        weight = np.exp((evidence - evidence.max()) / TEMPERATURE)
        return cls((net,) * len(known), tuple(known), weight / weight.sum(), evidence, np.array(gammas), examples)

    @classmethod
    def together(cls, parts: "Sequence[BayesianEnsemble]", weights: np.ndarray) -> Self:
        """Ensembles of one member each as one, with these weights, which sum to 1."""
        (first, *_), one = parts, np.concatenate
        return cls(
            tuple(net for part in parts for net in part.nets),
            tuple(member for part in parts for member in part.members),
            np.asarray(weights),
            one([part.log_evidence for part in parts]),
            one([part.gamma for part in parts]),
            first.examples,
            steps=tuple(steps for part in parts for steps in part.steps),
        )

    @property
    def best(self) -> int:
        """The member of the largest weight."""
        return int(np.argmax(self.weights))

    @property
    def net(self) -> Network:
        """The network of the best member."""
        return self.nets[self.best]

    @property
    def noise(self) -> np.ndarray:
        """The variance of the noise, (k,), the weighted mean of the members'."""
        return np.einsum("i,ik->k", self.weights, np.stack([np.asarray(member.noise) for member in self.members]))

    @property
    def noise_std(self) -> np.ndarray:
        """The standard deviation of the noise that the best member found, (k,), with (LOG) that at the mean of u."""
        std = np.sqrt(np.asarray(self.members[self.best].noise))
        return std if self.log is None else self.log.deviation(np.zeros_like(std), std)

    def relative_noise(self) -> float | None:
        """With (LOG) the standard deviation of the noise of y over its mean, else None."""
        if self.log is None:
            return None
        return float(self.noise_std[0] / (self.log.expected(np.zeros(1))[0] + self.log.shift))

    def predict(self, X: Any) -> Prediction:
        """The mean and the standard deviations at X (m, n_1), in the units of the targets that were given.

        Raises:
            DataError: X has no rows, or holds a value that is not finite.
            ShapeError: X is not (m, n_1).
        """
        found = self._trained_on(X)
        if self.log is None:
            return found
        return Prediction(
            self.log.expected(found.mean),
            self.log.deviation(found.mean, found.std),
            self.log.deviation(found.mean, found.std_of_mean),
        )

    def interval(self, X: Any, coverage: float) -> tuple[np.ndarray, np.ndarray]:
        """The ends between which a new measurement at X (m, n_1) lies with probability `coverage`, (m, k) each."""
        found, t = self._trained_on(X), self.reach(coverage)
        low, high = found.mean - t * found.std, found.mean + t * found.std
        return (low, high) if self.log is None else (self.log.quantile(low), self.log.quantile(high))

    def _trained_on(self, X: Any) -> Prediction:
        """`predict` in the units that the members were trained in."""
        X = require_finite("X", X, np.dtype("float64"))
        net, params = self._whole(self.best)
        as_inputs(net, params, X, X.dtype)
        parts = [self._block(X[start : start + BLOCK]) for start in range(0, len(X), BLOCK)]
        return Prediction(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))

    def covariance(self, member: int) -> np.ndarray:
        """(beta J^T J + A)^-1 of one member, (n, n), layer by layer "W" then "b"."""
        return numpy_engine.call(parameter_covariance, self.members[member], net=self.nets[member])

    def degrees_of_freedom(self) -> float:
        """m - gamma/k, at least 1, and at most those of the law: those of the noise, as Student's t counts them."""
        counted = max(1.0, self.examples - float(self.weights @ self.gamma) / self.net.outputs)
        return counted if self.law is None else min(counted, self.law.freedom)

    def reach(self, coverage: float) -> float:
        """t of `interval`, mean ± t std in the units of the training, see (BR5) and (NOISE)."""
        if self.law is not None:
            return self.law.reach(coverage)
        from scipy.special import stdtrit

        return float(stdtrit(self.degrees_of_freedom(), 0.5 + coverage / 2))

    def probability(self, X: Any, Y: Any) -> np.ndarray:
        """That a new measurement at X (m, n_1) lies below Y (m, k), (m, k)."""
        from scipy.special import stdtr

        predicted, Y = self._trained_on(X), np.asarray(Y)
        error = (Y if self.log is None else self.log.encode(Y)) - predicted.mean
        if self.law is None:
            return stdtr(min(self.degrees_of_freedom(), 1e12), error / predicted.std)
        nu = self.law.freedom
        return stdtr(nu, error / predicted.std * np.sqrt(nu / (nu - 2)))

    def log_density(self, X: Any, Y: Any) -> np.ndarray:
        """ln of the density of the measurements Y (m, k) at X (m, n_1), each target by itself, (m, k)."""
        predicted, Y = self._trained_on(X), np.asarray(Y)
        u = Y if self.log is None else self.log.encode(Y)
        error = u - predicted.mean
        slope = 0.0 if self.log is None else self.log.log_slope(Y)
        if self.law is not None:
            nu = self.law.freedom
            return slope + self.law.log_density(error, predicted.std**2 * (nu - 2) / (nu * self.law.scale))
        return slope - 0.5 * (np.log(2 * np.pi) + (error / predicted.std) ** 2) - np.log(predicted.std)

    def coverage(self, X: Any, Y: Any, nominal: float = 0.95) -> np.ndarray:
        """The share of the measurements Y (m, k) at X (m, n_1) that lie in their intervals of `nominal`, (k,)."""
        low, high = self.interval(X, nominal)
        return np.mean((low <= Y) & (high >= Y), axis=0)

    def merged(self) -> tuple[Network, Params]:
        """One network that computes the weighted mean, see `deltarule.network.side_by_side`."""
        kept = [i for i, w in enumerate(self.weights) if w > 1e-6]
        share = self.weights[kept] / self.weights[kept].sum()
        net, params = side_by_side([self._whole(i) for i in kept], share)
        return (net, params) if self.log is None else self.log.append_to(net, params)

    def _whole(self, i: int) -> tuple[Network, Params]:
        """A member as one network that takes x."""
        net, params, steps = unmasked(self.nets[i]), self.members[i].params, self.steps[i]
        return (net, params) if steps is None else steps.before(net, params)

    def _block(self, X: np.ndarray) -> Prediction:
        f, variance = [], []
        for net, member, steps in zip(self.nets, self.members, self.steps, strict=True):
            x = X if steps is None else steps(X)
            f.append(net(member.params, x))
            variance.append(numpy_engine.call(output_variance, member, x, net=net))
        mean, spread = moments(self.weights, np.stack(f), np.stack(variance))
        if self.law is None:
            return Prediction(mean, np.sqrt(spread + self.noise), np.sqrt(spread))
        v = spread + self.noise * self.law.factor(X, mean)
        return Prediction(mean, self.law.std(v), np.sqrt(spread))


def moments(weights: np.ndarray, f: np.ndarray, variance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance of a mixture of members with means f and variances, (members, m, k) each: (m, k) both."""
    mean = np.einsum("i,imk->mk", weights, f)
    between = np.einsum("i,imk->mk", weights, (f - mean) ** 2)
    return mean, np.einsum("i,imk->mk", weights, variance) + between
