"""`fit_table`: train a model on a table, as `deltarule train` does."""

import warnings
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from deltarule.data.table import load_table
from deltarule.data.table_file import report_file_lines
from deltarule.data.table_options import TableOptions
from deltarule.errors import ConfigurationError
from deltarule.models.fitting import finish_model, fit, target_scaling
from deltarule.models.model import Model
from deltarule.models.planning import make_plan, target_options
from deltarule.models.recipe import Problem, Recipe

RUN_OPTIONS = ("engine", "time_limit", "callbacks")
TABLE_OPTIONS, RECIPE_OPTIONS = ({field.name for field in fields(kind)} for kind in (TableOptions, Recipe))


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

    The rows are split 70/15/15 into training, validation (chooses the best epoch) and test rows (used once, at the
    end). A regression whose steps are cheap sets its regularisation from the training rows (MacKay 1992) and gives
    every prediction an error bar.

    Args:
        table: the path of a file (.csv, .tsv, .txt, .xlsx, .parquet), or a DataFrame.
        target: the column to learn, or several; all others are inputs. Without a target an error lists the columns.
        task: "classification" or "regression", for a target that could be either.
        seed: of the split, the initial weights and the order of the examples.
        split: "random", or "blocks" for rows in the order of time: the first rows train and the last ones test.
        drop_missing: leave out rows with missing cells, which are refused otherwise.
        options: fields of `deltarule.data.TableOptions` (`drop`, `weights`, `na`, ...), for reading the table; fields
            of `deltarule.models.recipe.Recipe` (`hidden`, `trainer`, `epochs`, ...), for the network and its training;
            and `engine`, `time_limit` and `callbacks`, as in `train`.

    Raises:
        DataError: the table cannot be used.
        ConfigurationError: `table` is not a table, or an option is unknown, lies outside its domain, or contradicts
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
    names = {*TABLE_OPTIONS, *RECIPE_OPTIONS, *RUN_OPTIONS}
    for name in options:
        if name not in names:
            raise ConfigurationError(f"the option {name} is not known: give one of {', '.join(sorted(names))}.")
    for_table, for_recipe, for_run = (
        {name: value for name, value in options.items() if name in group}
        for group in (TABLE_OPTIONS, RECIPE_OPTIONS, RUN_OPTIONS)
    )
    for name in ("na", "drop", "category"):
        value = for_table.get(name)
        for_table |= {} if value is None else {name: (value,) if isinstance(value, str) else tuple(value)}
    recipe, table_options = Recipe(**for_recipe), TableOptions(**for_table)
    with report_file_lines(table, table_options):
        data = load_table(
            table,
            target=target,
            seed=seed,
            split=split,
            drop_missing=drop_missing,
            options=table_options,
            **target_options(recipe.cost, task),
        )
    for note in data.notes:
        warnings.warn(f"{note}.", UserWarning, stacklevel=2)
    plan = make_plan(recipe, Problem.of(data))
    outcome = fit(plan, data.train, data.validation, target_scaling(data), seed=seed, **for_run)
    given = {name: value for name, value in options.items() if name not in ("time_limit", "callbacks")}
    recorded = {
        "source": str(table) if isinstance(table, str | Path) else None,
        "target": target[0] if len(target) == 1 else target,
        "task": task,
        "split": split,
        "seed": seed,
        "drop_missing": drop_missing or None,
        "missing": "impute" if given.pop("impute", False) else None,
    } | given
    origin = {
        "options": {name: _as_json(value) for name, value in recorded.items() if value is not None},
        "seed": seed,
        "split_seed": seed,
        "drop_missing": drop_missing,
    }
    return finish_model(outcome, data, origin)


def _as_json(value: Any) -> Any:
    """An option for the model file: the sizes of layers as on the command line, "20,10", and objects by their repr."""
    if isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, list | tuple):
        sizes = all(isinstance(entry, int) for entry in value)
        return ",".join(map(str, value)) if sizes else [str(entry) for entry in value]
    return repr(value)
