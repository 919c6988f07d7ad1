"""What a training has come to: the network to keep, calibrated, and with Bayesian regularisation its error bars."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from deltarule import trees
from deltarule.data.dataset import Examples
from deltarule.models.calibration import Calibration, calibrate, cooled
from deltarule.models.plan import Plan
from deltarule.trainers.bayesian import BayesianEnsemble
from deltarule.training.session import TrainingResult


@dataclass(frozen=True, eq=False)
class Known:
    """What Bayesian regularisation knows.

    Args:
        ensemble: the starts as posteriors.
        network: one start in a line, its sizes and activations.
        gamma: the effective number of parameters of the best start.
        parameters: n, the parameters of one start.
        log_evidence: of the best start.
        noise_std: the standard deviation of the noise of each target, in its unit, (k,).
    """

    ensemble: BayesianEnsemble
    network: str
    gamma: float
    parameters: int
    log_evidence: float
    noise_std: np.ndarray

    def record(self) -> dict[str, Any]:
        """In JSON's types, for the model file and the JSON line."""
        return {
            "effective_parameters": self.gamma,
            "network_of_a_start": self.network,
            "parameters_of_a_start": self.parameters,
            "log_evidence": self.log_evidence,
            "noise_std": self.noise_std.tolist(),
            "starts": len(self.ensemble.members),
            "start_weights": self.ensemble.weights.tolist(),
        }


@dataclass(frozen=True, eq=False)
class Outcome:
    """The plan and the result of a training, with the network that is kept.

    Args:
        plan: its net and sizes are those of `result.params`, all starts side by side.
        result: of the training; of several starts that are merged, the best one's history.
        known: what Bayesian regularisation knows; None with another trainer, or if no epoch was completed.
        calibration: of the probabilities of classes, on the rows that were held out; None where there is none.
    """

    plan: Plan
    result: TrainingResult
    known: Known | None = None
    calibration: Calibration | None = None


def outcome_of(
    plan: Plan, result: TrainingResult, train: Examples, validation: Examples | None, scales: np.ndarray
) -> Outcome:
    """The starts of a Bayesian training as one network with error bars; probabilities of classes calibrated.

    Args:
        plan: of the training.
        result: of the training.
        train: the examples that trained.
        validation: those that were held out, if any.
        scales: what each target of a regression was divided by, (k,).
    """
    result = replace(result, params=trees.mapped(np.asarray, result.params))
    if plan.regularization == "bayesian" and result.epochs > 0:
        return _merged(plan, result, train, scales)
    softmax = getattr(plan.net.layers[-1], "activation", None) == "softmax"
    if softmax and plan.regularization == "early-stopping" and validation is not None and result.best_epoch > 0:
        outputs = np.asarray(plan.net(result.params, validation.X), np.float64)
        weight = np.ones(len(validation)) if validation.weights is None else validation.weights
        calibration = calibrate(outputs, np.argmax(validation.Y, axis=1), weight)
        params = cooled(result.params, calibration.temperature)
        return Outcome(plan, replace(result, params=params), calibration=calibration)
    return Outcome(plan, result)


def _merged(plan: Plan, result: TrainingResult, train: Examples, scales: np.ndarray) -> Outcome:
    ensemble = BayesianEnsemble.of(plan.net, result, train.X, train.Y, train.weights)
    net, params = ensemble.merged()
    known = Known(
        ensemble=ensemble,
        network=plan.network,
        gamma=float(ensemble.gamma[ensemble.best]),
        parameters=trees.size(result.params),
        log_evidence=float(ensemble.log_evidence[ensemble.best]),
        noise_std=ensemble.noise_std * scales,
    )
    sizes = (plan.sizes[0], *(layer.n for layer in net.layers))  # pyright: ignore[reportAttributeAccessIssue]
    return Outcome(replace(plan, net=net, sizes=sizes), replace(result, params=params), known)
