"""Read a model file and a source of rows for it, for `predict`, `evaluate`, `trace`, `check` and `report`."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from deltarule import data
from deltarule.cli.screen import show_download, show_notes
from deltarule.cli.shared_options import ReadOptions, RowsOptions
from deltarule.errors import DataError, ModelFileError

if TYPE_CHECKING:
    from deltarule.data import RawRows, Schema
    from deltarule.models.model import Model

    class TrainedModel(Model):
        """A model with a schema."""

        schema: Schema


class Predictions(NamedTuple):
    """Predictions of rows or of future steps, as columns by name."""

    title: str
    targets: tuple[str, ...]
    row_labels: dict[str, Any]  # the number of the row, or the time
    predicted: dict[str, Any]  # the targets, and for classes their probabilities
    spread: dict[str, dict[str, Any]]  # "std", with an interval "lower" and "upper", each by target; may be empty
    source_columns: dict[str, Any]  # columns of the source that are copied into the file of predictions
    json_fields: dict[str, Any]
    text_format: Any = None  # of the source, if a file is to be written


def read_model(path: Path, series: bool = False) -> "TrainedModel":
    """Read a model file; a time-series model is refused unless `series` is true."""
    from deltarule.models.model import load_model

    model: Any = load_model(path)
    if is_series(model):
        if series:
            return model
        raise ModelFileError(f"{path} is a time-series model: use it with predict, report or export")
    if model.schema is None:
        raise ModelFileError(
            f"{path} does not say what its columns are, so no rows can be encoded for it: train it with deltarule "
            "train, or give deltarule.save a schema"
        )
    return model  # pyright: ignore[reportReturnType]


def is_series(model: Any) -> bool:
    """Whether a model is a time-series model."""
    return hasattr(model, "forecast")


def read_rows(model: "TrainedModel", options: RowsOptions, targets: bool = True) -> "RawRows":
    """Read the source's rows, encoded as the model's training rows were, and show the notes about them."""
    seed = model.training.get("split_seed", 0)
    rows = data.load_raw(
        options.source,
        model.schema,
        data_dir=options.folders,
        seed=seed if isinstance(seed, int) else 0,
        drop_missing=options.drop_missing,
        options=table_options(model, options),
        targets=targets,
        progress=show_download,
    )
    show_notes(rows.notes)
    return rows


def table_options(model: "TrainedModel", reading: ReadOptions) -> Any:
    """The format of a table for a model: the command's options, and without --na the marks of the training table."""
    from deltarule.models import model as models

    table = reading.table_options
    return table if table.na else replace(table, na=models.missing_value_options(model).na)


def evaluation_rows(model: "TrainedModel", rows: "RawRows") -> tuple[Any, Any]:
    """X and Y of the rows to evaluate on: all rows of a table, the test images of a data set of images."""
    import numpy as np

    Y = require_targets(rows, model)
    test = slice(None) if rows.test_rows is None else np.isin(rows.rows, rows.test_rows)
    return rows.X[test], Y[test]


def require_targets(rows: "RawRows", model: "TrainedModel") -> Any:
    """Y of the rows, (N, k)."""
    if rows.Y is None:
        from deltarule.data.cells import refuse_other_unit

        for name in model.schema.target_names:
            refuse_other_unit(name, () if rows.frame is None else rows.frame.columns, rows.name)
        names = ", ".join(repr(name) for name in model.schema.target_names)
        raise DataError(f"{rows.name} has no values in the target column {names}: give a table that has some")
    return rows.Y


def show_extrapolation(model: "TrainedModel", rows: "RawRows") -> int | None:
    """Count the rows outside the range of the training rows, None if that is not known, and show a note about them."""
    from deltarule.data.table_checks import count_extrapolated

    count, notes = count_extrapolated(model.schema, rows.X, rows.rows)
    show_notes(notes)
    return count


def training_data_notes(model: "TrainedModel", rows: "RawRows") -> list[str]:
    """A note if the table may be the one that trained the network, on which it looks better than it is."""
    if rows.test_rows is not None or model.training.get("source") != rows.name:
        return []
    return [
        f"{rows.name} has the name of the table that {model.path and model.path.name} was trained on. If it is the "
        "same table, most of these rows trained the network, and it looks better here than on new rows: rely on the "
        "test result that `deltarule train` printed"
    ]
