"""The pass over a stream before it trains: its columns measured, its held-out rows kept, its digest taken.

Several processes make it together: each reads its share of the stream, tells the others what it found, and puts all
of that together; so each has the same result, which is that of one process to the last bit.
"""

import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from deltarule.data.held_out import TEST, TRAINING, VALIDATION, Parts, parted
from deltarule.data.measured import Measured
from deltarule.data.row_sums import row_sum
from deltarule.data.stream import Stream
from deltarule.errors import DataError

PARTS = (VALIDATION, TEST)
MODULUS = 2**64


class Among(NamedTuple):
    """Which of how many processes this is, and what tells each of them what all of them give, in their order."""

    i: int = 0
    of: int = 1
    everyones: Callable[[bytes], list[bytes]] = lambda content: [content]


class Held(NamedTuple):
    """The rows of a part that is held out: inputs, targets (rows, k), and their numbers in the stream, ascending."""

    x: np.ndarray
    y: np.ndarray
    rows: np.ndarray

    def taken(self, which: np.ndarray) -> "Held":
        """Some of them: a boolean for each, or their places."""
        return Held(*(array[which] for array in self))


class FirstPass:
    """What the pass finds.

    Args:
        path: the folder, for messages.
        stream: all of it, whoever reads what.
        parts: the part of every row.
        measured: nothing yet; the columns and classes after the pass.
        among: the processes.
    """

    def __init__(self, path: Path, stream: Stream, parts: Parts, measured: Measured, among: Among):
        """Nothing is read."""
        self.path, self.stream, self.parts, self.measured, self.among = path, stream, parts, measured, among
        self.pieces: dict[int, list[Held]] = {part: [] for part in PARTS}
        self.sums = [0, 0]  # of the inputs and of the targets of all rows

    @property
    def digest(self) -> str:
        """32 hexadecimal digits that differ where a number of the stream, or its place, does."""
        return "".join(f"{one:016x}" for one in self.sums)

    def held(self, part: int) -> Held:
        """The rows of the validation or of the test part."""
        pieces = [piece for piece in self.pieces[part] if len(piece.rows)]
        if not pieces:
            return Held(np.zeros((0, self.stream.inputs)), np.zeros((0, self.stream.targets)), np.zeros(0, np.int64))
        held = Held(*map(np.concatenate, zip(*pieces, strict=True)))
        return held.taken(np.argsort(held.rows))

    def run(self, progress: Callable[[float], None]) -> None:
        """Read this process's share, and hear of the others'.

        Raises:
            DataError: a block cannot be read or used, in this process or another.
        """
        if self.among.of == 1:
            self._read(progress)
            return
        self.among.everyones(b"")  # the first exchange connects them, which waits less long than the pass may take
        fault, own = "", None
        try:
            self._read(progress)
        except Exception as error:  # whatever it is, the others wait to hear of it
            own = error
            fault = str(error) if isinstance(error, DataError) else f"another process failed: {error!r}"
        found = [np.load(io.BytesIO(content)) for content in self.among.everyones(self._content(fault))]
        if own is not None:
            raise own
        for other in found:
            if fault := str(other["fault"]):
                raise DataError(fault)
        for i, other in enumerate(found):
            if i != self.among.i:
                self._join(other)

    def _read(self, progress: Callable[[float], None]) -> None:
        share = self.stream.share(self.among.i, self.among.of)
        own, first, done = set(share.blocks), 0, 0
        for number, block in enumerate(self.stream.blocks):
            if block in own:
                self._read_block(number, first)
                done += block.rows
                progress(done / share.rows)
            first += block.rows

    def _read_block(self, number: int, first: int) -> None:
        """Block `number`, whose first row has the number `first`."""
        for (x, y), part in parted(self.stream, self.parts, number, self.stream.blocks[number]):
            y = y.reshape(len(y), -1)
            self.measured.add(self.path, number, x, y, part == TRAINING)
            for which in PARTS:
                if (mine := part == which).any():
                    self.pieces[which].append(Held(x[mine], y[mine], first + np.flatnonzero(mine)))
            self._add([row_sum(first, x), row_sum(first, y)])
            first += len(x)

    def _add(self, sums: list[int]) -> None:
        self.sums = [(one + other) % MODULUS for one, other in zip(self.sums, sums, strict=True)]

    def _content(self, fault: str) -> bytes:
        """What this process tells the others."""
        arrays = {"fault": np.array(fault), "sums": np.array(self.sums, np.uint64)}
        if not fault:
            arrays |= self.measured.arrays()
            arrays |= {f"{part}.{name}": a for part in PARTS for name, a in self.held(part)._asdict().items()}
        content = io.BytesIO()
        np.savez(content, **arrays)
        return content.getvalue()

    def _join(self, other: Mapping[str, np.ndarray]) -> None:
        """Take in what another process found."""
        self.measured.join(self.path, other)
        for part in PARTS:
            self.pieces[part].append(Held(*(other[f"{part}.{name}"] for name in Held._fields)))
        self._add([int(one) for one in other["sums"]])
