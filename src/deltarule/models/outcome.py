"""The outcome of a training: the network that is kept, averaged or calibrated, and its record for the model file."""

import platform
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np

from deltarule import trees
from deltarule.data.dataset import Examples
from deltarule.models import stacked_classifiers, stacked_regressors
from deltarule.models.calibration import Calibration, calibrate, divide_logits
from deltarule.models.candidates import SearchResult, describe_selection, drop_light_members, get_effort
from deltarule.models.formatting import to_json_types
from deltarule.models.metrics import Scores, with_prefix
from deltarule.models.plan import Plan, describe_network, sizes_of
from deltarule.network.backprop import Params
from deltarule.network.network import Network
from deltarule.trainers.bayesian.log_scale import LogScale
from deltarule.training.session import INTERRUPTIONS, TrainingResult

if TYPE_CHECKING:
    from deltarule.data import LoadedData

PARTS = ("train", "validation", "test")
HEAVIEST = "the network with the largest weight"


@dataclass(frozen=True, eq=False)
class BayesianSummary:
    """The result of Bayesian regularisation, of one network or of several that are averaged.

    Args:
        networks: the sizes and activations of each network, such as "3-20-1 (tanh, linear)".
        weights: of the networks of a regression, or of the logits of a classification, whose sum is 1/T.
        gamma: the effective number of parameters of the network of the largest weight.
        parameters: n, the parameters of that network.
        log_evidence: of that network.
        tried: how many candidates were tried; 0 if the user described the network.
        trained: how many networks were trained, candidates or starts.
        epochs: of all these networks together.
        ensemble: the `BayesianEnsemble` of a regression; None for a classification.
        noise_std: the standard deviation of the noise of each target of a regression, in its unit, (k,).
    """

    networks: tuple[str, ...]
    weights: np.ndarray
    gamma: float
    parameters: int
    log_evidence: float
    tried: int = 0
    trained: int = 1
    epochs: int = 0
    ensemble: Any = None
    noise_std: Any = None

    def selection(self) -> str | None:
        """Which candidates are averaged, in a line; None if the user described the network."""
        if not self.tried:
            return None
        words = describe_selection(self.networks, self.weights, self.tried)
        of_logarithm = self.ensemble is not None and self.ensemble.log is not None
        return f"{words}; fitted to the logarithm of the target" if of_logarithm else words

    def record(self) -> dict[str, Any]:
        """The entries for the model file and the JSON line, in JSON's types."""
        record = {
            "effective_parameters": self.gamma,
            "parameters_of_a_start": self.parameters,
            "log_evidence": self.log_evidence,
            "networks": list(self.networks),
            "starts": len(self.networks),
            "start_weights": self.weights.tolist(),
            "networks_trained": self.trained,
            "epochs_of_all": self.epochs,
        }
        if self.ensemble is not None:
            record |= {"network_of_a_start": self.networks[self.ensemble.best], "noise_std": self.noise_std.tolist()}
            record["networks"] = record["networks"] if len(set(self.networks)) > 1 else None
        return record


@dataclass(frozen=True, eq=False)
class Outcome:
    """The plan and the result of a training, with the network that is kept.

    Args:
        plan: its net and sizes belong to `result.params`, with all averaged networks side by side.
        result: of the training; if networks are averaged, with the history of the one of the largest weight.
        bayesian: the result of Bayesian regularisation; None for other trainers, or if no epoch was completed.
        calibration: of the probabilities of classes, on validation rows, or on training rows left out; None if the
            probabilities were not calibrated.
        members: the weight and the trained network of each that Bayesian regularisation averages; else ().
    """

    plan: Plan
    result: TrainingResult
    bayesian: BayesianSummary | None = None
    calibration: Calibration | None = None
    members: tuple[tuple[float, Any], ...] = ()

    def of(self, trained: int, epochs: int) -> "Outcome":
        """This average of networks, of which so many were trained in so many epochs in all."""
        assert self.bayesian is not None
        return replace(self, bayesian=replace(self.bayesian, trained=trained, epochs=epochs))

    def selection(self) -> str | None:
        """Which candidates are averaged, and on how many rows they were trained if not on all, in a line."""
        networks = None if self.bayesian is None else self.bayesian.selection()
        rows = None if self.plan.rows is None else f"on {self.plan.rows:,} rows drawn at random"
        return "; ".join(part for part in (networks, rows) if part) or None

    def network_to_continue(self) -> tuple[Network, Params] | None:
        """The network and the parameters from which a warm start goes on; of averaged networks the heaviest.

        None if each of them has step features, which belong to the rows it was trained on, or was fitted to the
        logarithm of the target.
        """
        if self.bayesian is not None and self.bayesian.ensemble is not None and self.bayesian.ensemble.log is not None:
            return None
        if not self.members:
            return self.plan.net, self.result.params
        without_steps = [(weight, member) for weight, member in self.members if member.steps is None]
        if not without_steps:
            return None
        _, heaviest = max(without_steps, key=lambda pair: pair[0])
        return heaviest.net, heaviest.result.params

    def _is_average(self) -> bool:
        """Whether several networks were trained, so that the result is that of the one with the largest weight."""
        return self.bayesian is not None and self.bayesian.trained > 1

    def record(self, data: "LoadedData", scores: Scores) -> dict[str, Any]:
        """The record of the training for the model file, in JSON's types; the caller adds the options and the seed."""
        import deltarule

        plan, result = self.plan, self.result
        return to_json_types(
            {
                "source": data.name,
                "notes": data.notes,
                "examples": {part: len(getattr(data, part)) for part in PARTS},
                "network": plan.sizes,
                "parameters": trees.size(result.params),
                "trainer": plan.description,
                "trainer_name": plan.trainer_name,
                "eta": plan.settings.eta,
                "epochs": result.epochs,
                "best_epoch": result.best_epoch,
                "kept": _kept_epoch(plan, result, self._is_average()),
                "stop_reason": result.stop_reason,
                "message": result.message,
                "stopped": _stop_sentence(result, self._is_average()),
                "training_cost": _best_cost(plan, result),
                "metrics": {name: x for part, found in scores.items() for name, x in with_prefix(part, found).items()},
                "training_seconds": round(result.seconds, 3),
                "history": result.history,
                "engine": result.engine,
                "versions": {
                    "deltarule": deltarule.__version__,
                    result.engine: version(result.engine),
                    "python": platform.python_version(),
                },
                **({} if self.bayesian is None else self.bayesian.record()),
                **({} if self.calibration is None else {"calibration": self.calibration._asdict()}),
            }
        )


def build_outcome(
    plan: Plan, result: TrainingResult, train: Examples, validation: Examples | None, scales: np.ndarray
) -> Outcome:
    """Average the restarts of a Bayesian training into one network; calibrate the probabilities of classes.

    `scales` are the numbers by which the targets of a regression were divided, (k,).
    """
    result = replace(result, params=trees.map_leaves(np.asarray, result.params))
    if plan.regularization == "bayesian" and result.epochs > 0:
        stacking, starts = stacking_of(plan), result.starts or (result,)
        judged = [
            stacking.leave_rows_out(plan.net, replace(start, starts=()), train)
            for start in starts
            if "log_evidence" in start.history
        ]
        members = [member for member in judged if member is not None]
        if members:
            weigh = stacking.weigher(train)
            found = drop_light_members(members, *weigh(members), weigh=weigh)
            return average_members(plan, found, train, scales).of(len(starts), sum(start.epochs for start in starts))
    softmax = getattr(plan.net.layers[-1], "activation", None) == "softmax"
    if softmax and plan.regularization == "early-stopping" and validation is not None and result.best_epoch > 0:
        outputs = np.asarray(plan.net(result.params, validation.X), np.float64)
        calibration = calibrate(outputs, np.argmax(validation.Y, axis=1), validation.each_weight)
        params = divide_logits(result.params, calibration.temperature)
        return Outcome(plan, replace(result, params=params), calibration=calibration)
    return Outcome(plan, result)


def stacking_of(plan: Plan) -> Any:
    """The module that averages networks of this cost: `stacked_classifiers` or `stacked_regressors`."""
    has_known_noise = plan.net.cost.has_known_noise(plan.net.output_activation)
    return stacked_classifiers if has_known_noise else stacked_regressors


def average_members(
    plan: Plan, found: SearchResult, train: Examples, scales: np.ndarray, log: LogScale | None = None
) -> Outcome:
    """One network from several trained ones: of a regression with error bars, of a classification calibrated.

    `train` are the examples with the targets that were fitted, `log` the transformation of these targets.
    """
    members, weights = found.members, found.weights
    inputs, heaviest = plan.sizes[0], members[int(np.argmax(weights))]
    names = tuple(
        f"{describe_network(member.net, sizes_of(member.net, inputs))}{' with steps' if member.steps else ''}"
        for member in members
    )
    known: dict[str, Any] = {
        "gamma": heaviest.gamma,
        "parameters": trees.size(heaviest.result.params),
        "log_evidence": heaviest.log_evidence,
        "tried": found.tried,
    }
    calibration = None
    if stacking_of(plan) is stacked_classifiers:
        net, params = stacked_classifiers.merge(members, weights)
        if not net.output_activation.elementwise:  # softmax
            calibration = stacked_classifiers.calibration(members, weights, train)
    else:
        varying_noise = get_effort(plan.effort).varying_noise
        ensemble = stacked_regressors.build_ensemble(members, weights, train, varying_noise, log)
        net, params = ensemble.merged()
        known |= {"ensemble": ensemble, "noise_std": ensemble.noise_std * scales}
    starts = tuple(member.result for member in members) if len(members) > 1 else ()
    result = replace(heaviest.result, params=params, starts=starts)
    plan = replace(plan, restarts=1) if found.tried else plan
    plan = replace(plan, net=net, sizes=sizes_of(net, inputs), candidates=())
    bayesian = BayesianSummary(names, weights, **known)
    return Outcome(plan, result, bayesian, calibration, tuple(zip(weights.tolist(), members, strict=True)))


def _stop_sentence(result: TrainingResult, is_average: bool) -> str:
    """Why the training ended, without the remark, which the verdict makes too."""
    sentence = result.message.removesuffix(result.remark).rstrip()
    if is_average and result.stop_reason not in (*INTERRUPTIONS, "time_limit"):
        sentence = f"{HEAVIEST}: {sentence[0].lower()}{sentence[1:]}"
    return sentence[0].upper() + sentence[1:]


def _best_cost(plan: Plan, result: TrainingResult) -> float | None:
    """The training cost of the epoch that the parameters come from."""
    costs = result.history.get("cost")
    if costs is None or result.best_epoch == 0:
        return None
    # Without validation the cost of the parameters was recorded by the epoch that begins with them.
    place = result.best_epoch - 1 if plan.validated else min(result.best_epoch, len(costs) - 1)
    return float(costs[place])


def _kept_epoch(plan: Plan, result: TrainingResult, is_average: bool) -> str:
    if not result.best_epoch:
        return "the start"
    if is_average:
        return f"epoch {result.best_epoch} of {HEAVIEST}, that of its largest evidence"
    if plan.validated:
        return f"epoch {result.best_epoch}, the best on the validation part"
    if plan.trainer.selects_by is None:
        return f"epoch {result.best_epoch}, the last"
    return f"epoch {result.best_epoch}, that of the largest evidence"
