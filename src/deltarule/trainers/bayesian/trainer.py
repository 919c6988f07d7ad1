"""Bayesian regularisation: Levenberg-Marquardt steps on a penalised cost whose penalties follow from the data."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from deltarule.checks import require_choice, require_count, require_number
from deltarule.engine.rows import EpochContext, Record, Rows, linearization_block
from deltarule.errors import ConfigurationError
from deltarule.network.backprop import Params
from deltarule.network.missing_targets import unmasked
from deltarule.network.network import Sizes
from deltarule.objective import Objective
from deltarule.trainers.base import Trainer, damped_step, require_derivatives
from deltarule.trainers.bayesian import hyperparameters
from deltarule.trainers.bayesian.evidence import EVIDENCE, POINTS, Evidence, attempt, objective, residual_count
from deltarule.trainers.bayesian.hyperparameters import Hyperparameters
from deltarule.trainers.form import choose_form, form_costs
from deltarule.trainers.stopping import stop_code
from deltarule.trees import register

if TYPE_CHECKING:
    from deltarule.network.network import Network

TRIALS = 12  # the most dampings tried in one epoch
SMALLEST_MU, LARGEST_MU = 1e-12, 1e10
CHEAP_FLOPS = 1e10  # of an epoch: about a third of a second on one core; beyond it Adam is faster
NEARLY_LINEAR = 0.3  # the factor of the weights of every second start


class BayesianState(NamedTuple):
    """The parameters, the hyper-parameters, the damping, the epochs since the best evidence, and all epochs so far."""

    params: Params
    hyper: Hyperparameters
    mu: float
    since_best: int
    epoch: int


class Trial(NamedTuple):
    """One damping tried: the parameters after its step, and whether S is smaller there."""

    params: Params
    accepted: bool


def has_evidence(net: "Network") -> bool:
    """Whether the cost is the negative log likelihood of the targets, up to the scale of Gaussian noise."""
    return has_gaussian_noise(net) or net.cost.has_known_noise(net.output_activation)


def has_gaussian_noise(net: "Network") -> bool:
    """Whether the cost is the negative log likelihood of Gaussian noise around linear outputs, up to its scale."""
    net = unmasked(net)
    return net.can_refit and net.cost.is_gaussian


@dataclass(frozen=True)
class BayesianRegularization(Trainer):
    """Minimise S = (beta/2) ‖r‖² + (1/2) p^T A p while alpha (the diagonal of A) and beta maximise the evidence [MK].

    One epoch computes the evidence and gamma, updates alpha and beta (`hyperparameters.update`) and takes one accepted
    Levenberg-Marquardt step on S. On noisy data the evidence rises to a maximum and falls when the network begins to
    learn the noise; so the parameters of the largest evidence are returned, and training stops with "evidence" after
    `max_fail` epochs without a larger one. It needs no validation data and refuses them.

    The history has "log_evidence", "gamma", "beta", "alpha" (one for each group, see `hyperparameters.flatten`), "mu",
    and "cost" without the penalty, all at the start of the epoch. With `restarts` every second start is nearly linear
    (weights times 0.3), which suits noisy or linear data.

    Inputs and targets must be standardised (mean 0, variance 1), and the output layer linear with the quadratic cost.
    For classes (softmax with the log-likelihood cost, sigmoid with the cross-entropy) the sum of the costs replaces
    (1/2) ‖r‖², and beta is fixed at 1 (BR2'). `BayesianEnsemble` computes error bars from the result.

    Args:
        solver: "auto", or the form of the step: "primal" (n x n) or "dual" (m k x m k).
        max_fail: stop after this many epochs without a larger evidence.
        damping: the first mu; the whitened prior has curvature 1.
        shared_epochs: for so many epochs at the beginning all inputs share one precision. With precisions of their own
            from the first epoch a start now and then switches an input off before it has learnt what it explains: on
            three problems 14 of 72 starts of 8 neurons ended in a poor optimum, and 5 of 72 with 10 shared epochs.
        relevance: whether the weights from each input have their own precision, or all inputs share one. None gives
            each its own, except in a classifier without hidden layers, where few rows would switch off too many.

    Raises:
        ConfigurationError: a value outside its range.

    Source: [MK], [F&H]; docs/bayesian-regularization.md derives it and has the measurements.
    """

    solver: str = "auto"
    max_fail: int = 10  # pyright: ignore[reportIncompatibleVariableOverride]
    damping: float = 1.0
    shared_epochs: int = 0
    relevance: bool | None = None

    has_posterior: ClassVar[bool] = True
    initializers: ClassVar[dict[str, str]] = {"tanh": "nguyen-widrow"}
    cost_before_step: ClassVar[bool] = True
    selects_by: ClassVar[str | None] = "log_evidence"

    def __post_init__(self):
        require_choice("solver", self.solver, ("auto", "primal", "dual"))
        object.__setattr__(self, "max_fail", require_count("max_fail", self.max_fail))
        object.__setattr__(self, "damping", require_number("damping", self.damping, above=0))
        object.__setattr__(self, "shared_epochs", require_count("shared_epochs", self.shared_epochs, least=0))

    def check(self, net: "Network", count: int) -> None:
        require_derivatives(net)
        if not has_evidence(net):
            raise ConfigurationError(
                f"Bayesian regularisation needs a cost that is a negative log likelihood, and the network has the cost "
                f"{net.cost!r} with the output {net.output_activation.name!r}: use linear outputs with the quadratic "
                "cost (1/2)‖y - a‖², softmax with the log-likelihood, sigmoid with the cross-entropy, or l2."
            )
        for i, layer in enumerate(net.layers):
            if not layer.supports_input_precisions:
                raise ConfigurationError(
                    f"layer {i} is {layer!r}, and Bayesian regularisation supports dense layers only: use l2 instead."
                )

    def form(self, sizes: Sizes, examples: int) -> str:
        if self.solver != "auto":
            return self.solver
        form = choose_form(sizes, examples)
        if form == "cg":
            n = sizes.parameters
            raise ConfigurationError(
                f"Bayesian regularisation of {n:,} parameters on {examples:,} examples factors a matrix of order "
                f"{min(n, examples * sizes.outputs):,}, which is too large: use l2 or early stopping."
            )
        return form

    def epoch_flops(self, sizes: Sizes, count: int) -> float:
        """The operations of an epoch whose first trial is accepted.

        Primal: J^T J, the factor and inverse of H~ for the evidence, and a factor for the step. Dual: the Gram and its
        factor for each of the two, (I + K~)^-1, and the traces, which cost as much as a Gram.
        """
        n, form = sizes.parameters, self.form(sizes, count)
        once = form_costs(sizes, count)[form].flops
        return once + 2 * n**3 / 3 if form == "primal" else 3 * once + 5 * (count * sizes.outputs) ** 3 / 3

    def diversify(self, starts: list[Params]) -> list[Params]:
        return [
            [{"W": NEARLY_LINEAR * layer["W"], "b": layer["b"]} for layer in start] if i % 2 else start
            for i, start in enumerate(starts)
        ]

    def orders(self, path: tuple[int, ...], first: int, epochs: int, count: int) -> np.ndarray | None:
        """None: every step takes all examples."""

    def init(self, net: "Network", params: Params, rows: Rows) -> BayesianState:
        return BayesianState(params, hyperparameters.initial(params), float(self.damping), 0, 0)

    def epoch(
        self, net: "Network", state: BayesianState, rows: Rows, context: EpochContext
    ) -> tuple[BayesianState, Record]:
        (form, block), p, dtype = self.plan(net, rows), state.params, rows.x.dtype
        F = Objective(net, rows, block)
        point = F.call(POINTS[form], p)
        relevance = self._uses_relevance(net)
        shared = not relevance or state.epoch < self.shared_epochs
        evidence, hyper, S_before = F.call(
            _update, p, point, state.hyper, form=form, relevance=relevance, shared=shared
        )

        def try_damping(mu: float) -> tuple[Trial, float]:
            params, S, predicted = F.call(attempt, p, point, hyper, mu, form=form)
            fall = float(S_before) - float(S)
            accepted = fall > 0  # False for NaN
            return Trial(params, accepted), max(mu * _factor(accepted, fall, float(predicted)), SMALLEST_MU)

        mu, trials = damped_step(try_damping, state.mu, lambda mu: mu > LARGEST_MU, TRIALS, context.check_time)
        accepted = bool(trials) and trials[-1].accepted
        # Beyond the largest mu, S is at its minimum and only alpha and beta change.
        mu = float(self.damping) if mu > LARGEST_MU else mu
        record = {
            "cost": dtype.type(0.5 * float(point.square) / float(rows.mask.sum())),
            "log_evidence": dtype.type(evidence.log_evidence),
            "gamma": dtype.type(hyperparameters.total(evidence.gamma)),
            "beta": dtype.type(state.hyper.beta),
            "alpha": np.asarray(hyperparameters.flatten(state.hyper.alpha)),
            "gradient_norm": dtype.type(evidence.gradient_norm),
            "mu": dtype.type(state.mu),
            "accepted": np.int32(accepted),
            "rejected": np.int32(len(trials) - accepted),
        }
        params = trials[-1].params if accepted else p
        return BayesianState(params, hyper, mu, state.since_best, state.epoch + 1), record

    def after_score(self, state: BayesianState, improved: bool) -> tuple[BayesianState, int]:
        since = 0 if improved or state.epoch <= self.shared_epochs else state.since_best + 1
        return state._replace(since_best=since), stop_code("evidence") if since >= self.max_fail else 0

    def _uses_relevance(self, net: "Network") -> bool:
        if self.relevance is not None:
            return self.relevance
        return len(net.layers) > 1 or has_gaussian_noise(net)

    def plan(self, net: "Network", rows: Rows) -> tuple[str, int]:
        """Return the form of a step on these rows, and how many of them are linearised together."""
        sizes, count = net.sizes(rows.x.shape[1:]), rows.x.shape[0]
        return self.form(sizes, count), linearization_block(count, sizes.parameters, sizes.outputs)


def _factor(accepted: bool, fall: float, predicted: float) -> float:
    """The factor of mu after a trial, by the gain ratio fall / predicted.

    A factor of 1/10 after every accepted step would lead to a rejected trial in nearly every epoch.
    """
    if not accepted:
        return 4.0
    return 1 / 4 if fall > 0.6 * predicted else 1.0 if fall > 0.2 * predicted else 2.0


def _update(
    F: Objective, p: Params, point: Any, hyper: Hyperparameters, *, form: str, relevance: bool, shared: bool
) -> tuple[Evidence, Hyperparameters, Any]:
    """The evidence at a point, the updated hyper-parameters, and S under these."""
    evidence = EVIDENCE[form](F, p, point, hyper, relevance=relevance)
    after = hyperparameters.update(hyper, p, evidence.gamma, residual_count(F), point.square, not shared)
    return evidence, after, objective(p, after, point.square)


def exact_steps_are_cheap(net: "Network", shape: tuple[int, ...]) -> bool:
    """Whether an epoch on inputs of this shape, (N, n_1), is cheap and fits the memory: "auto" then takes this trainer.

    It counts operations and not seconds, so that a table gets the same trainer on every machine.
    """
    sizes, count = net.sizes(shape[1:]), shape[0]
    form = choose_form(sizes, count)
    return form != "cg" and BayesianRegularization(solver=form).epoch_flops(sizes, count) <= CHEAP_FLOPS


register(BayesianRegularization, leaves=("damping", "max_fail", "shared_epochs"))
