"""`deltarule search`: many trainings with other hyper-parameters, the hopeless ones given up, the best one saved."""

import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deltarule.cli.choice_checks import check_choices
from deltarule.cli.choices import Choices
from deltarule.cli.clock import STARTED
from deltarule.cli.options import WHOLE, AsJson, DataDir, Decimal, DropMissing, Na, Sep
from deltarule.cli.screen import command, console_for, emit_json, line, number, share, show_notes, warnings_as_notes
from deltarule.cli.train import load_data
from deltarule.cli.training_options import (
    L1,
    L2,
    Activation,
    BatchSize,
    Category,
    Cost,
    Drop,
    Dropout,
    Engine,
    Epochs,
    Eta,
    Expand,
    HalveAfter,
    Hidden,
    Init,
    MaxNorm,
    Missing,
    Model,
    Momentum,
    Monitor,
    Nesterov,
    Out,
    Seed,
    Split,
    Target,
    Task,
    TrainingSource,
)
from deltarule.errors import counted

if TYPE_CHECKING:
    from deltarule.cli.plan import Plan
    from deltarule.data import DataSet
    from deltarule.tuning import SearchResult, Trial

METHODS = ("random", "grid", "bayes")
MOST_ROWS = 15  # of the table of trials


def search(
    source: TrainingSource = "digits",
    vary: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUES",
            help="eta=0.01:10 (a range) or hidden=30,100,30x20 (values); repeat the option for several: eta, "
            "batch-size, l2, l1, max-norm, dropout, momentum, init, hidden, activation, cost, trainer.",
            show_default="eta and l2 over three decades and more",
        ),
    ] = None,
    method: Annotated[
        str, typer.Option(metavar="NAME", help="random, grid (every combination), or bayes (needs optuna).")
    ] = "random",
    trials: Annotated[
        int,
        typer.Option(
            **WHOLE, help="How many trainings to begin; a grid, or lists of fewer combinations, have their own number."
        ),
    ] = 20,
    points: Annotated[int, typer.Option(**WHOLE, help="How many numbers of a range a grid takes.")] = 5,
    prune: Annotated[bool, typer.Option(help="Give up hopeless trials early, by successive halving.")] = True,
    target: Target = None,
    task: Task = None,
    hidden: Hidden = None,
    model: Model = None,
    activation: Activation = None,
    cost: Cost = None,
    trainer: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="sgd, gd, momentum, adam, lm or newton-cg.",
            show_default="sgd; adam for a regression",
        ),
    ] = None,
    eta: Eta = None,
    batch_size: BatchSize = None,
    epochs: Epochs = None,
    l2: L2 = None,
    l1: L1 = None,
    max_norm: MaxNorm = None,
    dropout: Dropout = None,
    momentum: Momentum = None,
    nesterov: Nesterov = False,
    init: Init = None,
    engine: Engine = None,
    halve_after: HalveAfter = None,
    expand: Expand = None,
    monitor: Monitor = None,
    split: Split = None,
    seed: Seed = 0,
    data_dir: DataDir = None,
    drop_missing: DropMissing = False,
    sep: Sep = None,
    decimal: Decimal = None,
    na: Na = None,
    drop: Drop = None,
    category: Category = None,
    missing: Missing = None,
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Search for hyper-parameters: train on SOURCE with many, and save what does best on the validation part.

    Whatever is not varied is as in `deltarule train`, but for the trainer of a regression: a search judges by the
    validation part, which bayesian does without. The test part is looked at once, for the winner. A model file that is
    there already stays if its network scores better on the same rows; then the winner goes to a file beside it.
    """
    choices = Choices.from_options(locals())
    _check(choices, method, trials, points)
    if choices.model.exists():
        show_notes(
            [f"{choices.model} is there already: a network that scores worse on the same rows will not replace it"]
        )
    data, epochs, found = _run(choices, vary or [], method, trials, points, prune)
    _finish(choices, data, epochs, found, method, as_json)


def _check(choices: Choices, method: str, trials: int, points: int) -> None:
    """Check every option that can be checked without the data."""
    from deltarule.checks import require_choice, require_count

    check_choices(choices)
    require_choice("--method", method, METHODS)
    require_count("--trials", trials)
    require_count("--points", points, least=2)


def _run(
    choices: Choices, vary: list[str], method: str, trials: int, points: int, prune: bool
) -> tuple["DataSet", int, "SearchResult"]:
    """Load, and search; the data, the epochs of a trial and what was found."""
    import deltarule as dr
    from deltarule.cli.planning import make_plan
    from deltarule.cli.variation import default_space, parse_variations

    space = parse_variations(vary, choices)
    data = load_data(choices)
    plan = make_plan(_with_first_values(choices, space), data, searching=True)
    space = space or default_space(plan, choices)

    def build(values: dict[str, Any]) -> Any:
        planned = make_plan(replace(choices, **values), data, searching=True)
        return planned.net, planned.trainer

    done = 0

    def tell(trial: "Trial") -> None:
        nonlocal done
        done += 1
        print(f"trial {done}: {_words(trial, plan.monitor)}", file=sys.stderr)

    with warnings_as_notes():
        found = dr.search(
            build,
            space,
            data.train.X,
            data.train.Y,
            validation_data=(data.validation.X, data.validation.Y),
            epochs=plan.epochs,
            method=method,
            trials=trials,
            points=points,
            prune=prune,
            seed=choices.seed,
            monitor=plan.monitor,
            engine=choices.engine or "auto",
            callback=tell,
        )
    return data, plan.epochs, found


def _with_first_values(choices: Choices, space: Any) -> Choices:
    """The choices with the first value of all that is varied, so that the whole is checked before a trial runs."""
    return replace(
        choices, **{field: entry[0] if isinstance(entry, list) else entry.at(0) for field, entry in space.items()}
    )


def _words(trial: "Trial", monitor: str) -> str:
    """A trial in a line: what was chosen, how well it did, what became of it."""
    score = share(trial.accuracy) if monitor == "accuracy" else f"cost {number(trial.cost)}"
    return f"{_values(trial)}  validation {score}, {counted(trial.epochs, 'epoch')}, {trial.state}"


def _values(trial: "Trial") -> str:
    return " ".join(f"{name} {number(v) if isinstance(v, float) else v}" for name, v in trial.values.items())


def _as_trained(winner: Choices, data: "DataSet", trainer: str, epochs: int) -> Choices:
    """The winner's choices with its trainer and epochs named where `deltarule train` would take others."""
    from deltarule.cli.planning import make_plan

    if make_plan(winner, data).trainer_name != trainer:
        winner = replace(winner, trainer=trainer)
    return winner if make_plan(winner, data).epochs == epochs else replace(winner, epochs=epochs)


def _finish(choices: Choices, data: "DataSet", epochs: int, found: "SearchResult", method: str, as_json: bool) -> None:
    """Score the winner on the test part, save it, and say what was found."""
    import deltarule as dr
    from deltarule.cli import summary
    from deltarule.cli.failures import INTERRUPTED
    from deltarule.cli.kept_model import place_for
    from deltarule.cli.planning import make_plan
    from deltarule.cli.variation import as_options

    winner = replace(choices, **found.best.values)
    plan = make_plan(winner, data, searching=True)
    winner = _as_trained(winner, data, plan.trainer_name, epochs)
    scores = summary.score(plan, data, found.result)
    path, why = place_for(choices.model, data, scores)
    winner = winner if path == choices.model else replace(winner, out=path)
    training = summary.training_record(winner, data, plan, found.result, scores)
    dr.save(path, plan.net, found.result.params, schema=data.schema.to_json(), training=training)
    record = summary.json_record(winner, plan, found.result, scores, True, time.perf_counter() - STARTED)
    again = command("train", choices.source, *as_options(winner), *([] if path == choices.model else ["--out", path]))
    console = console_for(as_json)
    console.print(_table(found, plan))
    console.print(summary.panel(data, plan, found.result, scores, record, title="deltarule search"))
    line(console, f"The best trial is saved in {path}{why}. This command trains it again:")
    line(console, again, "bold")
    if as_json:
        trials = [vars(trial) for trial in found.trials]
        emit_json(record | {"method": method, "best": found.best.values, "trials": trials, "command": again})
    if found.interrupted:
        summary.warn(f"Interrupted: the best of {counted(len(found.trials), 'trial')} so far is saved in {path}.")
        raise typer.Exit(INTERRUPTED)


def _table(found: "SearchResult", plan: "Plan") -> Any:
    """The trials, best first."""
    from rich.table import Table
    from rich.text import Text

    table = Table(title=f"{counted(len(found.trials), 'trial')}, best first", title_justify="left")
    for name in (*found.best.values, f"validation {plan.monitor}", "epochs", "seconds", "state"):
        table.add_column(name.replace("_", "-"), justify="left" if name == "state" else "right", no_wrap=True)
    for trial in found.trials[:MOST_ROWS]:
        score = share(trial.accuracy) if plan.monitor == "accuracy" else number(trial.cost)
        cells = [number(value) if isinstance(value, float) else str(value) for value in trial.values.values()]
        row = (*cells, score, str(trial.epochs), f"{trial.seconds:.2f}", trial.state)
        table.add_row(*(Text(cell) for cell in row), style="bold green" if trial is found.trials[0] else "")
    if len(found.trials) > MOST_ROWS:
        table.add_row("...", *("" for _ in range(len(found.best.values) + 3)))
    return table
