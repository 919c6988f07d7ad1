"""Random numbers by NumPy's counter-based generator, Philox: the same whatever computes, and wherever one begins.

A seed, what its numbers are for, and the numbers of a start, a layer, an epoch are a *path*; every path has a stream of
its own. (NumPy's SeedSequence adds zeros to a path of fewer than four numbers; what they are for tells paths of
different lengths apart.) So both engines start from the same parameters and see the examples in the same order, and
epoch 1,000 needs none of the 999 before.
"""

import numbers
from typing import Any

import numpy as np

from deltarule.arrays import is_jax, is_key, key_data
from deltarule.errors import ConfigurationError

SEEDS = 2**32
Path = tuple[int, ...]

INITIAL, ORDER, NOISE, DIRECTION, POINTS = range(5)  # what the numbers of a path are for


def as_path(seed: Any) -> Path:
    """The path of a seed, which is a whole number from 0 to 2³² - 1 or one key of JAX; else a ConfigurationError."""
    plain: Any = seed
    if type(plain) is int and 0 <= plain < SEEDS:
        return (plain,)
    if is_key(seed) and seed.shape == ():
        return tuple(key_data(seed).tolist())
    if is_jax(seed) and seed.shape == (2,) and seed.dtype == np.uint32:  # a key of JAX's older kind
        return tuple(np.asarray(seed).tolist())
    if getattr(seed, "ndim", None) == 0 and np.issubdtype(getattr(seed, "dtype", None), np.integer):
        seed = int(seed)
    if isinstance(seed, bool) or not isinstance(seed, numbers.Integral) or not 0 <= int(seed) < SEEDS:
        raise ConfigurationError(
            f"seed must be a whole number from 0 to {SEEDS - 1}, and is {seed!r}: give such a value."
        )
    return (int(seed),)


def generator(*path: int) -> np.random.Generator:
    """The generator of a path, at its beginning."""
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(path)))


def words(path: Path, first: int, count: int) -> np.ndarray:
    """The random 64-bit words number 4 first, 4 first + 1, ... of a path, (count,)."""
    key = np.random.SeedSequence(path).generate_state(2, np.uint64)
    return np.random.Philox(key=key, counter=first).random_raw(count)


def orders(path: Path, first: int, epochs: int, count: int) -> np.ndarray:
    """A uniformly random order of 0..count-1 for each of the epochs from number `first` on, (epochs, count) int32.

    Every number gets a random 32-bit key and sorts by it; ties fall to the smaller number, which at 50,000 examples
    touches one pair in three epochs.
    """
    packed = _words_of_epochs(path, first, epochs, count) & np.uint64(0xFFFFFFFF00000000)
    packed |= np.arange(count, dtype=np.uint64)
    packed.sort(axis=1)
    return (packed & np.uint64(0xFFFFFFFF)).astype(np.int32)


def draws(path: Path, first: int, epochs: int, places: int, count: int) -> np.ndarray:
    """Independent uniform draws from 0..count-1 for the epochs from number `first` on, (epochs, places) int32."""
    high = _words_of_epochs(path, first, epochs, places) >> np.uint64(32)
    return ((high * np.uint64(count)) >> np.uint64(32)).astype(np.int32)


def _words_of_epochs(path: Path, first: int, epochs: int, count: int) -> np.ndarray:
    """(epochs, count): a run of the path's words for each epoch, so that an epoch's do not hang on where one begins."""
    fours = -(-count // 4)  # what Philox makes at once
    return words(path, first * fours, epochs * fours * 4).reshape(epochs, -1)[:, :count]
