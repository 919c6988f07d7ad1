"""From a plan and examples to a trained network: the one pipeline of estimators, `fit_table` and `deltarule train`."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from deltarule.data.dataset import Examples
from deltarule.engine.randomness import generator
from deltarule.models import averaged
from deltarule.models.candidates import Candidate, epochs_within, get_effort, search
from deltarule.models.judging import judge
from deltarule.models.model import Model
from deltarule.models.outcome import Outcome, kind_of, merged, outcome_of
from deltarule.models.plan import Plan
from deltarule.models.record import score, training_record
from deltarule.models.scaling import Scaling
from deltarule.models.verdict import Verdict
from deltarule.network.backprop import Params
from deltarule.network.network import Network
from deltarule.trainers.base import Trainer
from deltarule.trainers.bayesian.log_scale import LogScale, prefers_log_scale
from deltarule.trainers.bayesian.steps import StepFeatures
from deltarule.trainers.stopping import Stopping, stop_sentence
from deltarule.training.session import INTERRUPTIONS, Callback, Onlooker, TrainingResult
from deltarule.training.streaming.training import train_stream
from deltarule.training.train import train

if TYPE_CHECKING:
    from deltarule.data import LoadedData

CHUNK_BYTES = 2**26  # that a folder's chunks take; their copies on the device come on top, so this fits 1 GiB in all
OF_ONE = ("params", "checkpoint", "resume", "devices", "record")  # what belongs to a training of one network
RARE = 20  # rows at least of what hardly any row has
Share = Callable[..., tuple[Any, ...]]


def run(
    plan: Plan,
    training: Any,
    validation: Examples | None,
    *,
    share: Share = lambda *arrays: arrays,
    time_limit: float | None = None,
    record: Sequence[str] = (),
    callbacks: Sequence[Callback] = (),
    **how: Any,
) -> TrainingResult:
    """Train as the plan says.

    Args:
        plan: the network, the trainer and its numbers.
        training: the examples, or a `Stream` of them.
        validation: the examples that choose the best epoch where the plan says so.
        share: takes this process's share of arrays.
        time_limit: seconds.
        record: what else the history keeps.
        callbacks: as in `train`.
        how: the other arguments that `train` and `train_stream` share.
    """
    held = share(*_parts(validation)) if validation is not None and plan.validated else None
    patience = plan.patience if held is not None else None
    how |= {
        "trainer": plan.trainer,
        "epochs": plan.epochs,
        "validation_data": held,
        "stopping": Stopping(max_fail=patience, time_limit=time_limit),
        "callbacks": callbacks,
    }
    if plan.streamed:
        return train_stream(plan.net, training, memory=CHUNK_BYTES, **how)
    X, Y, *weights = share(*_parts(training))
    weights = weights[0] if weights else None
    return train(plan.net, X, Y, weights=weights, restarts=plan.restarts, monitor=plan.monitor, record=record, **how)


def fit(
    plan: Plan,
    training: Any,
    validation: Examples | None,
    targets: Scaling,
    *,
    callbacks: Sequence[Callback] = (),
    time_limit: float | None = None,
    **how: Any,
) -> Outcome:
    """Train as the plan says, all its candidates where it has some, and what that has come to.

    Args:
        plan: the network or the candidates, the trainer and its numbers.
        training: the examples, or a `Stream` of them.
        validation: the examples that are held out, if any.
        targets: how the targets of a regression were scaled.
        callbacks: as in `train`; of several candidates they see the epochs of all, numbered through.
        time_limit: seconds.
        how: as of `run`. What is kept or watched of one training alone, such as a checkpoint, leaves no candidates.
    """
    if plan.rows is not None:
        training = drawn(training, plan.rows, how["seed"])
    if not plan.candidates or any(how.get(name) for name in OF_ONE) or any(isinstance(c, Onlooker) for c in callbacks):
        result = run(plan, training, validation, time_limit=time_limit, callbacks=callbacks, **how)
        return outcome_of(plan, result, training, validation, targets.std)
    tries = Tries(plan, training, callbacks, time_limit, how)
    tries.choose_scale(targets)
    found = search(tries.candidates, tries.one, tries.kind.weigher(tries.examples), tries.effort, tries.late)
    if not found.members:
        own, result = tries.plain or (plan, run(plan, training, validation, time_limit=tries.left(), **how))
        return outcome_of(replace(own, candidates=()), result, training, validation, targets.std)
    outcome = merged(plan, found, tries.examples, targets.std, tries.log)
    reason = tries.stop_reason
    if reason not in INTERRUPTIONS and not (tries.late() and found.tried < len(tries.candidates)):
        return outcome
    reason = reason if reason in INTERRUPTIONS else "time_limit"
    message = stop_sentence(reason, tries.epochs, Stopping(time_limit=time_limit), plan.trainer, True)
    return replace(outcome, result=replace(outcome.result, stop_reason=reason, message=message))


def drawn(examples: Examples, count: int, seed: int) -> Examples:
    """So many examples at random, each with a probability in proportion to its weight; it counts once, or more.

    Some of what hardly any row has, such as a rare category, are among them.
    """
    random, weight = generator(seed, count), examples.each_weight
    key = np.log(random.random(len(examples))) / np.maximum(weight, 1e-300)  # Efraimidis & Spirakis 2006
    taken = np.zeros(len(examples), bool)
    taken[np.argsort(-key, kind="stable")[:count]] = True
    X = np.asarray(examples.X)
    same = (X[taken] == X[np.argmax(taken)]).all(axis=0)
    for column in X[:, same & (np.ptp(X, axis=0) > 0)].T:
        taken[np.flatnonzero(column != column[np.argmax(taken)])[:RARE]] = True
    some = examples.select(taken)
    return some if some.weights is None else replace(some, weights=np.maximum(1, count / weight.sum() * some.weights))


class Tries:
    """The candidates of a plan as they are trained one after another, on the targets or on their logarithm.

    Args:
        plan: with its candidates.
        training: the examples.
        callbacks: see the epochs of all, numbered through.
        time_limit: seconds for all together.
        how: as of `run`.

    Attributes:
        examples: as they train.
        log: the scale of their targets, None for their own.
        epochs: of all so far.
        stop_reason: of the last one.
        plain: the plan and the result of the last one without steps.
    """

    def __init__(self, plan: Plan, training: Any, callbacks: Any, time_limit: float | None, how: dict[str, Any]):
        self.plan, self.examples, self.how = plan, training, how
        self.kind, self.effort = kind_of(plan), get_effort(plan.effort)
        self.callbacks, self.time_limit, self.began = callbacks, time_limit, time.perf_counter()
        self.log: LogScale | None = None
        self.epochs, self.stop_reason = 0, ""
        self.plain: tuple[Plan, TrainingResult] | None = None
        self.first: list[Any] = []  # the first candidate, where it was trained to choose the scale

    def choose_scale(self, targets: Scaling) -> None:
        """Take the logarithm of the target where the first candidate predicts better with it, see `LogScale`."""
        if self.kind is not averaged or not self.effort.logarithm:
            return
        Y, weight = np.asarray(self.examples.Y, np.float64), self.examples.each_weight
        log = LogScale.of(Y, -targets.mean / targets.std, weight)
        if log is None:
            return
        own, plain, plain_run = self.examples, self.one(self.plan.candidates[0], 0), self.plain
        self.examples = replace(own, Y=log.encode(Y))
        logged = None if self.late() else self.one(self.plan.candidates[0], 0)
        if plain is not None and logged is not None and prefers_log_scale(Y, plain, logged, log, weight):
            self.log, self.first = log, [logged]
        else:
            self.examples, self.plain, self.first = own, plain_run, [plain]

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """Those of the plan; on the logarithm without linear models, whose exponential has no bounds."""
        return tuple(one for one in self.plan.candidates if one.hidden or self.log is None)

    def one(self, candidate: Candidate, number: int) -> Any:
        """Candidate `number`, trained and judged; None where that came to nothing."""
        if number == 0 and self.first:
            return self.first[0]
        own, X = self.plan.of(candidate), np.asarray(self.examples.X, np.float64)
        steps = StepFeatures.of(X, self.plan.net.layers[0].activation, candidate.steps) if candidate.steps else None  # pyright: ignore[reportAttributeAccessIssue]
        if candidate.steps and steps is None:
            return None
        seen = self.examples if steps is None else replace(self.examples, X=steps(X))
        start = starting_point(candidate, own.net, own.trainer, self.how["seed"], number, seen.X.shape[1:])
        flops = own.trainer.epoch_flops(own.net.sizes(seen.X.shape[1:]), len(X))
        own = replace(own, epochs=epochs_within(self.effort, len(X), flops, own.epochs))
        told = self.how | {"params": start, "callbacks": [self._shifted(callback) for callback in self.callbacks]}
        result = run(own, seen, None, time_limit=self.left(), **told)
        self.epochs += result.epochs
        self.stop_reason = result.stop_reason
        if steps is None:
            self.plain = own, result
        return self.kind.judged(own.net, result, self.examples, steps) if result.epochs else None

    def left(self) -> float | None:
        """The seconds that are left."""
        return None if self.time_limit is None else max(0.0, self.time_limit - (time.perf_counter() - self.began))

    def late(self) -> bool:
        """Whether no further one may begin."""
        return self.stop_reason in INTERRUPTIONS or self.left() == 0

    def _shifted(self, callback: Callback) -> Callback:
        before = self.epochs
        return lambda record: callback(record | {"epoch": record["epoch"] + before})


def starting_point(
    candidate: Candidate, net: Network, trainer: Trainer, seed: int, number: int, shape: tuple[int, ...]
) -> Params:
    """Fresh parameters of candidate `number`."""
    start = net.starts(seed, number + 1, shape, trainer.dtype, trainer.initializers)[number]
    return trainer.diversify([start, start])[1] if candidate.nearly_linear else start


def scaling_of(data: "LoadedData") -> Scaling:
    """How the targets of a data set were scaled."""
    return Scaling.of_columns(data.schema.targets)


def finished(outcome: Outcome, data: "LoadedData", origin: dict[str, Any]) -> Model:
    """The network that a training on a data set has come to, with its scores, its verdict and its record.

    Args:
        outcome: of the training.
        data: its test part is looked at here, and only here.
        origin: what the record says of the data and the options.
    """
    net, params, known = outcome.plan.net, outcome.result.params, outcome.known
    scores = score(net, params, data)
    verdict = judge(data, outcome, scores) if outcome.result.best_epoch > 0 else Verdict({})
    training = training_record(outcome, data, scores) | verdict.record() | origin
    return Model(
        net=net,
        params=params,
        schema=data.schema,
        training=training,
        error_bars=None if known is None else known.ensemble,
        examples=data.parts,
    )


def _parts(examples: Examples) -> tuple[Any, ...]:
    """Inputs and targets, and the weights where there are some."""
    weights = examples.weights
    return (examples.X, examples.Y) if weights is None else (examples.X, examples.Y, weights)
