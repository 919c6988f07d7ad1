"""`deltarule predict`: what the network says about each row, in class names or in the targets' units."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.text import Text

from deltarule.cli.model import Predictions, is_series, read_model, read_rows, show_extrapolation, table_options
from deltarule.cli.options import check_given, count, number, option
from deltarule.cli.reading import Rows, require_writable
from deltarule.cli.screen import SHOWN, command, emit_json, table_of, table_of_rows, write_csv
from deltarule.cli.series import continued
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


def predict(asked: Prediction) -> None:
    """Predict every row of SOURCE, in class names with their probabilities, or in the targets' units.

    The file of `--out` also has the row's number and all columns of SOURCE but the targets, as they stand there.

    A model of `--trainer bayesian` has error bars: the standard deviation of a new measurement, noise included.

    A time series is continued after its last known output: rows behind it give the inputs of the steps to come.
    """
    from deltarule.data.units import suffixed

    check_given(asked)
    if asked.out is not None:
        require_writable("--out", asked.out, asked.model, asked.source)
    model: Any = read_model(asked.model, series=True)
    found = continued(model, asked) if is_series(model) else _of_rows(model, asked)
    taken = {**found.places, **found.beside, **found.said}
    named = {
        _free(suffixed(name, what), taken): values
        for what, each in found.spread.items()
        for name, values in each.items()
    }
    if asked.out is not None:
        write_csv(asked.out, {**taken, **named})
    if asked.as_json:
        predictions = {"predictions": {name: found.said[name] for name in found.targets}}
        out = {"out": None if asked.out is None else str(asked.out)}
        emit_json(asked.facts | found.facts | predictions | found.spread | out)
        return
    asked.line(found.title)
    asked.console.print(_table({**found.places, **found.said, **named}, len(found.said) > len(found.targets)))
    count = len(found.said[found.targets[0]])
    if asked.out is not None:
        asked.line(f"{counted(count, 'prediction')} {'is' if count == 1 else 'are'} in {asked.out}.")
        asked.line(command("export", asked.model, "--to", "c"), "bold")
        return
    asked.line(f"{SHOWN} of {count:,} rows. All of them, as a table:" if count > SHOWN else "As a table:")
    asked.line(command("predict", *asked.words("interval", "steps"), "--out", "predictions.csv"), "bold")


def _of_rows(model: "TrainedModel", asked: Prediction) -> Predictions:
    """The predictions of the rows of SOURCE, with the columns that stand beside them in a file."""
    import numpy as np

    from deltarule.data.labels import probabilities
    from deltarule.models.model import prediction_interval, prediction_std

    bars, schema = model.error_bars, model.schema
    if asked.steps is not None:
        raise ConfigurationError(f"--steps is {asked.steps}, and {asked.model} is no time series: leave it out")
    if asked.interval is not None and bars is None:
        raise ConfigurationError(
            f"--interval is {asked.interval:g}, but {asked.model} has no error bars: leave it out, or train a "
            "regression with --trainer bayesian"
        )
    rows = read_rows(model, asked, targets=False)
    outside = show_extrapolation(model, rows)
    kept = [] if rows.frame is None else [name for name in rows.frame if name not in schema.target_names]
    taken = {*kept, *schema.target_names}
    outputs = np.asarray(model.net(model.params, rows.X))
    said = dict(zip(schema.target_names, np.atleast_2d(schema.decode(outputs).T), strict=True))
    if schema.classes is not None:
        names = [_free(f"probability_{label}", taken) for label in schema.classes]
        said |= dict(zip(names, probabilities(outputs).T, strict=True))
    bounds = {} if bars is None else {"std": prediction_std(model, rows.X)}
    if bars is not None and asked.interval is not None:
        bounds["lower"], bounds["upper"] = prediction_interval(model, rows.X, asked.interval)
    return Predictions(
        title=f"predictions of {asked.model} for {rows.name}",
        targets=schema.target_names,
        places={_free("row", taken, "source_"): rows.rows},
        said=said,
        spread={what: dict(zip(schema.target_names, v.T, strict=True)) for what, v in bounds.items()},
        beside=dict.fromkeys(kept) if asked.out is None else _kept(model, rows, kept, asked),
        facts={"rows": rows.rows, "rows_outside_training_range": outside},
    )


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


def _table(columns: dict[str, Any], classes: bool) -> Any:
    """The first rows for people: for a classifier the class and how sure the network is."""
    if not classes:
        return table_of_rows(columns, SHOWN)
    table = table_of(*list(columns)[:2], "probability")
    for row, label, *probabilities in zip(*(column[:SHOWN].tolist() for column in columns.values()), strict=True):
        table.add_row(str(row), Text(str(label)), f"{max(probabilities):.4f}")
    return table
