"""An ensemble of posteriors: predictions with error bars, and one network that predicts the same mean.

The weights are w_i ∝ exp(ln evidence_i / T). The evidence approximates one mode and is wrong by a few units, so T is 3
and not 1: a member whose log evidence is 10 less still has 4 % of the weight. Mean and variance of the mixture are

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
    """mean, (m, k); std of a new measurement, with noise, (m, k); std_of_mean, without noise, (m, k)."""

    mean: np.ndarray
    std: np.ndarray
    std_of_mean: np.ndarray


@dataclass(frozen=True, eq=False)
class BayesianEnsemble:
    """The posteriors of several starts of a training by `BayesianRegularization`, weighted by their evidence.

    Attributes:
        nets: the network of each member.
        members: their posteriors.
        weights: (members,), they sum to 1.
        log_evidence: of each member, (members,).
        gamma: effective number of parameters of each member, (members,).
        examples: the sum of the weights of the training examples; where targets are missing, the mean over the outputs.
        law: the distribution of new measurements, fitted to leave-one-out errors; None is Gaussian noise.
        steps: the step features of each member, or None; () for none at all.
        log: the logarithmic scale (LOG) on which the members were trained; None if they were trained on the targets.
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
        object.__setattr__(self, "steps", self.steps or (None,) * len(self.members))

    @classmethod
    def of(
        cls, net: Network, result: "TrainingResult", X: Any, Y: Any, weights: Any = None, solver: str = "auto"
    ) -> "BayesianEnsemble":
        """Build the ensemble from the result of `train` and its training examples.

        Raises:
            ConfigurationError: the result is not one of `BayesianRegularization`, or of no epoch.
            DataError, ShapeError: the examples are not those of a training.
        """
        results = [
            start for start in result.starts or (result,) if "log_evidence" in start.history
        ]  # at least an epoch
        if not results:
            raise ConfigurationError(
                f"the result is of {result.epochs} epochs and its history has no log_evidence: train at least one "
                "epoch with BayesianRegularization."
            )
        trainer = BayesianRegularization(solver=solver)
        members, evidences, gammas = [], [], []
        X = require_finite("X", X, np.dtype("float64"))
        starts = [trees.map_leaves(np.asarray, start.params) for start in results]
        net = mask_missing_targets(net, Y)
        rows = checked_rows(net, starts[0], "X", X, Y, weights)
        form, block = trainer.plan(net, rows)
        F = Objective(net, rows, block)
        with trainer.thread_limits(net.sizes(rows.x.shape[1:]), len(X)):
            for start, params in zip(results, starts, strict=True):
                record = {name: values[start.best_epoch] for name, values in start.history.items()}
                hyper = Hyperparameters(hyperparameters.unflatten(record["alpha"], params), record["beta"])
                members.append(F.call(laplace_posterior, params, hyper, record["gamma"], form=form))
                evidences.append(float(record["log_evidence"]))
                gammas.append(float(record["gamma"]))
        examples = float(net.cost.target_weight(rows.y, rows.mask).mean())
        evidence = np.array(evidences)
        weight = np.exp((evidence - evidence.max()) / TEMPERATURE)
        weight /= weight.sum()
        return cls((net,) * len(members), tuple(members), weight, evidence, np.array(gammas), examples)

    @classmethod
    def together(cls, parts: "Sequence[BayesianEnsemble]", weights: np.ndarray) -> Self:
        """Join ensembles of one member each into one, with these weights, which sum to 1."""
        return cls(
            tuple(net for part in parts for net in part.nets),
            tuple(member for part in parts for member in part.members),
            np.asarray(weights),
            np.concatenate([part.log_evidence for part in parts]),
            np.concatenate([part.gamma for part in parts]),
            parts[0].examples,
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
        """The variance of the noise, (k,), averaged over the members."""
        return np.einsum("i,ik->k", self.weights, np.stack([np.asarray(member.noise) for member in self.members]))

    @property
    def noise_std(self) -> np.ndarray:
        """The best member's standard deviation of the noise, (k,); on a logarithmic scale that at the mean of u."""
        std = np.sqrt(np.asarray(self.members[self.best].noise))
        return std if self.log is None else self.log.deviation(np.zeros_like(std), std)

    def relative_noise(self) -> float | None:
        """The standard deviation of the noise over the mean target, on a logarithmic scale; else None."""
        if self.log is None:
            return None
        return float(self.noise_std[0] / (self.log.expected(np.zeros(1))[0] + self.log.shift))

    def predict(self, X: Any) -> Prediction:
        """Predict the mean and the standard deviations at X (m, n_1), in the units of the targets.

        Raises:
            DataError: X has no rows, or holds a value that is not finite.
            ShapeError: X is not (m, n_1).
        """
        predicted, log = self._predict_scaled(X), self.log
        if log is None:
            return predicted
        f, *deviations = predicted
        return Prediction(log.expected(f), *(log.deviation(f, std) for std in deviations))

    def interval(self, X: Any, coverage: float) -> tuple[np.ndarray, np.ndarray]:
        """The ends of the intervals that hold a new measurement at X (m, n_1) with this probability, (m, k) each."""
        predicted, t = self._predict_scaled(X), self.reach(coverage)
        low, high = predicted.mean - t * predicted.std, predicted.mean + t * predicted.std
        return (low, high) if self.log is None else (self.log.quantile(low), self.log.quantile(high))

    def _predict_scaled(self, X: Any) -> Prediction:
        """`predict` on the scale on which the members were trained."""
        X = require_finite("X", X, np.dtype("float64"))
        net, params = self._whole(self.best)
        as_inputs(net, params, X, X.dtype)
        parts = [self._block(X[start : start + BLOCK]) for start in range(0, len(X), BLOCK)]
        return Prediction(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))

    def covariance(self, member: int) -> np.ndarray:
        """(beta J^T J + A)^-1 of one member, (n, n), layer by layer "W" then "b"."""
        return numpy_engine.call(parameter_covariance, self.members[member], net=self.nets[member])

    def degrees_of_freedom(self) -> float:
        """The degrees of freedom of Student's t: m - gamma/k, at least 1, and at most those of the law."""
        residual = max(1.0, self.examples - float(self.weights @ self.gamma) / self.net.outputs)
        return residual if self.law is None else min(residual, self.law.freedom)

    def reach(self, coverage: float) -> float:
        """t of the interval mean ± t std on the scale of the training, by (BR5) or (NOISE)."""
        if self.law is not None:
            return self.law.reach(coverage)
        from scipy.special import stdtrit

        return float(stdtrit(self.degrees_of_freedom(), 0.5 + coverage / 2))

    def probability(self, X: Any, Y: Any) -> np.ndarray:
        """The probability that a new measurement at X (m, n_1) is less than Y (m, k), (m, k)."""
        from scipy.special import stdtr

        predicted, Y = self._predict_scaled(X), np.asarray(Y)
        error = (Y if self.log is None else self.log.encode(Y)) - predicted.mean
        if self.law is None:
            return stdtr(min(self.degrees_of_freedom(), 1e12), error / predicted.std)
        nu = self.law.freedom
        return stdtr(nu, error / predicted.std * np.sqrt(nu / (nu - 2)))

    def log_density(self, X: Any, Y: Any) -> np.ndarray:
        """The log density of the measurements Y (m, k) at X (m, n_1), of each target by itself, (m, k)."""
        predicted, Y = self._predict_scaled(X), np.asarray(Y)
        u = Y if self.log is None else self.log.encode(Y)
        error = u - predicted.mean
        slope = 0.0 if self.log is None else self.log.log_slope(Y)
        if self.law is not None:
            nu = self.law.freedom
            return slope + self.law.log_density(error, predicted.std**2 * (nu - 2) / (nu * self.law.scale))
        return slope - 0.5 * (np.log(2 * np.pi) + (error / predicted.std) ** 2) - np.log(predicted.std)

    def coverage(self, X: Any, Y: Any, nominal: float = 0.95) -> np.ndarray:
        """The fraction of the measurements Y (m, k) at X (m, n_1) inside their `nominal` intervals, (k,)."""
        low, high = self.interval(X, nominal)
        return np.mean((low <= Y) & (high >= Y), axis=0)

    def merged(self) -> tuple[Network, Params]:
        """One network that computes the weighted mean, see `deltarule.network.side_by_side`."""
        index = [i for i, w in enumerate(self.weights) if w > 1e-6]
        weights = self.weights[index] / self.weights[index].sum()
        net, params = side_by_side([self._whole(i) for i in index], weights)
        return (net, params) if self.log is None else self.log.append_to(net, params)

    def _whole(self, i: int) -> tuple[Network, Params]:
        """A member as one network, step features included."""
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
    """Mean and variance, (m, k) each, of a mixture of members with means f and variances, (members, m, k) each."""
    mean = np.einsum("i,imk->mk", weights, f)
    between = np.einsum("i,imk->mk", weights, (f - mean) ** 2)
    return mean, np.einsum("i,imk->mk", weights, variance) + between
