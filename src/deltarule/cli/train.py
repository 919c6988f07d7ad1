"""`deltarule train`: load, train, save the network, and say how good it is."""

import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from deltarule.cli import summary
from deltarule.cli.clock import STARTED
from deltarule.cli.failures import BAD_INPUT, INTERRUPTED
from deltarule.cli.loading import choose_devices, is_main_process, load_data, load_streamed
from deltarule.cli.plan import long_training_notes, make_plan
from deltarule.cli.screen import print_json, show_notes, warnings_as_notes
from deltarule.cli.series import train_series
from deltarule.cli.shared_options import OutputOptions
from deltarule.cli.training_checks import check_training_options
from deltarule.cli.training_options import TrainingOptions

if TYPE_CHECKING:
    from deltarule.data import LoadedData
    from deltarule.models.outcome import Outcome


def train(options: TrainingOptions, output: OutputOptions) -> None:
    """Train a network on SOURCE, by default real handwritten digits, and save it.

    SOURCE is split 70/15/15 into training, validation and test rows, at random or by `--split blocks` in their order.
    (MNIST is split as in Nielsen's book; a large folder holds out at most 32 MiB for validation and for the test.)
    Training keeps the network that is best on the validation rows; `--trainer bayesian` keeps the one with the largest
    evidence, and `--cost huber` or `poisson` without --trainer and --patience the last one. The test rows are used
    once, at the end, to say how good the network is.

    A folder of .parquet files, or of x.npy and y.npy, may be larger than memory: it is read in pieces.

    With --time or --lags the rows are the steps of a time series; the first 85 % train, the last 15 % test.
    """
    check_training_options(options)
    if options.is_series:
        train_series(options, output)
        return
    if options.coordinator is not None:
        from deltarule.engine.processes import join

        join(options.coordinator, options.processes, options.process_id)
    data, outcome = _run(options)
    if is_main_process(options):
        _finish(options, data, outcome, output)


def _run(options: TrainingOptions) -> tuple["LoadedData", "Outcome"]:
    from deltarule.cli.play import watched
    from deltarule.cli.progress import TrainingProgress
    from deltarule.models.fitting import fit, target_scaling

    data = load_streamed(options) if options.is_streamed else load_data(options)
    plan = make_plan(options, data)
    devices, share = choose_devices(options)
    if is_main_process(options) and options.devices is None and not data.streamed:
        show_notes(long_training_notes(options, plan, data))  # pyright: ignore[reportArgumentType]
    with (
        TrainingProgress(plan.max_epochs, len(data.train), plan.monitor) as progress,
        watched(options.watch and is_main_process(options), data.schema, plan.trainer_name) as watchers,
        warnings_as_notes(),
        _sigterm_as_ctrl_c(),
    ):
        outcome = fit(
            plan,
            data.train,
            data.validation,
            target_scaling(data),
            shard=share,
            time_limit=options.time_limit,
            record=options.recorded or (),
            callbacks=[progress.epoch, *watchers] if is_main_process(options) else [],
            seed=options.seed,
            engine=options.engine or "auto",
            devices=devices,
            checkpoint=options.checkpoint,
            checkpoint_every=options.checkpoint_every or 1,
            resume=options.resume,
        )
    return data, outcome


def _finish(options: TrainingOptions, data: "LoadedData", outcome: "Outcome", output: OutputOptions) -> None:
    from deltarule.models.fitting import finish_model

    result = outcome.result
    model = finish_model(outcome, data, summary.training_origin(options))
    # A network without one complete epoch must not replace a trained one.
    saved = result.best_epoch > 0 or not options.model.exists()
    if saved:
        model.save(options.model)
    record = summary.json_record(options, model, saved, time.perf_counter() - STARTED)
    output.console.print(summary.panel(model, record, resumed=options.resume is not None))
    if (verdict := summary.verdict_panel(model)) is not None:
        output.console.print(verdict)
    if saved and (commands := summary.next_commands(options, data)):
        output.print_line("Next, for example:")
        output.print_line("\n".join(commands), "bold")
    if output.as_json:
        print_json(record)
    if result.stop_reason in ("diverged", "interrupted"):
        print(summary.interruption_message(options, model, saved), file=sys.stderr)
        raise typer.Exit(BAD_INPUT if result.stop_reason == "diverged" else INTERRUPTED)


@contextmanager
def _sigterm_as_ctrl_c() -> Iterator[None]:
    """Let SIGTERM, which schedulers and shutdowns send, end a training like Ctrl-C, so that the network is saved.

    Python handles signals in the main thread only; in another one nothing changes.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
