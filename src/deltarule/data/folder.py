"""A folder as a data set that stays on disk: Parquet files, or a pair of .npy files.

One pass over it measures what standardises the columns, finds the classes, and keeps the rows that are held out; where
several processes train, each reads its share.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from deltarule.data.dataset import Examples, StreamedData
from deltarule.data.first_pass import Among, Found, first_pass
from deltarule.data.held_out import TEST, VALIDATION, Parts, TrainingRows, encoded_inputs, encoded_targets
from deltarule.data.schema import Schema
from deltarule.data.stream import ArrayStream, ParquetStream, Stream, parquet_files
from deltarule.errors import ConfigurationError, DataError

ARRAYS = ("x.npy", "y.npy")


ALONE = Among()


def load_folder(
    path: str | Path,
    *,
    target: str | Sequence[str] | None = None,
    task: str | None = None,
    seed: int = 0,
    by_mean: bool = False,
    among: Among = ALONE,
    progress: Callable[[float], None] = lambda share: None,
) -> StreamedData:
    """Read a folder once: measure it, hold out rows for validation and test, and stream the others.

    Of every block 15 % are held out for validation and as many for test, at random, or fewer where a part would
    take more than 32 MiB in memory, its targets with one number for each class. Classes have no share of their own.

    Args:
        path: a folder of Parquet files, or of x.npy (N, n_1) and y.npy (N,) or (N, k).
        target: the columns of Parquet files to learn, "a", "a,b" or ["a", "b"].
        task: "classification" or "regression"; None reads at most 20 different whole numbers as classes.
        seed: of the rows that are held out.
        by_mean: divide the targets of a regression by their mean instead of standardising them: counts and rates.
        among: the processes that call this together; each reads its share, and all get the same.
        progress: told the share of the rows that this process reads which is read.

    Raises:
        DataError: the folder cannot be read, or a cell in it cannot be used.
        ConfigurationError: an option lies outside its domain, or does not belong to this folder.
    """
    path = Path(path)
    stream, input_names, target_names = _opened(path, target)
    if task == "classification" and len(target_names) > 1:
        raise ConfigurationError(
            f"the target has {len(target_names)} columns, and a classification one: name one, or use task regression"
        )
    drawn, found = Parts(stream, seed), Found(path, input_names, target_names, task)
    first_pass(found, stream, drawn, among, progress)
    schema, notes = found.schema()
    if by_mean:
        schema = schema.by_mean([column.mean for column in schema.targets])
    parts = drawn.fewer(len(schema.classes or target_names))
    held = [found.held(which) for which in (VALIDATION, TEST)]
    if parts.held < drawn.held:  # the others train
        stay = [parts.rows(stream, which) for which in (VALIDATION, TEST)]
        held = [rows.taken(np.isin(rows.rows, staying)) for rows, staying in zip(held, stay, strict=True)]
    notes += found.untrained(np.concatenate([rows.Y for rows in held]))
    validation, test = (_examples(schema, rows) for rows in held)
    training = TrainingRows(stream, parts, schema, found.digest)
    return StreamedData(path.resolve().name, schema, training, validation, test, notes)


def _examples(schema: Schema, held: Examples) -> Examples:
    Y = encoded_targets(schema, held.Y)
    Y = Y if schema.classes is None else np.eye(len(schema.classes))[Y[:, 0]]
    return Examples(encoded_inputs(schema, held.X), Y, held.rows)


def _opened(path: Path, target: str | Sequence[str] | None) -> tuple[Stream, tuple[str, ...], tuple[str, ...]]:
    """The folder as a stream, with the names of its inputs and targets."""
    if not path.is_dir():
        raise DataError(f"there is no folder {path}: check the name.")
    arrays = {entry.name.lower(): entry for entry in path.iterdir() if entry.name.lower() in ARRAYS}
    if not arrays and not parquet_files(path):
        raise DataError(f"{path} holds neither .parquet files nor x.npy and y.npy: give a folder that does.")
    if not arrays:
        if not target:
            raise ConfigurationError(f"{path} needs a target: name the columns to learn with --target")
        stream = ParquetStream(path, target)
        if not stream.inputs:
            raise DataError(f"{path} has no column left for the inputs besides the target: add one")
        return stream, stream.input_names, stream.target_names
    if target is not None:
        raise ConfigurationError(f"target is {target!r}, but y.npy of {path} holds the targets: leave it out")
    if len(arrays) < len(ARRAYS):
        raise DataError(f"{path} holds {next(iter(arrays))} alone: the inputs are x.npy, the targets y.npy.")
    stream = ArrayStream(arrays["x.npy"], arrays["y.npy"])
    inputs = tuple(f"x{j}" for j in range(stream.inputs))
    return stream, inputs, ("y",) if stream.targets == 1 else tuple(f"y{j}" for j in range(stream.targets))
