"""When checkpoints are written, and how a training goes on from one.

A training is groups of starts, each group a `Carry` with the records of its starts so far (`Progress`); everything that
goes on from epoch to epoch is in there. A checkpoint holds the groups as named arrays and the fingerprint of what must
agree.
"""

import os
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from deltarule import loop
from deltarule.checkpoints import folder
from deltarule.checkpoints.content import Content, from_bytes, to_bytes
from deltarule.checkpoints.fingerprint import Fingerprint
from deltarule.checkpoints.progress import Progress, Records, from_tensors, to_tensors
from deltarule.errors import CheckpointError, CheckpointWarning, ConfigurationError
from deltarule.processes import leads, told

# Writing may take a second, and then this share of the time: epochs that are shorter than a write are not written each.
WRITING_SECONDS, WRITING_SHARE = 1.0, 0.05
NAME_ONE = "name the folder that a training wrote with checkpoint"
SHOWN = 80  # characters of a setting in a message


class Keeper:
    """Writes the checkpoints of one training, and hands out what the last one held.

    Args:
        place: where to write, None for nowhere.
        every: epochs between two checkpoints.
        settings: the fingerprint of this training.
        found: the groups of the checkpoint to go on from, none for a fresh training.
        seconds: what the calls took that trained as far as that checkpoint.
    """

    def __init__(
        self,
        place: Path | None,
        every: int = 1,
        settings: Fingerprint | None = None,
        found: Sequence[Records] = (),
        seconds: float = 0.0,
    ):
        """Nothing is written before the first epochs are run."""
        self.earlier = seconds
        self.place, self.every, self.settings, self.groups = place, every, settings or {}, list(found)
        self.began, self.writing = time.perf_counter(), 0.0
        self.written_at: dict[int, int] = {}  # the epoch of each group's last checkpoint
        self.failing = False

    def begin(
        self, group: int, fresh: Callable[[], loop.Carry], like: Callable[[], loop.Carry] | None = None
    ) -> Progress:
        """The progress of a group in the checkpoint, or a fresh carry without records.

        Args:
            group: its number.
            fresh: makes the carry.
            like: makes one of the same shapes in what JAX can trace, where `fresh` reads a disk; None is `fresh`.

        Raises:
            CheckpointError: the checkpoint's arrays are not those of this training.
        """
        if group >= len(self.groups):
            carry = fresh()
            return Progress(carry, [[] for _ in range(np.size(carry.epoch))])
        progress = from_tensors(self.groups[group], like or fresh)
        self.written_at[group] = progress.epoch
        return progress

    def limit(self, group: int, until: int) -> int:
        """`until`, or the epoch before it at which the next checkpoint is due."""
        return until if self.place is None or self._too_dear() else min(until, self._due(group))

    def offer(self, group: int, progress: Progress) -> None:
        """Write a checkpoint if one is due."""
        if self.place is not None and progress.epoch >= self._due(group) and not self._too_dear():
            self.write(group, progress)

    def write(self, group: int, progress: Progress) -> None:
        """Write a checkpoint, unless the last one holds all this; where it cannot be written, warn and train on."""
        if self.place is None or self.written_at.get(group) == progress.epoch:
            return
        began = time.perf_counter()
        self.groups[group : group + 1] = [to_tensors(progress)]
        try:
            spent = self.earlier + began - self.began
            folder.write(self.place, _content(self.groups, self.settings, spent))
        except OSError as error:
            if not self.failing:
                warnings.warn(
                    f"the checkpoint of epoch {progress.epoch} cannot be written to {self.place} ({error.strerror}): "
                    "training goes on, the last checkpoint is kept, and the next one is tried when it is due.",
                    CheckpointWarning,
                    stacklevel=2,
                )
            self.failing = True
        else:
            self.failing = False
        self.written_at[group] = progress.epoch
        self.writing += time.perf_counter() - began

    def _due(self, group: int) -> int:
        return (self.written_at.get(group, 0) // self.every + 1) * self.every

    def _too_dear(self) -> bool:
        return self.writing > max(WRITING_SECONDS, WRITING_SHARE * (time.perf_counter() - self.began))


@contextmanager
def keeping(
    checkpoint: str | os.PathLike | None,
    resume: str | os.PathLike | None,
    every: int,
    epochs: int,
    settings: Callable[[], Fingerprint],
) -> Iterator[Keeper]:
    """The keeper of one training, which holds the lock of its folder.

    Args:
        checkpoint: the folder to write to; None is `resume`.
        resume: the folder of the checkpoint to go on from. If it is `checkpoint` too, a training that has none yet
            begins; so one command begins a training and goes on with it.
        every: epochs between two checkpoints.
        epochs: at most this many will be run.
        settings: makes the fingerprint.

    Raises:
        CheckpointError: the folder of `checkpoint` holds another training, cannot be written, or is in use; that of
            `resume` holds no checkpoint, only damaged ones, one of another training or of a later epoch.
    """
    source, place = _as_path("resume", resume), _as_path("checkpoint", checkpoint)
    if place is None and source is not None and not folder.checkpoints_in(source):
        raise CheckpointError(f"there is no checkpoint in {source} to resume from: {NAME_ONE}, or leave resume out.")
    place = source if place is None else place
    if place is None:
        yield Keeper(None)
        return
    if not leads():  # process 0 reads and writes, and of the fingerprint each process makes a part
        settings()
        content = from_bytes(told(b""))
        groups = [_group(content.tensors, i) for i in range(content.description["groups"])]
        yield Keeper(None, found=groups, seconds=content.description["seconds"])
        return
    with folder.locked(place):
        here = source is not None and source.resolve() == place.resolve()
        if not here and (old := folder.checkpoints_in(place)):
            raise CheckpointError(
                f"{place} holds checkpoints of an earlier training, the last one {old[0].name}: give resume to go on "
                "with it, or name another folder."
            )
        ours = settings()
        found, seconds = ([], 0.0) if source is None else _read(source, ours, epochs, empty_is_well=here)
        told(to_bytes(_content(found, ours, seconds)))
        yield Keeper(place, every, ours, found, seconds)


def _as_path(name: str, folder: str | os.PathLike | None) -> Path | None:
    try:
        return None if folder is None else Path(folder)
    except TypeError:
        raise ConfigurationError(f"{name} must be the path of a folder, and is {folder!r}: give such a path.") from None


def _read(place: Path, ours: Fingerprint, epochs: int, empty_is_well: bool) -> tuple[list[Records], float]:
    """The groups of the newest whole checkpoint, and the seconds that it took to train so far."""
    content, wrong = folder.newest(place)
    if content is None:
        if empty_is_well:
            return [], 0.0
        raise CheckpointError(f"there is no checkpoint in {place} to resume from: {NAME_ONE}.")
    try:
        theirs, count = dict(content.description["settings"]), int(content.description["groups"])
        groups = [_group(content.tensors, i) for i in range(min(count, len(content.tensors)))]
        reached = max(int(np.max(group["carry.epoch"])) for group in groups)
        seconds = float(content.description.get("seconds", 0.0))
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"the checkpoint in {place} contradicts itself ({error}): train anew.") from None
    for name in ours | theirs:
        if ours.get(name) != theirs.get(name):
            raise CheckpointError(
                f"the checkpoint in {place} is of another training, with {name} {_short(theirs.get(name))}, and here "
                f"it is {_short(ours.get(name))}: give the same settings, or another folder."
            )
    if reached > epochs:
        raise CheckpointError(
            f"the checkpoint in {place} is of epoch {reached}, and epochs is {epochs}: give at least {reached}."
        )
    for one in wrong:
        sentence = f"{one}: training goes on from the checkpoint before it, of epoch {reached}."
        warnings.warn(sentence, CheckpointWarning, stacklevel=5)
    return groups, seconds


def _content(groups: Sequence[Records], settings: Fingerprint, seconds: float) -> Content:
    """The groups of a training as named arrays, what must agree, and the seconds it took."""
    tensors = {f"{i}.{name}": array for i, held in enumerate(groups) for name, array in held.items()}
    return Content(tensors, {"settings": settings, "groups": len(groups), "seconds": seconds})


def _group(tensors: Records, group: int) -> Records:
    """The arrays of one group under their own names."""
    prefix = f"{group}."
    return {name.removeprefix(prefix): array for name, array in tensors.items() if name.startswith(prefix)}


def _short(text: str | None) -> str:
    text = "missing" if text is None else text
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 3]}..."
