"""An ensemble of posteriors: one prediction with its error bar, and one network that predicts the same.

Members weigh w_i ∝ exp(ln evidence_i / T). The evidence is an approximation around one mode, wrong by a few units, so
T = 3 rather than 1: a member 10 behind still weighs 4 %. The mixture's mean and variance are those of its moments,

    mean = sum w_i f_i,  var = sum w_i (Var f_i + sigma_i² + f_i²) - mean².
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from deltarule import trees
from deltarule.engine import numpy_engine
from deltarule.errors import ConfigurationError
from deltarule.network.backprop import Params
from deltarule.network.examples import checked_rows, require_finite
from deltarule.network.missing_targets import as_given, for_targets
from deltarule.network.network import Network
from deltarule.objective import Objective
from deltarule.trainers.bayesian import hyperparameters
from deltarule.trainers.bayesian.hyperparameters import Hyperparameters
from deltarule.trainers.bayesian.posterior import Posterior, output_variance, parameter_covariance, posterior
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
        net: the network of every member.
        members: their posteriors.
        weights: (members,), they sum to 1.
        log_evidence: of each member, (members,).
        gamma: effective number of parameters of each member, (members,).
        examples: the sum of the weights of the training examples; where targets are missing, the mean over the outputs.
    """

    net: Network
    members: tuple[Posterior, ...]
    weights: np.ndarray
    log_evidence: np.ndarray
    gamma: np.ndarray
    examples: float

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
        starts = [trees.mapped(np.asarray, one.params) for one in results]
        net = for_targets(net, Y)
        rows = checked_rows(net, starts[0], "X", X, Y, weights)
        form, block = trainer.plan(net, rows)
        F = Objective(net, rows, block)
        with trainer.thread_limits(net.sizes(rows.input_shape), len(X)):
            for one, params in zip(results, starts, strict=True):
                at = one.best_epoch  # the record of the epoch that began there
                alpha = hyperparameters.unflat(one.history["alpha"][at], params)
                gamma = one.history["gamma"][at]
                hyper = Hyperparameters(alpha, one.history["beta"][at])
                known.append(F.call(posterior, params, hyper, gamma, form=form))
                evidences.append(float(one.history["log_evidence"][at]))
                gammas.append(float(gamma))
        examples = float(net.cost.measured(rows.y, rows.mask).mean())
        evidence = np.array(evidences)
        weight = np.exp((evidence - evidence.max()) / TEMPERATURE)
        return cls(net, tuple(known), weight / weight.sum(), evidence, np.array(gammas), examples)

    @property
    def best(self) -> int:
        """The member of the largest evidence."""
        return int(np.argmax(self.log_evidence))

    @property
    def noise_std(self) -> np.ndarray:
        """The standard deviation of the noise that the best member found, (k,), in the units it was trained in."""
        return np.sqrt(np.asarray(self.members[self.best].noise))

    def predict(self, X: Any) -> Prediction:
        """The mean and the standard deviations at X (m, n_1), in the units the network was trained in.

        Raises:
            DataError: X has no rows, or holds a value that is not finite.
            ShapeError: X is not (m, n_1).
        """
        X = require_finite("X", X, np.dtype("float64"))
        self.net.as_inputs(self.members[self.best].params, X, X.dtype)
        parts = [self._block(X[start : start + BLOCK]) for start in range(0, len(X), BLOCK)]
        return Prediction(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))

    def covariance(self, member: int) -> np.ndarray:
        """(beta J^T J + A)^-1 of one member, (n, n), layer by layer "W" then "b"."""
        return numpy_engine.call(parameter_covariance, self.members[member], net=self.net)

    def degrees_of_freedom(self) -> float:
        """m - gamma/k, at least 1: those of the noise, as Student's t counts them."""
        return max(1.0, self.examples - float(self.weights @ self.gamma) / self.net.outputs)

    def reach(self, coverage: float) -> float:
        """t: the interval that holds a new measurement with this probability is mean ± t std, see (BR5)."""
        from scipy.special import stdtrit

        return float(stdtrit(self.degrees_of_freedom(), 0.5 + coverage / 2))

    def coverage(self, X: Any, Y: Any, nominal: float = 0.95) -> np.ndarray:
        """The share of the measurements Y (m, k) at X (m, n_1) that lie in their intervals of `nominal`, (k,)."""
        predicted = self.predict(X)
        return np.mean(np.abs(Y - predicted.mean) <= self.reach(nominal) * predicted.std, axis=0)

    def merged(self) -> tuple[Network, Params]:
        """One network that computes the weighted mean: hidden layers side by side, output weights times w_i."""
        kept = [(w, m.params) for w, m in zip(self.weights, self.members, strict=True) if w > 1e-6]
        share = sum(w for w, _ in kept)
        if len(kept) == 1:
            return as_given(self.net), kept[0][1]
        last = len(self.net.layers) - 1
        layers, params = [], []
        for i, layer in enumerate(self.net.layers):
            Ws = [np.asarray(p[i]["W"]) for _, p in kept]
            bs = [np.asarray(p[i]["b"]) for _, p in kept]
            if i == last:
                scale = [w / share for w, _ in kept]
                W, b = ([s * v for s, v in zip(scale, values, strict=True)] for values in (Ws, bs))
                joined = np.concatenate(W, axis=1) if last else sum(W)
                params.append({"W": joined, "b": sum(b)})
                layers.append(layer)
                continue
            params.append({"W": np.concatenate(Ws) if i == 0 else _block_diagonal(Ws), "b": np.concatenate(bs)})
            layers.append(replace(layer, n=layer.n * len(kept)))
        return Network(layers, as_given(self.net).cost), params

    def _block(self, X: np.ndarray) -> Prediction:
        mean = second = np.zeros((len(X), self.net.outputs))
        noise = np.zeros(self.net.outputs)
        for weight, member in zip(self.weights, self.members, strict=True):
            f = self.net(member.params, X)
            variance = numpy_engine.call(output_variance, member, X, net=self.net)
            mean = mean + weight * f
            second = second + weight * (variance + f * f)
            noise = noise + weight * member.noise
        spread = np.maximum(second - mean * mean, 0.0)
        return Prediction(mean, np.sqrt(spread + noise), np.sqrt(spread))


def _block_diagonal(blocks: list[np.ndarray]) -> np.ndarray:
    rows, columns = (sum(b.shape[axis] for b in blocks) for axis in (0, 1))
    joined = np.zeros((rows, columns))
    row = column = 0
    for block in blocks:
        joined[row : row + block.shape[0], column : column + block.shape[1]] = block
        row, column = row + block.shape[0], column + block.shape[1]
    return joined
