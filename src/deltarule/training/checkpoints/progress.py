"""How far the starts of a training are, as structures in memory and as named arrays."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from deltarule import engine, trees
from deltarule.arrays import is_key, key_of, key_words
from deltarule.errors import CheckpointError
from deltarule.training.loop import Carry, Records


class Progress(NamedTuple):
    """The carry of every start, and of each its records so far, in the pieces they came in."""

    carries: list[Carry]
    parts: list[list[Records]]

    @property
    def epoch(self) -> int:
        """The epochs run; of several starts, by the one that is furthest."""
        return max(int(carry.epoch) for carry in self.carries)


def to_tensors(progress: Progress) -> Records:
    """The leaves of each carry by their place in it, and the records of each start whole."""
    tensors = {}
    for lane, (carry, parts) in enumerate(zip(*progress, strict=True)):
        tensors |= {f"{lane}.carry{place}": _as_numpy(leaf) for place, leaf in trees.named_leaves(carry)}
        for name in parts[0] if parts else ():
            tensors[f"{lane}.history.{name}"] = np.concatenate([part[name] for part in parts])
    return tensors


def from_tensors(tensors: Records, fresh: Callable[[], list[Carry]]) -> Progress:
    """The progress that `to_tensors` took apart, in the structure of fresh carries."""
    carries, parts = [], []
    for lane, like in enumerate(fresh()):
        carries.append(trees.rebuilt(like, [_found(tensors, lane, *leaf) for leaf in trees.named_leaves(like)]))
        prefix = f"{lane}.history."
        records = {name.removeprefix(prefix): array for name, array in tensors.items() if name.startswith(prefix)}
        parts.append([records] if records else [])
    return Progress(carries, parts)


def _as_numpy(leaf: Any) -> np.ndarray:
    """A leaf as an array of NumPy: a key of JAX by the numbers that it is made of."""
    return key_words(leaf) if is_key(leaf) else np.asarray(leaf)


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
        return key_of(found, like)
    return engine.of(like).put(found)
