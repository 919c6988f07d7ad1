"""`deltarule predict`: what the network says about each row, in class names or in the targets' units."""

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from deltarule.cli.model import is_series, read_model, read_rows, show_extrapolation, table_options
from deltarule.cli.options import REAL, WHOLE, AsJson, ModelFile, Source, require_other
from deltarule.cli.reading import Reading
from deltarule.cli.screen import command, console_for, emit_json, line, table_of, table_of_rows, write_csv
from deltarule.cli.series import Asked, predict_series
from deltarule.errors import ConfigurationError, counted

if TYPE_CHECKING:
    from deltarule.cli.model import TrainedModel
    from deltarule.data import RawRows, TableOptions

SHOWN = 10


def predict(
    model: ModelFile,
    source: Source,
    reading: Reading,
    out: Annotated[Path | None, typer.Option(metavar="FILE.csv", help="Write every prediction to this file.")] = None,
    interval: Annotated[
        float | None,
        typer.Option(**REAL, help="Also the ends between which a new measurement lies with this probability."),
    ] = None,
    steps: Annotated[
        int | None, typer.Option(**WHOLE, help="How many steps to continue a time series by.", show_default="as given")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Predict every row of SOURCE, in class names with their probabilities, or in the targets' units.

    The file of `--out` also has the row's number and all columns of SOURCE but the targets, as they stand there.

    A model of `--trainer bayesian` has error bars: the standard deviation of a new measurement, noise included.

    A time series is continued after its last known output: rows behind it give the inputs of the steps to come.
    """
    from deltarule.checks import require_count, require_number
    from deltarule.models.model import load_model

    if out is not None:
        require_other("--out", out, model, source)
    if interval is not None:
        require_number("--interval", interval, above=0, below=1)
    if steps is not None:
        require_count("--steps", steps)
    found: Any = load_model(model)
    asked = Asked(model, source, reading, out, steps, interval, as_json)
    if is_series(found):
        predict_series(found, asked)
        return
    if steps is not None:
        raise ConfigurationError(f"--steps is {steps}, and {model} is no time series: leave it out")
    trained = read_model(model)
    _check_interval(trained, interval)
    rows = read_rows(trained, source, reading, targets=False)
    outside = show_extrapolation(trained, rows)
    kept = _kept_names(trained, rows)
    columns = _columns(trained, rows, kept)
    spread = _spread(trained, rows, {**columns, **dict.fromkeys(kept)}, interval)
    for added in spread.values():
        columns |= added
    if out is not None:
        (row, numbers), *predictions = columns.items()
        beside = _kept(source, rows, kept, table_options(trained, reading))
        write_csv(out, {row: numbers, **beside, **dict(predictions)})
    if as_json:
        emit_json(
            {
                "model": str(model),
                "source": source,
                "rows": rows.rows,
                "predictions": {name: columns[name] for name in trained.schema.target_names},
                **{
                    what: dict(zip(trained.schema.target_names, added.values(), strict=True))
                    for what, added in spread.items()
                },
                "rows_outside_training_range": outside,
                "out": None if out is None else str(out),
            }
        )
        return
    console = console_for(as_json)
    line(console, f"predictions of {model} for {rows.name}")
    console.print(_table(columns, trained))
    if out is not None:
        line(console, f"{counted(len(rows.rows), 'prediction')} {'is' if len(rows.rows) == 1 else 'are'} in {out}.")
        line(console, command("export", model, "--to", "c"), "bold")
        return
    shown = f"{SHOWN} of {len(rows.rows):,} rows. All of them, as" if len(rows.rows) > SHOWN else "As"
    line(console, f"{shown} a table:")
    line(console, asked.again, "bold")


def _check_interval(model: "TrainedModel", interval: float | None) -> None:
    """An interval needs error bars."""
    if interval is not None and model.error_bars is None:
        raise ConfigurationError(
            f"--interval is {interval:g}, but {model.path} has no error bars: leave it out, or train a regression with "
            "--trainer bayesian"
        )


def _spread(
    model: "TrainedModel", rows: "RawRows", taken: dict[str, Any], interval: float | None
) -> dict[str, dict[str, Any]]:
    """The columns "TARGET_std" and with an interval "TARGET_lower" and "TARGET_upper", by "std", "lower", "upper".

    `taken` holds the columns that there are, among them the predictions.
    """
    from deltarule.data.units import suffixed
    from deltarule.models.model import spread

    if model.error_bars is None:
        return {}
    std = dict(zip(model.schema.target_names, spread(model, rows.X).T, strict=True))
    found = {"std": std}
    if interval is not None:
        t = model.error_bars.reach(interval)
        found["lower"] = {name: taken[name] - t * s for name, s in std.items()}
        found["upper"] = {name: taken[name] + t * s for name, s in std.items()}
    return {
        what: {_free(suffixed(name, what), taken): values for name, values in columns.items()}
        for what, columns in found.items()
    }


def _free(name: str, taken: Collection[str], before: str = "predicted_") -> str:
    """A name for a column that no other one has."""
    while name in taken:
        name = f"{before}{name}"
    return name


def _kept_names(model: "TrainedModel", rows: "RawRows") -> list[str]:
    """The columns of a table that go with its predictions: all but the targets, which the predictions stand for."""
    return [] if rows.frame is None else [name for name in rows.frame if name not in model.schema.target_names]


def _kept(source: str, rows: "RawRows", names: list[str], options: "TableOptions") -> dict[str, list[Any]]:
    """Those columns, as texts where the file has texts, so that an identifier 007 stays 007, and "?" what it is."""
    from deltarule.data.cells import as_objects
    from deltarule.data.table_file import read_table
    from deltarule.data.units import find_column

    if not names:
        return {}
    frame = read_table(Path(source), names, replace(options, na=()))[0].loc[rows.rows]
    return {name: as_objects(frame[find_column(name, frame.columns)]) for name in names}


def _columns(model: "TrainedModel", rows: "RawRows", kept: list[str]) -> dict[str, Any]:
    """The columns of the table of predictions, each (N,): the row, the targets and the probabilities.

    None of them has the name of one of `kept`.
    """
    import numpy as np

    from deltarule.data.labels import probabilities

    schema = model.schema
    outputs = np.asarray(model.net(model.params, rows.X))
    predicted = schema.decode(outputs)
    taken = {*kept, *schema.target_names}
    row = _free("row", taken, "source_")
    if schema.classes is None:
        return {row: rows.rows, **dict(zip(schema.target_names, predicted.T, strict=True))}
    names = [_free(f"probability_{label}", taken) for label in schema.classes]
    return {
        row: rows.rows,
        schema.target_names[0]: predicted,
        **dict(zip(names, probabilities(outputs).T, strict=True)),
    }


def _table(columns: dict[str, Any], model: "TrainedModel") -> Any:
    """The first rows for people: for a classifier the class and how sure the network is."""
    if model.schema.classes is None:
        return table_of_rows(columns, SHOWN)
    table = table_of(*list(columns)[:2], "probability")
    for row, label, *probabilities in zip(*(column[:SHOWN].tolist() for column in columns.values()), strict=True):
        table.add_row(str(row), Text(str(label)), f"{max(probabilities):.4f}")
    return table
