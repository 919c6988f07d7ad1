"""A folder as a data set that stays on disk: Parquet files, or a pair of .npy files.

One pass over it measures mean and standard deviation of the columns, finds the classes, keeps the held-out rows, and
computes a digest. Several processes can share it: each reads its shard of the stream, sends its statistics to the
others, and combines those of all. Every process gets the same bits as a single one.
"""

import pickle
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from deltarule.data.cells import format_values
from deltarule.data.columns import NumericColumn, standardise
from deltarule.data.dataset import Examples, StreamedData
from deltarule.data.moments import BlockMoments
from deltarule.data.row_codes import rows_checksum
from deltarule.data.schema import Schema
from deltarule.data.splitting import (
    TEST,
    TRAINING,
    VALIDATION,
    PartAssignment,
    TrainingStream,
    encode_targets,
    pieces_with_parts,
)
from deltarule.data.stream import ArrayStream, ParquetStream, Stream, parquet_files
from deltarule.data.table_columns import MOST_INTEGER_CLASSES, classes_note
from deltarule.errors import ConfigurationError, DataError

Progress = Callable[[float], None]  # called with the share of the rows that is read
ARRAY_FILES = ("x.npy", "y.npy")
MOST_CLASSES = 1000  # of a target with task="classification"


@dataclass(frozen=True)
class ProcessGroup:
    """This process's number among `count` processes; `all_gather` returns what each of them sends, in their order."""

    index: int = 0
    count: int = 1
    all_gather: Callable[[bytes], list[bytes]] = lambda content: [content]


class FolderStatistics:
    """The statistics of one pass over a folder; task None lets the targets decide."""

    def __init__(self, path: Path, inputs: tuple[str, ...], targets: tuple[str, ...], task: str | None):
        self.path, self.inputs, self.targets, self.task = path, inputs, targets, task
        self.x, self.y = BlockMoments(len(inputs)), BlockMoments(len(targets))
        # The number of rows with each value of a target that may be classes.
        self.values = Counter[float]() if len(targets) == 1 and task != "regression" else None
        self.pieces: dict[int, list[Examples]] = {VALIDATION: [], TEST: []}  # the held-out rows, raw
        self.checksums = np.zeros(2, np.uint64)  # of the inputs and of the targets of all rows

    @property
    def digest(self) -> str:
        """32 hexadecimal digits that depend on every number of the stream and on its place."""
        return "".join(f"{checksum:016x}" for checksum in self.checksums.tolist())

    def held(self, part: int) -> Examples:
        """The raw rows of the validation or test part in their order, with targets (rows, k)."""
        x, y, rows = ([getattr(piece, name) for piece in self.pieces[part]] for name in ("X", "Y", "rows"))
        held = Examples(np.concatenate(x), np.concatenate(y), np.concatenate(rows))
        return held.select(np.argsort(held.rows))

    def add(self, number: int, first: int, x: np.ndarray, y: np.ndarray, part: np.ndarray) -> None:
        """Add a piece of block `number` from row number `first` on, with the part of each row.

        Mean and standard deviation are those of the training rows.
        """
        for names, numbers in ((self.inputs, x), (self.targets, y)):
            bad = ~np.isfinite(numbers)
            if bad.any():
                name = names[int(np.argmax(bad.any(axis=0)))]
                fault = f"column {name!r} of {self.path} holds {numbers[bad][0]}"
                raise DataError(f"{fault}: fill such cells, or remove their rows")
        self.x.add(number, x[part == TRAINING])
        self.y.add(number, y[part == TRAINING])
        for held_part, pieces in self.pieces.items():
            held = part == held_part
            pieces.append(Examples(x[held], y[held], first + np.flatnonzero(held)))
        self.checksums += np.array([rows_checksum(first, x), rows_checksum(first, y)], np.uint64)
        if self.values is not None:
            values, counts = np.unique(y, return_counts=True)
            self._count(Counter(dict(zip(values.tolist(), counts.tolist(), strict=True))))

    def measure(self, stream: Stream, parts: PartAssignment, group: ProcessGroup, progress: Progress) -> None:
        """Read this process's shard of a stream, and add the statistics of the others; an error of one ends all."""
        if group.count == 1:
            self._read_shard(stream, parts, group, progress)
            return
        group.all_gather(b"")  # connects the processes: a first exchange after the pass could time out
        message, own_error = self, None
        try:
            self._read_shard(stream, parts, group, progress)
        except Exception as error:  # of any kind, because the other processes wait for a message
            message = str(error) if isinstance(error, DataError) else f"another process failed: {error!r}"
            own_error = error
        messages: list[Any] = [pickle.loads(content) for content in group.all_gather(pickle.dumps(message))]
        if own_error is not None:
            raise own_error
        for message in messages:
            if isinstance(message, str):
                raise DataError(message)
        for other in messages[: group.index] + messages[group.index + 1 :]:
            self.join(other)

    def _read_shard(self, stream: Stream, parts: PartAssignment, group: ProcessGroup, progress: Progress) -> None:
        shard, first, rows_read = stream.shard(group.index, group.count), 0, 0
        own_blocks = set(shard.blocks)
        for number, block in enumerate(stream.blocks):
            if block in own_blocks:
                row = first
                for (x, y), part in pieces_with_parts(stream, parts, number, block):
                    self.add(number, row, x, y.reshape(len(y), -1), part)
                    row += len(x)
                rows_read += block.rows
                progress(rows_read / len(shard))
            first += block.rows

    def join(self, other: "FolderStatistics") -> None:
        """Add the statistics of another process."""
        self.x.join(other.x)
        self.y.join(other.y)
        for part, pieces in self.pieces.items():
            pieces += other.pieces[part]
        self.checksums += other.checksums
        self._count(other.values)

    def _count(self, added: Counter[float] | None) -> None:
        """Count rows by the value of their target; None if the values are too many, or not whole, for classes."""
        values = None if self.values is None or added is None else self.values + added
        most = MOST_CLASSES if self.task == "classification" else MOST_INTEGER_CLASSES
        if values is not None and (len(values) > most or any(value % 1 for value in values)):
            if self.task == "classification":
                fault = f"holds numbers that are not whole, or more than {most} different ones"
                advice = "number the classes, or use task regression"
                raise DataError(f"target {self.targets[0]!r} of {self.path} {fault}: {advice}.")
            values = None
        self.values = values

    def schema(self) -> tuple[Schema, tuple[str, ...]]:
        """The schema, and notes about constant columns and about the task."""
        columns = NumericColumn.from_moments(self.inputs, self.x.total())
        targets = NumericColumn.from_moments(self.targets, self.y.total())
        notes = tuple(
            f"column {column.name!r} holds {column.low:g} in every training row; it is shifted, not scaled"
            for column in columns
            if column.low == column.high
        )
        if self.values is None:
            return Schema("table", "regression", columns, targets, None, self.targets), notes
        classes = tuple(int(value) for value in sorted(self.values))
        if len(classes) < 2:
            fault = f"target {self.targets[0]!r} of {self.path} holds {targets[0].low:g} in every row"
            raise DataError(f"{fault}: choose another, or use task regression.")
        notes += () if self.task else (classes_note(self.targets[0], len(classes)),)
        return Schema("table", "classification", columns, (), classes, self.targets), notes

    def untrained(self, held: np.ndarray) -> tuple[str, ...]:
        """A note about classes without a training row; `held` are the held-out targets."""
        values = sorted((self.values or {}).items())
        classes = tuple(int(value) for value, count in values if count == np.count_nonzero(held == value))
        if not classes:
            return ()
        return (
            f"target {self.targets[0]!r} has so few rows of the classes {format_values(classes)} that all are held out "
            "and none trains: add rows of these classes, or take another seed",
        )


def load_folder(
    path: str | Path,
    *,
    target: str | Sequence[str] | None = None,
    task: str | None = None,
    seed: int = 0,
    divide_by_mean: bool = False,
    group: ProcessGroup | None = None,
    progress: Progress = lambda share: None,
) -> StreamedData:
    """Read a folder once to measure it; hold out rows for validation and test, and stream the training rows.

    15 % of the rows of each block are held out for validation and as many for test, at random and not stratified;
    fewer if a part, with a target for each class, would take more than 32 MiB of memory.

    Args:
        path: a folder of Parquet files, or of x.npy (N, n_1) and y.npy (N,) or (N, k).
        target: the target columns of Parquet files, "a", "a,b" or ["a", "b"].
        task: "classification" or "regression"; None reads at most 20 different whole numbers as classes.
        seed: of the held-out rows.
        divide_by_mean: divide the targets of a regression, counts or rates, by their mean, and do not shift them.
        group: the processes that call this together; each reads its shard, and all get the same result.
        progress: called with the share of this process's rows that is read.

    Raises:
        DataError: the folder cannot be read, or a cell in it cannot be used.
        ConfigurationError: an option lies outside its domain, or does not belong to this folder.
    """
    path = Path(path)
    stream, input_names, target_names = _open_folder(path, target)
    if task == "classification" and len(target_names) > 1:
        raise ConfigurationError(
            f"the target has {len(target_names)} columns, and a classification has one: name one target, or use task "
            "regression"
        )
    drawn, statistics = PartAssignment(stream, seed), FolderStatistics(path, input_names, target_names, task)
    statistics.measure(stream, drawn, group or ProcessGroup(), progress)
    schema, notes = statistics.schema()
    if divide_by_mean:
        schema = schema.scaled_by_mean([column.mean for column in schema.targets])
    parts = drawn.limited_to(len(schema.classes or target_names))
    held = {part: statistics.held(part) for part in (VALIDATION, TEST)}
    if parts.held < drawn.held:  # the other drawn rows train
        held = {p: rows.select(np.isin(rows.rows, parts.row_numbers(stream, p))) for p, rows in held.items()}
    notes += statistics.untrained(np.concatenate([rows.Y for rows in held.values()]))
    validation, test = (_encode_examples(schema, rows) for rows in held.values())
    training = TrainingStream(stream, parts, schema, statistics.digest)
    return StreamedData(path.resolve().name, schema, training, validation, test, notes)


def _encode_examples(schema: Schema, raw: Examples) -> Examples:
    Y = encode_targets(schema, raw.Y)
    Y = Y if schema.classes is None else np.eye(len(schema.classes))[Y[:, 0]]
    return Examples(standardise(schema.inputs, raw.X), Y, raw.rows)


def _open_folder(path: Path, target: str | Sequence[str] | None) -> tuple[Stream, tuple[str, ...], tuple[str, ...]]:
    """Open the folder as a stream, with the names of its inputs and targets."""
    if not path.is_dir():
        raise DataError(f"there is no folder {path}: check the name.")
    arrays = {entry.name.lower(): entry for entry in path.iterdir() if entry.name.lower() in ARRAY_FILES}
    if not arrays and not parquet_files(path):
        raise DataError(f"{path} holds neither .parquet files nor x.npy and y.npy: give a folder that does.")
    if not arrays:
        if not target:
            raise ConfigurationError(f"{path} needs a target: name the columns to learn with target")
        stream = ParquetStream(path, target)
        if not stream.inputs:
            raise DataError(f"{path} has no column left for the inputs besides the target: add one")
        return stream, stream.input_names, stream.target_names
    if target is not None:
        raise ConfigurationError(f"target is {target!r}, but y.npy of {path} holds the targets: leave it out")
    if len(arrays) < len(ARRAY_FILES):
        raise DataError(f"{path} holds {next(iter(arrays))} alone: the inputs are x.npy, the targets y.npy.")
    stream = ArrayStream(arrays["x.npy"], arrays["y.npy"])
    inputs = tuple(f"x{j}" for j in range(stream.inputs))
    return stream, inputs, ("y",) if stream.targets == 1 else tuple(f"y{j}" for j in range(stream.targets))
