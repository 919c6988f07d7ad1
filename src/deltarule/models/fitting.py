"""From a plan and examples to a trained model: the one pipeline of estimators, `fit_table` and `deltarule train`."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from deltarule.data.dataset import Examples
from deltarule.engine.randomness import generator
from deltarule.models import stacked_regressors
from deltarule.models.candidates import Candidate, affordable_epochs, get_effort, search
from deltarule.models.judging import judge
from deltarule.models.metrics import score_parts
from deltarule.models.model import Model
from deltarule.models.outcome import Outcome, average_members, build_outcome, stacking_of
from deltarule.models.plan import Plan
from deltarule.models.scaling import Scaling
from deltarule.models.verdict import Verdict
from deltarule.trainers.bayesian.log_scale import LogScale, prefers_log_scale
from deltarule.trainers.bayesian.steps import StepFeatures
from deltarule.trainers.stopping import Stopping, stop_sentence
from deltarule.training.session import INTERRUPTIONS, Callback, Onlooker, TrainingResult
from deltarule.training.streaming.training import train_stream
from deltarule.training.train import train

if TYPE_CHECKING:
    from deltarule.data import LoadedData

CHUNK_BYTES = 2**26  # of a folder's chunks; with their copies on the device all fits into 1 GiB
ONE_NETWORK = ("params", "checkpoint", "resume", "devices", "record")  # arguments that belong to a single network
MIN_RARE_ROWS = 20  # so many rows are drawn of a value that hardly any row has
Shard = Callable[..., tuple[Any, ...]]


def run(
    plan: Plan,
    training: Any,
    validation: Examples | None,
    *,
    shard: Shard = lambda *arrays: arrays,
    time_limit: float | None = None,
    record: Sequence[str] = (),
    callbacks: Sequence[Callback] = (),
    **options: Any,
) -> TrainingResult:
    """Train one network, with its restarts, as the plan says.

    Args:
        plan: the network, the trainer and its numbers.
        training: the examples, or a `Stream` of them.
        validation: the examples that choose the best epoch if the plan asks for them.
        shard: takes this process's shard of arrays.
        time_limit, record, callbacks, options: as in `train` or `train_stream`.
    """
    held_out = shard(*_arrays(validation)) if validation is not None and plan.validated else None
    patience = plan.patience if held_out is not None else None
    options |= {
        "trainer": plan.trainer,
        "epochs": plan.epochs,
        "validation_data": held_out,
        "stopping": Stopping(max_fail=patience, time_limit=time_limit),
        "callbacks": callbacks,
    }
    if plan.streamed:
        return train_stream(plan.net, training, memory=CHUNK_BYTES, **options)
    X, Y, *weights = shard(*_arrays(training))
    options |= {"weights": weights[0] if weights else None, "restarts": plan.restarts, "monitor": plan.monitor}
    return train(plan.net, X, Y, record=record, **options)


def fit(
    plan: Plan,
    training: Any,
    validation: Examples | None,
    targets: Scaling,
    *,
    callbacks: Sequence[Callback] = (),
    time_limit: float | None = None,
    **options: Any,
) -> Outcome:
    """Train as the plan says, with all its candidates if it has any.

    One of the options `ONE_NETWORK`, or a callback that watches one network, leaves no candidates. Other callbacks see
    the epochs of all candidates, numbered consecutively.

    Args:
        plan, training, validation, callbacks, time_limit, options: as in `run`.
        targets: how the targets of a regression were scaled.
    """
    if plan.rows is not None:
        training = draw_rows(training, plan.rows, options["seed"])
    watches_one = any(isinstance(callback, Onlooker) for callback in callbacks)
    if not plan.candidates or watches_one or any(options.get(name) for name in ONE_NETWORK):
        result = run(plan, training, validation, time_limit=time_limit, callbacks=callbacks, **options)
        return build_outcome(plan, result, training, validation, targets.std)
    trainings = CandidateTraining(plan, training, callbacks, time_limit, options)
    trainings.choose_scale(targets)
    weigh = trainings.stacking.weigher(trainings.examples)
    found = search(trainings.candidates, trainings.train, weigh, trainings.effort, trainings.is_over)
    if not found.members:
        plan, result = trainings.last_plain or (
            plan,
            run(plan, training, validation, time_limit=trainings.seconds_left(), **options),
        )
        return build_outcome(replace(plan, candidates=()), result, training, validation, targets.std)
    outcome = average_members(plan, found, trainings.examples, targets.std, trainings.log)
    outcome = outcome.of(found.tried, trainings.epochs)
    outcome = replace(outcome, result=replace(outcome.result, seconds=time.perf_counter() - trainings.began))
    interrupted = trainings.stop_reason in INTERRUPTIONS
    if not interrupted and not (trainings.is_over() and found.tried < len(trainings.candidates)):
        return outcome
    reason = trainings.stop_reason if interrupted else "time_limit"
    message = stop_sentence(reason, trainings.epochs, Stopping(time_limit=time_limit), plan.trainer, True)
    return replace(outcome, result=replace(outcome.result, stop_reason=reason, message=message))


def draw_rows(examples: Examples, count: int, seed: int) -> Examples:
    """Draw `count` examples at random, with probabilities in proportion to their weights.

    Weights of the drawn examples are at least 1. `MIN_RARE_ROWS` rows are added of what is so rare that none was drawn,
    such as a rare category.
    """
    random, weight = generator(seed, count), examples.each_weight
    key = np.log(random.random(len(examples))) / np.maximum(weight, 1e-300)  # Efraimidis & Spirakis 2006
    drawn = np.zeros(len(examples), bool)
    drawn[np.argsort(-key, kind="stable")[:count]] = True
    X = np.asarray(examples.X)
    constant = (X[drawn] == X[np.argmax(drawn)]).all(axis=0)
    for column in X[:, constant & (np.ptp(X, axis=0) > 0)].T:
        drawn[np.flatnonzero(column != column[np.argmax(drawn)])[:MIN_RARE_ROWS]] = True
    sample = examples.select(drawn)
    if sample.weights is None:
        return sample
    return replace(sample, weights=np.maximum(1, count / weight.sum() * sample.weights))


class CandidateTraining:
    """Trains the candidates of a plan one after another, on the targets or on their logarithm.

    Attributes:
        examples: the examples with the targets that are fitted.
        log: the transformation of these targets; None if there is none.
        epochs: the epochs of all candidates so far.
        stop_reason: of the last candidate.
        last_plain: the plan and the result of the last candidate without step features.
    """

    def __init__(self, plan: Plan, training: Any, callbacks: Any, time_limit: float | None, options: dict[str, Any]):
        self.plan, self.examples, self.options = plan, training, options
        self.stacking, self.effort = stacking_of(plan), get_effort(plan.effort)
        self.callbacks, self.time_limit, self.began = callbacks, time_limit, time.perf_counter()
        self.log: LogScale | None = None
        self.epochs, self.stop_reason = 0, ""
        self.last_plain: tuple[Plan, TrainingResult] | None = None
        self.first: list[Any] = []  # the first candidate, if it was trained to choose the scale

    def choose_scale(self, targets: Scaling) -> None:
        """Take the logarithm of the target if the first candidate predicts better with it, see `LogScale`."""
        if self.stacking is not stacked_regressors or not self.effort.tries_logarithm:
            return
        Y, weight = np.asarray(self.examples.Y, np.float64), self.examples.each_weight
        log = LogScale.of(Y, -targets.mean / targets.std, weight)
        if log is None:
            return
        examples, first = self.examples, self.plan.candidates[0]
        plain, last_plain = self.train(first, 0), self.last_plain
        self.examples = replace(examples, Y=log.encode(Y))
        logged = None if self.is_over() else self.train(first, 0)
        if plain is not None and logged is not None and prefers_log_scale(Y, plain, logged, log, weight):
            self.log, self.first = log, [logged]
        else:
            self.examples, self.last_plain, self.first = examples, last_plain, [plain]

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """The plan's candidates; for a logarithm without linear models, whose exponential is unbounded."""
        return tuple(each for each in self.plan.candidates if each.hidden or self.log is None)

    def train(self, candidate: Candidate, number: int) -> Any:
        """Train candidate `number` and predict its training rows, each left out; None if no epoch was completed."""
        if number == 0 and self.first:
            return self.first[0]
        plan, X = self.plan.for_candidate(candidate), np.asarray(self.examples.X, np.float64)
        steps = StepFeatures.of(X, self.plan.net.layers[0].activation, candidate.steps) if candidate.steps else None  # pyright: ignore[reportAttributeAccessIssue]
        if candidate.steps and steps is None:
            return None
        examples = self.examples if steps is None else replace(self.examples, X=steps(X))
        net, trainer, shape = plan.net, plan.trainer, examples.X.shape[1:]
        start = net.starts(self.options["seed"], number + 1, shape, trainer.dtype, trainer.initializers)[number]
        start = trainer.diversify([start, start])[1] if candidate.nearly_linear else start
        operations = trainer.epoch_flops(net.sizes(shape), len(X))
        plan = replace(plan, epochs=affordable_epochs(self.effort, len(X), operations, plan.epochs))
        callbacks = [self._numbered_on(callback) for callback in self.callbacks]
        options = self.options | {"params": start, "callbacks": callbacks}
        result = run(plan, examples, None, time_limit=self.seconds_left(), **options)
        self.epochs += result.epochs
        self.stop_reason = result.stop_reason
        if steps is None:
            self.last_plain = plan, result
        return self.stacking.leave_rows_out(net, result, self.examples, steps) if result.epochs else None

    def seconds_left(self) -> float | None:
        """The seconds until the time limit; None without a limit."""
        return None if self.time_limit is None else max(0.0, self.time_limit - (time.perf_counter() - self.began))

    def is_over(self) -> bool:
        """Whether no further candidate may begin."""
        return self.stop_reason in INTERRUPTIONS or self.seconds_left() == 0

    def _numbered_on(self, callback: Callback) -> Callback:
        """The callback, which sees epochs numbered on from those of the candidates before."""
        before = self.epochs
        return lambda record: callback(record | {"epoch": record["epoch"] + before})


def target_scaling(data: "LoadedData") -> Scaling:
    """The scaling of the targets of a data set."""
    return Scaling.from_columns(data.schema.targets)


def finish_model(outcome: Outcome, data: "LoadedData", origin: dict[str, Any]) -> Model:
    """Build the model with its scores, its verdict and its record; the test part is used here, and only here.

    `origin` has the entries of the record about the data and the options.
    """
    net, params, bayesian = outcome.plan.net, outcome.result.params, outcome.bayesian
    scores = score_parts(net, params, data)
    verdict = judge(data, outcome, scores) if outcome.result.best_epoch > 0 else Verdict({})
    return Model(
        net=net,
        params=params,
        schema=data.schema,
        training=outcome.record(data, scores) | verdict.record() | origin,
        error_bars=None if bayesian is None else bayesian.ensemble,
        examples=data.parts,
    )


def _arrays(examples: Examples) -> tuple[Any, ...]:
    """Inputs, targets and, if there are any, weights."""
    weights = examples.weights
    return (examples.X, examples.Y) if weights is None else (examples.X, examples.Y, weights)
