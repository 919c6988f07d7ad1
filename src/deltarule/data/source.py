"""Load digits, MNIST or a table by its name: for a training, or for a trained model."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from deltarule.data.dataset import DataSet, RawRows
from deltarule.data.images import Folders, ImageSource, read_digits, read_mnist
from deltarule.data.schema import Schema
from deltarule.data.table import load_raw_table, load_table
from deltarule.data.table_file import report_file_lines
from deltarule.data.table_options import DEFAULT_OPTIONS, TableOptions
from deltarule.errors import ConfigurationError, DataError

# The sources of images by name, each a function of the split's seed, MNIST's folders and the callback for downloads.
IMAGE_SOURCES: dict[str, Callable[[int, Folders, Any], ImageSource]] = {
    "digits": lambda seed, folders, progress: read_digits(seed),
    "mnist": lambda seed, folders, progress: read_mnist(folders, progress=progress),
}


def load(
    source: str | Path,
    *,
    target: str | Sequence[str] | None = None,
    task: str | None = None,
    data_dir: Folders = None,
    seed: int = 0,
    split: str | None = None,
    drop_missing: bool = False,
    options: TableOptions = DEFAULT_OPTIONS,
    divide_by_mean: bool = False,
    progress: Callable[[str], Any] = lambda address: None,
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
        divide_by_mean: divide a table's targets by their mean instead of standardising them: counts and rates.
        progress: called with the address of each file before it is downloaded.

    Raises:
        DataError: the source, or a cell in it, cannot be used.
        ConfigurationError: an option lies outside its domain, or does not belong to this source.
    """
    read_images = IMAGE_SOURCES.get(str(source))
    if read_images is None:
        with report_file_lines(source, options):
            return load_table(source, target, task, seed, split or "random", drop_missing, options, divide_by_mean)
    table_options = {"target": target, "options": None if options == DEFAULT_OPTIONS else options, "split": split}
    for name, value in (table_options | {"task": None if task == "classification" else task}).items():
        if value is not None:
            rule = "is a classification of images with a split of its own, and no table"
            raise ConfigurationError(f"{name} is {value!r}, but {source} {rule}: leave it out")
    return read_images(seed, data_dir, progress).data_set()


def load_raw(
    source: str | Path,
    schema: Schema,
    *,
    data_dir: Folders = None,
    seed: int = 0,
    drop_missing: bool = False,
    targets: bool = True,
    options: TableOptions = DEFAULT_OPTIONS,
    progress: Callable[[str], Any] = lambda address: None,
) -> RawRows:
    """Read a source for a trained model, encoded by the model's schema.

    Args:
        source, data_dir, drop_missing, progress: as of `load`.
        schema: the model's schema.
        seed: the seed of the model's training, from which the held-out digits follow.
        targets: whether to encode a table's targets, if it has them; prediction ignores them.
        options: how a table's file is written.

    Raises:
        DataError: the source, or a cell in it, cannot be used, or is of another kind than the model's.
    """
    read_images = IMAGE_SOURCES.get(str(source))
    if (read_images is None) != (schema.source == "table"):
        trained = "a table" if schema.source == "table" else f"images ({schema.source})"
        raise DataError(f"{source} is no source for this model, which was trained on {trained}: give it such rows")
    if read_images is None:
        with report_file_lines(source, options):
            return load_raw_table(source, schema, drop_missing, targets, options)
    return read_images(seed, data_dir, progress).raw_rows(schema)
