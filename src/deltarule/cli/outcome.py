"""What a training has come to: the network to save, and with Bayesian regularisation what it knows of its errors."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    from deltarule.cli.plan import Plan
    from deltarule.data import LoadedData
    from deltarule.trainers.bayesian import BayesianEnsemble
    from deltarule.training.train import TrainingResult


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

    ensemble: "BayesianEnsemble"
    network: str
    gamma: float
    parameters: int
    log_evidence: float
    noise_std: "np.ndarray"

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
    """The plan and the result of a training, with the network that is saved.

    Args:
        plan: its net and sizes are those of `result.params`, all starts side by side.
        result: of the training; of several starts that are merged, the best one's history.
        known: what Bayesian regularisation knows; None with another trainer, or if no epoch was completed.
    """

    plan: "Plan"
    result: "TrainingResult"
    known: Known | None = None


def merge_starts(data: "LoadedData", plan: "Plan", result: "TrainingResult") -> Outcome:
    """The starts of a Bayesian training as one network with error bars; any other training as it is."""
    import numpy as np

    from deltarule import trees
    from deltarule.data import Examples
    from deltarule.trainers.bayesian import BayesianEnsemble, BayesianRegularization

    if not isinstance(plan.trainer, BayesianRegularization) or result.epochs == 0:
        return Outcome(plan, result)
    assert isinstance(data.train, Examples)  # no stream is trained by Bayesian regularisation
    ensemble = BayesianEnsemble.of(plan.net, result, data.train.X, data.train.Y, data.train.weights)
    net, params = ensemble.merged()
    scale = np.array([column.std for column in data.schema.targets])
    known = Known(
        ensemble=ensemble,
        network=plan.network,
        gamma=float(ensemble.gamma[ensemble.best]),
        parameters=trees.size(result.params),
        log_evidence=float(ensemble.log_evidence[ensemble.best]),
        noise_std=ensemble.noise_std * scale,
    )
    sizes = (plan.sizes[0], *(layer.n for layer in net.layers))  # pyright: ignore[reportAttributeAccessIssue]
    return Outcome(replace(plan, net=net, sizes=sizes), replace(result, params=params), known)
