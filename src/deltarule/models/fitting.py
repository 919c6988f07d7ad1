"""From a plan and examples to a trained network: the one pipeline of estimators, `fit_table` and `deltarule train`."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from deltarule.data.dataset import Examples
from deltarule.models.candidates import Candidate, epochs_within, get_effort, search
from deltarule.models.judging import judge
from deltarule.models.model import Model
from deltarule.models.outcome import Outcome, kind_of, merged, outcome_of
from deltarule.models.plan import Plan
from deltarule.models.record import score, training_record
from deltarule.models.verdict import Verdict
from deltarule.network.backprop import Params
from deltarule.network.network import Network
from deltarule.trainers.base import Trainer
from deltarule.trainers.bayesian.steps import Steps
from deltarule.trainers.stopping import Stopping, stop_sentence
from deltarule.training.session import FROM_OUTSIDE, Callback, Onlooker, TrainingResult
from deltarule.training.streaming.training import train_stream
from deltarule.training.train import train

if TYPE_CHECKING:
    from deltarule.data import LoadedData

CHUNK_BYTES = 2**26  # that a folder's chunks take; their copies on the device come on top, so this fits 1 GiB in all
OF_ONE = ("params", "checkpoint", "resume", "devices", "record")  # what belongs to a training of one network
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
    scales: np.ndarray,
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
        scales: what each target of a regression was divided by, (k,).
        callbacks: as in `train`; of several candidates they see the epochs of all, numbered through.
        time_limit: seconds.
        how: as of `run`. What is kept or watched of one training alone, such as a checkpoint, leaves no candidates.
    """
    how |= {"callbacks": callbacks}
    if not plan.candidates or any(how.get(name) for name in OF_ONE) or any(isinstance(c, Onlooker) for c in callbacks):
        result = run(plan, training, validation, time_limit=time_limit, **how)
        return outcome_of(plan, result, training, validation, scales)
    kind, effort = kind_of(plan), get_effort(plan.effort)
    began, seed, ended, epochs = time.perf_counter(), how["seed"], [], [0]
    plain: list[tuple[Plan, TrainingResult]] = []

    def left() -> float | None:
        return None if time_limit is None else max(0.0, time_limit - (time.perf_counter() - began))

    def shifted(callback: Callback) -> Callback:
        return lambda record: callback(record | {"epoch": record["epoch"] + epochs[0]})

    def one(candidate: Candidate, number: int) -> Any:
        own, X = plan.of(candidate), np.asarray(training.X, np.float64)
        steps = Steps.of(X, plan.net.layers[0].activation, candidate.steps) if candidate.steps else None  # pyright: ignore[reportAttributeAccessIssue]
        if candidate.steps and steps is None:
            return None
        seen = training if steps is None else replace(training, X=steps(X))
        start = starting_point(candidate, own.net, own.trainer, seed, number, seen.X.shape[1:])
        flops = own.trainer.epoch_flops(own.net.sizes(seen.X.shape[1:]), len(training.X))
        own = replace(own, epochs=epochs_within(effort, len(training.X), flops, own.epochs))
        told = how | {"params": start, "callbacks": [shifted(callback) for callback in callbacks]}
        result = run(own, seen, None, time_limit=left(), **told)
        epochs[0] += result.epochs
        ended.append(result)
        plain.extend([(own, result)] if steps is None else [])
        return kind.judged(own.net, result, training, steps) if result.epochs else None

    def late() -> bool:
        return bool(ended and ended[-1].stop_reason in FROM_OUTSIDE) or (time_limit is not None and left() <= 0)  # pyright: ignore[reportOptionalOperand]

    found = search(plan.candidates, one, kind.weigher(training), effort, late)
    if not found.members:
        own, result = plain[0] if plain else (plan, run(plan, training, validation, time_limit=left(), **how))
        return outcome_of(replace(own, candidates=()), result, training, validation, scales)
    outcome = merged(plan, found.members, found.weights, training, scales, found.tried)
    reason = ended[-1].stop_reason
    if reason not in FROM_OUTSIDE and not (late() and found.tried < len(plan.candidates)):
        return outcome
    reason = reason if reason in FROM_OUTSIDE else "time_limit"
    message = stop_sentence(reason, epochs[0], Stopping(time_limit=time_limit), plan.trainer, True)
    return replace(outcome, result=replace(outcome.result, stop_reason=reason, message=message))


def starting_point(
    candidate: Candidate, net: Network, trainer: Trainer, seed: int, number: int, shape: tuple[int, ...]
) -> Params:
    """Fresh parameters of candidate `number`."""
    start = net.starts(seed, number + 1, shape, trainer.dtype, trainer.initializers)[number]
    return trainer.diversify([start, start])[1] if candidate.nearly_linear else start


def scales_of(data: "LoadedData") -> np.ndarray:
    """What each target of a data set was divided by, (k,)."""
    return np.array([column.std for column in data.schema.targets])


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
