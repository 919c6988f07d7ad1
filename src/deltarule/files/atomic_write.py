"""Atomic writing of files: after a crash a file is the old one or the new one."""

import os
from contextlib import suppress
from pathlib import Path


def write_atomically(path: Path, content: bytes) -> None:
    """Write `content` to a temporary file beside `path`, flush it to the disk, and rename it to `path`.

    Whatever ends the process, `path` is the old file or the new one. The folder is flushed as well, so that the new
    name survives a power cut. A symbolic link is kept and its target replaced. A device or a pipe, such as /dev/stdout,
    is written to directly.

    Raises:
        OSError: the file cannot be written; the old one is kept, and the temporary one removed.
    """
    path = Path(os.path.realpath(path))
    if path.exists() and not path.is_file():
        path.write_bytes(content)
        return
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.unlink(missing_ok=True)  # left by a killed process of the same number
        with open(temporary, "xb") as file:  # unlike tempfile, open respects the umask
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        with suppress(OSError):  # report a failure to write, not one to remove the temporary file
            temporary.unlink(missing_ok=True)
    with suppress(OSError):  # not every system can open a folder
        descriptor = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
