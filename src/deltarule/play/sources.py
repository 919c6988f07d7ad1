"""From what a user names, a source of rows or a model file, to a problem of the page. Nothing else is read."""

from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from deltarule import data
from deltarule.data import DataSet, Schema, TableOptions
from deltarule.data.dataset import Examples, StreamedData
from deltarule.data.table_file import read_table
from deltarule.data.table_options import DEFAULT_OPTIONS
from deltarule.errors import ConfigurationError, DataError, ModelFileError
from deltarule.models.model import load_model, missing_value_options
from deltarule.play.problems import GENERATED, Problem

MODEL_SUFFIX = ".safetensors"
MOST_ROWS = 10_000  # examples that train on the page, so that an epoch of MNIST takes less than a second
COLUMNS = 2  # of a table, unless all are asked for: so many can be drawn as a plane


def problem_of(
    source: str,
    rows: str | None = None,
    target: Any = None,
    columns: int | None = COLUMNS,
    data_dir: Any = None,
    drop_missing: bool = False,
    options: TableOptions = DEFAULT_OPTIONS,
) -> Problem:
    """The problem that a source or a model file poses.

    Args:
        source: a name in `problems.GENERATED`, "digits", "mnist", the path of a table, a folder or a model file.
        rows: for a model file, the source of rows to show it; None where the model was trained on digits or MNIST
            takes these, and for a table one row of the columns' means.
        target: the target columns of a table; None takes the last column.
        columns: how many of a table's inputs to take, the first ones; None takes all.
        data_dir: where MNIST lies.
        drop_missing: leave out a table's rows with missing cells instead of refusing them.
        options: how a table's file is written.

    Raises:
        DataError, ModelFileError: the file cannot be used.
        ConfigurationError: an option does not go with the source.
    """
    if source.endswith(MODEL_SUFFIX):
        return _of_model(Path(source), rows, data_dir, drop_missing, options)
    if rows is not None:
        raise ConfigurationError(f"rows is {rows!r}, which are rows for a model file, and {source!r} is none.")
    if source in GENERATED:
        return GENERATED[source]()
    if Path(source).is_dir():
        return _of_data(_beginning(data.load_folder(source, target=target)), columns)
    if target is None and source not in ("digits", "mnist"):
        target = [str(read_table(Path(source), options=options)[0].columns[-1])]
    loaded = data.load(source, target=target, data_dir=data_dir, drop_missing=drop_missing, options=options)
    return _of_data(loaded, columns)


def _of_data(loaded: DataSet, columns: int | None) -> Problem:
    """A data set: its training part trains, its validation part is scored."""
    loaded = loaded.with_complete_targets()
    train, validation, schema = loaded.train, loaded.validation, loaded.schema
    some, names = np.arange(min(len(train), MOST_ROWS)), schema.input_names
    of = "" if len(some) == len(train) else f"; {len(some):,} of its {len(train):,} training examples"
    width = len(names) if schema.image_shape is not None or columns is None else min(columns, len(names))
    of += "" if width == len(names) else f"; its first {width} of {len(names)} inputs"
    return Problem(
        loaded.name,
        f"{loaded.name}{of}",
        train.X[some, :width].astype(np.float64),
        train.Y[some].astype(np.float64),
        names[:width],
        rows=train.rows[some],
        validation=(validation.X[:, :width].astype(np.float64), validation.Y.astype(np.float64)),
        hidden=(30,) if schema.image_shape is not None else (8,),
        start=_start(schema),
        notes=loaded.notes,
        **_of_schema(schema),
    )


def _beginning(loaded: StreamedData) -> DataSet:
    """A folder's first training rows, numbered in their order; what is held out was measured in the pass over it."""
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


def _start(schema: Schema) -> dict[str, Any]:
    if schema.image_shape is not None:
        return {"activation": "sigmoid", "cost": "cross-entropy", "trainer": "sgd", "eta": 0.5, "batch_size": 10}
    if schema.classes is not None:
        return {"activation": "tanh", "cost": "log-likelihood", "trainer": "adam", "eta": 0.01, "batch_size": 10}
    return {"activation": "tanh", "cost": "quadratic", "trainer": "lm"}


def _of_model(path: Path, rows: str | None, data_dir: Any, drop_missing: bool, options: TableOptions) -> Problem:
    """A trained network on the rows of a source, in their order there."""
    model: Any = load_model(path)
    if hasattr(model, "forecast"):
        raise ModelFileError(
            f"{path} is a time-series model, whose outputs come back as inputs, and the page shows networks without "
            "feedback: play the table itself, or see the model with deltarule report."
        )
    schema = model.schema
    if schema is None:
        raise ModelFileError(f"{path} has no schema, so its rows cannot be encoded: train it with deltarule train.")
    options = options if options.na else replace(options, na=missing_value_options(model).na)
    source = rows or (schema.source if schema.image_shape is not None else None)
    if source is None:
        X, Y, numbers = np.zeros((1, schema.input_width)), np.eye(1, schema.output_width), np.arange(1)
        title = f"{path.name}, shown one row of its columns' means; name a table after it for real rows"
    else:
        raw = data.load_raw(source, schema, data_dir=data_dir, drop_missing=drop_missing, options=options)
        if raw.Y is None:
            raise DataError(f"{source} has no values in the target column: give a table that has them.")
        X, Y, numbers = raw.X[:MOST_ROWS], raw.Y[:MOST_ROWS], raw.rows[:MOST_ROWS]
        title = f"{path.name} on {raw.name}"
    hidden = tuple(getattr(layer, "n", 0) for layer in model.net.layers[:-1])
    start, given = _start(schema) | {"cost": model.net.cost.name}, (model.net, model.params)
    named = _of_schema(schema)
    return Problem(
        path.name, title, X, Y, schema.input_names, rows=numbers, hidden=hidden, start=start, given=given, **named
    )


def _of_schema(schema: Schema) -> dict[str, Any]:
    """What a problem has from a schema; the images are grey."""
    shape = schema.image_shape
    return {
        "outputs": schema.output_names,
        "classes": schema.output_names if schema.classes is not None else None,
        "image": None if shape is None or len(shape) != 2 else (shape[0], shape[1]),
    }
