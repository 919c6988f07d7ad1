"""Random numbers by NumPy's counter-based generator, Philox: the same on both engines.

A *path* is a seed, a purpose (see `INITIAL`, ...) and the numbers of a restart, a layer or an epoch. Every path has its
own stream of random numbers, so epoch 1,000 can be drawn without the 999 before it. (NumPy's SeedSequence pads a path
of fewer than four numbers with zeros; the purpose keeps paths of different lengths apart.)
"""

import numbers
from typing import Any

import numpy as np

from deltarule.arrays import is_jax, is_key, key_data
from deltarule.errors import ConfigurationError

SEEDS = 2**32
Path = tuple[int, ...]

INITIAL, ORDER, NOISE, DIRECTION, POINTS = range(5)  # the purposes


def as_path(seed: Any) -> Path:
    """The path of a seed, a whole number from 0 to 2³² - 1 or a key of JAX; a ConfigurationError for anything else."""
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
        raise ConfigurationError(f"seed must be a whole number from 0 to {SEEDS - 1}, and is {seed!r}.")
    return (int(seed),)


def generator(*path: int) -> np.random.Generator:
    """A new generator for the stream of a path."""
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(path)))


def words(path: Path, first: int, count: int) -> np.ndarray:
    """The 64-bit words of a path's stream from number 4 first on, (count,)."""
    key = np.random.SeedSequence(path).generate_state(2, np.uint64)
    return np.random.Philox(key=key, counter=first).random_raw(count)


def orders(path: Path, first: int, epochs: int, count: int) -> np.ndarray:
    """A uniformly random order of 0..count-1 for each of the epochs from number `first` on, (epochs, count) int32.

    Every number gets a random 32-bit key, and they are sorted by it. Equal keys put the smaller number first, which
    with 50,000 examples happens to one pair in three epochs.
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
    """The words of each epoch, (epochs, count): a fixed part of the stream, so they do not depend on `first`."""
    fours = -(-count // 4)  # Philox makes four words at once
    return words(path, first * fours, epochs * fours * 4).reshape(epochs, -1)[:, :count]
