"""The one door to every source: digits, mnist, or a table file."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from deltarule.data.dataset import DataSet, RawRows
from deltarule.data.digits import digits_rows, load_digits
from deltarule.data.mnist import Folders, load_mnist, mnist_rows
from deltarule.data.schema import Schema
from deltarule.data.table import load_table, table_rows
from deltarule.data.table_options import AS_FOUND, TableOptions
from deltarule.errors import ConfigurationError, DataError


def load(
    source: str | Path,
    *,
    target: str | Sequence[str] | None = None,
    task: str | None = None,
    data_dir: Folders = None,
    seed: int = 0,
    split: str | None = None,
    drop_missing: bool = False,
    options: TableOptions = AS_FOUND,
    by_mean: bool = False,
    progress: Any = None,
) -> DataSet:
    """Load a source, split into training, validation and test examples.

    Args:
        source: "digits", "mnist", or the path of a table, with one of the extensions `TABLE_FILES`.
        target: a table's target columns, "a", "a,b" or ["a", "b"].
        task: "classification" or "regression", for a table whose target could be either.
        data_dir: where MNIST lies, see `mnist_directories`; other sources do not use it.
        seed: of the random split; MNIST's split is Nielsen's and fixed.
        split: of a table, "random", which None is, or "blocks", in its order.
        drop_missing: leave out a table's rows with missing cells instead of refusing them.
        options: how a table's file is written and what some of its columns are for.
        by_mean: divide a table's targets by their mean instead of standardising them: counts and rates.
        progress: a bar like tqdm's that is told of a download.

    Raises:
        DataError: the source, or a cell in it, cannot be used.
        ConfigurationError: an option lies outside its domain, or does not belong to this source.
    """
    if str(source) not in ("digits", "mnist"):
        split = "random" if split is None else split
        return load_table(
            source,
            target=target,
            task=task,
            seed=seed,
            split=split,
            drop_missing=drop_missing,
            options=options,
            by_mean=by_mean,
        )
    if target is not None:
        raise ConfigurationError(f"target is {target!r}, but {source} has its own target, the digit: leave it out")
    if options != AS_FOUND:
        raise ConfigurationError(f"options are for tables, and {source} is none: leave them out")
    if split is not None:
        raise ConfigurationError(f"split is {split!r}, but {source} has its own parts: leave it out")
    if task not in (None, "classification"):
        raise ConfigurationError(f"task is {task!r}, but {source} is a classification: leave it out")
    return load_digits(seed) if str(source) == "digits" else load_mnist(data_dir=data_dir, progress=progress)


def load_raw(
    source: str | Path,
    schema: Schema,
    *,
    data_dir: Folders = None,
    seed: int = 0,
    drop_missing: bool = False,
    targets: bool = True,
    options: TableOptions = AS_FOUND,
    progress: Any = None,
) -> RawRows:
    """Read a source for a model that is already trained, encoded by the model's schema.

    Args:
        source: "digits", "mnist", or the path of a table, with one of the extensions `TABLE_FILES`.
        schema: the model's schema.
        data_dir: where MNIST lies, see `mnist_directories`.
        seed: the seed the model was trained with; it says which digits were held out.
        drop_missing: leave out a table's rows with missing cells instead of refusing them.
        targets: encode a table's targets where it has them; False for prediction, which does not look at
            them.
        options: how a table's file is written.
        progress: a bar like tqdm's that is told of a download.

    Raises:
        DataError: the source, or a cell in it, cannot be used, or is of another kind than the model's.
    """
    kind = str(source) if str(source) in ("digits", "mnist") else "table"
    if (kind == "table") != (schema.source == "table"):
        trained = "a table" if schema.source == "table" else f"images ({schema.source})"
        raise DataError(
            f"{source} is no source for this model, which was trained on {trained}: give it rows of that kind"
        )
    if kind == "table":
        return table_rows(source, schema, drop_missing=drop_missing, targets=targets, options=options)
    if kind == "digits":
        return digits_rows(schema, seed)
    return mnist_rows(schema, data_dir=data_dir, progress=progress)
