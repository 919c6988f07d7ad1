"""`deltarule predict`: what the network says about each row, in class names or in the targets' units."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.text import Text

from deltarule.cli.model import is_series, read_model, read_rows, show_extrapolation, table_options
from deltarule.cli.options import check_given, count, number, option
from deltarule.cli.reading import Rows, require_writable
from deltarule.cli.screen import SHOWN, command, console_for, emit_json, line, table_of, table_of_rows, write_csv
from deltarule.cli.series import predict_series
from deltarule.errors import ConfigurationError, counted

if TYPE_CHECKING:
    from deltarule.cli.model import TrainedModel
    from deltarule.data import RawRows


@dataclass(frozen=True, kw_only=True)
class Prediction(Rows):
    """What is predicted, and where it goes."""

    out: Path | None = option("Write every prediction to this file.", "FILE.csv")
    interval: float | None = option(
        "Also the ends between which a new measurement lies with this probability.", check=number(above=0, below=1)
    )
    steps: int | None = option("How many steps to continue a time series by.", otherwise="as given", check=count())

    @property
    def again(self) -> str:
        """The command that writes the same predictions to a file."""
        return command("predict", *self.words("interval", "steps"), "--out", "predictions.csv")


def predict(asked: Prediction) -> None:
    """Predict every row of SOURCE, in class names with their probabilities, or in the targets' units.

    The file of `--out` also has the row's number and all columns of SOURCE but the targets, as they stand there.

    A model of `--trainer bayesian` has error bars: the standard deviation of a new measurement, noise included.

    A time series is continued after its last known output: rows behind it give the inputs of the steps to come.
    """
    check_given(asked)
    if asked.out is not None:
        require_writable("--out", asked.out, asked.model, asked.source)
    trained = read_model(asked.model, series=True)
    if is_series(trained):
        predict_series(trained, asked)  # pyright: ignore[reportArgumentType]
        return
    if asked.steps is not None:
        raise ConfigurationError(f"--steps is {asked.steps}, and {asked.model} is no time series: leave it out")
    if asked.interval is not None and trained.error_bars is None:
        raise ConfigurationError(
            f"--interval is {asked.interval:g}, but {asked.model} has no error bars: leave it out, or train a "
            "regression with --trainer bayesian"
        )
    rows = read_rows(trained, asked, targets=False)
    outside = show_extrapolation(trained, rows)
    names = trained.schema.target_names  # whose columns in the source the predictions stand for
    kept = [] if rows.frame is None else [name for name in rows.frame if name not in names]
    columns = _columns(trained, rows, kept)
    spread = _spread(trained, rows, {**columns, **dict.fromkeys(kept)}, asked.interval)
    for added in spread.values():
        columns |= added
    if asked.out is not None:
        (row, numbers), *predictions = columns.items()
        write_csv(asked.out, {row: numbers, **_kept(trained, rows, kept, asked), **dict(predictions)})
    if asked.as_json:
        emit_json(
            asked.facts
            | {
                "rows": rows.rows,
                "predictions": {name: columns[name] for name in names},
                **{what: dict(zip(names, added.values(), strict=True)) for what, added in spread.items()},
                "rows_outside_training_range": outside,
                "out": None if asked.out is None else str(asked.out),
            }
        )
        return
    console = console_for(asked.as_json)
    line(console, f"predictions of {asked.model} for {rows.name}")
    console.print(_table(columns, trained))
    if asked.out is not None:
        verb = "is" if len(rows.rows) == 1 else "are"
        line(console, f"{counted(len(rows.rows), 'prediction')} {verb} in {asked.out}.")
        line(console, command("export", asked.model, "--to", "c"), "bold")
        return
    shown = f"{SHOWN} of {len(rows.rows):,} rows. All of them, as" if len(rows.rows) > SHOWN else "As"
    line(console, f"{shown} a table:")
    line(console, asked.again, "bold")


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


def _kept(model: "TrainedModel", rows: "RawRows", names: list[str], asked: Prediction) -> dict[str, list[Any]]:
    """Columns of the source, as texts where the file has texts, so that an identifier 007 stays 007, "?" what it is."""
    from deltarule.data.cells import as_objects
    from deltarule.data.table_file import read_table
    from deltarule.data.units import find_column

    if not names:
        return {}
    options = replace(table_options(model, asked), na=())
    frame = read_table(Path(asked.source), names, options)[0].loc[rows.rows]
    return {name: as_objects(frame[find_column(name, frame.columns)]) for name in names}


def _columns(model: "TrainedModel", rows: "RawRows", kept: list[str]) -> dict[str, Any]:
    """The row, the targets and the probabilities, each (N,), by names that none of `kept` has."""
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
