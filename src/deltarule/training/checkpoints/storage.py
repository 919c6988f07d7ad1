"""Checkpoint files: named arrays with a checksum of every byte, the newest two in a folder that one process locks.

A file is safetensors, so loading it runs no code. Its checksum is computed with its own 64 digits set to 0.
"""

import errno
import hashlib
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from deltarule import engine, trees
from deltarule.arrays import is_key, key_data, wrap_key
from deltarule.errors import CheckpointError
from deltarule.files.atomic_write import write_atomically
from deltarule.training.loop import Carry, Progress, Records

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

FORMAT_VERSION = 1
METADATA_KEY = "deltarule-checkpoint"
BLANK = b"0" * 64
CHECKSUM = re.compile(rb'"checksum":"([0-9a-f]{64})"')
KEPT = 2
NAME = re.compile(r"checkpoint-(\d{1,12})\.safetensors")
TEMPORARY = re.compile(r"\.checkpoint-\d+\.safetensors\.\d+")
LOCK, LOCKED_BYTE = "lock", 2**20


class DamagedCheckpoint(Exception):
    """The bytes are not those that were written; the message says what is wrong with them."""


class Checkpoint(NamedTuple):
    """Named arrays, and a description in JSON's types."""

    tensors: dict[str, np.ndarray]
    description: dict[str, Any]


def to_bytes(checkpoint: Checkpoint) -> bytes:
    """Return the checkpoint as a safetensors file with its checksum."""
    description = json.dumps({"format_version": FORMAT_VERSION} | checkpoint.description)
    tensors = {name: np.asarray(array, order="C") for name, array in checkpoint.tensors.items()}  # save ignores strides
    blank = save(tensors, metadata={"checksum": BLANK.decode(), METADATA_KEY: description})
    return blank.replace(BLANK, _checksum(blank), 1)


def from_bytes(content: bytes) -> Checkpoint:
    """Read what `to_bytes` wrote; raise a `DamagedCheckpoint` if any byte differs."""
    length = int.from_bytes(content[:8], "little")
    checksum = CHECKSUM.search(content, 8, min(8 + length, len(content)))
    if checksum is None:
        raise DamagedCheckpoint("it is cut short or not a checkpoint")
    if _checksum(content[: checksum.start(1)] + BLANK + content[checksum.end(1) :]) != checksum[1]:
        raise DamagedCheckpoint("its checksum does not match its content")
    try:
        description = json.loads(json.loads(content[8 : 8 + length])["__metadata__"][METADATA_KEY])
        version = description["format_version"]
        tensors = load(content)
    except (SafetensorError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise DamagedCheckpoint(f"it is not a checkpoint of deltarule ({error})") from None
    if version != FORMAT_VERSION:
        raise DamagedCheckpoint(f"its format version is {version!r}, and this deltarule reads {FORMAT_VERSION}")
    return Checkpoint(tensors, description)


def _checksum(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=32).hexdigest().encode()


def to_tensors(progress: Progress) -> Records:
    """Return the leaves of each start's carry by their path in it, and the records of each start."""
    tensors = {}
    for lane, (carry, parts) in enumerate(zip(*progress, strict=True)):
        tensors |= {f"{lane}.carry{path}": _as_numpy(leaf) for path, leaf in trees.named_leaves(carry)}
        for name in parts[0] if parts else ():
            tensors[f"{lane}.history.{name}"] = np.concatenate([part[name] for part in parts])
    return tensors


def from_tensors(tensors: Records, fresh: list[Carry]) -> Progress:
    """Rebuild the progress that `to_tensors` took apart, with the structure of the `fresh` carries."""
    carries, parts = [], []
    for lane, carry in enumerate(fresh):
        leaves = [_restored_leaf(tensors, lane, *named_leaf) for named_leaf in trees.named_leaves(carry)]
        carries.append(trees.from_leaves(carry, leaves))
        prefix = f"{lane}.history."
        records = {name.removeprefix(prefix): array for name, array in tensors.items() if name.startswith(prefix)}
        parts.append([records] if records else [])
    return Progress(carries, parts)


def _as_numpy(leaf: Any) -> np.ndarray:
    return key_data(leaf) if is_key(leaf) else np.asarray(leaf)


def _restored_leaf(tensors: Records, lane: int, path: str, like: Any) -> Any:
    """The stored leaf at a path of the carry, converted to the type of the fresh leaf `like`."""
    stored, wanted = tensors.get(f"{lane}.carry{path}"), _as_numpy(like)
    is_plain = isinstance(like, int | float)  # Python's own numbers, which NumPy's may stand for
    if stored is None or stored.shape != wanted.shape or not (is_plain or stored.dtype == wanted.dtype):
        theirs = "nothing" if stored is None else f"{stored.dtype} of shape {stored.shape}"
        ours = f"{wanted.dtype} of shape {wanted.shape} ({path})"
        version = "it is of another version of deltarule or Optax; train anew"
        raise CheckpointError(f"the checkpoint holds {theirs} where this training has {ours}: {version}.")
    if is_plain or isinstance(like, np.generic):
        return type(like)(stored.item())
    if is_key(like):
        return wrap_key(stored, like)
    return engine.of(like).put(stored)


def checkpoints_in(folder: Path) -> list[Path]:
    """The checkpoint files in a folder, the newest first; none if there is no such folder."""
    try:
        paths = [path for path in folder.iterdir() if NAME.fullmatch(path.name)]
    except FileNotFoundError:
        return []
    except OSError as error:
        fault = f"the checkpoints in {folder} cannot be read ({error.strerror})"
        raise CheckpointError(f"{fault}: name the folder that a training wrote.") from None
    return sorted(paths, key=_number, reverse=True)


def read_newest(folder: Path) -> tuple[Checkpoint | None, list[str]]:
    """Return the newest undamaged checkpoint, or None if the folder is empty, and a sentence on each damaged newer one.

    Checkpoints of which every one is damaged are a CheckpointError.
    """
    faults = []
    for path in checkpoints_in(folder):
        try:
            return from_bytes(path.read_bytes()), faults
        except FileNotFoundError:  # the training that writes here has just replaced it
            return read_newest(folder)
        except DamagedCheckpoint as error:
            faults.append(f"{path} is damaged ({error})")
        except OSError as error:
            faults.append(f"{path} cannot be read ({error.strerror})")
    if faults:
        raise CheckpointError(f"{'; '.join(faults)}, and there is no other checkpoint: train anew in another folder.")
    return None, []


def write_checkpoint(folder: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint, then delete all but the newest two; an OSError leaves the older ones as they were."""
    existing = checkpoints_in(folder)
    number = _number(existing[0]) + 1 if existing else 1
    write_atomically(folder / f"checkpoint-{number:06d}.safetensors", to_bytes(checkpoint))
    for path in existing[KEPT - 1 :]:
        with suppress(OSError):
            path.unlink()


@contextmanager
def lock_folder(folder: Path) -> Iterator[None]:
    """Create the folder if it is missing and lock it, so that no other training writes there.

    The system releases the lock when the process ends, however it ends. A CheckpointError says that the folder cannot
    be written to, or that another training holds the lock.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        fault = f"checkpoints cannot be written to {folder} ({error.strerror})"
        raise CheckpointError(f"{fault}: name another folder.") from None
    try:
        try:
            _lock(descriptor)
        except OSError as error:
            fault = f"{folder} is on a file system without locks ({error.strerror}):"
            if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
                owner = os.read(descriptor, 20).decode(errors="replace").strip() or "unknown"
                fault = f"another training, process {owner}, writes its checkpoints to {folder}: wait, or"
            raise CheckpointError(f"{fault} name another folder.") from None
        os.ftruncate(descriptor, 0)  # os.truncate takes no descriptor on Windows
        with suppress(OSError):  # the number serves only the message above: a full disk must not forbid training
            os.write(descriptor, str(os.getpid()).encode())
        for path in folder.iterdir():
            if TEMPORARY.fullmatch(path.name):  # left by a process that was killed while it wrote
                with suppress(OSError):
                    path.unlink()
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> None:
    """Lock the file for this process or raise an OSError at once; on Windows lock a byte far behind its text."""
    if fcntl is not None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return
    import msvcrt

    os.lseek(descriptor, LOCKED_BYTE, os.SEEK_SET)
    try:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # pyright: ignore[reportAttributeAccessIssue]
    finally:
        os.lseek(descriptor, 0, os.SEEK_SET)


def _number(path: Path) -> int:
    return int(path.name.removeprefix("checkpoint-").removesuffix(".safetensors"))
