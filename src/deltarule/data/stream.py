"""Examples that stay on disk and are read in pieces, ahead of their use: .npy files, or a folder of Parquet files.

A stream is divided into blocks, runs of rows that lie together on disk. Files are read through a buffer and never
mapped into memory, so that rows that were read do not stay in the process's memory.
"""

import copy
import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np

from deltarule.data.optional import reading, require
from deltarule.data.table_columns import find_targets
from deltarule.errors import DataError

BLOCK_ROWS = 4096  # of an array; a Parquet file's blocks are its row groups
PIECE_ROWS = 16_384  # the most rows of a Parquet file that are decoded at once
PURPOSE = "a folder of Parquet files"
Piece = tuple[np.ndarray, np.ndarray]


class Block(NamedTuple):
    """A run of `rows` rows that lie together on disk; `place` says where, in the stream's own terms."""

    rows: int
    place: Any


class Stream:
    """Examples on disk: rows of `inputs` and `targets` numbers, in blocks."""

    inputs: int
    targets: int
    blocks: tuple[Block, ...]
    digest: str | None = None  # of all rows, if a pass over them has computed it

    def __len__(self) -> int:
        """N, the number of rows."""
        return sum(block.rows for block in self.blocks)

    def pieces(self, block: Block) -> Iterator[Piece]:
        """The rows of a block as (x, y), x (rows, n_1) and y (rows,) or (rows, k), a few at a time."""
        raise NotImplementedError

    def shard(self, index: int, count: int) -> Self:
        """The shard of this stream that process `index` of `count` reads; shards have no block in common."""
        raise NotImplementedError

    def with_blocks(self, blocks: Iterable[Block]) -> Self:
        """The part of this stream with these blocks."""
        part = copy.copy(self)
        part.blocks = tuple(blocks)
        return part


class ArrayStream(Stream):
    """Two .npy files, or memory maps of such files, row by row: X (N, n_1) and Y (N,) or (N, k).

    Args:
        X: the inputs: a path, or an array; of a memory map the file is read.
        Y: the targets, likewise.
        block_rows: rows of a block.
    """

    def __init__(self, X: Any, Y: Any, block_rows: int = BLOCK_ROWS):
        self.x, self.y = _open_rows("X", X), _open_rows("Y", Y)
        x, y = self.x.array.shape, self.y.array.shape
        if len(x) != 2 or len(y) not in (1, 2) or x[0] != y[0] or not all((*x, *y)):
            rule = "give as many rows of both, X (N, n_1) and Y (N,) or (N, k), and at least one row and column"
            raise DataError(f"X is {x} and Y {y}: {rule}.")
        self.inputs, self.targets = x[1], y[1] if len(y) == 2 else 1
        starts = range(0, x[0], block_rows)
        self.blocks = tuple(Block(min(block_rows, x[0] - start), start) for start in starts)

    def pieces(self, block: Block) -> Iterator[Piece]:
        """The whole block as one piece."""
        stop = block.place + block.rows
        yield self.x.read(block.place, stop), self.y.read(block.place, stop)

    def shard(self, index: int, count: int) -> Self:
        """A run of consecutive blocks."""
        N = len(self.blocks)
        return self.with_blocks(self.blocks[N * index // count : N * (index + 1) // count])


class _ArrayRows:
    """Rows of an array in memory, or of a .npy file whose rows begin at byte `offset`."""

    def __init__(self, array: np.ndarray, path: str | None = None, offset: int = 0):
        self.array, self.path, self.offset = array, path, offset
        self.width = int(np.prod(array.shape[1:], dtype=np.int64))

    def read(self, start: int, stop: int) -> np.ndarray:
        if self.path is None:
            return self.array[start:stop]
        count, skipped = (stop - start) * self.width, self.offset + start * self.width * self.array.itemsize
        numbers = np.fromfile(self.path, self.array.dtype, count, offset=skipped)
        if len(numbers) < count:
            raise DataError(f"{self.path} ends within row {start + len(numbers) // self.width}: it was cut short.")
        return numbers.reshape(stop - start, *self.array.shape[1:])


def _open_rows(name: str, array: Any) -> _ArrayRows:
    if isinstance(array, str | os.PathLike):
        try:
            array = np.load(array, mmap_mode="r")
        except (OSError, EOFError, ValueError) as error:
            raise DataError(f"{name} is {str(array)!r}, which is no .npy file ({error}): give one.") from None
    array = np.asanyarray(array)  # keeps a memory map
    if array.dtype.kind not in "biuf" or array.dtype.itemsize > 8:
        raise DataError(f"{name} holds {array.dtype}, and a stream reads real numbers of at most 64 bits: convert it.")
    if not isinstance(array, np.memmap) or not array.flags.c_contiguous or array.filename is None:
        return _ArrayRows(array)
    # A view of a memory map may start beyond the map's own offset.
    base: Any = array
    while isinstance(base.base, np.memmap):
        base = base.base
    start = array.__array_interface__["data"][0] - base.__array_interface__["data"][0]
    return _ArrayRows(array, str(array.filename), base.offset + start)


class ParquetStream(Stream):
    """The Parquet files of a folder and its subfolders, or one file: columns of numbers without missing cells.

    Args:
        path: the folder or file.
        target: the target columns, "a,b" or ["a", "b"].
        inputs: the input columns; None takes all others.
    """

    def __init__(self, path: str | os.PathLike, target: str | Sequence[str], inputs: Sequence[str] | None = None):
        dataset, arrow = require("pyarrow.dataset", PURPOSE), require("pyarrow", PURPOSE)
        path = Path(path)
        files = sorted(parquet_files(path)) if path.is_dir() else [path] * path.is_file()
        if not files:
            raise DataError(f"{path} is no Parquet file and no folder of such files: check the name.")
        with reading(path, "Parquet", "check it", arrow.ArrowException, OSError):
            fragments = list(dataset.dataset(list(map(str, files)), format="parquet").get_fragments())
            footers = [(fragment.path, fragment.metadata, fragment.physical_schema) for fragment in fragments]
        names = list(footers[0][2].names)
        self.target_names = find_targets(names, target, str(path))
        self.input_names = tuple(n for n in names if n not in self.target_names) if inputs is None else tuple(inputs)
        self.columns = [*self.input_names, *self.target_names]
        for file, _, schema in footers:
            extra = [name for name in schema.names if name not in names] if inputs is None else []
            if extra:
                raise DataError(f"{file} has a column {extra[0]!r}, which {footers[0][0]} lacks: make them alike.")
            for name in self.columns:
                _check_column(file, name, schema, arrow.types)
        self.path, self.inputs, self.targets = str(path), len(self.input_names), len(self.target_names)
        self.blocks = tuple(
            Block(footer.row_group(g).num_rows, (file, g))
            for file, footer, _ in footers
            for g in range(footer.num_row_groups)
            if footer.row_group(g).num_rows
        )
        if not self.blocks:
            raise DataError(f"{path} holds no rows in {len(footers)} Parquet files: check the folder.")

    def pieces(self, block: Block) -> Iterator[Piece]:
        """The row group, at most `PIECE_ROWS` rows at a time."""
        arrow, parquet = require("pyarrow", PURPOSE), require("pyarrow.parquet", PURPOSE)
        file, group = block.place
        damaged = reading(f"row group {group} of {file}", "Parquet", "replace the file", arrow.ArrowException, OSError)
        with damaged, parquet.ParquetFile(file) as opened:
            batches = opened.iter_batches(PIECE_ROWS, row_groups=[group], columns=self.columns, use_threads=False)
            for batch in batches:
                table = np.empty((batch.num_rows, len(self.columns)))
                for j, name in enumerate(self.columns):
                    column = batch.column(name)
                    if column.null_count:
                        raise DataError(f"column {name!r} of {file} has missing cells: fill them first.")
                    table[:, j] = column.to_numpy(zero_copy_only=False)
                yield table[:, : self.inputs], table[:, self.inputs :]

    def shard(self, index: int, count: int) -> Self:
        """Every `count`-th file, or row group if there are fewer files than processes."""
        files = list(dict.fromkeys(block.place[0] for block in self.blocks))
        if len(files) < count:
            return self.with_blocks(self.blocks[index::count])
        return self.with_blocks(block for block in self.blocks if block.place[0] in files[index::count])


def parquet_files(folder: Path) -> list[Path]:
    """The files *.parquet of a folder and its subfolders, without names that begin with "." or "_"."""
    return [
        file
        for file in folder.rglob("*")
        if file.suffix.lower() == ".parquet"
        and file.is_file()
        and not any(part.startswith((".", "_")) for part in file.relative_to(folder).parts)
    ]


def _check_column(file: str, name: str, schema: Any, types: Any) -> None:
    """Raise a DataError unless the file has the column once and it holds numbers."""
    count = schema.names.count(name)
    if count != 1:
        has = "has no column" if count == 0 else f"has {count} times a column"
        raise DataError(f"{file} {has} {name!r}: every file of a folder needs each column once.")
    kind = schema.field(name).type
    if not (types.is_floating(kind) or types.is_integer(kind) or types.is_boolean(kind)):
        raise DataError(f"column {name!r} of {file} is {kind}, and a stream reads numbers only: encode it.")


AHEAD = 2  # chunks that wait to be used


def shuffle_blocks(blocks: tuple[Block, ...], seed: tuple[int, ...]) -> list[Block]:
    """The blocks in a random order, drawn by the seed."""
    return [blocks[i] for i in np.random.default_rng(seed).permutation(len(blocks))]


def chunks(stream: Stream, order: Iterable[Block], rows: int, dtype: np.dtype) -> Iterator[Piece]:
    """Yield the rows of the blocks in this order, `rows` at a time; the last chunk is shorter, and each is a new array.

    A chunk is a shuffle buffer: with blocks in random order it holds rows / (rows of a block) runs from random places,
    and training mixes its rows uniformly. So two rows of the same block always train in the same chunk, any two others
    with a probability of about rows / N, and every row trains once an epoch.
    """
    x, y, filled = None, None, 0
    for piece_x, piece_y in (piece for block in order for piece in stream.pieces(block)):
        start = 0
        while start < len(piece_x):
            if x is None or y is None:
                x = np.empty((rows, *piece_x.shape[1:]), dtype)
                y = np.empty((rows, *piece_y.shape[1:]), piece_y.dtype if piece_y.dtype.kind in "iub" else dtype)
            count = min(len(piece_x) - start, rows - filled)
            x[filled : filled + count] = piece_x[start : start + count]
            y[filled : filled + count] = piece_y[start : start + count]
            start, filled = start + count, filled + count
            if filled == rows:
                yield x, y
                x, y, filled = None, None, 0
    if x is not None and y is not None:
        yield x[:filled], y[:filled]


class Prefetch:
    """Make the items of an iterator ahead in a thread, which also applies `finish`, such as a copy to a device.

    `waited` counts the seconds that the consumer waited for items.
    """

    def __init__(self, items: Iterable, finish: Callable[[Any], Any]):
        self.waited, self._items, self._finish = 0.0, iter(items), finish

    def _next(self) -> tuple[Any, ...]:
        """The next item as a tuple of one, or () at the end."""
        return tuple(map(self._finish, islice(self._items, 1)))

    def __iter__(self) -> Iterator[Any]:
        """Yield each item once; an error of the thread is raised here."""
        thread = ThreadPoolExecutor(1)
        pending = deque(thread.submit(self._next) for _ in range(AHEAD + 1))
        try:
            while True:
                began = time.perf_counter()
                item = pending.popleft().result()
                self.waited += time.perf_counter() - began
                if not item:
                    return
                pending.append(thread.submit(self._next))
                yield item[0]
        finally:
            thread.shutdown(wait=False, cancel_futures=True)
