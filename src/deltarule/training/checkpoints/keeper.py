"""When checkpoints are written, and how a training goes on from one.

A training is a `Carry` for each of its starts with the records so far (`Progress`); everything that goes on from epoch
to epoch is in there. A checkpoint holds it as named arrays, and the fingerprint of what must agree.
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
from deltarule.training.checkpoints import folder
from deltarule.training.checkpoints.content import Content, from_bytes, from_tensors, to_bytes, to_tensors
from deltarule.training.checkpoints.fingerprint import Fingerprint
from deltarule.training.loop import Carry, Progress, Records

# Writing may take a second, and then this share of the time: epochs that are shorter than a write are not written each.
WRITING_SECONDS, WRITING_SHARE = 1.0, 0.05
NAME_ONE = "name the folder that a training wrote with checkpoint"
SHOWN = 80  # characters of a setting in a message


@dataclass(eq=False)
class Keeper:
    """Writes the checkpoints of one training, and hands out what the last one held."""

    place: Path | None  # where to write, None for nowhere
    every: int = 1  # epochs between two checkpoints
    settings: Fingerprint = field(default_factory=dict)
    found: Records = field(default_factory=dict)  # the arrays of the checkpoint to go on from, if there is one
    earlier: float = 0.0  # the seconds of the calls that trained as far as that
    began: float = field(default_factory=time.perf_counter)
    writing: float = 0.0
    written_at: int = 0  # the epoch of the last checkpoint
    failing: bool = False

    def begin(self, fresh: list[Carry]) -> Progress:
        """The progress in the checkpoint, or these carries without records."""
        if not self.found:
            return Progress(fresh, [[] for _ in fresh])
        progress = from_tensors(self.found, fresh)
        self.written_at = progress.epoch
        return progress

    def limit(self, until: int) -> int:
        """`until`, or the epoch before it at which the next checkpoint is due."""
        return until if self.place is None or self._too_dear() else min(until, self._due())

    def offer(self, progress: Progress) -> None:
        """Write a checkpoint if one is due."""
        if self.place is not None and progress.epoch >= self._due() and not self._too_dear():
            self.write(progress)

    def write(self, progress: Progress) -> None:
        """Write a checkpoint, unless the last one holds all this; where it cannot be written, warn and train on."""
        if self.place is None or self.written_at == progress.epoch:
            return
        began = time.perf_counter()
        spent = self.earlier + began - self.began
        try:
            folder.write(self.place, Content(to_tensors(progress), {"settings": self.settings, "seconds": spent}))
            self.failing = False
        except OSError as error:
            if not self.failing:
                fault = f"the checkpoint of epoch {progress.epoch} cannot be written to {self.place} ({error.strerror})"
                then = "training goes on, the last checkpoint is kept, and the next one is tried when it is due."
                warnings.warn(f"{fault}: {then}", CheckpointWarning, stacklevel=2)
            self.failing = True
        self.written_at = progress.epoch
        self.writing += time.perf_counter() - began

    def _due(self) -> int:
        return (self.written_at // self.every + 1) * self.every

    def _too_dear(self) -> bool:
        return self.writing > max(WRITING_SECONDS, WRITING_SHARE * (time.perf_counter() - self.began))


@contextmanager
def keeping(
    checkpoint: str | os.PathLike | None,
    resume: str | os.PathLike | None,
    every: int,
    epochs: int,
    settings: Callable[[], Fingerprint],
    E: Any,
) -> Iterator[Keeper]:
    """The keeper of one training, which holds the lock of its folder, `checkpoint`, or None for `resume`. If both are
    the same folder, a training that has no checkpoint yet begins; so one command begins a training and goes on with
    it. A CheckpointError where the folder of `checkpoint` holds another training, cannot be written, or is in use; or
    that of `resume` holds no checkpoint, only damaged ones, one of another training or of an epoch later than
    `epochs`.
    """
    source, place = _as_path("resume", resume), _as_path("checkpoint", checkpoint)
    if place is None and source is not None and not folder.checkpoints_in(source):
        raise CheckpointError(f"there is no checkpoint in {source} to resume from: {NAME_ONE}, or leave resume out.")
    place = source if place is None else place
    if place is None:
        yield Keeper(None)
        return
    if not E.is_leader():  # process 0 reads and writes, and of the fingerprint each process makes a part
        settings()
        content = from_bytes(E.broadcast_bytes(b""))
        yield Keeper(None, found=content.tensors, earlier=content.description["seconds"])
        return
    with folder.locked(place):
        here = source is not None and source.resolve() == place.resolve()
        if not here and (old := folder.checkpoints_in(place)):
            earlier = f"{place} holds checkpoints of an earlier training, the last one {old[0].name}"
            raise CheckpointError(f"{earlier}: give resume to go on with it, or name another folder.")
        ours = settings()
        found, seconds = ({}, 0.0) if source is None else _read(source, ours, epochs, empty_is_well=here)
        E.broadcast_bytes(to_bytes(Content(found, {"settings": ours, "seconds": seconds})))
        yield Keeper(place, every, ours, found, seconds)


def engine_to_resume(resume: str | os.PathLike | None) -> str | None:
    """The engine of the checkpoint that a training goes on from, with which "auto" stays; None without a checkpoint."""
    source = _as_path("resume", resume)
    content = None if source is None else folder.newest(source)[0]
    settings = {} if content is None else content.description.get("settings")
    found = settings.get("engine") if isinstance(settings, dict) else None
    return found if found in ENGINES else None


def _as_path(name: str, folder: Any) -> Path | None:
    try:
        return None if folder is None else Path(folder)
    except TypeError:
        raise ConfigurationError(f"{name} must be the path of a folder, and is {folder!r}: give such a path.") from None


def _read(place: Path, ours: Fingerprint, epochs: int, empty_is_well: bool) -> tuple[Records, float]:
    """The arrays of the newest whole checkpoint, and the seconds that it took to train so far."""
    content, wrong = folder.newest(place)
    if content is None:
        if empty_is_well:
            return {}, 0.0
        raise CheckpointError(f"there is no checkpoint in {place} to resume from: {NAME_ONE}.")
    try:
        theirs = dict(content.description["settings"])
        reached = max(int(array) for name, array in content.tensors.items() if name.endswith(".carry.epoch"))
        seconds = float(content.description.get("seconds", 0.0))
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"the checkpoint in {place} contradicts itself ({error}): train anew.") from None
    for name in ours | theirs:
        if ours.get(name) != theirs.get(name):
            found, here = (_short(settings.get(name, "missing")) for settings in (theirs, ours))
            other = f"the checkpoint in {place} is of another training, with {name} {found}, and here it is {here}"
            raise CheckpointError(f"{other}: give the same settings, or another folder.")
    if reached > epochs:
        later = f"the checkpoint in {place} is of epoch {reached}, and epochs is {epochs}"
        raise CheckpointError(f"{later}: give at least {reached}.")
    for one in wrong:
        sentence = f"{one}: training goes on from the checkpoint before it, of epoch {reached}."
        warnings.warn(sentence, CheckpointWarning, stacklevel=5)
    return content.tensors, seconds


def _short(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 3]}..."
