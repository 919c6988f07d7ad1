"""Deciding what each column of a table is for: targets, task, inputs, and what is left out."""

import difflib
from collections.abc import Sequence

import numpy as np

from deltarule.data.cells import (
    COMMA_ADVICE,
    as_numbers,
    as_objects,
    comma_numbers,
    count_numbers,
    kind_of,
    listed,
    place,
    shown,
)
from deltarule.data.labels import Label, canonical
from deltarule.data.optional import Frame, Series, require
from deltarule.data.schema import Task
from deltarule.errors import ConfigurationError, DataError

MOST_INTEGER_CLASSES = 20
MOST_UNIQUE_CATEGORIES = 50


def find_targets(columns: Sequence[str], target: str | Sequence[str] | None, origin: str) -> tuple[str, ...]:
    """Turn the `target` option, "a", "a,b" or ["a", "b"], into names of columns that exist.

    Raises:
        ConfigurationError: there is no target, or one is named twice.
        DataError: a target is no column of the table.
    """
    if isinstance(target, str):
        names = [target] if target in columns else [name.strip() for name in target.split(",")]
    else:
        names = list(target or ())
    if not names or not all(names):
        raise ConfigurationError(
            f"{origin} needs a target: name one of its columns {listed(tuple(columns))} with --target"
        )
    for name in names:
        if name not in columns:
            near = difflib.get_close_matches(str(name), columns, n=1)
            hint = f"did you mean {near[0]!r}? " if near else ""
            if len(columns) == 1 and (";" in columns[0] or "\t" in columns[0]):
                hint = "its cells seem to be separated by semicolons or tabs: save it with commas; "
            for note in numbers_as_names(columns, origin):
                hint = f"{note}; "
            raise DataError(
                f"{origin} has no column {name!r} for the target: {hint}its columns are {listed(tuple(columns))}"
            )
    if len(set(names)) != len(names):
        raise ConfigurationError(f"target {target!r} names a column twice: name each once")
    return tuple(names)


def numbers_as_names(columns: Sequence[str], origin: str) -> tuple[str, ...]:
    """A note if the names of the columns look like the first row of a table without names.

    That is if more than half of them are numbers, and either all of them or one that is not whole; 0, 1, 2, ... are
    what pandas writes for columns without names.
    """
    numbers = [number for name in columns if (number := _as_number(name)) is not None]
    if numbers == list(range(len(columns))) or 2 * len(numbers) <= len(columns):
        return ()
    if len(numbers) < len(columns) and all(number % 1 == 0 for number in numbers):
        return ()
    return (
        f"the first line of {origin} holds the numbers {listed(tuple(columns), 4)} and is taken for the names of the "
        "columns: if it is a row, put a line of names above it",
    )


def _as_number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if np.isfinite(number) else None


def decide_task(targets: Frame, task: str | None, origin: str) -> tuple[Task, tuple[str, ...]]:
    """Decide between classification and regression, and say so where the rule could surprise.

    One target is classification if it holds text, categories or booleans, or at most 20 different whole
    numbers; numbers that are not whole, or more than 20 different ones, are regression. Several targets are
    regression. `task` overrides the rule.

    Args:
        targets: the target columns, without missing cells.
        task: "classification", "regression" or None.
        origin: the file's name.

    Returns:
        The task and notes.

    Raises:
        ConfigurationError: `task` is another word, or asks to classify several targets.
        DataError: a target cannot serve: text or dates where numbers are needed, one class only.
    """
    if task not in (None, "classification", "regression"):
        raise ConfigurationError(f"task is {task!r}: give classification or regression")
    several = targets.shape[1] > 1
    if several and task == "classification":
        raise ConfigurationError(
            f"target names {targets.shape[1]} columns ({listed(tuple(targets.columns))}), but "
            "classification supports one: name one target, or use task regression"
        )
    for name in targets:
        if kind_of(targets[name]) in ("date", "other"):
            raise DataError(
                f"{place(origin, name, targets.index[0])} holds {shown(targets[name].iloc[0])}, which can "
                "be no target: targets are numbers, text or booleans"
            )
    if several or task == "regression":
        for name in targets:
            _refuse_text(targets[name], several, origin)
        return "regression", ()
    return _task_of_one(targets.iloc[:, 0], task, origin)


def _task_of_one(column: Series, task: str | None, origin: str) -> tuple[Task, tuple[str, ...]]:
    name, different = column.name, column.nunique()
    kind = kind_of(column)
    notes = ()
    if task is None and kind == "numeric":
        values = as_numbers(column)
        if not np.isfinite(values).all() or (values % 1 != 0).any() or different > MOST_INTEGER_CLASSES:
            return "regression", ()
        notes = (
            f"target {name!r} holds {different} different whole numbers and is read as classes; "
            "to fit them as numbers use task regression",
        )
    if task is None and kind == "text":
        _refuse_comma_numbers(column, origin)
        refuse_stray_text(column, origin)
    if different == 1:
        raise DataError(
            f"{origin}: target {name!r} holds {shown(column.iloc[0])} in every row, but classification "
            "takes two or more classes: add rows of another class, or choose another target"
        )
    if different == len(column) and different > MOST_UNIQUE_CATEGORIES:
        raise DataError(
            f"{origin}: target {name!r} has a different value in each of its {different} rows, so there is "
            "nothing to classify: choose another target, or use task regression for numbers"
        )
    return "classification", notes


def _refuse_text(column: Series, several: bool, origin: str) -> None:
    if kind_of(column) != "text":
        return
    _refuse_comma_numbers(column, origin)
    _, stranger = count_numbers(column)
    if stranger is not None:
        advice = "name one target alone to classify it" if several else "use task classification, or correct the cell"
        raise DataError(
            f"{place(origin, str(column.name), column.index[stranger])} holds "
            f"{shown(column.iloc[stranger])}, but regression fits numbers: {advice}"
        )


def refuse_stray_text(column: Series, origin: str) -> None:
    """Refuse a column of numbers in which some text stands, which would otherwise pass for categories.

    Raises:
        DataError: more than half of the present cells, but not all, read as numbers.
    """
    numbers, stranger = count_numbers(column)
    if stranger is not None and 2 * numbers > column.notna().sum():
        raise DataError(
            f"{place(origin, str(column.name), column.index[stranger])} holds "
            f"{shown(column.iloc[stranger])} in a column of numbers: correct the cell, or put a letter "
            "before each number if they are codes"
        )


def _refuse_comma_numbers(column: Series, origin: str) -> None:
    """Refuse a column of numbers of which some have a decimal comma or thousands separators, and so pass for text."""
    written, (numbers, _) = comma_numbers(column), count_numbers(column)
    if written.any() and 2 * (numbers + int(written.sum())) > column.notna().sum():
        row = int(np.argmax(written))
        raise DataError(
            f"{place(origin, str(column.name), column.index[row])} holds {shown(column.iloc[row])} in a column of "
            f"numbers with commas: {COMMA_ADVICE}"
        )


def class_labels(column: Series) -> tuple[Label, ...]:
    """List the different labels of a target without missing cells, sorted, in Python's own types.

    Text stays text; numbers that are all whole become int; booleans stay booleans.
    """
    kinds = {"text": str, "boolean": bool, "numeric": int}
    kind = kinds[kind_of(column)]
    if kind is int and (as_numbers(column) % 1 != 0).any():
        kind = float
    labels = {canonical(value, kind) for value in as_objects(column)}
    return tuple(sorted(label for label in labels if label is not None))


def choose_inputs(frame: Frame, origin: str) -> tuple[dict[str, str], tuple[str, ...]]:
    """Choose the columns that can be inputs.

    Left out, with a note: columns without any value, dates, cells of other types, text that is the same in
    every row, and text that differs in every one of more than 50 rows (names, identifiers).

    Args:
        frame: the table without its targets; cells may be missing.
        origin: the file's name.

    Returns:
        "numeric" or "categorical" for each input column, in the table's order; and notes.

    Raises:
        DataError: text, or numbers with commas, stand in a column of numbers, or no column is left.
    """
    pd = require("pandas", "a table")
    chosen: dict[str, str] = {}
    notes: list[str] = []
    for name in frame:
        column = frame[name]
        declared = isinstance(column.dtype, pd.CategoricalDtype)
        kind = "text" if declared and kind_of(column) in ("numeric", "boolean") else kind_of(column)
        if kind == "text" and not declared:
            _refuse_comma_numbers(column, origin)
        if kind in ("numeric", "boolean"):
            chosen[name] = "numeric"
        elif reason := _no_input(column, kind):
            notes.append(f"column {name!r} is ignored: {reason}")
        else:
            if not declared:
                refuse_stray_text(column, origin)
            chosen[name] = "categorical"
            if (different := column.nunique()) > MOST_UNIQUE_CATEGORIES:
                notes.append(f"column {name!r} holds {different} different texts and becomes as many inputs")
    if not chosen:
        ignored = f" ({'; '.join(notes)})" if notes else ""
        raise DataError(f"{origin} has no column left for the inputs besides the target{ignored}: add one")
    return chosen, tuple(notes)


def in_time(frame: Frame) -> tuple[str, ...]:
    """A note if the rows stand in the order of a column of dates, which a random split takes no heed of."""
    for name in frame:
        if kind_of(frame[name]) != "date":
            continue
        dates = _dates(frame[name])
        if dates.is_monotonic_increasing and dates.nunique() > 1:
            return (
                f"the rows stand in the order of {name!r}: a random split tests on rows between those that train, and "
                "looks better than what is to come; with split='blocks' the last rows are tested",
            )
    return ()


def _dates(column: Series) -> Series:
    """The dates of a column in an order; of text, the day comes first where points stand between."""
    pd = require("pandas", "a table")
    present = column.dropna()
    if not isinstance(present.iloc[0], str):
        return present
    return pd.to_datetime(present, errors="coerce", dayfirst="." in present.iloc[0][:6], format="mixed", utc=True)


def _no_input(column: Series, kind: str) -> str | None:
    """Say why a column that holds no numbers cannot be an input, or None if it can."""
    if kind == "empty":
        return "it has no value in any row"
    if kind == "date":
        return "it holds dates or times"
    if kind == "other":
        return f"it holds values of the type {type(column.dropna().iloc[0]).__name__}"
    if column.nunique() == 1:
        return f"it holds {shown(column.dropna().iloc[0])} in every row"
    if column.nunique() == column.notna().sum() > MOST_UNIQUE_CATEGORIES:
        return f"its {column.nunique()} texts all differ, as names and identifiers do"
    return None
