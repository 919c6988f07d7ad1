"""Files that are written whole or not at all, and lie on the disk when the call returns."""

import os
from contextlib import suppress
from pathlib import Path


def write_atomically(path: Path, content: bytes) -> None:
    """Write `content` to a temporary file beside `path`, have the disk confirm it, and give it the name of `path`.

    Whatever ends the process, `path` is the old file or the new one; its folder is confirmed as well, so that the new
    name outlives a power cut. A link stays a link, to the new file. What is no file, such as /dev/stdout or a pipe, is
    written to as it is.

    Raises:
        OSError: the file cannot be written; the old one is still there, and the temporary one is not.
    """
    path = Path(os.path.realpath(path))
    if path.exists() and not path.is_file():
        path.write_bytes(content)
        return
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.unlink(missing_ok=True)  # of a process with this number that was killed
        with open(temporary, "xb") as file:  # open, unlike tempfile, obeys the umask
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        with suppress(OSError):  # a failure to write is told, not one to tidy up after it
            temporary.unlink(missing_ok=True)
    with suppress(OSError):  # where the system can open a folder
        descriptor = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
