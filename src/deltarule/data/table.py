"""Load a table as a data set: choose the rows, split them, and measure the scaling on the training rows."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from deltarule.checks import require_choice
from deltarule.data.cells import as_numbers, as_objects, find_column, format_values, kind_of, refuse_cells
from deltarule.data.columns import CategoricalColumn, NumericColumn, standardise
from deltarule.data.dataset import DataSet, Examples, RawRows
from deltarule.data.labels import as_label
from deltarule.data.optional import Frame, Series, require
from deltarule.data.schema import Schema
from deltarule.data.splitting import SPLITS, split_in_order
from deltarule.data.splitting import split as split_at_random
from deltarule.data.table_checks import few_rows_note, missing_code_notes
from deltarule.data.table_columns import (
    choose_inputs,
    class_labels,
    decide_task,
    find_targets,
    numeric_header_note,
    resolve_options,
    time_order_note,
)
from deltarule.data.table_file import as_path, clean_frame, is_frame, read_table
from deltarule.data.table_options import DEFAULT_OPTIONS, TableOptions
from deltarule.errors import DataError, pluralized, shorten

DROP_ADVICE = "leave such rows out with drop_missing=True (--drop-missing)"


def load_table(
    path: str | Path | Frame,
    target: str | Sequence[str] | None,
    task: str | None = None,
    seed: int = 0,
    split: str = "random",
    drop_missing: bool = False,
    options: TableOptions = DEFAULT_OPTIONS,
    divide_by_mean: bool = False,
) -> DataSet:
    """Load a table's file, split 70/15/15 at random (stratified by class for classification) or in its order.

    Means and standard deviations are those of the training part; categories and classes are those of the whole table,
    so that each part knows all of them. All usable columns are inputs, except the targets and the columns that
    `options` drop or take as weights. Arguments and errors are those of `load`.
    """
    origin = as_path(path).name
    require_choice("split", split, SPLITS)
    frame, notes = read_table(path, options.category, options)
    notes += numeric_header_note(list(frame.columns), origin)
    targets = find_targets(list(frame.columns), target, origin)
    options = resolve_options(frame, options, targets, origin)
    weights = [options.weights] if options.weights else []
    chosen, ignored = choose_inputs(frame.drop(columns=[*targets, *options.drop, *weights]), origin, options.category)
    notes += (*ignored, *(time_order_note(frame) if split == "random" else ()))
    whole = frame[[*chosen, *targets, *weights]]
    for name in (name for name in targets if kind_of(whole[name]) == "empty"):
        fault = f"{origin}: target {name!r} has no value in any row, so nothing can be learnt"
        raise DataError(f"{fault}: fill it in, or choose another target")
    for column in (whole[name] for name in whole if kind_of(whole[name]) == "numeric"):
        refuse_cells(column, np.isinf(as_numbers(column)), origin, ": give a finite number, or remove the row")
    # A row that lacks some of several targets trains on the others, unless drop_missing leaves it out.
    partial_targets = bool(targets[1:]) and not drop_missing
    may_be_missing = {*(chosen if options.impute else ()), *(targets if partial_targets else ())}
    complete, dropped = drop_incomplete_rows(whole.drop(columns=list(may_be_missing)), drop_missing, origin, targets)
    frame = whole.loc[complete.index]
    lacks_target = _lacks_a_target(frame, targets, origin)
    if len(frame) - lacks_target.sum() < 3:
        after = " once those with missing cells are left out" * bool(dropped)
        count = pluralized(len(frame), "data row")
        raise DataError(f"{origin} has {count}{after}, and training, validation and test need at least 3: add rows")
    decided_task, task_notes = decide_task(frame[list(targets)], task, origin)
    classes = class_labels(frame[targets[0]]) if decided_task == "classification" else None
    parts = _split_rows(lacks_target, split, seed, None if classes is None else as_objects(frame[targets[0]]))

    def measure(name: str) -> Any:
        """Measure a column on the training rows; its categories on all rows, also those without a target."""
        imputed = name in chosen and bool(frame[name].isna().any())
        if chosen.get(name) == "categorical":
            categories = {str(cell) for cell in as_objects(whole[name].dropna())}
            return CategoricalColumn(name, tuple(sorted(categories)), imputed)
        return NumericColumn.from_values(name, as_numbers(frame[name])[parts[0]], imputed)

    inputs, outputs = (tuple(map(measure, names)) for names in (chosen, targets if classes is None else ()))
    numbers = [(column.name, as_numbers(frame[column.name])) for column in (*inputs, *outputs) if column.is_number]
    notes += (
        *dropped,
        *_missing_cell_notes(frame, inputs, lacks_target),
        *missing_code_notes(numbers, targets),
        *task_notes,
    )
    notes += few_rows_note(len(parts[0]))
    schema = Schema("table", decided_task, inputs, outputs, classes, targets)
    if divide_by_mean:
        schema = schema.scaled_by_mean([float(np.nanmean(as_numbers(frame[name])[parts[0]])) for name in targets])
    X, Y = schema.encode_inputs(frame, origin), schema.encode_targets(frame, origin, missing=partial_targets)
    example_weights = _read_weights(frame[weights[0]], origin, parts[0]) if weights else None
    rows = Examples(X, Y, frame.index.to_numpy(dtype=np.int64), example_weights)
    return DataSet(origin, schema, *map(rows.select, parts), notes=notes)


def load_raw_table(
    path: str | Path,
    schema: Schema,
    drop_missing: bool = False,
    targets: bool = True,
    options: TableOptions = DEFAULT_OPTIONS,
) -> RawRows:
    """Read a table that has the schema's input columns, and encode it; arguments and errors are those of `load_raw`.

    Y and targets are None if the file has no targets. Options about columns are ignored.
    """
    path = Path(path)
    texts = {column.name for column in schema.inputs if not column.is_number}
    labels = set(schema.target_names) if schema.classes and isinstance(schema.classes[0], str) else set()
    frame, notes = read_table(path, texts | labels, options)
    frame = rename_to_schema(schema, frame)
    present = [name for name in schema.target_names if name in frame and kind_of(frame[name]) != "empty"]
    present = present if targets else []
    needed = present if len(present) > 1 or drop_missing else []  # rows that lack one of several targets are left out
    if drop_missing:
        needed = needed + [column.name for column in schema.inputs if column.name in frame and not column.imputed]
    complete, dropped = drop_incomplete_rows(frame[needed], True, path.name)
    if not len(complete):
        raise DataError(f"{path.name} has a missing cell in every row: fill the cells")
    frame = frame.loc[complete.index]
    return RawRows(
        name=path.name,
        X=schema.encode_inputs(frame, path.name),
        Y=schema.encode_targets(frame, path.name) if present else None,
        targets=_raw_targets(frame, schema) if present else None,
        rows=frame.index.to_numpy(dtype=np.int64),
        frame=frame,
        notes=(*notes, *dropped),
    )


def drop_incomplete_rows(
    frame: Frame, drop: bool, origin: str, targets: tuple[str, ...] = ()
) -> tuple[Frame, tuple[str, ...]]:
    """The rows without a missing cell, with their index, and a note with the number of dropped rows.

    Without `drop` a missing cell is a DataError, which counts the missing cells of each column.
    """
    missing = frame.isna()
    if not missing.to_numpy().any():
        return frame, ()
    bad = missing.any(axis=1)
    if drop:
        return frame[~bad], (f"{int(bad.sum())} of {len(frame)} rows of {origin} have missing cells and are left out",)
    counts = missing.sum()
    columns = [
        f"column {name!r} has {count} (first in data row {missing[name].idxmax()})"
        for name, count in counts[counts > 0].items()
    ]
    fault = f"{origin} has missing cells (empty, NA, NaN, null or None; rows counted from 0)"
    advice = ["fill them"] + [DROP_ADVICE] * (not bad.all())
    if not any(counts.get(name, 0) for name in targets):  # a missing target is never imputed
        advice.append("have inputs imputed with --missing impute")
    advice += ["leave columns out with --drop"] * bool(bad.all())
    any_of = f"{', '.join(advice[:-1])}{', or ' * bool(advice[1:])}{advice[-1]}"
    raise DataError(f"{fault}: {shorten(columns, 5, 'columns')}: {any_of}")


def _missing_cell_notes(frame: Frame, inputs: Sequence[Any], lacks_target: np.ndarray) -> list[str]:
    """Notes about the imputed inputs and about the rows that lack some of the targets."""
    names = [column.name for column in inputs if column.imputed]
    counts = [f"{name!r} ({int(frame[name].isna().sum()):,} of {len(frame):,} rows)" for name in names]
    notes = [f"missing cells are imputed in {shorten(counts, 5)}"] if counts else []
    if lacks_target.any():
        notes.append(
            f"{int(lacks_target.sum())} of {len(lacks_target)} rows lack some of the targets: they train on the "
            "others, and only rows with all targets are scored"
        )
    return notes


def _lacks_a_target(frame: Frame, targets: tuple[str, ...], origin: str) -> np.ndarray:
    """Whether each row lacks some of the targets, (N,) bool; a DataError if a row lacks all."""
    missing = frame[list(targets)].isna().to_numpy()
    if missing.all(axis=1).any():
        raise DataError(f"{origin}: some rows have none of the targets: {DROP_ADVICE}, or name other targets")
    return missing.any(axis=1)


def _split_rows(lacks_target: np.ndarray, split: str, seed: int, labels: list | None) -> list[np.ndarray]:
    """The rows of the three parts; rows that lack a target only train, with "blocks" only early ones."""
    complete, partial = np.flatnonzero(~lacks_target), np.flatnonzero(lacks_target)
    parts = split_in_order(len(complete)) if split == "blocks" else split_at_random(len(complete), seed, labels)
    train, validation, test = (complete[part] for part in parts)
    if split == "blocks":
        partial = partial[partial < validation.min()]
    return [np.concatenate([train, partial]), validation, test]


def rename_to_schema(schema: Schema, frame: Frame) -> Frame:
    """Give columns the schema's names if they differ only by a unit in brackets."""
    names = {column.name for column in schema.inputs} | set(schema.target_names)
    renamed = {find_column(name, frame.columns): name for name in names if name not in frame}
    return frame.rename(columns={old: new for old, new in renamed.items() if old is not None and old not in names})


def _read_weights(column: Series, origin: str, train: np.ndarray) -> np.ndarray:
    """The weights of the rows, (N,) float64, with mean 1 over the training rows.

    A DataError if one is negative or all are 0.
    """
    weights = as_numbers(column)
    refuse_cells(column, ~(weights >= 0), origin, ", but --weights needs numbers of at least 0: correct the cell")
    if not weights.any():
        raise DataError(f"{origin}: the weights in column {column.name!r} are all 0: give some rows a positive weight")
    return weights / (weights[train].mean() or weights.mean())


def _raw_targets(frame: Frame, schema: Schema) -> np.ndarray:
    """The checked targets as (N,) class labels, or (N, k) numbers in their own units."""
    if schema.classes is None:
        return np.stack([as_numbers(frame[name]) for name in schema.target_names], axis=1)
    kind = type(schema.classes[0])
    return np.array([as_label(cell, kind) for cell in as_objects(frame[schema.target_names[0]])])


def encode_rows(schema: Schema, rows: Any, options: TableOptions = DEFAULT_OPTIONS) -> np.ndarray:
    """Encode rows in raw units for a trained model, (N, n_1).

    Rows of a table are a DataFrame with the model's columns by name, in any order, or an array (N, columns) in the
    model's order; images are (N, count) or (N, *shape) raw pixels.
    """
    if schema.image_shape is not None:
        return schema.encode_inputs(rows, "rows")
    columns: Any = schema.inputs
    if not is_frame(rows):
        values = np.asarray(rows)
        if values.ndim != 2 or values.shape[1] != len(columns):
            found = f"rows have the shape {values.shape}, and the model has {len(columns)} columns"
            names = format_values([column.name for column in columns])
            advice = f"give an array (N, {len(columns)}) in the order of {names}, or a DataFrame with these columns"
            raise DataError(f"{found}: {advice}")
        plain = all(column.is_number and not column.imputed for column in columns)
        if plain and values.dtype.kind in "buif" and np.isfinite(values).all():
            return standardise(columns, values)
        frame = require("pandas", "a row that is not all numbers").DataFrame(values, columns=[c.name for c in columns])
        rows = frame.infer_objects()
    texts = [column.name for column in columns if not column.is_number]
    return schema.encode_inputs(rename_to_schema(schema, clean_frame(rows, texts, options)), "rows")
