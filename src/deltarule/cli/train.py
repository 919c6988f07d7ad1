"""`deltarule train`: load, train, keep the best network on the validation part, save it, say how good it is."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deltarule.cli import STARTED
from deltarule.cli.choices import Choices, check_choices
from deltarule.cli.options import REAL, WHOLE, AsJson, DataDir, DropMissing
from deltarule.cli.screen import console_for, emit_json, line, show_notes

if TYPE_CHECKING:
    from deltarule.cli.plan import Plan
    from deltarule.data import DataSet
    from deltarule.training import TrainingResult


def train(
    source: Annotated[
        str, typer.Argument(metavar="SOURCE", help="digits, mnist, or a .csv or .parquet file.")
    ] = "digits",
    target: Annotated[
        str | None,
        typer.Option(metavar="COLUMNS", help="The column of a table to learn, or several with commas between."),
    ] = None,
    task: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="classification or regression [default: as the target looks]."),
    ] = None,
    hidden: Annotated[
        str | None,
        typer.Option(
            metavar="SIZES",
            help="Neurons of the hidden layers, such as 30 or 30,20 "
            "[default: 200 for digits, 100 for mnist, else 30; 10 for lm, newton-cg].",
        ),
    ] = None,
    activation: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Of the hidden layers: sigmoid, tanh, relu, softplus, linear "
            "[default: relu for digits, tanh for a regression, else sigmoid].",
        ),
    ] = None,
    cost: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="quadratic or cross-entropy, with sigmoid outputs; log-likelihood, with softmax outputs; "
            "a regression has quadratic with linear outputs.",
        ),
    ] = None,
    trainer: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="sgd, gd, momentum, adam, lm or newton-cg [default: adam for a regression, else sgd]."
        ),
    ] = None,
    eta: Annotated[
        float | None, typer.Option(**REAL, help="The learning rate [default: the trainer's, see the summary].")
    ] = None,
    batch_size: Annotated[
        int | None, typer.Option(**WHOLE, help="Examples of a step [default: 10; all for gd, lm, newton-cg].")
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option(
            **WHOLE,
            help="Passes over the data "
            "[default: 30 for digits and mnist, else 300; 1000 for gd, 100 for lm, newton-cg].",
        ),
    ] = None,
    l2: Annotated[
        float | None,
        typer.Option("--l2", **REAL, help="Lambda of the L2 regularisation [default: 0]."),
    ] = None,
    l1: Annotated[
        float | None,
        typer.Option("--l1", **REAL, help="Lambda of the L1 regularisation [default: 0]."),
    ] = None,
    max_norm: Annotated[
        float | None, typer.Option(**REAL, help="The most that the weights into a neuron may measure, ‖w‖.")
    ] = None,
    dropout: Annotated[
        float | None, typer.Option(**REAL, help="The share of each hidden layer dropped in a step, from 0 to below 1.")
    ] = None,
    momentum: Annotated[
        float | None, typer.Option(**REAL, help="Mu, from 0 to below 1 [default: 0.9 for momentum].")
    ] = None,
    halve_after: Annotated[
        int | None,
        typer.Option(**WHOLE, help="Halve eta after so many epochs without a better validation score; stop at 1/128."),
    ] = None,
    expand: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KIND",
            help="More training images from the ones there are: shift (by a pixel, four ways), rotate, elastic; "
            "repeat the option for several.",
        ),
    ] = None,
    seed: Annotated[
        int, typer.Option(**WHOLE, help="Of the split, the first weights and the order of the examples.")
    ] = 0,
    patience: Annotated[
        int | None, typer.Option(**WHOLE, help="Stop after so many epochs without a better validation score.")
    ] = None,
    time_limit: Annotated[float | None, typer.Option(**REAL, help="Begin no epoch after so many seconds.")] = None,
    data_dir: DataDir = None,
    drop_missing: DropMissing = False,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where to save the network [default: the source's name]."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Train a network on SOURCE, by default real handwritten digits, and save it.

    The rows are split 70/15/15 into training, validation and test parts (MNIST as in Nielsen's book). The network
    kept is the best one on the validation part; the test part is looked at once, at the end.
    """
    choices = Choices(
        source, target, task, data_dir, drop_missing, hidden, activation, cost, trainer, eta, batch_size, epochs, l2,
        l1, max_norm, dropout, momentum, halve_after, tuple(expand) if expand else None, seed, patience,
        time_limit, out,
    )  # fmt: skip
    check_choices(choices)
    data, plan, result = _run(choices)
    _finish(choices, data, plan, result, as_json)


def _run(choices: Choices) -> tuple["DataSet", "Plan", "TrainingResult"]:
    """Load and train."""
    import deltarule as dr
    from deltarule.cli.compilation import keep_compiled_code
    from deltarule.cli.plan import make_plan
    from deltarule.cli.progress import TrainingProgress

    data = _load(choices)
    plan = make_plan(choices, data)
    keep_compiled_code()
    with TrainingProgress(plan.epochs, len(data.train), plan.monitor) as progress:
        result = dr.train(
            plan.net,
            data.train.X,
            data.train.Y,
            trainer=plan.trainer,
            epochs=plan.epochs,
            validation_data=(data.validation.X, data.validation.Y),
            seed=choices.seed,
            stopping=dr.Stopping(max_fail=choices.patience, time_limit=choices.time_limit),
            monitor=plan.monitor,
            callbacks=[progress.epoch],
        )
    return data, plan, result


def _load(choices: Choices) -> "DataSet":
    from deltarule import data
    from deltarule.cli.options import data_folders
    from deltarule.cli.progress import DownloadProgress
    from deltarule.data.expansion import expand_training_part

    with DownloadProgress() as progress:
        loaded = data.load(
            choices.source,
            target=choices.target,
            task=choices.task,
            data_dir=data_folders(choices.data_dir),
            seed=choices.seed,
            drop_missing=choices.drop_missing,
            progress=progress,
        )
    if choices.expand is not None:
        loaded = expand_training_part(loaded, choices.expand, choices.seed)
    show_notes(loaded.notes)
    return loaded


def _finish(choices: Choices, data: "DataSet", plan: "Plan", result: "TrainingResult", as_json: bool) -> None:
    """Score, save, report, and leave with the exit code that the stop asks for."""
    import deltarule as dr
    from deltarule.cli import summary
    from deltarule.cli.failures import BAD_INPUT, INTERRUPTED

    scores = summary.score(plan, data, result)
    # A network without one good epoch must not take the place of a trained one.
    saved = result.best_epoch > 0 or not choices.model.exists()
    if saved:
        training = summary.training_record(choices, data, plan, result, scores)
        dr.save(choices.model, plan.net, result.params, schema=data.schema.to_json(), training=training)
    record = summary.json_record(choices, plan, result, scores, saved, time.perf_counter() - STARTED)
    console = console_for(as_json)
    console.print(summary.panel(data, plan, result, scores, record))
    if saved:
        for words in summary.next_commands(choices):
            line(console, words, "bold")
    if as_json:
        emit_json(record)
    if result.stop_reason in ("diverged", "interrupted"):
        summary.warn(summary.farewell(choices, plan, result, saved))
        raise typer.Exit(BAD_INPUT if result.stop_reason == "diverged" else INTERRUPTED)
