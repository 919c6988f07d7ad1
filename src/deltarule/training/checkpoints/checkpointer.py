"""When checkpoints are written, and how a training resumes from one.

A checkpoint holds the `Progress` of a training, which is all its state, and the fingerprint of its settings.
"""

import os
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deltarule.engine import ENGINES
from deltarule.errors import CheckpointError, CheckpointWarning, ConfigurationError
from deltarule.training.checkpoints import storage
from deltarule.training.checkpoints.fingerprint import Fingerprint
from deltarule.training.checkpoints.storage import Checkpoint
from deltarule.training.loop import Carry, Progress, Records

# Writing may take a second, and after that this share of the time: short epochs are not each followed by a checkpoint.
WRITING_SECONDS, WRITING_SHARE = 1.0, 0.05
SHOWN = 80  # characters of a setting in a message


@dataclass(eq=False)
class Checkpointer:
    """Writes the checkpoints of one training, and restores the one that it resumes from."""

    folder: Path | None  # where to write; None writes nothing
    every: int = 1  # epochs between two checkpoints
    settings: Fingerprint = field(default_factory=dict)
    restored: Records = field(default_factory=dict)  # the arrays of the checkpoint to resume from, if any
    earlier_seconds: float = 0.0  # of training before that checkpoint
    began: float = field(default_factory=time.perf_counter)
    writing_seconds: float = 0.0
    written_epoch: int = 0
    failing: bool = False

    def begin(self, fresh: list[Carry]) -> Progress:
        """Return the progress of the checkpoint to resume from, or that of a new training with these carries."""
        if not self.restored:
            return Progress(fresh, [[] for _ in fresh])
        progress = storage.from_tensors(self.restored, fresh)
        self.written_epoch = progress.epoch
        return progress

    def limit(self, until: int) -> int:
        """Return `until`, or the epoch of the next checkpoint if that comes first."""
        return until if self.folder is None or self._too_slow() else min(until, self._next_epoch())

    def write_if_due(self, progress: Progress) -> None:
        """Write a checkpoint if it is time for one."""
        if self.folder is not None and progress.epoch >= self._next_epoch() and not self._too_slow():
            self.write(progress)

    def write(self, progress: Progress) -> None:
        """Write a checkpoint unless this epoch's is written already; if that fails, warn once and go on."""
        if self.folder is None or self.written_epoch == progress.epoch:
            return
        began = time.perf_counter()
        description = {"settings": self.settings, "seconds": self.earlier_seconds + began - self.began}
        try:
            storage.write_checkpoint(self.folder, Checkpoint(storage.to_tensors(progress), description))
            self.failing = False
        except OSError as error:
            if not self.failing:
                fault = f"the checkpoint of epoch {progress.epoch} cannot be written to {self.folder}"
                then = "training goes on, the last checkpoint is kept, and the next one is tried when it is due."
                warnings.warn(f"{fault} ({error.strerror}): {then}", CheckpointWarning, stacklevel=2)
            self.failing = True
        self.written_epoch = progress.epoch
        self.writing_seconds += time.perf_counter() - began

    def _next_epoch(self) -> int:
        return (self.written_epoch // self.every + 1) * self.every

    def _too_slow(self) -> bool:
        return self.writing_seconds > max(WRITING_SECONDS, WRITING_SHARE * (time.perf_counter() - self.began))


@contextmanager
def checkpointing(
    checkpoint: str | os.PathLike | None,
    resume: str | os.PathLike | None,
    every: int,
    epochs: int,
    settings: Callable[[], Fingerprint],
    E: Any,
) -> Iterator[Checkpointer]:
    """Hold the lock of the folder of checkpoints (`checkpoint`, or None for that of `resume`) during a training.

    If both are the same folder it may be empty: one command begins a training and resumes it. A CheckpointError says
    that `checkpoint` holds another training, cannot be written to or is in use; or that `resume` holds no checkpoint,
    only damaged ones, one of another training, or one of an epoch after `epochs`.
    """
    source, folder = _as_path("resume", resume), _as_path("checkpoint", checkpoint)
    one_folder = source is not None and folder is not None and source.resolve() == folder.resolve()
    if source is not None and not one_folder and not storage.checkpoints_in(source):
        raise CheckpointError(
            f"there is no checkpoint in {source} to resume from: give a folder that a training wrote."
        )
    folder = folder or source
    if folder is None:
        yield Checkpointer(None)
        return
    if not E.is_leader():  # process 0 reads and writes; of the fingerprint each process computes a part
        settings()
        broadcast = storage.from_bytes(E.broadcast_bytes(b""))
        yield Checkpointer(None, restored=broadcast.tensors, earlier_seconds=broadcast.description["seconds"])
        return
    with storage.lock_folder(folder):
        if checkpoint is not None and not one_folder and (existing := storage.checkpoints_in(folder)):
            earlier = f"{folder} holds checkpoints of an earlier training, the last one {existing[0].name}"
            raise CheckpointError(f"{earlier}: give resume to go on with it, or name another folder.")
        ours = settings()
        tensors, seconds = ({}, 0.0) if source is None else _read(source, ours, epochs)
        E.broadcast_bytes(storage.to_bytes(Checkpoint(tensors, {"settings": ours, "seconds": seconds})))
        yield Checkpointer(folder, every, ours, tensors, seconds)


def engine_to_resume(resume: str | os.PathLike | None) -> str | None:
    """The engine of the checkpoint that a training resumes from, or None."""
    source = _as_path("resume", resume)
    checkpoint = None if source is None else storage.read_newest(source)[0]
    settings = {} if checkpoint is None else checkpoint.description.get("settings")
    engine = settings.get("engine") if isinstance(settings, dict) else None
    return engine if engine in ENGINES else None


def _as_path(name: str, folder: Any) -> Path | None:
    try:
        return None if folder is None else Path(folder)
    except TypeError:
        raise ConfigurationError(f"{name} must be the path of a folder, and is {folder!r}: give such a path.") from None


def _read(folder: Path, ours: Fingerprint, epochs: int) -> tuple[Records, float]:
    """The arrays of the newest undamaged checkpoint and the training time before it; {} and 0 for an empty folder."""
    checkpoint, faults = storage.read_newest(folder)
    if checkpoint is None:
        return {}, 0.0
    tensors, description = checkpoint
    try:
        theirs = dict(description["settings"])
        epoch = max(int(array) for name, array in tensors.items() if name.endswith(".carry.epoch"))
        seconds = float(description.get("seconds", 0.0))
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"the checkpoint in {folder} contradicts itself ({error}): train anew.") from None
    for name in ours | theirs:
        if ours.get(name) != theirs.get(name):
            stored, current = (_short(settings.get(name, "missing")) for settings in (theirs, ours))
            other = f"the checkpoint in {folder} is of another training, with {name} {stored}, and here it is {current}"
            raise CheckpointError(f"{other}: give the same settings, or another folder.")
    if epoch > epochs:
        later = f"the checkpoint in {folder} is of epoch {epoch}, and epochs is {epochs}"
        raise CheckpointError(f"{later}: give at least {epoch}.")
    for fault in faults:
        sentence = f"{fault}: training goes on from the checkpoint before it, of epoch {epoch}."
        warnings.warn(sentence, CheckpointWarning, stacklevel=5)
    return tensors, seconds


def _short(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 3]}..."
