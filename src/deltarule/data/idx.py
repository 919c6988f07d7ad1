"""The IDX file format of MNIST: a header of big-endian whole numbers, then the bytes of one array.

    offset 0   0 0 t d        t = 0x08: unsigned bytes; d: the number of dimensions
    offset 4   d numbers      of 32 bits, the sizes
    then       their product  of bytes, the last dimension fastest

A header is a claim, not a fact: nothing is allocated that the file cannot hold, and a gzip file is read no
further than its header claims. Source: LeCun, Cortes and Burges, "The MNIST database", the section on file
formats.
"""

import gzip
import math
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from deltarule.errors import DataError

UNSIGNED_BYTE = 0x08
LARGEST_ARRAY = 2**30  # bytes; MNIST's largest file holds 47 MB
LARGEST_RATIO = 1032  # deflate writes at least one byte for 1032 of its input


def idx_header(shape: tuple[int, ...]) -> bytes:
    """Write the header of an array of unsigned bytes.

    >>> idx_header((2, 3)).hex(" ")
    '00 00 08 02 00 00 00 02 00 00 00 03'
    """
    return struct.pack(f">HBB{len(shape)}I", 0, UNSIGNED_BYTE, len(shape), *shape)


def read_idx(path: Path) -> np.ndarray:
    """Read an IDX file of unsigned bytes, plain or compressed with gzip (told by its content, not its name).

    A file that cannot be read, is no such file, is truncated, claims more than it can hold or more than 1 GiB, or has
    bytes left over is a DataError.
    """
    try:
        with path.open("rb") as plain:
            capacity, compressed = path.stat().st_size, plain.read(2) == b"\x1f\x8b"
            plain.seek(0)
            if not compressed:
                return _read(plain, capacity, path)
            with gzip.GzipFile(fileobj=plain) as stream:
                return _read(stream, capacity * LARGEST_RATIO, path)
    except EOFError:
        raise DataError(f"{path} ends in the middle of its gzip stream: copy or download the file again") from None
    except (OSError, zlib.error) as error:
        raise DataError(f"{path} cannot be read ({error}): check the file, or download it again") from None


def _read(stream: Any, capacity: int, path: Path) -> np.ndarray:
    """The array in a file that can hold so many bytes at most once it is decompressed."""
    magic = stream.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0":
        raise DataError(f"{path} begins with {magic.hex(' ') or 'nothing'}, but an IDX file with 00 00: give one")
    if magic[2] != UNSIGNED_BYTE or magic[3] == 0:
        found = f"IDX type 0x{magic[2]:02x} in {magic[3]} dimensions"
        raise DataError(f"{path} holds {found}, not unsigned bytes (0x08) in one or more: give MNIST's own files")
    sizes = stream.read(4 * magic[3])
    if len(sizes) < 4 * magic[3]:
        raise DataError(f"{path} is truncated inside its header: copy or download the file again")
    shape = struct.unpack(f">{magic[3]}I", sizes)
    count = math.prod(shape)
    if not 0 < count <= LARGEST_ARRAY:
        raise DataError(f"{path} claims an array of {shape}, {count} bytes, but 1 to 2^30 are read: check the file")
    if count > capacity:
        raise DataError(f"{path} claims {count} bytes, more than it can hold: it is truncated, or its header is wrong")
    content = bytearray(count)  # memory that is not written to is not taken
    view, held = memoryview(content), 0
    while held < count and (read := stream.readinto(view[held:])):
        held += read
    if held < count:
        raise DataError(f"{path} is truncated: it holds {held} of the {count} bytes its header claims")
    if stream.read(1):
        raise DataError(f"{path} goes on after the {count} bytes its header claims: copy or download the file again")
    return np.frombuffer(content, dtype=np.uint8).reshape(shape)
