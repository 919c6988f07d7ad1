"""A model file and a source of rows for it, as `predict`, `evaluate`, `trace`, `check` and `report` read them."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from deltarule import data
from deltarule.cli.reading import Reading, Rows
from deltarule.cli.screen import show_download, show_notes
from deltarule.errors import DataError, ModelFileError

if TYPE_CHECKING:
    from deltarule.data import RawRows, Schema
    from deltarule.models.model import Model

    class TrainedModel(Model):
        """A model with a schema."""

        schema: Schema


class Predictions(NamedTuple):
    """What a model says of rows or of steps to come, in columns by name."""

    title: str
    targets: tuple[str, ...]
    places: dict[str, Any]  # the number of the row, or the time
    said: dict[str, Any]  # the targets, and of classes the probabilities
    spread: dict[str, dict[str, Any]]  # of each target "std", and with an interval "lower" and "upper", if it has any
    beside: dict[str, Any]  # the columns of the source that go to a file with them
    facts: dict[str, Any]  # for the JSON line


def read_model(path: Path, series: bool = False) -> "TrainedModel":
    """Read a model file of rows that stand for themselves, or if `series` of a time series, which `is_series` tells."""
    from deltarule.models.model import load_model

    model: Any = load_model(path)
    if is_series(model):
        if series:
            return model
        raise ModelFileError(f"{path} is a time-series model: predict, report and export take it")
    if model.schema is None:
        raise ModelFileError(
            f"{path} has no schema, so its rows cannot be encoded: train it with deltarule train, or give "
            "deltarule.save a schema"
        )
    return model  # pyright: ignore[reportReturnType]


def is_series(model: Any) -> bool:
    """Whether a model continues a time series."""
    return hasattr(model, "forecast")


def read_rows(model: "TrainedModel", asked: Rows, targets: bool = True) -> "RawRows":
    """Read the source's rows, encoded as the model's training rows were, and show the notes.

    What stood for a missing value in the training table does so here too, unless --na says otherwise.
    """
    seed = model.training.get("split_seed", 0)
    rows = data.load_raw(
        asked.source,
        model.schema,
        data_dir=asked.folders,
        seed=seed if isinstance(seed, int) else 0,
        drop_missing=asked.drop_missing,
        options=table_options(model, asked),
        targets=targets,
        progress=show_download,
    )
    show_notes(rows.notes)
    return rows


def table_options(model: "TrainedModel", reading: Reading) -> Any:
    """How the rows for a model are written, by the options of a command and what the model was trained with."""
    from deltarule.models import model as models

    given = reading.table_options
    return given if given.na else replace(given, na=models.missing_value_options(model).na)


def known_rows(model: "TrainedModel", rows: "RawRows") -> tuple[Any, Any]:
    """X and Y of the rows; of images of those held out for the test."""
    import numpy as np

    Y = require_targets(rows, model)
    test = slice(None) if rows.test_rows is None else np.isin(rows.rows, rows.test_rows)
    return rows.X[test], Y[test]


def require_targets(rows: "RawRows", model: "TrainedModel") -> Any:
    """Y of the rows, (N, k)."""
    if rows.Y is None:
        names = ", ".join(repr(name) for name in model.schema.target_names)
        raise DataError(f"{rows.name} has no values in the target column {names}: give a table that has them")
    return rows.Y


def show_extrapolation(model: "TrainedModel", rows: "RawRows") -> int | None:
    """How many rows lie outside the range of the training rows, None if it is not known; a note says so of any."""
    from deltarule.data.table_checks import extrapolation

    count, notes = extrapolation(model.schema, rows.X, rows.rows)
    show_notes(notes)
    return count


def seen_before(model: "TrainedModel", rows: "RawRows") -> list[str]:
    """A note where the table may be the one that trained the network, which makes it look better than it is."""
    if rows.test_rows is not None or model.training.get("source") != rows.name:
        return []
    return [
        f"{rows.name} has the name of the table that {model.path and model.path.name} was trained on; if it is that "
        "table, its training rows make the network look better than it is, and `deltarule train` has shown the test "
        "metric"
    ]
