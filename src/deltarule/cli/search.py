"""`deltarule search`: train with many hyper-parameters, stop hopeless trials early, and save the best network.

--vary NAME=VALUES varies any option of `TrainingOptions` whose field says how.
"""

import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.text import Text

import deltarule as dr
from deltarule.cli import summary
from deltarule.cli.clock import STARTED
from deltarule.cli.failures import INTERRUPTED
from deltarule.cli.loading import load_data
from deltarule.cli.options import check_values, count, flag, one_of, option, options_of, to_arguments
from deltarule.cli.plan import make_plan
from deltarule.cli.screen import command_line, make_table, print_json, warnings_as_notes
from deltarule.cli.shared_options import OutputOptions
from deltarule.cli.training_checks import check_training_options
from deltarule.cli.training_options import TrainingOptions
from deltarule.errors import ConfigurationError, ModelFileError, format_number, pluralized
from deltarule.models.formatting import format_percent

if TYPE_CHECKING:
    from deltarule.data import DataSet
    from deltarule.models.plan import Plan
    from deltarule.tuning import Range, SearchResult, Space, Trial

# The fields of `TrainingOptions` that can vary, by their names on the command line: "batch-size": "batch_size".
VARIED = {
    flag(TrainingOptions, name).removeprefix("--"): name
    for name, opt in options_of(TrainingOptions).items()
    if opt.vary
}


def parse_variations(texts: list[str], options: TrainingOptions) -> "Space":
    """Parse "eta=0.01:10" and "hidden=30,100,30x20" into a space, by field, and check every value."""
    space: dict[str, Any] = {}
    for text in texts:
        name, _, values = text.partition("=")
        name, values = name.strip().removeprefix("--"), values.strip()
        if name not in VARIED or not values:
            raise ConfigurationError(
                f"--vary is {text!r}: give NAME=LOW:HIGH or NAME=VALUE,VALUE, such as 'eta=0.01:10' or "
                f"'hidden=30,100'; the names are {', '.join(VARIED)}"
            )
        field = VARIED[name]
        if field in space:
            raise ConfigurationError(f"--vary names {name!r} twice: give all its values at once")
        if getattr(options, field) is not None:
            raise ConfigurationError(f"--vary names {name!r}, but --{name} fixes it: leave one of them out")
        try:
            space[field] = _entry(field, values)
        except ConfigurationError as error:
            raise ConfigurationError(f"--vary is {text!r}: {error}") from None
        except ValueError:  # from float and int
            kind = "whole numbers" if options_of(TrainingOptions)[field].vary == "whole" else "numbers"
            raise ConfigurationError(f"--vary is {text!r}, but {name} has {kind} as values: correct it") from None
    trainers = ends(space.get("trainer", [options.trainer]))
    for field, entry in space.items():
        for value in ends(entry):
            for trainer in trainers if field != "trainer" else [value]:
                check_training_options(replace(options, **{"trainer": trainer, field: value}))
    return space


def _entry(field: str, text: str) -> "list[Any] | Range":
    """Parse the values or the range after the equals sign; 30x20 stands for --hidden 30,20."""
    from deltarule.tuning import Range

    how = options_of(TrainingOptions)[field].vary
    low, colon, high = text.partition(":")
    if not colon:
        values = [value.strip().replace("x", ",") if how == "sizes" else value.strip() for value in text.split(",")]
        read = {"whole": int, "log": float, "even": float}.get(how or "", str)
        return [read(value) for value in values]
    if how in ("names", "sizes"):
        raise ConfigurationError("it has no range: give values, separated by commas")
    return Range(float(low), float(high), log=how != "even", whole=how == "whole")


def ends(entry: Any) -> list[Any]:
    """The values of a list, or the two ends of a range."""
    return entry if isinstance(entry, list) else [entry.at(0), entry.at(1)]


def default_space(plan: "Plan", options: TrainingOptions) -> "Space":
    """The space without --vary: eta from a hundredth to ten times its default, and l2, as in [N] ch. 3."""
    from deltarule.tuning import Range

    space: dict[str, Any] = {}
    if plan.settings.eta is not None and options.eta is None:
        space["eta"] = Range(plan.settings.eta / 100, plan.settings.eta * 10)
    if options.l2 is None:
        space["l2"] = Range(1e-3, 10)
    return space


METHODS = ("random", "grid", "bayes")
MOST_ROWS = 15  # of the table of trials


@dataclass(frozen=True, kw_only=True)
class SearchOptions(OutputOptions):
    """The options that only `deltarule search` has."""

    vary: tuple[str, ...] | None = option(
        "What to vary: a range such as eta=0.01:10 or values such as hidden=30,100,30x20; repeat the option for "
        f"several. The names are {', '.join(VARIED)}.",
        "NAME=VALUES",
        default_text="eta and l2 over three decades or more",
    )
    method: str = option(
        "random, grid (all combinations), or bayes (needs optuna).", default="random", check=one_of(METHODS)
    )
    trials: int = option(
        "The number of trials, at most as many as there are combinations; a grid runs all of them.",
        default=20,
        check=count(),
    )
    points: int = option("How many numbers a grid takes from a range.", default=5, check=count(least=2))
    prune: bool = option("Stop hopeless trials early, by successive halving.", name="prune/--no-prune", default=True)


def search(search_options: SearchOptions, options: TrainingOptions) -> None:
    """Search for hyper-parameters: train on SOURCE with many of them, and save the best network on validation rows.

    All other options are as in `deltarule train`, except the trainer of a table, which is adam: bayesian uses no
    validation rows, by which a search chooses. The test rows are used once, for the best network. If the model file
    already exists and its network scores better on the same rows, it is kept, and the new one is saved beside it.
    """
    check_training_options(options)
    check_values(search_options)
    data, epochs, result = _run(options, search_options)
    _finish(options, data, epochs, result, search_options)


def _run(options: TrainingOptions, search_options: SearchOptions) -> tuple["DataSet", int, "SearchResult"]:
    """Load the data and search; return the data, the epochs of a trial and the result."""
    space = parse_variations(list(search_options.vary or ()), options)
    data = load_data(options)
    # A plan with the first value of everything that varies checks the options together before any trial runs.
    first = replace(options, **{field: ends(entry)[0] for field, entry in space.items()})
    plan = make_plan(first, data, searching=True)
    space = space or default_space(plan, options)

    def build(values: dict[str, Any]) -> Any:
        planned = make_plan(replace(options, **values), data, searching=True)
        return planned.net, planned.trainer

    done = 0

    def show(trial: "Trial") -> None:
        nonlocal done
        done += 1
        print(f"trial {done}: {_describe(trial, plan.monitor)}", file=sys.stderr)

    with warnings_as_notes():
        result = dr.search(
            build,
            space,
            data.train.X,
            data.train.Y,
            validation_data=(data.validation.X, data.validation.Y),
            epochs=plan.epochs,
            method=search_options.method,
            trials=search_options.trials,
            points=search_options.points,
            prune=search_options.prune,
            seed=options.seed,
            monitor=plan.monitor,
            engine=options.engine or "auto",
            callback=show,
        )
    return data, plan.epochs, result


def _describe(trial: "Trial", monitor: str) -> str:
    values = " ".join(f"{name} {format_number(v) if isinstance(v, float) else v}" for name, v in trial.values.items())
    score = format_percent(trial.accuracy) if monitor == "accuracy" else f"cost {format_number(trial.cost)}"
    return f"{values}  validation {score}, {pluralized(trial.epochs, 'epoch')}, {trial.state}"


def _as_trained(winner: TrainingOptions, data: "DataSet", trainer: str, epochs: int) -> TrainingOptions:
    """Name the winner's trainer, epochs and patience where `deltarule train` would choose others."""
    if make_plan(winner, data).trainer_name != trainer:
        winner = replace(winner, trainer=trainer)
    plan = make_plan(winner, data)
    winner = replace(winner, patience=epochs) if plan.patience else winner  # trials have no early stopping
    return winner if plan.epochs == epochs else replace(winner, epochs=epochs)


def _finish(
    options: TrainingOptions, data: "DataSet", epochs: int, result: "SearchResult", search_options: SearchOptions
) -> None:
    from deltarule.models.fitting import finish_model, target_scaling
    from deltarule.models.outcome import build_outcome

    winner = replace(options, **result.best.values)
    plan = make_plan(winner, data, searching=True)
    winner = _as_trained(winner, data, plan.trainer_name, epochs)
    outcome = build_outcome(plan, result.result, data.train, data.validation, target_scaling(data).std)
    model = finish_model(outcome, data, summary.training_origin(winner))
    path, why = choose_path(options.model, data, model.training["metrics"])
    winner = winner if path == options.model else replace(winner, out=path)
    model.training["options"] = winner.record()
    model.save(path)
    record = summary.json_record(winner, model, True, time.perf_counter() - STARTED)
    words = to_arguments(TrainingOptions, winner.record() | {"out": ()})
    again = command_line("train", options.source, *words, *([] if path == options.model else ["--out", path]))
    search_options.console.print(_table(result, plan))
    search_options.console.print(summary.panel(model, record, title="deltarule search"))
    search_options.print_line(f"The best trial is saved in {path}{why}. This command trains it again:")
    search_options.print_line(again, "bold")
    if search_options.as_json:
        trials = [vars(trial) for trial in result.trials]
        print_json(
            record | {"method": search_options.method, "best": result.best.values, "trials": trials, "command": again}
        )
    if result.interrupted:
        best = f"the best of {pluralized(len(result.trials), 'trial')} so far"
        print(f"Interrupted: {best} is saved in {path}.", file=sys.stderr)
        raise typer.Exit(INTERRUPTED)


def choose_path(path: Path, data: "DataSet", metrics: dict[str, Any]) -> tuple[Path, str]:
    """Choose the file for a network with these metrics, and explain the choice if it is not `path`.

    It is `path` unless a file there holds a network that is better on the validation or the test rows or cannot be
    compared with this one; then it is the first of NAME-search, NAME-search-2, ... of which neither is true.
    """
    chosen, why, attempt = path, "", 1
    while (reason := _reason_to_keep(chosen, data, metrics)) is not None:
        why = why or f"; {path} is kept, because {reason}"
        chosen = path.with_stem(f"{path.stem}-search" + (f"-{attempt}" if attempt > 1 else ""))
        attempt += 1
    return chosen, why


def _reason_to_keep(path: Path, data: "DataSet", metrics: dict[str, Any]) -> str | None:
    """Why the file must not be replaced, or None if it may be."""
    from deltarule.models.metrics import describe_scores, measure, scores_of_part

    if not path.exists():
        return None
    try:
        model: Any = dr.load_model(path)
    except ModelFileError:
        return "it is not a model file"
    # Equal schemas mean the same rows, encoded alike, because a schema's scaling is measured on the training rows.
    if getattr(model, "schema", None) != data.schema:  # a time-series model has none
        return "it was trained on other rows or columns, or scaled them otherwise"
    for part in ("validation", "test"):
        before = measure(model.net, model.params, data.schema, data.parts[part].X, data.parts[part].Y)
        name = "accuracy" if data.schema.classes is not None else "r2"
        after = scores_of_part(metrics, part)
        if before[name] is not None and after[name] is not None and before[name] > after[name]:
            return f"its network is better on the {part} rows ({describe_scores(before)}, not {describe_scores(after)})"
    return None


def _table(result: "SearchResult", plan: "Plan") -> Any:
    names = [
        name.replace("_", "-") for name in (*result.best.values, f"validation {plan.monitor}", "epochs", "seconds")
    ]
    table = make_table(*names, "state", left=("state",), title=f"{pluralized(len(result.trials), 'trial')}, best first")
    for trial in result.trials[:MOST_ROWS]:
        score = format_percent(trial.accuracy) if plan.monitor == "accuracy" else format_number(trial.cost)
        cells = [format_number(value) if isinstance(value, float) else str(value) for value in trial.values.values()]
        row = (*cells, score, str(trial.epochs), f"{trial.seconds:.2f}", trial.state)
        table.add_row(*map(Text, row), style="bold green" if trial is result.trials[0] else "")
    if len(result.trials) > MOST_ROWS:
        table.add_row("...")
    return table
