"""One checkpoint as bytes: safetensors with a checksum of every byte in its own metadata.

No pickle, so no code runs on load. The checksum is computed with its own 64 digits set to 0, then written over them;
any safetensors reader opens the file.
"""

import hashlib
import json
import re
from typing import Any, NamedTuple

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

FORMAT_VERSION = 1
METADATA_KEY = "deltarule-checkpoint"
BLANK = b"0" * 64
CHECKSUM = re.compile(rb'"checksum":"([0-9a-f]{64})"')


class Damaged(Exception):
    """The bytes are not those that were written; the message says what is wrong with them."""


class Content(NamedTuple):
    """Named arrays and a description in JSON's types."""

    tensors: dict[str, np.ndarray]
    description: dict[str, Any]


def to_bytes(content: Content) -> bytes:
    """The content as a safetensors file with its checksum."""
    description = json.dumps({"format_version": FORMAT_VERSION} | content.description)
    tensors = {name: np.asarray(array, order="C") for name, array in content.tensors.items()}  # save reads bare memory
    blank = save(tensors, metadata={"checksum": BLANK.decode(), METADATA_KEY: description})
    return blank.replace(BLANK, _checksum(blank), 1)


def from_bytes(content: bytes) -> Content:
    """What `to_bytes` was given.

    Raises:
        Damaged: the checksum is not that of the bytes, or they are no checkpoint of this format.
    """
    length = int.from_bytes(content[:8], "little")
    found = CHECKSUM.search(content, 8, min(8 + length, len(content)))
    if found is None:
        raise Damaged("it is cut short or no checkpoint")
    if _checksum(content[: found.start(1)] + BLANK + content[found.end(1) :]) != found[1]:
        raise Damaged("its checksum does not fit its content")
    try:
        description = json.loads(json.loads(content[8 : 8 + length])["__metadata__"][METADATA_KEY])
        version = description["format_version"]
        tensors = load(content)
    except (SafetensorError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise Damaged(f"it is no checkpoint of deltarule ({error})") from None
    if version != FORMAT_VERSION:
        raise Damaged(f"its format version is {version!r}, and this deltarule reads {FORMAT_VERSION}")
    return Content(tensors, description)


def _checksum(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=32).hexdigest().encode()
