"""From a plan and examples to a trained network: the one pipeline of estimators, `fit_table` and `deltarule train`."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from deltarule.data.dataset import Examples
from deltarule.models.judging import judge
from deltarule.models.model import Model
from deltarule.models.outcome import outcome_of
from deltarule.models.plan import Plan
from deltarule.models.record import score, training_record
from deltarule.models.verdict import Verdict
from deltarule.trainers.stopping import Stopping
from deltarule.training.session import Callback, TrainingResult
from deltarule.training.streaming.training import train_stream
from deltarule.training.train import train

if TYPE_CHECKING:
    from deltarule.data import LoadedData

CHUNK_BYTES = 2**26  # that a folder's chunks take; their copies on the device come on top, so this fits 1 GiB in all
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


def finished(plan: Plan, data: "LoadedData", result: TrainingResult, origin: dict[str, Any]) -> Model:
    """The network that a training on a data set has come to, with its scores, its verdict and its record.

    Args:
        plan: of the training.
        data: its test part is looked at here, and only here.
        result: of the training.
        origin: what the record says of the data and the options.
    """
    scales = np.array([column.std for column in data.schema.targets])
    outcome = outcome_of(plan, result, data.train, data.validation, scales)  # pyright: ignore[reportArgumentType]
    net, params, known = outcome.plan.net, outcome.result.params, outcome.known
    scores = score(net, params, data)
    verdict = judge(data, outcome, scores) if result.best_epoch > 0 else Verdict({})
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
