"""`fit_table`: from a table to a trained model, as `deltarule train` does."""

import warnings
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from deltarule.data.table import load_table
from deltarule.data.table_file import rows_as_lines
from deltarule.data.table_options import TableOptions
from deltarule.errors import ConfigurationError
from deltarule.models.fitting import finish_model, fit, target_scaling
from deltarule.models.model import Model
from deltarule.models.planning import make_plan, target_options
from deltarule.models.problem import Problem
from deltarule.models.recipe import Recipe

RUNNING = ("engine", "time_limit", "callbacks")
READING, TRAINING = ({field.name for field in fields(kind)} for kind in (TableOptions, Recipe))


def fit_table(
    table: Any,
    target: str | Sequence[str] | None = None,
    *,
    task: str | None = None,
    seed: int = 0,
    split: str = "random",
    drop_missing: bool = False,
    **options: Any,
) -> Model:
    """Train a network on a table, whose columns may be numbers, booleans, categories and texts in any units.

    The rows are split 70/15/15 into those that train, those that choose the best epoch, and those that are looked at
    once, at the end. A regression whose steps are cheap sets its regularisation from the training rows (MacKay 1992)
    and gives every prediction an error bar.

    Args:
        table: the path of a file (.csv, .tsv, .txt, .xlsx, .parquet), or a DataFrame.
        target: the column to learn, or several; all others are inputs. Without one an error names the columns.
        task: "classification" or "regression", for a target that could be either.
        seed: of the split, the first weights and the order of the examples.
        split: "random", or "blocks": the first rows train and the last ones test, for rows in the order of time.
        drop_missing: leave out rows with missing cells, which are refused otherwise.
        options: fields of `deltarule.data.TableOptions` (`drop`, `weights`, `na`, ...), how the table is read; of
            `deltarule.models.recipe.Recipe` (`hidden`, `trainer`, `epochs`, ...), the network and its training; and
            `engine`, `time_limit` and `callbacks`, as in `train`.

    Raises:
        DataError: the table cannot be used.
        ConfigurationError: `table` is none, or an option is not known, lies outside its domain, or does not go with
            another.

    >>> import pandas as pd
    >>> x = [i / 30 for i in range(60)]
    >>> model = fit_table(pd.DataFrame({"x": x, "y": [100 + 50 * v for v in x]}), target="y", hidden=(3,))
    >>> model.predict(pd.DataFrame({"x": [1.0]})).round(1).tolist()
    [150.0]
    """
    if not (isinstance(table, str | Path) or hasattr(table, "columns")):
        raise ConfigurationError(f"table is a {type(table).__name__}: give a DataFrame, or the path of a file.")
    target = [str(name) for name in ([target] if isinstance(target, str | int) else target or ())]
    known = {*READING, *TRAINING, *RUNNING}
    for name in options:
        if name not in known:
            raise ConfigurationError(f"the option {name} is not known: give one of {', '.join(sorted(known))}.")
    given = {name: value for name, value in options.items() if name not in ("time_limit", "callbacks")}
    reading = {name: value for name, value in options.items() if name in READING}
    for name in ("na", "drop", "category"):
        value = reading.get(name)
        reading |= {} if value is None else {name: (value,) if isinstance(value, str) else tuple(value)}
    recipe = Recipe(**{name: value for name, value in options.items() if name in TRAINING})
    how = TableOptions(**reading)
    with rows_as_lines(table, how):
        data = load_table(
            table,
            target=target,
            seed=seed,
            split=split,
            drop_missing=drop_missing,
            options=how,
            **target_options(recipe.cost, task),
        )
    for note in data.notes:
        warnings.warn(f"{note}.", UserWarning, stacklevel=2)
    plan = make_plan(recipe, Problem.of(data))
    running = {name: options[name] for name in RUNNING if name in options}
    outcome = fit(plan, data.train, data.validation, target_scaling(data), seed=seed, **running)
    said = {
        "source": str(table) if isinstance(table, str | Path) else None,
        "target": target[0] if len(target) == 1 else target,
        "task": task,
        "split": split,
        "seed": seed,
        "drop_missing": drop_missing or None,
        "missing": "impute" if given.pop("impute", False) else None,
    } | given
    origin = {
        "options": {name: _as_json(value) for name, value in said.items() if value is not None},
        "seed": seed,
        "split_seed": seed,
        "drop_missing": drop_missing,
    }
    return finish_model(outcome, data, origin)


def _as_json(value: Any) -> Any:
    """An option as the model file keeps it: the sizes of layers as the command line has them, objects in words."""
    if isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, list | tuple):
        sizes = all(isinstance(entry, int) for entry in value)
        return ",".join(map(str, value)) if sizes else [str(entry) for entry in value]
    return repr(value)
