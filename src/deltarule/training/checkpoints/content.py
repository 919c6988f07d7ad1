"""One checkpoint: how far the starts of a training are, as named arrays and as bytes.

The bytes are safetensors with a checksum of every byte in its own metadata.

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

from deltarule import engine, trees
from deltarule.arrays import is_key, key_data, wrap_key
from deltarule.errors import CheckpointError
from deltarule.training.loop import Carry, Progress, Records

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
    """What `to_bytes` was given; `Damaged` if the checksum is not that of the bytes, or they are no checkpoint."""
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


def to_tensors(progress: Progress) -> Records:
    """The leaves of each carry by their place in it, and the records of each start whole."""
    tensors = {}
    for lane, (carry, parts) in enumerate(zip(*progress, strict=True)):
        tensors |= {f"{lane}.carry{place}": _as_numpy(leaf) for place, leaf in trees.named_leaves(carry)}
        for name in parts[0] if parts else ():
            tensors[f"{lane}.history.{name}"] = np.concatenate([part[name] for part in parts])
    return tensors


def from_tensors(tensors: Records, fresh: list[Carry]) -> Progress:
    """The progress that `to_tensors` took apart, in the structure of fresh carries."""
    carries, parts = [], []
    for lane, like in enumerate(fresh):
        carries.append(trees.from_leaves(like, [_found(tensors, lane, *leaf) for leaf in trees.named_leaves(like)]))
        prefix = f"{lane}.history."
        records = {name.removeprefix(prefix): array for name, array in tensors.items() if name.startswith(prefix)}
        parts.append([records] if records else [])
    return Progress(carries, parts)


def _as_numpy(leaf: Any) -> np.ndarray:
    """A leaf as an array of NumPy: a key of JAX by the numbers that it is made of."""
    return key_data(leaf) if is_key(leaf) else np.asarray(leaf)


def _found(tensors: Records, lane: int, place: str, like: Any) -> Any:
    """The leaf that stood at this place, of the kind of `like`."""
    found, wanted = tensors.get(f"{lane}.carry{place}"), _as_numpy(like)
    plain = isinstance(like, int | float)  # Python's own numbers, which NumPy's may stand for
    if found is None or found.shape != wanted.shape or not (plain or found.dtype == wanted.dtype):
        theirs = "nothing" if found is None else f"{found.dtype} of shape {found.shape}"
        ours = f"{wanted.dtype} of shape {wanted.shape} ({place})"
        version = "it is of another version of deltarule or Optax; train anew"
        raise CheckpointError(f"the checkpoint holds {theirs} where this training has {ours}: {version}.")
    if plain or isinstance(like, np.generic):
        return type(like)(found.item())
    if is_key(like):
        return wrap_key(found, like)
    return engine.of(like).put(found)
