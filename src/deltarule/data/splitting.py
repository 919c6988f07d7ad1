"""Split rows into training, validation and test rows."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from deltarule.checks import require_count
from deltarule.errors import DataError

HELD_OUT = 0.15  # the share of the validation part, and of the test part
SPLITS = ("random", "blocks")


def split(
    count: int, seed: int = 0, labels: Sequence[Any] | np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Split the rows 0 .. count-1 at random: 70% train, 15% validation, 15% test.

    With labels the split is stratified: every class of three rows or more is split 70/15/15, up to rounding, with at
    least one row in each part. Smaller classes only train. If all classes are smaller, the split is not stratified.

    Args:
        count: N, at least 3.
        seed: a whole number >= 0; the same seed gives the same split.
        labels: (N,) class labels or codes, or None.

    Returns:
        Three int64 arrays, disjoint, non-empty, together 0 .. N-1, each in random order.

    >>> [len(part) for part in split(100, seed=1)]
    [70, 15, 15]
    """
    require_rows(count)
    generator = np.random.default_rng(require_count("seed", seed, least=0))
    if labels is None:
        return _cut(generator.permutation(count))
    if len(labels) != count:
        raise DataError(f"there are {len(labels)} labels for {count} rows: give one label per row")
    codes = np.unique(np.asarray(labels), return_inverse=True)[1].reshape(-1)
    cuts = []
    for code in range(codes.max() + 1):
        members = generator.permutation(np.flatnonzero(codes == code))
        cuts.append(_cut(members) if len(members) >= 3 else (members, members[:0], members[:0]))
    train, validation, test = (generator.permutation(np.concatenate(part)) for part in zip(*cuts, strict=True))
    if not len(validation):  # every class has one or two rows
        return _cut(generator.permutation(count))
    return train, validation, test


def split_in_order(count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Split rows in their order: the first 70% train, the next 15% validate, the last 15% test.

    For rows in the order of time, whose neighbours are alike: with a random split held-out rows lie between training
    rows, and their scores are too good.

    >>> blocks(7)
    (array([0, 1, 2, 3, 4]), array([5]), array([6]))
    """
    require_rows(count)
    held = held_out_count(count)
    train, validation, test = np.split(np.arange(count), [count - 2 * held, count - held])
    return train, validation, test


def require_rows(count: int) -> None:
    """Raise a DataError about fewer than three rows."""
    if count < 3:
        raise DataError(f"there are {count} rows, but training, validation and test need at least 3: add rows")


def held_out_count(count: int) -> int:
    """The number of validation rows, and of test rows, of `count` rows: 15%, at least one."""
    return max(1, round(HELD_OUT * count))


def _cut(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Split three or more shuffled rows 70/15/15, with at least one row in each part."""
    held = held_out_count(len(rows))
    return rows[2 * held :], rows[:held], rows[held : 2 * held]
