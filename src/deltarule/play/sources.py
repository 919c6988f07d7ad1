"""Load a source of rows or a model file as a problem of the page."""

from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from deltarule import data
from deltarule.data import DataSet, Schema, TableOptions
from deltarule.data.dataset import Examples, StreamedData
from deltarule.data.table import DROP_ADVICE
from deltarule.data.table_file import read_table
from deltarule.data.table_options import DEFAULT_OPTIONS
from deltarule.errors import ConfigurationError, DataError, ModelFileError
from deltarule.models.model import load_model, missing_value_options
from deltarule.play.problems import GENERATED, Problem

MODEL_SUFFIX = ".safetensors"
MOST_ROWS = 10_000  # training examples, with which an epoch of MNIST takes less than a second
COLUMNS = 2  # of a table by default, because two can be drawn as a plane


def load_problem(
    source: str,
    rows: str | None = None,
    target: Any = None,
    columns: int | None = COLUMNS,
    data_dir: Any = None,
    drop_missing: bool = False,
    options: TableOptions = DEFAULT_OPTIONS,
) -> Problem:
    """Load a source or a model file as a problem.

    Args:
        source: a name in `problems.GENERATED`, "digits", "mnist", or the path of a table, a folder or a model file.
        rows: for a model file, the source of its rows. None takes the digits or MNIST that the model was trained on,
            and for a table one row with the means of the columns.
        target: the target columns of a table; None takes the last column.
        columns: how many of a table's inputs to take, from the first on; None takes all.
        data_dir: the folder of MNIST.
        drop_missing: leave out a table's rows with missing cells instead of refusing them.
        options: how a table's file is written.

    Raises:
        DataError, ModelFileError: the file cannot be used.
        ConfigurationError: an option does not fit the source.
    """
    if source.endswith(MODEL_SUFFIX):
        return _model_problem(Path(source), rows, data_dir, drop_missing, options)
    if rows is not None:
        raise ConfigurationError(f"rows is {rows!r}: leave out rows for a model file, for {source!r} is none.")
    if source in GENERATED:
        return GENERATED[source]()
    if Path(source).is_dir():
        return _data_problem(_first_rows(data.load_folder(source, target=target)), columns)
    if target is None and source not in ("digits", "mnist"):
        target = [str(read_table(Path(source), options=options)[0].columns[-1])]
    try:
        loaded = data.load(source, target=target, data_dir=data_dir, drop_missing=drop_missing, options=options)
    except DataError as error:
        raise DataError(_advice_of_play(str(error))) from None
    return _data_problem(loaded, columns)


def _advice_of_play(sentence: str) -> str:
    """The sentence about missing cells without the advice that needs options of `deltarule train`."""
    fault, _, advice = sentence.rpartition(": ")
    if "--missing impute" not in advice and "leave columns out" not in advice:
        return sentence
    return f"{fault}: fill them{f', or {DROP_ADVICE}' * (DROP_ADVICE in advice)}"


def _data_problem(loaded: DataSet, columns: int | None) -> Problem:
    """A data set as a problem, with at most `MOST_ROWS` training rows and its validation part."""
    loaded = loaded.with_complete_targets()
    train, validation, schema = loaded.train, loaded.validation, loaded.schema
    count, names = min(len(train), MOST_ROWS), schema.input_names
    title = loaded.name if count == len(train) else f"{loaded.name}; {count:,} of its {len(train):,} training examples"
    width = len(names) if schema.image_shape is not None or columns is None else min(columns, len(names))
    title += "" if width == len(names) else f"; its first {width} of {len(names)} inputs"
    return Problem(
        loaded.name,
        title,
        train.X[:count, :width].astype(np.float64),
        train.Y[:count].astype(np.float64),
        names[:width],
        rows=train.rows[:count],
        validation=(validation.X[:, :width].astype(np.float64), validation.Y.astype(np.float64)),
        hidden=(30,) if schema.image_shape is not None else (8,),
        start=_start_settings(schema),
        notes=loaded.notes,
        **_schema_fields(schema),
    )


def _first_rows(loaded: StreamedData) -> DataSet:
    """The first training rows of a folder in memory, numbered from 0, and its held-out rows."""
    X, Y, count = [], [], 0
    for x, y in chain.from_iterable(map(loaded.train.pieces, loaded.train.blocks)):
        X.append(x[: MOST_ROWS - count])
        Y.append(np.reshape(y, (len(y), -1))[: MOST_ROWS - count])
        count += len(X[-1])
        if count == MOST_ROWS:
            break
    targets = np.concatenate(Y)
    if loaded.schema.classes is not None:
        targets = np.eye(len(loaded.schema.classes))[targets[:, 0].astype(int)]
    rows = Examples(np.concatenate(X), targets, np.arange(count))
    return DataSet(loaded.name, loaded.schema, rows, loaded.validation, loaded.test, loaded.notes)


def _start_settings(schema: Schema) -> dict[str, Any]:
    if schema.image_shape is not None:
        return {"activation": "sigmoid", "cost": "cross-entropy", "trainer": "sgd", "eta": 0.5, "batch_size": 10}
    if schema.classes is not None:
        return {"activation": "tanh", "cost": "log-likelihood", "trainer": "adam", "eta": 0.01, "batch_size": 10}
    return {"activation": "tanh", "cost": "quadratic", "trainer": "lm"}


def _model_problem(path: Path, rows: str | None, data_dir: Any, drop_missing: bool, options: TableOptions) -> Problem:
    """A trained network and the rows of a source as a problem."""
    model: Any = load_model(path)
    if hasattr(model, "forecast"):
        raise ModelFileError(
            f"{path} is a time-series model, and the page shows networks without feedback: play the table itself, or "
            "look at the model with deltarule report."
        )
    schema = model.schema
    if schema is None:
        raise ModelFileError(f"{path} has no schema, so its rows cannot be encoded: train it with deltarule train.")
    options = options if options.na else replace(options, na=missing_value_options(model).na)
    source = rows or (schema.source if schema.image_shape is not None else None)
    if source is None:
        X, Y, numbers = np.zeros((1, schema.input_width)), np.eye(1, schema.output_width), np.arange(1)
        title = f"{path.name} on one row, the means of its columns; name a table after the model for real rows"
    else:
        raw = data.load_raw(source, schema, data_dir=data_dir, drop_missing=drop_missing, options=options)
        if raw.Y is None:
            raise DataError(f"{source} has no values in the target column: give a table with targets.")
        X, Y, numbers = raw.X[:MOST_ROWS], raw.Y[:MOST_ROWS], raw.rows[:MOST_ROWS]
        title = f"{path.name} on {raw.name}"
    hidden = tuple(getattr(layer, "n", 0) for layer in model.net.layers[:-1])
    start, given = _start_settings(schema) | {"cost": model.net.cost.name}, (model.net, model.params)
    shown: Any = {"rows": numbers, "hidden": hidden, "start": start, "given": given} | _schema_fields(schema)
    return Problem(path.name, title, X, Y, schema.input_names, **shown)


def _schema_fields(schema: Schema) -> dict[str, Any]:
    """The fields of a problem that follow from a schema; only grey images are drawn."""
    shape = schema.image_shape
    return {
        "outputs": schema.output_names,
        "classes": schema.output_names if schema.classes is not None else None,
        "image": None if shape is None or len(shape) != 2 else (shape[0], shape[1]),
    }
