"""A folder of checkpoints: the newest two, numbered as they were written, and a lock for whoever writes there."""

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from deltarule.errors import CheckpointError
from deltarule.files.whole_file import write_whole
from deltarule.training.checkpoints.content import Content, Damaged, from_bytes, to_bytes

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

KEPT = 2
NAME = re.compile(r"checkpoint-(\d{1,12})\.safetensors")
LEFT_OVER = re.compile(r"\.checkpoint-\d+\.safetensors\.\d+")
LOCK, FAR = "lock", 2**20


def checkpoints_in(folder: Path) -> list[Path]:
    """The checkpoints in a folder, the newest first; none where there is no folder."""
    try:
        found = [path for path in folder.iterdir() if NAME.fullmatch(path.name)]
    except FileNotFoundError:
        return []
    except OSError as error:
        fault = f"the checkpoints in {folder} cannot be read ({error.strerror})"
        raise CheckpointError(f"{fault}: name the folder that a training wrote.") from None
    return sorted(found, key=_number, reverse=True)


def newest(folder: Path) -> tuple[Content | None, list[str]]:
    """The newest checkpoint that is whole, None if there are none, and what is wrong with any newer one.

    Checkpoints of which none is whole are a CheckpointError.
    """
    wrong = []
    for path in checkpoints_in(folder):
        try:
            return from_bytes(path.read_bytes()), wrong
        except FileNotFoundError:  # whoever writes here has just replaced it
            continue
        except Damaged as error:
            wrong.append(f"{path} is damaged ({error})")
        except OSError as error:
            wrong.append(f"{path} cannot be read ({error.strerror})")
    if wrong:
        raise CheckpointError(f"{'; '.join(wrong)}, and there is no other checkpoint: train anew in another folder.")
    return None, []


def write(folder: Path, content: Content) -> None:
    """Write a checkpoint, then delete all but the newest two; after an OSError those that were there still are."""
    before = checkpoints_in(folder)
    number = _number(before[0]) + 1 if before else 1
    write_whole(folder / f"checkpoint-{number:06d}.safetensors", to_bytes(content))
    for old in before[KEPT - 1 :]:
        with suppress(OSError):
            old.unlink()


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder, which is made if it is missing, against any other training that would write there. The system
    lets go of the lock when the process ends, however it ends. A CheckpointError where the folder cannot be written,
    or another training writes there.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        fault = f"checkpoints cannot be written to {folder} ({error.strerror})"
        raise CheckpointError(f"{fault}: name another folder.") from None
    try:
        try:
            _hold(descriptor)
        except OSError as error:
            fault = f"{folder} is on a file system without locks ({error.strerror}):"
            if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
                owner = os.read(descriptor, 20).decode(errors="replace").strip() or "unknown"
                fault = f"another training, process {owner}, writes its checkpoints to {folder}: wait, or"
            raise CheckpointError(f"{fault} name another folder.") from None
        os.ftruncate(descriptor, 0)  # os.truncate takes no descriptor on Windows
        with suppress(OSError):  # the number only makes the message above clearer; a full disk must not forbid training
            os.write(descriptor, str(os.getpid()).encode())
        for path in folder.iterdir():
            if LEFT_OVER.fullmatch(path.name):  # of a process that was killed while it wrote
                with suppress(OSError):
                    path.unlink()
        yield
    finally:
        os.close(descriptor)


def _hold(descriptor: int) -> None:
    """Lock the file for this process alone, or raise an OSError at once; on Windows a byte far behind its text."""
    if fcntl is not None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return
    import msvcrt

    os.lseek(descriptor, FAR, os.SEEK_SET)
    try:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # pyright: ignore[reportAttributeAccessIssue]
    finally:
        os.lseek(descriptor, 0, os.SEEK_SET)


def _number(path: Path) -> int:
    found = NAME.fullmatch(path.name)
    assert found is not None
    return int(found[1])
