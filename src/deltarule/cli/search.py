"""`deltarule search`: many trainings with other hyper-parameters, the hopeless ones given up, the best one saved.

What varies is typed as --vary NAME=VALUES, by the names of the options of `Choices` that say how they are varied.
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
from deltarule.cli.choice_checks import check_choices
from deltarule.cli.choices import Choices
from deltarule.cli.clock import STARTED
from deltarule.cli.failures import INTERRUPTED
from deltarule.cli.loading import load_data
from deltarule.cli.options import as_words, check_given, count, one_of, option, options_of, typed
from deltarule.cli.plan import make_plan
from deltarule.cli.reading import Screen
from deltarule.cli.screen import command, emit_json, table_of, warnings_as_notes
from deltarule.errors import ConfigurationError, ModelFileError, counted
from deltarule.models.formatting import format_number, format_percent

if TYPE_CHECKING:
    from deltarule.data import DataSet
    from deltarule.models.plan import Plan
    from deltarule.tuning import Range, SearchResult, Space, Trial

# The fields of `Choices` that vary by their names as typed: "batch-size": "batch_size".
VARIED = {typed(Choices, name).removeprefix("--"): name for name, known in options_of(Choices).items() if known.vary}


def parse_variations(texts: list[str], choices: Choices) -> "Space":
    """The space of "eta=0.01:10" and "hidden=30,100,30x20", by the fields of `Choices`; every value is checked."""
    space: dict[str, Any] = {}
    for text in texts:
        name, _, values = text.partition("=")
        name, values = name.strip().removeprefix("--"), values.strip()
        if name not in VARIED or not values:
            raise ConfigurationError(
                f"--vary is {text!r}: give NAME=LOW:HIGH or NAME=VALUE,VALUE, such as eta=0.01:10 or hidden=30,100; "
                f"the names are {', '.join(VARIED)}"
            )
        field = VARIED[name]
        if field in space:
            raise ConfigurationError(f"--vary names {name!r} twice: give all its values at once")
        if getattr(choices, field) is not None:
            raise ConfigurationError(f"--vary names {name!r}, and --{name} fixes it: leave one of them out")
        try:
            space[field] = _entry(field, values)
        except ValueError as error:  # what float and int raise, and a ConfigurationError is one
            raise ConfigurationError(f"--vary is {text!r} ({error}): give such as 0.1,0.5") from None
    trainers = ends(space.get("trainer", [choices.trainer]))
    for field, entry in space.items():  # every value of a list and both ends of a range, as if given by itself
        for value in ends(entry):
            for trainer in trainers if field != "trainer" else [value]:
                check_choices(replace(choices, **{"trainer": trainer, field: value}))
    return space


def _entry(field: str, text: str) -> "list[Any] | Range":
    """The values or the range after the equals sign; 30x20 is the --hidden 30,20 of a training."""
    from deltarule.tuning import Range

    how = options_of(Choices)[field].vary
    low, colon, high = text.partition(":")
    if not colon:
        values = [value.strip().replace("x", ",") if how == "sizes" else value.strip() for value in text.split(",")]
        read = {"whole": int, "log": float, "even": float}.get(how or "", str)
        return [read(value) for value in values]
    if how in ("names", "sizes"):
        raise ConfigurationError("it has no range, so give values with commas between")
    return Range(float(low), float(high), log=how != "even", whole=how == "whole")


def ends(entry: Any) -> list[Any]:
    """The values of a list, or the two ends of a range."""
    return entry if isinstance(entry, list) else [entry.at(0), entry.at(1)]


def default_space(plan: "Plan", choices: Choices) -> "Space":
    """Where the user names nothing to vary: eta from a hundredth to ten times its default, and l2 ([N] ch. 3's two)."""
    from deltarule.tuning import Range

    space: dict[str, Any] = {}
    if plan.settings.eta is not None and choices.eta is None:
        space["eta"] = Range(plan.settings.eta / 100, plan.settings.eta * 10)
    if choices.l2 is None:
        space["l2"] = Range(1e-3, 10)
    return space


METHODS = ("random", "grid", "bayes")
MOST_ROWS = 15  # of the table of trials


@dataclass(frozen=True, kw_only=True)
class Way(Screen):
    """How a search goes, by the options that only `deltarule search` has."""

    vary: tuple[str, ...] | None = option(
        f"eta=0.01:10 (a range) or hidden=30,100,30x20 (values); repeat the option for several: {', '.join(VARIED)}.",
        "NAME=VALUES",
        otherwise="eta and l2 over three decades and more",
    )
    method: str = option(
        "random, grid (every combination), or bayes (needs optuna).", default="random", check=one_of(METHODS)
    )
    trials: int = option(
        "How many trainings to begin; a grid, or lists of fewer combinations, have their own number.",
        default=20,
        check=count(),
    )
    points: int = option("How many numbers of a range a grid takes.", default=5, check=count(least=2))
    prune: bool = option("Give up hopeless trials early, by successive halving.", name="prune/--no-prune", default=True)


def search(way: Way, choices: Choices) -> None:
    """Search for hyper-parameters: train on SOURCE with many, and save what does best on the validation part.

    Whatever is not varied is as in `deltarule train`, but for the trainer of a regression: a search judges by the
    validation part, which bayesian does without. The test part is looked at once, for the winner. A model file that is
    there already stays if its network scores better on the same rows; then the winner goes to a file beside it.
    """
    check_choices(choices)
    check_given(way)
    data, epochs, found = _run(choices, way)
    _finish(choices, data, epochs, found, way)


def _run(choices: Choices, way: Way) -> tuple["DataSet", int, "SearchResult"]:
    """Load, and search; the data, the epochs of a trial and what was found."""
    space = parse_variations(list(way.vary or ()), choices)
    data = load_data(choices)
    # With the first value of all that is varied the whole is checked before a trial runs.
    first = replace(choices, **{field: ends(entry)[0] for field, entry in space.items()})
    plan = make_plan(first, data, searching=True)
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
            method=way.method,
            trials=way.trials,
            points=way.points,
            prune=way.prune,
            seed=choices.seed,
            monitor=plan.monitor,
            engine=choices.engine or "auto",
            callback=tell,
        )
    return data, plan.epochs, found


def _words(trial: "Trial", monitor: str) -> str:
    """A trial in a line: what was chosen, how well it did, what became of it."""
    score = format_percent(trial.accuracy) if monitor == "accuracy" else f"cost {format_number(trial.cost)}"
    return f"{_values(trial)}  validation {score}, {counted(trial.epochs, 'epoch')}, {trial.state}"


def _values(trial: "Trial") -> str:
    return " ".join(f"{name} {format_number(v) if isinstance(v, float) else v}" for name, v in trial.values.items())


def _as_trained(winner: Choices, data: "DataSet", trainer: str, epochs: int) -> Choices:
    """The winner's choices with its trainer and epochs named where `deltarule train` would take others."""
    if make_plan(winner, data).trainer_name != trainer:
        winner = replace(winner, trainer=trainer)
    plan = make_plan(winner, data)
    winner = replace(winner, patience=epochs) if plan.patience else winner  # a search ends no trial by it
    return winner if plan.epochs == epochs else replace(winner, epochs=epochs)


def _finish(choices: Choices, data: "DataSet", epochs: int, found: "SearchResult", way: Way) -> None:
    """Score the winner on the test part, save it, and say what was found."""
    from deltarule.models.fitting import finish_model, target_scaling
    from deltarule.models.outcome import build_outcome

    winner = replace(choices, **found.best.values)
    plan = make_plan(winner, data, searching=True)
    winner = _as_trained(winner, data, plan.trainer_name, epochs)
    outcome = build_outcome(plan, found.result, data.train, data.validation, target_scaling(data).std)
    model = finish_model(outcome, data, summary.origin_of(winner))
    path, why = place_for(choices.model, data, model.training["metrics"])
    winner = winner if path == choices.model else replace(winner, out=path)
    model.training["options"] = winner.record()
    model.save(path)
    record = summary.json_record(winner, model, True, time.perf_counter() - STARTED)
    words = as_words(Choices, winner.record() | {"out": ()})
    again = command("train", choices.source, *words, *([] if path == choices.model else ["--out", path]))
    way.console.print(_table(found, plan))
    way.console.print(summary.panel(model, record, title="deltarule search"))
    way.line(f"The best trial is saved in {path}{why}. This command trains it again:")
    way.line(again, "bold")
    if way.as_json:
        trials = [vars(trial) for trial in found.trials]
        emit_json(record | {"method": way.method, "best": found.best.values, "trials": trials, "command": again})
    if found.interrupted:
        best = f"the best of {counted(len(found.trials), 'trial')} so far"
        print(f"Interrupted: {best} is saved in {path}.", file=sys.stderr)
        raise typer.Exit(INTERRUPTED)


def place_for(path: Path, data: "DataSet", metrics: dict[str, Any]) -> tuple[Path, str]:
    """Where to save a network with these metrics of a training record, and a few words of why if it is not `path`.

    That is `path`, unless a file there holds a network that is better on the validation or the test rows, or cannot be
    compared with it: then the first of NAME-search, NAME-search-2, ... of which neither is true.
    """
    place, why, number = path, "", 1
    while (reason := _reason_to_keep(place, data, metrics)) is not None:
        why = why or f"; {path} stays, for {reason}"
        place = path.with_stem(f"{path.stem}-search" + (f"-{number}" if number > 1 else ""))
        number += 1
    return place, why


def _reason_to_keep(path: Path, data: "DataSet", metrics: dict[str, Any]) -> str | None:
    """Why the file must not be replaced, or None if it may be."""
    from deltarule.models.metrics import describe_scores, measure, scores_of_part

    if not path.exists():
        return None
    try:
        model: Any = dr.load_model(path)
    except ModelFileError:
        return "it is no model file"
    # Rows are the same, and encoded alike, where the schema is: its scaling is measured on the training rows.
    if getattr(model, "schema", None) != data.schema:  # a time series has none
        return "it was trained on other rows or columns"
    for part in ("validation", "test"):
        before = measure(model.net, model.params, data.schema, data.parts[part].X, data.parts[part].Y)
        name = "accuracy" if data.schema.classes is not None else "r2"
        after = scores_of_part(metrics, part)
        if before[name] is not None and after[name] is not None and before[name] > after[name]:
            return f"its network is better on the {part} rows ({describe_scores(before)}, not {describe_scores(after)})"
    return None


def _table(found: "SearchResult", plan: "Plan") -> Any:
    """The trials, best first."""
    names = [name.replace("_", "-") for name in (*found.best.values, f"validation {plan.monitor}", "epochs", "seconds")]
    table = table_of(*names, "state", left=("state",), title=f"{counted(len(found.trials), 'trial')}, best first")
    for trial in found.trials[:MOST_ROWS]:
        score = format_percent(trial.accuracy) if plan.monitor == "accuracy" else format_number(trial.cost)
        cells = [format_number(value) if isinstance(value, float) else str(value) for value in trial.values.values()]
        row = (*cells, score, str(trial.epochs), f"{trial.seconds:.2f}", trial.state)
        table.add_row(*map(Text, row), style="bold green" if trial is found.trials[0] else "")
    if len(found.trials) > MOST_ROWS:
        table.add_row("...")
    return table
