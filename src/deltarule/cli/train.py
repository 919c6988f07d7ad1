"""`deltarule train`: load, train, keep the best network on the validation part, save it, say how good it is."""

import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from deltarule.cli import summary
from deltarule.cli.choice_checks import check_choices
from deltarule.cli.choices import Choices
from deltarule.cli.clock import STARTED
from deltarule.cli.failures import BAD_INPUT, INTERRUPTED
from deltarule.cli.loading import division, leads, load_data, load_streamed
from deltarule.cli.plan import long_training, make_plan
from deltarule.cli.reading import Screen
from deltarule.cli.screen import emit_json, show_notes, warnings_as_notes
from deltarule.cli.series import train_series

if TYPE_CHECKING:
    from deltarule.data import LoadedData
    from deltarule.models.outcome import Outcome


def train(choices: Choices, screen: Screen) -> None:
    """Train a network on SOURCE, by default real handwritten digits, and save it.

    A folder of .parquet files, or of x.npy and y.npy, stays on disk and is read in pieces, whatever its size.

    The rows are split 70/15/15 into training, validation and test parts, at random or by `--split blocks` in their
    order (MNIST as in Nielsen's book; of a large folder less is held out, at most 32 MiB a part). The network kept is
    the best one on the validation part, with `--trainer bayesian` the one of the largest evidence, and with
    `--cost huber` or `poisson` the last one where neither --trainer nor --patience is given; the test part is looked at
    once, at the end.

    With --time or --lags the rows are steps of a time series, which is split 85/15 in the order of time.
    """
    check_choices(choices)
    if choices.is_series:
        train_series(choices, screen)
        return
    if choices.coordinator is not None:
        from deltarule.engine.processes import join

        join(choices.coordinator, choices.processes, choices.process_id)
    data, outcome = _run(choices)
    if leads(choices):
        _finish(choices, data, outcome, screen)


def _run(choices: Choices) -> tuple["LoadedData", "Outcome"]:
    """Load and train."""
    from deltarule.cli.play import watched
    from deltarule.cli.progress import TrainingProgress
    from deltarule.models.fitting import fit, target_scaling

    data = load_streamed(choices) if choices.streamed else load_data(choices)
    plan = make_plan(choices, data)
    devices, share = division(choices)
    if leads(choices) and choices.devices is None and not data.streamed:
        show_notes(long_training(choices, plan, data))  # pyright: ignore[reportArgumentType]
    with (
        TrainingProgress(plan.max_epochs, len(data.train), plan.monitor) as progress,
        watched(choices.watch and leads(choices)) as onlookers,
        warnings_as_notes(),
        _ended_like_ctrl_c(),
    ):
        outcome = fit(
            plan,
            data.train,
            data.validation,
            target_scaling(data),
            shard=share,
            time_limit=choices.time_limit,
            record=choices.recorded or (),
            callbacks=[progress.epoch, *onlookers] if leads(choices) else [],
            seed=choices.seed,
            engine=choices.engine or "auto",
            devices=devices,
            checkpoint=choices.checkpoint,
            checkpoint_every=choices.checkpoint_every or 1,
            resume=choices.resume,
        )
    return data, outcome


def _finish(choices: Choices, data: "LoadedData", outcome: "Outcome", screen: Screen) -> None:
    """Score, judge, save, report, and leave with the exit code that the stop asks for."""
    from deltarule.models.fitting import finish_model

    result = outcome.result
    model = finish_model(outcome, data, summary.origin_of(choices))
    # A network without one good epoch must not take the place of a trained one.
    saved = result.best_epoch > 0 or not choices.model.exists()
    if saved:
        model.save(choices.model)
    record = summary.json_record(choices, model, saved, time.perf_counter() - STARTED)
    screen.console.print(summary.panel(model, record, resumed=choices.resume is not None))
    if (verdict := summary.verdict_panel(model)) is not None:
        screen.console.print(verdict)
    if saved:
        for words in summary.next_commands(choices, data):
            screen.line(words, "bold")
    if screen.as_json:
        emit_json(record)
    if result.stop_reason in ("diverged", "interrupted"):
        print(summary.farewell(choices, model, saved), file=sys.stderr)
        raise typer.Exit(BAD_INPUT if result.stop_reason == "diverged" else INTERRUPTED)


@contextmanager
def _ended_like_ctrl_c() -> Iterator[None]:
    """Have SIGTERM, as a scheduler or a shutdown sends it, end a training like Ctrl-C: what was learnt is saved.

    Only the main thread of a process can; elsewhere nothing changes.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
