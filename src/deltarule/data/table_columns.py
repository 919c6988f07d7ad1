"""Deciding what each column of a table is for: targets, task, inputs, and what is left out."""

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
from deltarule.data.labels import Label, as_label
from deltarule.data.optional import Frame, Series, require
from deltarule.data.schema import Task
from deltarule.data.table_options import TableOptions
from deltarule.errors import ConfigurationError, DataError

MOST_INTEGER_CLASSES = 20
MOST_UNIQUE_CATEGORIES = 50


def find_targets(columns: Sequence[str], target: str | Sequence[str] | None, origin: str) -> tuple[str, ...]:
    """Turn the `target` option into names of columns that exist.

    It is a name, several with commas between, or a sequence of these; names may hold commas themselves. A name may
    lack the unit that the column has in brackets.
    """
    given = [target] if isinstance(target, str) else list(target or ())
    if not given or not all(piece.strip() for text in given for piece in text.split(",")):
        known = format_values(tuple(columns))
        raise ConfigurationError(f"{origin} needs a target: name one of its columns {known} with --target")
    names = []
    for text in given:
        pieces = text.split(",")
        while pieces:  # of names with commas the longest that fits is meant
            found, count = None, len(pieces)
            while count and found is None:
                found, count = find_column(",".join(pieces[:count]).strip(), columns), count - 1
            names.append(found or require_column(pieces[0].strip(), columns, origin, "target"))
            pieces = pieces[count + 1 :]
    if len(set(names)) != len(names):
        raise ConfigurationError(f"target {target!r} names a column twice: name each once")
    return tuple(names)


def require_column(name: str, columns: Sequence[str], origin: str, option: str) -> str:
    """The column of the table that an option means by this name; a DataError if there is none."""
    found = find_column(name, columns)
    if found is None:
        near = [f"did you mean {other!r}? " for other in difflib.get_close_matches(name, columns, n=1)]
        hint = [f"{note}; " for note in numeric_header_note(columns, origin)] or near or [""]
        known = f"{hint[0]}its columns are {format_values(tuple(columns))}"
        raise DataError(f"{origin} has no column {name!r} for the {option}: {known}")
    return found


def resolve_options(frame: Frame, options: TableOptions, targets: tuple[str, ...], origin: str) -> TableOptions:
    """The options with the names that their columns have in the table; none may be asked for twice."""
    given = {"drop": options.drop, "category": options.category, "weights": (options.weights,) * bool(options.weights)}
    found = {
        option: tuple(require_column(str(name), list(frame.columns), origin, f"option --{option}") for name in names)
        for option, names in given.items()
    }
    for (option, names), (other, taken) in combinations({"target": targets, **found}.items(), 2):
        if (twice := set(names) & set(taken)) and (option, other) != ("target", "category"):
            raise ConfigurationError(f"--{option} and --{other} both name the column {min(twice)!r}: leave one out")
    return replace(options, drop=found["drop"], category=found["category"], weights=(*found["weights"], None)[0])


def numeric_header_note(columns: Sequence[str], origin: str) -> tuple[str, ...]:
    """A note if the names of the columns look like the first row of a table without names.

    That is if more than half of them are numbers, and either all of them or one that is not whole; 0, 1, 2, ... are
    what pandas writes for columns without names.
    """
    read = as_numbers(require("pandas").Series(list(columns), dtype=object))
    numbers = read[np.isfinite(read)].tolist()
    if numbers == list(range(len(columns))) or 2 * len(numbers) <= len(columns):
        return ()
    if len(numbers) < len(columns) and all(number % 1 == 0 for number in numbers):
        return ()
    first = f"the first line of {origin} holds the numbers {format_values(tuple(columns), 4)}"
    return (f"{first} and is taken for the names of the columns: if it is a row, put a line of names above it",)


def decide_task(targets: Frame, task: str | None, origin: str) -> tuple[Task, tuple[str, ...]]:
    """Decide between classification and regression, and note where the rule could surprise.

    One target is classification if it holds text, categories or booleans, or at most 20 different whole
    numbers; numbers that are not whole, or more than 20 different ones, are regression. Several targets are
    regression. `task` overrides the rule.
    """
    if task not in (None, "classification", "regression"):
        raise ConfigurationError(f"task is {task!r}: give classification or regression")
    columns = [targets[name] for name in targets]
    if len(columns) > 1 and task == "classification":
        found = f"target names {len(columns)} columns ({format_values(tuple(targets.columns))})"
        raise ConfigurationError(f"{found}, but classification supports one: name one target, or use task regression")
    for column in columns:
        if kind_of(column) in ("date", "other"):
            no_target = f"{describe_cell(column, 0, origin)}, which can be no target"
            raise DataError(f"{no_target}: targets are numbers, text or booleans")
    if len(columns) > 1 or task == "regression":
        cure = "use task classification, or correct the cell"
        cure = "name one target alone to classify it" if len(columns) > 1 else cure
        for column in (column for column in columns if kind_of(column) == "text"):
            refuse_stray_text(column, origin, "correct the cell, or remove its row")
            strangers = np.isnan(as_numbers(column)) & column.notna().to_numpy()
            refuse_cells(column, strangers, origin, f", but regression fits numbers: {cure}")
        return "regression", ()
    (column,) = columns
    where, different, kind, notes = f"{origin}: target {column.name!r}", column.nunique(), kind_of(column), ()
    if different == 1:
        found = f"{where} holds {format_value(column.iloc[0])} in every row, so that nothing can be learnt from it"
        raise DataError(f"{found}: choose another target, or add rows in which it differs")
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
    """The note that a target of whole numbers is a classification."""
    found = f"target {target!r} holds {different} different whole numbers and is read as classes"
    return f"{found}; to fit them as numbers use task regression"


AS_INPUT = "correct the cell, read the column as categories with --category, or leave it out with --drop"


def refuse_stray_text(column: Series, origin: str, advice: str = AS_INPUT) -> None:
    """Refuse a column of numbers that passes for text because of some of its cells; `advice` says what to do.

    More than half of its present cells, but not all, are numbers, or all but marks such as "?"; or all are numbers,
    with different units, or with commas of which the table does not say what they mean.
    """
    cells = [cell for cell in as_objects(column) if cell is not None]
    strangers = [cell for cell in cells if not looks_like_number(cell)]
    numbers = len(cells) - len(strangers)
    if not numbers or (2 * numbers <= len(cells) and not all(map(is_missing_mark, strangers))):
        return
    fault = "in a column of numbers"
    if strangers:
        found, alike = strangers[0], strangers.count(strangers[0])
        fault += f" ({alike} cells do)" * (alike > 1)
        if is_missing_mark(found):
            advice = f"if it stands for a missing value, read it as one with --na {shlex.quote(found)}"
    elif (odd := _cell_with_rarer_sign(column)) is not None:
        found, advice = odd, "write all with the same sign"
        fault += ", of which some have a decimal comma and some a decimal point"
    elif commas := [cell for cell in cells if isinstance(cell, str) and "," in cell]:
        found, fault = commas[0], f"{fault} with commas"
        advice = "say --decimal , if the comma is the decimal sign, or --decimal . if it separates thousands"
    else:
        units = parse_numbers(column, ".").units
        if len(units) < 2 or len(set(cells)) <= 2 * len(units):  # 1A, 1B, 2A are codes
            return
        found = next(cell for cell in cells if parse_numbers(type(column)([cell]), ".").units != units[:1])
        fault += f" with the units {format_values(units, 5)}"
        advice = "write all in one unit, or name the column with --category if they are codes"
    raise DataError(f"{describe_cell(column, as_objects(column).index(found), origin)} {fault}: {advice}")


def _cell_with_rarer_sign(column: Series) -> str | None:
    """The first cell with the decimal sign that fewer cells have, where some must have a comma and some a point."""
    comma, point = (parse_numbers(column, sign).is_number for sign in (",", "."))
    only = (comma & ~point, point & ~comma)
    return as_objects(column)[int(min(only, key=np.sum).argmax())] if all(map(np.any, only)) else None


def class_labels(column: Series) -> tuple[Label, ...]:
    """List the different labels of a target without missing cells, sorted, in Python's own types.

    Text stays text; numbers that are all whole become int; booleans stay booleans.
    """
    kind = {"text": str, "boolean": bool, "numeric": int}[kind_of(column)]
    if kind is int and (as_numbers(column) % 1 != 0).any():
        kind = float
    labels = {as_label(value, kind) for value in as_objects(column)}
    return tuple(sorted(label for label in labels if label is not None))


def choose_inputs(frame: Frame, origin: str, category: Collection[str] = ()) -> tuple[dict[str, str], tuple[str, ...]]:
    """Choose the columns that can be inputs.

    Left out, with a note: columns without any value, dates, cells of other types, text that is the same in
    every row, and text that differs in every one of more than 50 rows (names, identifiers). The columns in `category`
    are categories whatever they hold. Returns "numeric" or "categorical" for each, in the table's order; and notes.
    """
    chosen: dict[str, str] = {}
    notes: list[str] = []
    for name in frame:
        column, kind = frame[name], kind_of(frame[name])
        declared, asked = hasattr(column.dtype, "categories"), name in category and kind != "empty"
        if kind == "text" and not declared and not asked:
            refuse_stray_text(column, origin)
        if kind in ("numeric", "boolean") and not declared and not asked:
            chosen[name] = "numeric"
        elif not asked and (reason := _reason_to_ignore(column, kind)):
            notes.append(f"column {name!r} is ignored: {reason}")
        else:
            chosen[name], different = "categorical", column.nunique()
            if different > MOST_UNIQUE_CATEGORIES:
                what = "texts" if kind == "text" else "values"
                notes.append(f"column {name!r} holds {different} different {what} and becomes as many inputs")
    if not chosen:
        ignored = f" ({'; '.join(notes)})" if notes else ""
        raise DataError(
            f"{origin} has no column left for the inputs besides the target{ignored}: add one, or "
            "train on it as a time series, --lags 8 or deltarule.NARXRegressor, if its rows are steps"
        )
    return chosen, tuple(notes)


def _reason_to_ignore(column: Series, kind: str) -> str | None:
    """Say why a column that holds no numbers cannot be an input, or None if it can."""
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
    """A note if the rows stand in the order of a column of dates, which a random split ignores."""
    for name in frame:
        if kind_of(frame[name]) != "date":
            continue
        dates = frame[name].dropna()
        if isinstance(first := dates.iloc[0], str):  # the day comes first where points stand between
            how = {"errors": "coerce", "format": "mixed", "utc": True, "dayfirst": "." in first[:6]}
            dates = require("pandas").to_datetime(dates, **how)
        if dates.is_monotonic_increasing and dates.nunique() > 1:
            return (
                f"the rows stand in the order of {name!r}: a random split tests on rows between those that train, and "
                "looks better than what is to come; with split='blocks' the last rows are tested",
            )
    return ()
