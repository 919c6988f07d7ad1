"""A table as a data set: which rows are used, how they are split, and what the training rows measure."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np

from deltarule.checks import require_choice
from deltarule.data.cells import as_numbers, as_objects, kind_of, place, shown
from deltarule.data.columns import CategoricalColumn, NumericColumn
from deltarule.data.dataset import DataSet, Examples, RawRows
from deltarule.data.labels import canonical
from deltarule.data.missing_codes import code_notes, missing_codes
from deltarule.data.optional import Frame, Series
from deltarule.data.pixels import Pixels
from deltarule.data.schema import Schema
from deltarule.data.splitting import SPLITS, blocks
from deltarule.data.splitting import split as at_random
from deltarule.data.table_columns import (
    choose_inputs,
    class_labels,
    decide_task,
    find_targets,
    in_time,
    numbers_as_names,
    set_apart,
)
from deltarule.data.table_file import as_path, read_table
from deltarule.data.table_options import AS_FOUND, TableOptions
from deltarule.data.units import find_column
from deltarule.errors import DataError


def load_table(
    path: str | Path | Frame,
    *,
    target: str | Sequence[str] | None,
    task: str | None = None,
    seed: int = 0,
    split: str = "random",
    drop_missing: bool = False,
    options: TableOptions = AS_FOUND,
    by_mean: bool = False,
) -> DataSet:
    """Load a table's file, split 70/15/15 at random (by class for classification) or in its order.

    Means and standard deviations are those of the training part. The categories of a text column and the
    classes are those of the whole table, so that no part meets one it does not know.

    Args:
        path: the file, or a DataFrame.
        target: the target columns, "a", "a,b" or ["a", "b"]; every other usable column is an input, but those that
            `options` set apart.
        task: "classification", "regression", or None for the rule in `decide_task`.
        seed: of a random split.
        split: "random", or "blocks", which trains on the first 70%, for rows in the order of time.
        drop_missing: leave out rows with a missing cell instead of refusing them.
        options: how the file is written and what some columns are for.
        by_mean: divide the targets of a regression by their mean instead of standardising them: counts and rates.

    Returns:
        The data set; `rows` counts the file's data rows from 0, dropped ones included.

    Raises:
        DataError: the file or a cell in it cannot be used.
        ConfigurationError: target, task, seed or split lies outside its domain, or options contradict each other.
    """
    source, path = path, as_path(path)
    require_choice("split", split, SPLITS)
    frame, notes = read_table(source, options.category, options)
    notes = (*notes, *numbers_as_names(list(frame.columns), path.name))
    targets = find_targets(list(frame.columns), target, path.name)
    options = set_apart(frame, options, targets, path.name)
    weights = [options.weights] if options.weights else []
    apart = [*targets, *options.drop, *weights]
    chosen, ignored = choose_inputs(frame.drop(columns=apart), path.name, options.category)
    in_order = in_time(frame) if split == "random" else ()
    whole = frame[[*chosen, *targets, *weights]]
    for name in whole:
        _refuse_infinity(whole[name], path.name)
    # A row that lacks some of several targets trains with the others, unless it is to be left out.
    partly = bool(targets[1:]) and not drop_missing
    needed = whole[[*targets, *weights]] if options.impute else whole
    needed = needed.drop(columns=list(targets)) if partly else needed
    complete, dropped = without_missing(needed, drop_missing, path.name)
    frame = whole.loc[complete.index]
    lacking = _lacking(frame, targets, path.name)
    imputed = {name: int(frame[name].isna().sum()) for name in chosen if frame[name].isna().any()}
    filled = _imputed_note(imputed, len(frame))
    if len(frame) - lacking.sum() < 3:
        after = " once those with missing cells are left out" if dropped else ""
        count = "1 data row" if len(frame) == 1 else f"{len(frame)} data rows"
        raise DataError(
            f"{path.name} has {count}{after}, but at least 3 are needed, to train, validate and test: add rows"
        )
    decided, surprising = decide_task(frame[list(targets)], task, path.name)
    classes = class_labels(frame[targets[0]]) if decided == "classification" else None
    labels = None if classes is None else as_objects(frame[targets[0]])
    parts = _parted(lacking, split, seed, labels)
    measured = [name for name in frame if chosen.get(name) == "numeric" or (name in targets and classes is None)]
    codes = code_notes(missing_codes((name, as_numbers(frame[name])) for name in measured))
    schema, constant = _measure(whole, frame, chosen, targets, classes, imputed, training=parts[0])
    if by_mean:
        schema = schema.by_mean([float(np.nanmean(as_numbers(frame[name])[parts[0]])) for name in targets])
    X, Y = schema.encode_inputs(frame, path.name), schema.encode_targets(frame, path.name, missing=partly)
    rows = frame.index.to_numpy(dtype=np.int64)
    W = None if options.weights is None else _checked_weights(frame[options.weights], path.name)
    train, validation, test = (Examples(X[part], Y[part], rows[part], None if W is None else W[part]) for part in parts)
    return DataSet(
        path.name,
        schema,
        train,
        validation,
        test,
        notes=(*notes, *ignored, *in_order, *dropped, *filled, *_lacking_note(lacking), *codes, *surprising, *constant),
    )


def table_rows(
    path: str | Path,
    schema: Schema,
    *,
    drop_missing: bool = False,
    targets: bool = True,
    options: TableOptions = AS_FOUND,
) -> RawRows:
    """Read a table and encode it by a model's schema.

    Args:
        path: the file; it needs the schema's input columns, and may have others.
        schema: a table's schema.
        drop_missing: leave out rows with a missing cell instead of refusing them.
        targets: encode the target columns where the file has them; False leaves them alone, however they
            look.
        options: how the file is written; what they say of columns is not looked at.

    Returns:
        The rows; Y and targets are None if the file lacks the target columns or they are all empty.

    Raises:
        DataError: the file or a cell in it cannot be used.
    """
    path = Path(path)
    categorical = {column.name for column in schema.inputs if isinstance(column, CategoricalColumn)}
    labels = set(schema.target_names) if schema.classes and isinstance(schema.classes[0], str) else set()
    frame, notes = read_table(path, categorical | labels, options)
    frame = named_as(schema, frame)
    present = [name for name in schema.target_names if name in frame and kind_of(frame[name]) != "empty"]
    dropped: tuple[str, ...] = ()
    if drop_missing:
        needed = [column.name for column in schema.inputs if not isinstance(column, Pixels)]
        imputed = {column.name for column in schema.inputs if not isinstance(column, Pixels) and column.imputed}
        needed = [name for name in needed if name in frame and name not in imputed] + (present if targets else [])
        complete, dropped = without_missing(frame[needed], True, path.name)
        frame = frame.loc[complete.index]
        if not len(frame):
            raise DataError(f"{path.name} has a missing cell in every row: fill them")
    elif targets and len(present) > 1:
        whole = frame[present].notna().all(axis=1)
        frame, left = frame[whole], int((~whole).sum())
        note = f"{left} of {len(whole)} rows of {path.name} lack some of the targets and are left out"
        dropped = (note,) if left else ()
        if not len(frame):
            raise DataError(f"{path.name} lacks some of the targets in every row: fill them")
    X = schema.encode_inputs(frame, path.name)
    Y = schema.encode_targets(frame, path.name) if targets and present else None
    return RawRows(
        name=path.name,
        X=X,
        Y=Y,
        targets=None if Y is None else _as_they_stand(frame, schema),
        rows=frame.index.to_numpy(dtype=np.int64),
        frame=frame,
        notes=(*notes, *dropped),
    )


def without_missing(frame: Frame, drop: bool, origin: str) -> tuple[Frame, tuple[str, ...]]:
    """Leave out the rows with a missing cell if `drop`, else refuse them.

    Returns:
        The rows without a missing cell, their index unchanged, and a note of how many were left out.

    Raises:
        DataError: a cell is missing and `drop` is False; the sentence counts them by column.
    """
    missing = frame.isna()
    if not missing.to_numpy().any():
        return frame, ()
    bad = missing.any(axis=1)
    if drop:
        return frame[~bad], (f"{int(bad.sum())} of {len(frame)} rows of {origin} have missing cells and are left out",)
    counts = missing.sum()
    counts = counts[counts > 0]
    found = [
        f"column {name!r} has {count} (first in data row {missing[name].idxmax()})" for name, count in counts.items()
    ]
    more = f" and {len(found) - 5} more columns" if len(found) > 5 else ""
    raise DataError(
        f"{origin} has missing cells (empty, NA, NaN, null or None; rows counted from 0): "
        f"{', '.join(found[:5])}{more}: fill them, leave such rows out with "
        "drop_missing=True (--drop-missing), or have inputs imputed with --missing impute"
    )


def _imputed_note(imputed: Mapping[str, int], rows: int) -> tuple[str, ...]:
    if not imputed:
        return ()
    found = [f"{name!r} ({count:,} of {rows:,} rows)" for name, count in imputed.items()]
    more = f" and {len(found) - 5} more" if len(found) > 5 else ""
    return (f"missing cells are imputed in {', '.join(found[:5])}{more}",)


def _lacking(frame: Frame, targets: tuple[str, ...], origin: str) -> np.ndarray:
    """Which rows lack some of the targets, (N,) bool.

    Raises:
        DataError: a row lacks all, or all rows lack one.
    """
    missing = frame[list(targets)].isna().to_numpy()
    if not missing.any():
        return np.zeros(len(frame), bool)
    for axis, fault in ((1, "some rows have none of the targets"), (0, "one of the targets has no value in any row")):
        if missing.all(axis=axis).any():
            raise DataError(
                f"{origin}: {fault}: leave such rows out with drop_missing=True (--drop-missing), or name other targets"
            )
    return missing.any(axis=1)


def _lacking_note(lacking: np.ndarray) -> tuple[str, ...]:
    if not lacking.any():
        return ()
    return (
        f"{int(lacking.sum())} of {len(lacking)} rows lack some of the targets: they train with those that they have, "
        "and the scores are of rows that have all",
    )


def _parted(lacking: np.ndarray, split: str, seed: int, labels: list | None) -> list[np.ndarray]:
    """The rows of the three parts; those that lack a target only train, in the order of time only early ones."""
    whole, lacking = np.flatnonzero(~lacking), np.flatnonzero(lacking)
    parts = blocks(len(whole)) if split == "blocks" else at_random(len(whole), seed, labels)
    train, validation, test = (whole[part] for part in parts)
    if split == "blocks":
        lacking = lacking[lacking < validation.min()]
    return [np.concatenate([train, lacking]), validation, test]


def named_as(schema: Schema, frame: Frame) -> Frame:
    """The table with the schema's names for its columns, where only a unit in brackets makes the difference."""
    names = {column.name for column in schema.inputs if not isinstance(column, Pixels)} | set(schema.target_names)
    renamed = {find_column(name, frame.columns): name for name in names if name not in frame}
    return frame.rename(columns={old: new for old, new in renamed.items() if old is not None and old not in names})


def _checked_weights(column: Series, origin: str) -> np.ndarray:
    """The weights of the rows, (N,) float64.

    Raises:
        DataError: a weight is no number or negative, or all are 0.
    """
    weights = as_numbers(column)
    bad = ~(weights >= 0)
    if bad.any():
        row = int(np.argmax(bad))
        raise DataError(
            f"{place(origin, str(column.name), column.index[row])} holds {shown(column.iloc[row])}, but --weights "
            "needs numbers of at least 0: correct the cell"
        )
    if not weights.any():
        raise DataError(f"{origin}: the weights in column {column.name!r} are all 0: give some rows a larger one")
    return weights


def _refuse_infinity(column: Series, origin: str) -> None:
    if kind_of(column) != "numeric":
        return
    infinite = np.isinf(as_numbers(column))
    if infinite.any():
        row = int(np.argmax(infinite))
        raise DataError(
            f"{place(origin, str(column.name), column.index[row])} holds {shown(column.iloc[row])}: replace "
            "it with a finite number or remove the row"
        )


def _measure(
    whole: Frame,
    frame: Frame,
    chosen: dict[str, str],
    targets: tuple[str, ...],
    classes: tuple | None,
    imputed: Collection[str],
    training: np.ndarray,
) -> tuple[Schema, tuple[str, ...]]:
    """Measure the schema on the training rows, and note the columns that are constant there.

    Categories are those of the `whole` table, with the rows that lack a target, which can be predicted nevertheless.
    """
    inputs: list[NumericColumn | CategoricalColumn] = []
    notes = []
    for name in (*chosen, *targets):
        column = frame[name]
        if name not in chosen and classes is not None:
            continue
        if chosen.get(name) == "categorical":
            categories = {str(cell) for cell in as_objects(whole[name].dropna())}
            inputs.append(CategoricalColumn(name, tuple(sorted(categories)), name in imputed))
            continue
        values = as_numbers(column)[training]
        values = values if name in chosen else values[~np.isnan(values)]
        measured = NumericColumn.measured(name, values, name in imputed)
        inputs.append(measured)
        if measured.low == measured.high:
            held = "no value" if measured.low is None else f"{measured.low:g}"
            notes.append(f"column {name!r} holds {held} in every training row; it is shifted, not scaled")
    fitted = tuple(column for column in inputs[len(chosen) :] if isinstance(column, NumericColumn))
    schema = Schema(
        source="table",
        task="regression" if classes is None else "classification",
        inputs=tuple(inputs[: len(chosen)]),
        targets=fitted,
        classes=classes,
        target_names=targets,
    )
    return schema, tuple(notes)


def _as_they_stand(frame: Frame, schema: Schema) -> np.ndarray:
    """Read targets that are already checked: (N,) class labels, or (N, k) numbers in their own units."""
    if schema.classes is None:
        return np.stack([as_numbers(frame[name]) for name in schema.target_names], axis=1)
    kind = type(schema.classes[0])
    return np.array([canonical(cell, kind) for cell in as_objects(frame[schema.target_names[0]])])
