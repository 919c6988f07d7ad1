"""What a training has come to: the network to keep, calibrated, and with Bayesian regularisation its error bars."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from deltarule import trees
from deltarule.data.dataset import Examples
from deltarule.models import averaged, pooled
from deltarule.models.calibration import Calibration, calibrate, cooled
from deltarule.models.candidates import Found, get_effort, in_words, kept
from deltarule.models.plan import Plan, in_a_line, sizes_of
from deltarule.network.backprop import Params
from deltarule.network.network import Network
from deltarule.trainers.bayesian import BayesianEnsemble
from deltarule.trainers.bayesian.log_scale import LogScale
from deltarule.training.session import TrainingResult


@dataclass(frozen=True, eq=False)
class Known:
    """What Bayesian regularisation knows.

    Args:
        ensemble: the starts as posteriors.
        networks: each of them in a line, its sizes and activations.
        gamma: the effective number of parameters of the best one.
        parameters: n, the parameters of the best one.
        log_evidence: of the best one.
        noise_std: the standard deviation of the noise of each target, in its unit, (k,).
        tried: how many candidates there were; 0 where the network was named.
    """

    ensemble: BayesianEnsemble
    networks: tuple[str, ...]
    gamma: float
    parameters: int
    log_evidence: float
    noise_std: np.ndarray
    tried: int = 0

    @property
    def network(self) -> str:
        """The best one in a line."""
        return self.networks[self.ensemble.best]

    def chosen(self) -> str | None:
        """What the candidates have come to, in a line."""
        if not self.tried:
            return None
        words = in_words(self.networks, self.ensemble.weights, self.tried)
        return words if self.ensemble.log is None else f"{words}; fitted to the logarithm of the target"

    def record(self) -> dict[str, Any]:
        """In JSON's types, for the model file and the JSON line."""
        return {
            "effective_parameters": self.gamma,
            "network_of_a_start": self.network,
            "parameters_of_a_start": self.parameters,
            "log_evidence": self.log_evidence,
            "noise_std": self.noise_std.tolist(),
            "networks": list(self.networks) if len(set(self.networks)) > 1 else None,
            "starts": len(self.ensemble.members),
            "start_weights": self.ensemble.weights.tolist(),
        }


@dataclass(frozen=True, eq=False)
class Pool:
    """What is known of classifiers whose logits make one.

    Args:
        networks: each of them in a line, its sizes and activations.
        weights: of their logits, (members,); their sum is the inverse of the temperature.
        gamma: the effective number of parameters of the one of the largest weight.
        parameters: n, its parameters.
        log_evidence: likewise.
        tried: how many candidates there were; 0 where the network was named.
    """

    networks: tuple[str, ...]
    weights: np.ndarray
    gamma: float
    parameters: int
    log_evidence: float
    tried: int = 0

    def chosen(self) -> str | None:
        """What the candidates have come to, in a line."""
        return in_words(self.networks, self.weights, self.tried) if self.tried else None

    def record(self) -> dict[str, Any]:
        """In JSON's types, for the model file and the JSON line."""
        return {
            "effective_parameters": self.gamma,
            "parameters_of_a_start": self.parameters,
            "log_evidence": self.log_evidence,
            "networks": list(self.networks),
            "starts": len(self.networks),
            "start_weights": self.weights.tolist(),
        }


@dataclass(frozen=True, eq=False)
class Outcome:
    """The plan and the result of a training, with the network that is kept.

    Args:
        plan: its net and sizes are those of `result.params`, all starts side by side.
        result: of the training; of several starts that are merged, the best one's history.
        known: what Bayesian regularisation knows; None with another trainer, or if no epoch was completed.
        calibration: of the probabilities of classes, on rows that were held out or, of several networks by Bayesian
            regularisation, each left out; None where there is none.
        pool: what is known of several classifiers by Bayesian regularisation.
        several: the networks that are kept as one with their weights, by Bayesian regularisation; else ().
    """

    plan: Plan
    result: TrainingResult
    known: Known | None = None
    calibration: Calibration | None = None
    pool: "Pool | None" = None
    several: tuple[tuple[float, Any], ...] = ()

    def chosen(self) -> str | None:
        """What the candidates have come to, in a line."""
        of_any = self.known or self.pool
        words = None if of_any is None else of_any.chosen()
        rows = None if self.plan.rows is None else f"on {self.plan.rows:,} rows drawn at random"
        return "; ".join(part for part in (words, rows) if part) or None

    def single(self) -> tuple[Network, Params] | None:
        """The network from which a training can go on; of several the one of the largest weight.

        None where each of them has steps before it, which belong to the rows that it was trained on, or where they were
        fitted to the logarithm of the target.
        """
        if self.known is not None and self.known.ensemble.log is not None:
            return None
        if not self.several:
            return self.plan.net, self.result.params
        able = [(weight, one) for weight, one in self.several if one.steps is None]
        if not able:
            return None
        _, best = max(able, key=lambda each: each[0])
        return best.net, best.result.params


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
    result = replace(result, params=trees.map_leaves(np.asarray, result.params))
    if plan.regularization == "bayesian" and result.epochs > 0:
        kind, starts = kind_of(plan), [one for one in result.starts or (result,) if "log_evidence" in one.history]
        judgements = [kind.judged(plan.net, replace(one, starts=()), train) for one in starts]
        several = [one for one in judgements if one is not None]
        if several:
            found = kept(several, *kind.weigher(train)(several), weigh=kind.weigher(train))
            return merged(plan, found, train, scales)
    softmax = getattr(plan.net.layers[-1], "activation", None) == "softmax"
    if softmax and plan.regularization == "early-stopping" and validation is not None and result.best_epoch > 0:
        outputs = np.asarray(plan.net(result.params, validation.X), np.float64)
        calibration = calibrate(outputs, np.argmax(validation.Y, axis=1), validation.each_weight)
        params = cooled(result.params, calibration.temperature)
        return Outcome(plan, replace(result, params=params), calibration=calibration)
    return Outcome(plan, result)


def kind_of(plan: Plan) -> Any:
    """The module that judges, weighs and joins networks of this cost: their means, or the logits of classes."""
    return pooled if plan.net.cost.has_known_noise(plan.net.output_activation) else averaged


def merged(plan: Plan, found: Found, train: Examples, scales: np.ndarray, log: LogScale | None = None) -> Outcome:
    """Trained networks as one, a regression with error bars, a classifier calibrated.

    Args:
        plan: of the training.
        found: the networks and their weights.
        train: the examples as they trained.
        scales: what each target was divided by, (k,).
        log: the scale of the targets that trained, None for their own.
    """
    several, weights, tried = found.members, found.weights, found.tried
    inputs, best = plan.sizes[0], several[int(np.argmax(weights))]
    names = tuple(
        f"{in_a_line(one.net, sizes_of(one.net, inputs))}{' with steps' if one.steps else ''}" for one in several
    )
    of_best: dict[str, Any] = {"parameters": trees.size(best.result.params), "tried": tried}
    if kind_of(plan) is pooled:
        net, params = pooled.joined(several, weights)
        of_best |= {"gamma": best.gamma, "log_evidence": best.log_evidence}
        softmax = not net.output_activation.elementwise
        known: dict[str, Any] = {
            "pool": Pool(names, weights, **of_best),
            "calibration": pooled.calibration(several, weights, train) if softmax else None,
        }
    else:
        ensemble = averaged.together(several, weights, train, get_effort(plan.effort).law, log)
        net, params = ensemble.merged()
        of_ensemble = Known(
            ensemble=ensemble,
            networks=names,
            gamma=float(ensemble.gamma[ensemble.best]),
            log_evidence=float(ensemble.log_evidence[ensemble.best]),
            noise_std=ensemble.noise_std * scales,
            **of_best,
        )
        known = {"known": of_ensemble}
    starts = tuple(one.result for one in several) if len(several) > 1 else ()
    result = replace(best.result, params=params, starts=starts)
    plan = replace(plan, restarts=1) if tried else plan
    known["several"] = tuple(zip(weights.tolist(), several, strict=True))
    return Outcome(replace(plan, net=net, sizes=sizes_of(net, inputs), candidates=()), result, **known)
