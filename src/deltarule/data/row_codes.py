"""A 64-bit code of what each row holds, and a checksum of all rows that several processes can compute in parts."""

import numpy as np


def row_codes(values: np.ndarray) -> np.ndarray:
    """A 64-bit code of each row of `values`, (N, c) float64: equal rows have equal codes."""
    bits = (values + 0.0).view(np.uint64)  # + 0.0 turns -0.0 into 0.0, which is equal to it
    code = np.zeros(len(values), np.uint64)
    for column in bits.T:
        code = mix_bits(code ^ column)
    return code


def rows_checksum(first: int, held: np.ndarray) -> int:
    """sum_i g_i sum_j h_j bits_ij modulo 2^64, with odd multipliers h of the columns and g of the row numbers.

    So the sums of parts of the rows add up to the sum of all, whoever computes which part. `held` is the rows from
    number `first` on, (rows, ...), numbers of at most 64 bits.
    """
    held = np.ascontiguousarray(held).reshape(len(held), int(np.prod(held.shape[1:])))
    words = held.view(f"u{held.dtype.itemsize}").astype(np.uint64)
    columns, rows = (_multipliers(start, count) for start, count in ((0, words.shape[1]), (first, len(held))))
    code = mix_bits((words ^ (words >> np.uint64(29))) @ columns)
    return int((code * rows).sum(dtype=np.uint64))


def mix_bits(code: np.ndarray) -> np.ndarray:
    """Scatter 64-bit numbers over their whole range, one to one (the finaliser of SplitMix64)."""
    code = code + np.uint64(0x9E3779B97F4A7C15)
    code = (code ^ (code >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    code = (code ^ (code >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return code ^ (code >> np.uint64(31))


def _multipliers(start: int, count: int) -> np.ndarray:
    """An odd 64-bit number for each of the whole numbers from `start` on."""
    return mix_bits(np.arange(start, start + count, dtype=np.uint64)) | np.uint64(1)
