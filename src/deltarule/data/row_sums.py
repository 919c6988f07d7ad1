"""A digest of rows that many may compute: 64-bit sums of coded rows, to which each adds what it holds."""

import numpy as np


def row_sum(first: int, held: np.ndarray) -> int:
    """sum_i g_i sum_j h_j bits_ij modulo 2^64, with odd multipliers h of the columns and g of the row numbers.

    Args:
        first: the number of the first row.
        held: the rows, (rows, ...), of numbers of at most 64 bits.
    """
    held = np.ascontiguousarray(held).reshape(len(held), int(np.prod(held.shape[1:])))
    words = held.view(f"u{held.dtype.itemsize}").astype(np.uint64)
    columns = _multipliers(np.arange(words.shape[1], dtype=np.uint64))
    code = _mixed((words ^ (words >> np.uint64(29))) @ columns)
    return int((code * _multipliers(np.arange(first, first + len(held), dtype=np.uint64))).sum(dtype=np.uint64))


def _multipliers(number: np.ndarray) -> np.ndarray:
    """An odd 64-bit number for each whole number."""
    return _mixed(number + np.uint64(1)) | np.uint64(1)


def _mixed(number: np.ndarray) -> np.ndarray:
    """Splitmix64, which lets every bit in change every bit out."""
    number = number * np.uint64(0x9E3779B97F4A7C15)
    number = (number ^ (number >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    number = (number ^ (number >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return number ^ (number >> np.uint64(31))
