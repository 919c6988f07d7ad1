"""`deltarule train`: load, train, keep the best network on the validation part, save it, say how good it is."""

import time
from functools import partial
from typing import TYPE_CHECKING, Any

import typer

from deltarule.cli.choice_checks import check_choices
from deltarule.cli.choices import Choices
from deltarule.cli.clock import STARTED
from deltarule.cli.division import division, leads
from deltarule.cli.options import AsJson
from deltarule.cli.outcome import Outcome, merge_starts
from deltarule.cli.screen import console_for, emit_json, finite, line, show_notes, warnings_as_notes
from deltarule.cli.signals import end_like_interrupt

if TYPE_CHECKING:
    from deltarule.cli.plan import Plan
    from deltarule.data import DataSet, Examples, LoadedData
    from deltarule.training.train import TrainingResult


def train(choices: Choices, as_json: AsJson = False) -> None:
    """Train a network on SOURCE, by default real handwritten digits, and save it.

    A folder of .parquet files, or of x.npy and y.npy, stays on disk and is read in pieces, whatever its size.

    The rows are split 70/15/15 into training, validation and test parts, at random or by `--split blocks` in their
    order (MNIST as in Nielsen's book; of a large folder less is held out, at most 32 MiB a part). The network kept is
    the best one on the validation part, with `--trainer bayesian` the one of the largest evidence, and with
    `--cost huber` or `poisson` the last one where neither --trainer nor --patience is given; the test part is looked at
    once, at the end.
    """
    check_choices(choices)
    if choices.coordinator is not None:
        from deltarule.engine.processes import join

        join(choices.coordinator, choices.processes, choices.process_id)
    data, plan, result = _run(choices)
    if leads(choices):
        _finish(choices, data, merge_starts(data, plan, result), as_json)


def _run(choices: Choices) -> tuple["LoadedData", "Plan", "TrainingResult"]:
    """Load and train."""
    import deltarule as dr
    from deltarule.cli.duration import long_training
    from deltarule.cli.planning import make_plan
    from deltarule.cli.progress import TrainingProgress
    from deltarule.cli.streamed import CHUNK_BYTES, load_streamed
    from deltarule.data import StreamedData

    data = load_streamed(choices, leads(choices)) if choices.streamed else load_data(choices)
    plan = make_plan(choices, data)
    devices, share = division(choices)
    if isinstance(data, StreamedData):
        train = partial(dr.train_stream, plan.net, data.train, memory=CHUNK_BYTES)
    else:
        if leads(choices) and choices.devices is None:
            show_notes(long_training(choices, plan, data))
        train = partial(
            dr.train,
            plan.net,
            *share(data.train.X, data.train.Y),
            weights=None if data.train.weights is None else share(data.train.weights)[0],
            restarts=plan.restarts,
            monitor=plan.monitor,
            record=choices.recorded or (),
        )
    with (
        TrainingProgress(plan.epochs, len(data.train), plan.monitor) as progress,
        warnings_as_notes(),
        end_like_interrupt(),
    ):
        result = train(
            trainer=plan.trainer,
            epochs=plan.epochs,
            validation_data=share(*_weighted(data.validation)) if plan.validated else None,
            seed=choices.seed,
            engine=choices.engine or "auto",
            stopping=dr.Stopping(max_fail=choices.patience if plan.validated else None, time_limit=choices.time_limit),
            devices=devices,
            checkpoint=choices.checkpoint,
            checkpoint_every=choices.checkpoint_every or 1,
            resume=choices.resume,
            callbacks=[progress.epoch] if leads(choices) else [],
        )
    return data, plan, result


def _weighted(part: "Examples") -> tuple[Any, ...]:
    """Inputs and targets, and the weights where there are some."""
    return (part.X, part.Y) if part.weights is None else (part.X, part.Y, part.weights)


def load_data(choices: Choices) -> "DataSet":
    """The source, its training images expanded if asked; the notes about it are shown."""
    from deltarule import data
    from deltarule.cli.progress import DownloadProgress
    from deltarule.data.expansion import expand_training_part

    with DownloadProgress() as progress:
        loaded = data.load(
            choices.source,
            target=choices.target,
            task=choices.task_or_regression,
            data_dir=choices.folders,
            seed=choices.seed,
            split=choices.split,
            drop_missing=choices.drop_missing,
            options=choices.table_options,
            by_mean=choices.cost == "poisson",
            progress=progress,
        )
    if choices.expand is not None:
        loaded = expand_training_part(loaded, choices.expand, choices.seed)
    if leads(choices):
        show_notes(loaded.notes)
    return loaded


def _finish(choices: Choices, data: "LoadedData", outcome: Outcome, as_json: bool) -> None:
    """Score, judge, save, report, and leave with the exit code that the stop asks for."""
    import deltarule as dr
    from deltarule.cli import summary
    from deltarule.cli.class_verdict import learnt_nothing
    from deltarule.cli.failures import BAD_INPUT, INTERRUPTED
    from deltarule.cli.verdict import judge
    from deltarule.data import DataSet
    from deltarule.trainers.bayesian.stored import as_tensors

    plan, result = outcome.plan, outcome.result
    scores = summary.score(plan, data, result)
    # A network without one good epoch must not take the place of a trained one.
    learnt = result.best_epoch > 0
    saved = learnt or not choices.model.exists()
    verdict = None
    if learnt and choices.kind != "images" and isinstance(data, DataSet):
        verdict = judge(data, outcome, scores)
    found = {} if outcome.known is None else outcome.known.record()
    found |= {} if verdict is None else verdict.record()
    stuck = []
    if learnt and verdict is None and data.task == "classification":
        stuck = learnt_nothing(data, scores, plan.settings.eta)
        found |= {"warnings": stuck}
    if saved:
        training = summary.training_record(choices, data, plan, result, scores) | finite(found)
        bars = None if outcome.known is None else as_tensors(outcome.known.ensemble)
        dr.save(
            choices.model, plan.net, result.params, schema=data.schema.to_json(), training=training, error_bars=bars
        )
    record = summary.json_record(choices, plan, result, scores, saved, time.perf_counter() - STARTED)
    console = console_for(as_json)
    console.print(
        summary.panel(data, plan, result, scores, record, resumed=choices.resume is not None, known=outcome.known)
    )
    if verdict is not None:
        console.print(verdict.panel())
    for words in stuck:
        line(console, f"warning: {words}", "bold yellow")
    if saved:
        for words in summary.next_commands(choices, data):
            line(console, words, "bold")
    if as_json:
        emit_json(record | found)
    if result.stop_reason in ("diverged", "interrupted"):
        summary.warn(summary.farewell(choices, plan, result, saved))
        raise typer.Exit(BAD_INPUT if result.stop_reason == "diverged" else INTERRUPTED)
