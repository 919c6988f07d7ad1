"""Decide what each column of a table is for: the targets and their task, the inputs, and the columns to ignore."""

import difflib
import shlex
from collections.abc import Collection, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np

from deltarule.data.cells import (
    as_numbers,
    as_objects,
    describe_cell,
    find_column,
    format_value,
    format_values,
    is_missing_mark,
    kind_of,
    looks_like_number,
    parse_numbers,
    refuse_cells,
)
from deltarule.data.dates import read_dates
from deltarule.data.labels import Label, as_label
from deltarule.data.optional import Frame, Series, require
from deltarule.data.schema import Task
from deltarule.data.table_options import TableOptions
from deltarule.errors import ConfigurationError, DataError

MOST_INTEGER_CLASSES = 20
MOST_UNIQUE_CATEGORIES = 50


def find_targets(columns: Sequence[str], target: str | Sequence[str] | None, origin: str) -> tuple[str, ...]:
    """Turn the `target` option into names of columns that exist.

    The option is a name, several names separated by commas, or a sequence of these. Names may contain commas, and may
    lack the unit that the column has in brackets.
    """
    texts = [target] if isinstance(target, str) else list(target or ())
    if not texts or not all(piece.strip() for text in texts for piece in text.split(",")):
        raise ConfigurationError(f"{origin} needs a target: give target, one of its columns {format_values(columns)}")
    names = []
    for text in texts:
        pieces = text.split(",")
        while pieces:  # a name may contain commas: the longest name that exists is meant
            name, count = None, len(pieces)
            while count and name is None:
                name, count = find_column(",".join(pieces[:count]).strip(), columns), count - 1
            names.append(name or require_column(pieces[0].strip(), columns, origin, "target"))
            pieces = pieces[count + 1 :]
    if len(set(names)) != len(names):
        raise ConfigurationError(f"target {target!r} names a column twice: name each once")
    return tuple(names)


def require_column(name: str, columns: Sequence[str], origin: str, option: str) -> str:
    """The column that an option means by this name; a DataError if there is none."""
    column = find_column(name, columns)
    if column is None:
        similar = [f"did you mean {other!r}? " for other in difflib.get_close_matches(name, columns, n=1)]
        hint = [f"{note}; " for note in numeric_header_note(columns, origin)] or similar or [""]
        existing = f"{hint[0]}its columns are {format_values(tuple(columns))}"
        raise DataError(f"{origin} has no column {name!r} for the {option}: {existing}")
    return column


def resolve_options(frame: Frame, options: TableOptions, targets: tuple[str, ...], origin: str) -> TableOptions:
    """The options with their columns' full names in the table; a ConfigurationError if two options name one column."""
    weights = (options.weights,) * bool(options.weights)
    requested = {"drop": options.drop, "category": options.category, "weights": weights}
    columns = {
        option: tuple(require_column(str(name), list(frame.columns), origin, f"option --{option}") for name in names)
        for option, names in requested.items()
    }
    for (option, names), (other, others) in combinations({"target": targets, **columns}.items(), 2):
        if (twice := set(names) & set(others)) and (option, other) != ("target", "category"):
            raise ConfigurationError(f"--{option} and --{other} both name the column {min(twice)!r}: leave one out")
    return replace(options, drop=columns["drop"], category=columns["category"], weights=(*columns["weights"], None)[0])


def numeric_header_note(columns: Sequence[str], origin: str) -> tuple[str, ...]:
    """A note if the names of the columns look like the first row of a table without names.

    They do if all of them are numbers, or more than half of them and one of these is not whole. 0, 1, 2, ... do not:
    pandas writes them for columns without names.
    """
    values = as_numbers(require("pandas").Series(list(columns), dtype=object))
    numbers = values[np.isfinite(values)].tolist()
    if numbers == list(range(len(columns))) or 2 * len(numbers) <= len(columns):
        return ()
    if len(numbers) < len(columns) and all(number % 1 == 0 for number in numbers):
        return ()
    header = f"the first line of {origin} holds the numbers {format_values(tuple(columns), 4)}"
    return (f"{header} and is read as the names of the columns: if it is a row, put a line of names above it",)


def decide_task(targets: Frame, task: str | None, origin: str) -> tuple[Task, tuple[str, ...]]:
    """Decide between classification and regression, with a note if the rule could surprise.

    One target is a classification if it holds text, categories or booleans, or at most 20 different whole numbers; else
    it is a regression, and so are several targets. `task` overrides this rule.
    """
    if task not in (None, "classification", "regression"):
        raise ConfigurationError(f"task is {task!r}: give classification or regression")
    columns = [targets[name] for name in targets]
    if len(columns) > 1 and task == "classification":
        found = f"target names {len(columns)} columns ({format_values(tuple(targets.columns))})"
        raise ConfigurationError(f"{found}, but classification supports one: name one target, or use task regression")
    for column in columns:
        if kind_of(column) in ("date", "other"):
            found = describe_cell(column, 0, origin)
            raise DataError(f"{found}, but targets must be numbers, text or booleans: choose another target")
    if len(columns) > 1 or task == "regression":
        advice = "use task classification, or correct the cell"
        advice = "name one target alone to classify it" if len(columns) > 1 else advice
        for column in (column for column in columns if kind_of(column) == "text"):
            refuse_stray_text(column, origin, "correct the cell, or remove its row")
            is_text = np.isnan(as_numbers(column)) & column.notna().to_numpy()
            refuse_cells(column, is_text, origin, f", but regression fits numbers: {advice}")
        return "regression", ()
    (column,) = columns
    where, different, kind, notes = f"{origin}: target {column.name!r}", column.nunique(), kind_of(column), ()
    if different == 1:
        found = f"{where} holds {format_value(column.iloc[0])} in every row, so nothing can be learnt"
        raise DataError(f"{found}: choose another target, or add rows with other values")
    if task is None and kind == "numeric":
        values = as_numbers(column)
        if not np.isfinite(values).all() or (values % 1 != 0).any() or different > MOST_INTEGER_CLASSES:
            return "regression", ()
        notes = (classes_note(str(column.name), different),)
    if task is None and kind == "text":
        refuse_stray_text(column, origin, "correct the cell, remove its row, or use task classification")
    if different == len(column) and different > MOST_UNIQUE_CATEGORIES:
        found = f"{where} has a different value in each of its {different} rows, so there is nothing to classify"
        raise DataError(f"{found}: choose another target, or use task regression for numbers")
    return "classification", notes


def classes_note(target: str, different: int) -> str:
    """A note that a target of whole numbers is read as classes."""
    found = f"target {target!r} holds {different} different whole numbers and is read as classes"
    return f"{found}; to fit them as numbers use task regression"


AS_INPUT = "correct the cell, read the column as categories with --category, or leave it out with --drop"


def refuse_stray_text(column: Series, origin: str, advice: str = AS_INPUT) -> None:
    """Raise a DataError about a column of numbers that is read as text because of some cells; `advice` says what to do.

    Such a column has numbers in more than half of its cells, or in all but marks such as "?"; or all cells are numbers,
    but with different units, or with commas that may be decimal signs or separate thousands.
    """
    cells = [cell for cell in as_objects(column) if cell is not None]
    texts = [cell for cell in cells if not looks_like_number(cell)]
    numbers = len(cells) - len(texts)
    if not numbers or (2 * numbers <= len(cells) and not all(map(is_missing_mark, texts))):
        return
    fault = "in a column of numbers"
    if texts:
        bad_cell, count = texts[0], texts.count(texts[0])
        fault += f" ({count} cells do)" * (count > 1)
        if is_missing_mark(bad_cell):
            advice = f"if it stands for a missing value, read it as one with --na {shlex.quote(bad_cell)}"
    elif (bad_cell := _cell_with_rarer_sign(column)) is not None:
        advice = "write all numbers with the same sign"
        fault += ", of which some have a decimal comma and some a decimal point"
    elif commas := [cell for cell in cells if isinstance(cell, str) and "," in cell]:
        bad_cell, fault = commas[0], f"{fault} with commas"
        advice = "say --decimal , if the comma is the decimal sign, or --decimal . if it separates thousands"
    else:
        units = parse_numbers(column, ".").units
        if len(units) < 2 or len(set(cells)) <= 2 * len(units):  # 1A, 1B, 2A are codes
            return
        bad_cell = next(cell for cell in cells if parse_numbers(type(column)([cell]), ".").units != units[:1])
        fault += f" with the units {format_values(units, 5)}"
        advice = "write all numbers in one unit, or name the column with --category if they are codes"
    raise DataError(f"{describe_cell(column, as_objects(column).index(bad_cell), origin)} {fault}: {advice}")


def _cell_with_rarer_sign(column: Series) -> str | None:
    """The first cell with the rarer decimal sign if some cells have a decimal comma and some a point, else None."""
    comma, point = (parse_numbers(column, sign).is_number for sign in (",", "."))
    only = (comma & ~point, point & ~comma)
    return as_objects(column)[int(min(only, key=np.sum).argmax())] if all(map(np.any, only)) else None


def class_labels(column: Series) -> tuple[Label, ...]:
    """The different labels of a target, sorted: str, bool, int if all numbers are whole, else float."""
    kind = {"text": str, "boolean": bool, "numeric": int}[kind_of(column)]
    if kind is int and (as_numbers(column) % 1 != 0).any():
        kind = float
    labels = {as_label(value, kind) for value in as_objects(column)}
    return tuple(sorted(label for label in labels if label is not None))


def choose_inputs(frame: Frame, origin: str, category: Collection[str] = ()) -> tuple[dict[str, str], tuple[str, ...]]:
    """Choose the columns that can be inputs: "numeric" or "categorical" by name, in the table's order; and notes.

    Columns without any value, dates, cells of other types, text that is the same in every row, and text that differs in
    every one of more than 50 rows (names, identifiers) are ignored, with a note. The columns in `category` are
    categorical in any case.
    """
    chosen: dict[str, str] = {}
    notes: list[str] = []
    for name in frame:
        column, kind = frame[name], kind_of(frame[name])
        is_requested = name in category and kind != "empty"
        is_category = is_requested or hasattr(column.dtype, "categories")
        if kind == "text" and not is_category:
            refuse_stray_text(column, origin)
        if kind in ("numeric", "boolean") and not is_category:
            chosen[name] = "numeric"
        elif not is_requested and (reason := _reason_to_ignore(column, kind)):
            notes.append(f"column {name!r} is ignored: {reason}")
        else:
            chosen[name], different = "categorical", column.nunique()
            if different > MOST_UNIQUE_CATEGORIES:
                values = "texts" if kind == "text" else "values"
                notes.append(f"column {name!r} holds {different} different {values} and becomes as many inputs")
    if not chosen:
        ignored = f" ({'; '.join(notes)})" if notes else ""
        raise DataError(
            f"{origin} has no column left for the inputs besides the target{ignored}: add one, or, if "
            "its rows are steps in time, train on it as a time series, --lags 8 or deltarule.NARXRegressor"
        )
    return chosen, tuple(notes)


def _reason_to_ignore(column: Series, kind: str) -> str | None:
    """Why a column without numbers cannot be an input, or None if it can."""
    present = column.dropna()
    if kind in ("empty", "date"):
        return {"empty": "it has no value in any row", "date": "it holds dates or times"}[kind]
    if kind == "other":
        return f"it holds values of the type {type(present.iloc[0]).__name__}"
    if (different := present.nunique()) == 1:
        return f"it holds {format_value(present.iloc[0])} in every row"
    if different == len(present) > MOST_UNIQUE_CATEGORIES:
        return f"its {different} texts all differ, as names and identifiers do"
    return None


def time_order_note(frame: Frame) -> tuple[str, ...]:
    """A note if the rows are sorted by a column of dates, which a random split ignores."""
    for name in frame:
        if kind_of(frame[name]) != "date":
            continue
        try:
            dates, _ = read_dates(frame[name].dropna(), "the table")
        except DataError:
            continue
        steps = np.diff(dates) / np.timedelta64(1, "s")
        if (steps >= 0).all() and (steps > 0).any():
            return (
                f"the rows are sorted by {name!r}: the test rows of a random split lie between training rows, so their "
                "scores are better than those of later rows will be; split='blocks' tests on the last rows",
            )
    return ()
