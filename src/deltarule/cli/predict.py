"""`deltarule predict`: the predictions for each row, as class names or in the targets' units."""

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from rich.text import Text

from deltarule.cli.model import Predictions, is_series, read_model, read_rows, show_extrapolation, table_options
from deltarule.cli.options import check_values, count, number, option
from deltarule.cli.screen import ROWS_SHOWN, fits, make_rows_table, make_table, print_json, suggest
from deltarule.cli.series import continue_series
from deltarule.cli.shared_options import RowsOptions, require_writable
from deltarule.errors import ConfigurationError, pluralized

if TYPE_CHECKING:
    from deltarule.cli.model import TrainedModel
    from deltarule.data import RawRows


@dataclass(frozen=True, kw_only=True)
class PredictOptions(RowsOptions):
    """The options of `deltarule predict`."""

    out: Path | None = option(
        "Write all predictions to this file: .csv, .txt or .dat, with the separator and the decimal sign of SOURCE, "
        ".tsv, .xlsx or .parquet.",
        "FILE.csv",
    )
    interval: float | None = option(
        "Add the lower and upper end of an interval that contains a new measurement with this probability, such as "
        "0.95; needs a model with error bars.",
        check=number(above=0, below=1),
    )
    steps: int | None = option(
        "How many steps to continue a time series by.",
        default_text="as many as have inputs, else the model's horizon or 10",
        check=count(),
    )


def predict(options: PredictOptions) -> None:
    """Predict every row of SOURCE: a class with its probability, or a number in the target's unit.

    The file of `--out` also holds the row numbers and all columns of SOURCE except the targets, unchanged.

    A model trained by `--trainer bayesian` adds an error bar: the standard deviation of a new measurement, noise
    included.

    A time series is continued after its last known output. If it has inputs, rows after the last output must give the
    inputs of the steps to predict.
    """
    from deltarule.data.cells import with_suffix
    from deltarule.files.table_writing import require_table_name, write_table

    check_values(options)
    if options.out is not None:
        require_table_name("--out", options.out)
        require_writable("--out", options.out, options.model, options.source)
    model: Any = read_model(options.model, series=True)
    result = continue_series(model, options) if is_series(model) else _of_rows(model, options)
    columns = {**result.row_labels, **result.source_columns, **result.predicted}
    spread = {
        _unused(with_suffix(name, what), columns): values
        for what, each in result.spread.items()
        for name, values in each.items()
    }
    if options.out is not None:
        write_table(options.out, {**columns, **spread}, result.text_format)
    if options.as_json:
        predictions = {"predictions": {name: result.predicted[name] for name in result.targets}}
        out = {"out": None if options.out is None else str(options.out)}
        print_json(options.json_fields | result.json_fields | predictions | result.spread | out)
        return
    options.print_line(result.title)
    has_classes = len(result.predicted) > len(result.targets)
    for table in _tables(result, spread, has_classes, options.console):
        options.console.print(table)
    count = len(result.predicted[result.targets[0]])
    if options.out is not None:
        options.print_line(f"{pluralized(count, 'prediction')} {'is' if count == 1 else 'are'} in {options.out}.")
        suggest(options, "export", options.model, "--to", "c", before="To predict in another program:")
        return
    before = "To write them to a file:"
    if count > ROWS_SHOWN:
        before = f"The first {ROWS_SHOWN} of {count:,} rows. To write all of them to a file:"
    arguments = options.arguments("interval", "steps")
    suggest(options, "predict", *arguments, "--out", "predictions.csv", before=before)


def _of_rows(model: "TrainedModel", options: PredictOptions) -> Predictions:
    import numpy as np

    from deltarule.data.labels import probabilities
    from deltarule.models.model import prediction_interval, prediction_std

    bars, schema = model.error_bars, model.schema
    if options.steps is not None:
        raise ConfigurationError(
            f"--steps is {options.steps}, but {options.model} is not a time-series model: leave it out"
        )
    if options.interval is not None and bars is None:
        raise ConfigurationError(
            f"--interval is {options.interval:g}, but {options.model} has no error bars: leave it out, or train a "
            "regression with --trainer bayesian"
        )
    rows = read_rows(model, options, targets=False)
    outside = show_extrapolation(model, rows)
    copied = [] if rows.frame is None else [name for name in rows.frame if name not in schema.target_names]
    taken = {*copied, *schema.target_names}
    outputs = np.asarray(model.net(model.params, rows.X))
    predicted = dict(zip(schema.target_names, np.atleast_2d(schema.decode(outputs).T), strict=True))
    if schema.classes is not None:
        names = [_unused(f"probability_{label}", taken) for label in schema.classes]
        predicted |= dict(zip(names, probabilities(outputs).T, strict=True))
    bounds = {} if bars is None else {"std": prediction_std(model, rows.X)}
    if bars is not None and options.interval is not None:
        bounds["lower"], bounds["upper"] = prediction_interval(model, rows.X, options.interval)
    copies, text_format = dict.fromkeys(copied), None
    if options.out is not None and rows.frame is not None:
        copies, text_format = _copy(model, rows, copied, options)
    return Predictions(
        title=f"predictions of {options.model} for {rows.name}",
        targets=schema.target_names,
        row_labels={_unused("row", taken, "source_"): rows.rows},
        predicted=predicted,
        spread={what: dict(zip(schema.target_names, v.T, strict=True)) for what, v in bounds.items()},
        source_columns=copies,
        json_fields={"rows": rows.rows, "rows_outside_training_range": outside},
        text_format=text_format,
    )


def _unused(name: str, taken: Collection[str], prefix: str = "predicted_") -> str:
    """Return `name`, with the prefix as often as it takes to differ from all names that are taken."""
    while name in taken:
        name = f"{prefix}{name}"
    return name


def _copy(model: "TrainedModel", rows: "RawRows", names: list[str], options: PredictOptions) -> tuple[Any, Any]:
    """Read columns of the source as they are in the file, so that an identifier 007 stays 007; and its text format.

    For a sheet or a Parquet file, whose cells are numbers by themselves, numbers are copied as numbers.
    """
    from deltarule.data.cells import as_objects, find_column, kind_of
    from deltarule.data.table_file import read_table_as_written
    from deltarule.files.table_writing import is_typed

    table, frame = replace(table_options(model, options), na=()), cast("Any", rows.frame)
    written, _, text_format = read_table_as_written(Path(options.source), names, table)
    copies = {name: as_objects(written.loc[rows.rows][find_column(name, written.columns)]) for name in names}
    if options.out is not None and is_typed(options.out):
        for name, cells in copies.items():
            is_code = any(re.match(r"0\d", str(cell)) for cell in cells)
            if kind_of(frame[name]) in ("numeric", "boolean") and not is_code:
                copies[name] = as_objects(frame[name])
    return copies, text_format


def _tables(result: Predictions, spread: dict[str, Any], has_classes: bool, console: Any) -> list[Any]:
    """One table; if it is too wide for the console, tables for each target below each other, so that nothing is cut."""
    whole = _table({**result.row_labels, **result.predicted, **spread}, has_classes)
    if has_classes or fits(console, whole):
        return [whole]
    tables: list[Any] = []
    for j, name in enumerate(result.targets):
        bounds = [*spread.items()][j :: len(result.targets)]  # `spread` has one bound of all targets, then the next
        shown = result.row_labels | {name: result.predicted[name]}
        for column, values in bounds:
            if not fits(console, make_rows_table(shown | {column: values}, ROWS_SHOWN)):
                tables.append(make_rows_table(shown, ROWS_SHOWN))
                shown = dict(result.row_labels)
            shown[column] = values
        tables.append(make_rows_table(shown, ROWS_SHOWN))
    return tables


def _table(columns: dict[str, Any], has_classes: bool) -> Any:
    """A table of the first rows; for a classifier the predicted class and its probability."""
    if not has_classes:
        return make_rows_table(columns, ROWS_SHOWN)
    table = make_table(*list(columns)[:2], "probability")
    for row, label, *probabilities in zip(*(column[:ROWS_SHOWN].tolist() for column in columns.values()), strict=True):
        table.add_row(str(row), Text(str(label)), f"{max(probabilities):.4f}")
    return table
