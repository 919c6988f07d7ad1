"""Examples that stay on disk and are read in pieces, ahead of their use: .npy files, or a folder of Parquet files.

A stream is cut into blocks, runs of rows that lie together on disk; a block is the least that is read. No memory map is
touched: its file is read through a buffer, so that what was read does not stay in the process's memory.
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
    """A run of rows that lie together: `rows` of them, at a place that the stream knows."""

    rows: int
    place: Any


class Stream:
    """Examples on disk: `inputs` numbers and `targets` numbers a row, in blocks."""

    inputs: int
    targets: int
    blocks: tuple[Block, ...]
    digest: str | None = None  # of all rows, in words, where a pass over them has taken it

    def __len__(self) -> int:
        """N."""
        return sum(block.rows for block in self.blocks)

    def pieces(self, block: Block) -> Iterator[Piece]:
        """The rows of a block as (x, y), x (rows, n_1) and y (rows,) or (rows, k), a few at a time."""
        raise NotImplementedError

    def shard(self, i: int, of: int) -> Self:
        """The part of this stream that process i of so many reads; the parts have no block in common."""
        raise NotImplementedError

    def with_blocks(self, blocks: Iterable[Block]) -> Self:
        """The part of this stream in these blocks."""
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
        """The block as one piece."""
        stop = block.place + block.rows
        yield self.x.read(block.place, stop), self.y.read(block.place, stop)

    def shard(self, i: int, of: int) -> Self:
        """A run of blocks."""
        return self.with_blocks(self.blocks[len(self.blocks) * i // of : len(self.blocks) * (i + 1) // of])


class _ArrayRows:
    """Rows of an array in memory, or of a .npy file from `offset` on, which are read by the file's own interface."""

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
    array = np.asanyarray(array)  # a map stays one
    if array.dtype.kind not in "biuf" or array.dtype.itemsize > 8:
        raise DataError(f"{name} holds {array.dtype}, and a stream reads real numbers of at most 64 bits: convert it.")
    if not isinstance(array, np.memmap) or not array.flags.c_contiguous or array.filename is None:
        return _ArrayRows(array)
    # A view of a map starts past the map's own offset.
    base: Any = array
    while isinstance(base.base, np.memmap):
        base = base.base
    inside = array.__array_interface__["data"][0] - base.__array_interface__["data"][0]
    return _ArrayRows(array, str(array.filename), base.offset + inside)


class ParquetStream(Stream):
    """The Parquet files of a folder, subfolders included, or one file: numeric columns, none of them missing a cell.

    Args:
        path: the folder or file.
        target: the columns to learn, "a,b" or ["a", "b"].
        inputs: the columns that are inputs; None takes all the others.
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
            more = [name for name in schema.names if name not in names] if inputs is None else []
            if more:
                raise DataError(f"{file} has a column {more[0]!r}, which {footers[0][0]} has not: make them alike.")
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
        """The row group, decoded some thousand rows at a time."""
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

    def shard(self, i: int, of: int) -> Self:
        """Every so many-th file; row groups instead where there are fewer files than processes."""
        files = list(dict.fromkeys(block.place[0] for block in self.blocks))
        if len(files) < of:
            return self.with_blocks(self.blocks[i::of])
        return self.with_blocks(block for block in self.blocks if block.place[0] in files[i::of])


def parquet_files(folder: Path) -> list[Path]:
    """The files *.parquet of a folder and its subfolders, without what is hidden by "." or "_"."""
    return [
        file
        for file in folder.rglob("*")
        if file.suffix.lower() == ".parquet"
        and file.is_file()
        and not any(part.startswith((".", "_")) for part in file.relative_to(folder).parts)
    ]


def _check_column(file: str, name: str, schema: Any, types: Any) -> None:
    """The column is in the file, once, and holds numbers."""
    count = schema.names.count(name)
    if count != 1:
        has = "has no column" if count == 0 else f"has {count} times a column"
        raise DataError(f"{file} {has} {name!r}: every file of a folder needs each column once.")
    kind = schema.field(name).type
    if not (types.is_floating(kind) or types.is_integer(kind) or types.is_boolean(kind)):
        raise DataError(f"column {name!r} of {file} is {kind}, and a stream reads numbers only: encode it.")


AHEAD = 2  # chunks that wait to be used


def shuffle_blocks(blocks: tuple[Block, ...], seed: tuple[int, ...]) -> list[Block]:
    """The blocks in a random order that the seed names."""
    return [blocks[i] for i in np.random.default_rng(seed).permutation(len(blocks))]


def chunks(stream: Stream, order: Iterable[Block], rows: int, dtype: np.dtype) -> Iterator[Piece]:
    """The blocks' rows in this order, `rows` at a time, the last chunk shorter; every chunk is memory of its own.

    A chunk is a shuffle buffer: with blocks in random order it holds rows / (rows of a block) runs from random places,
    and what uses it mixes its rows uniformly. So two rows that lie in one block always train in the same chunk, and
    any two others with a probability of about rows / N; with every chunk all rows are seen once an epoch.
    """
    x, y, filled = None, None, 0
    for px, py in (piece for block in order for piece in stream.pieces(block)):
        at = 0
        while at < len(px):
            if x is None or y is None:
                x = np.empty((rows, *px.shape[1:]), dtype)
                y = np.empty((rows, *py.shape[1:]), py.dtype if py.dtype.kind in "iub" else dtype)
            count = min(len(px) - at, rows - filled)
            x[filled : filled + count], y[filled : filled + count] = px[at : at + count], py[at : at + count]
            at, filled = at + count, filled + count
            if filled == rows:
                yield x, y
                x, y, filled = None, None, 0
    if x is not None and y is not None:
        yield x[:filled], y[:filled]


class Prefetch:
    """The items of an iterator, made ahead in a thread, `finish` (such as copying to a device) applied there.

    `waited` counts the seconds spent waiting for them.
    """

    def __init__(self, items: Iterable, finish: Callable[[Any], Any]):
        self.waited, self._items, self._finish = 0.0, iter(items), finish

    def _next(self) -> tuple[Any, ...]:
        """The next item alone, or nothing."""
        return tuple(map(self._finish, islice(self._items, 1)))

    def __iter__(self) -> Iterator[Any]:
        """Each item once; an error of the thread is raised here."""
        thread = ThreadPoolExecutor(1)
        made = deque(thread.submit(self._next) for _ in range(AHEAD + 1))
        try:
            while True:
                began = time.perf_counter()
                item = made.popleft().result()
                self.waited += time.perf_counter() - began
                if not item:
                    return
                made.append(thread.submit(self._next))
                yield item[0]
        finally:
            thread.shutdown(wait=False, cancel_futures=True)
