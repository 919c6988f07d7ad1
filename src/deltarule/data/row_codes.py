"""A 64-bit code of the numbers in each row, and a checksum of all rows that processes can compute in parts."""

import numpy as np


def row_codes(values: np.ndarray) -> np.ndarray:
    """A 64-bit code of each row of `values`, (N, c) float64; equal rows have equal codes."""
    bits = (values + 0.0).view(np.uint64)  # + 0.0 turns -0.0 into the equal 0.0
    code = np.zeros(len(values), np.uint64)
    for column in bits.T:
        code = mix_bits(code ^ column)
    return code


def rows_checksum(first: int, rows: np.ndarray) -> int:
    """The checksum of rows (rows, ...) from number `first` on, numbers of at most 64 bits.

    It is sum_i g_i mix(sum_j h_j bits_ij) modulo 2^64, with odd multipliers h of the columns and g of the row numbers.
    So the checksums of parts add up to that of all rows.
    """
    rows = np.ascontiguousarray(rows).reshape(len(rows), int(np.prod(rows.shape[1:])))
    words = rows.view(f"u{rows.dtype.itemsize}").astype(np.uint64)
    code = mix_bits((words ^ (words >> np.uint64(29))) @ _multipliers(0, words.shape[1]))
    return int((code * _multipliers(first, len(rows))).sum(dtype=np.uint64))


def mix_bits(code: np.ndarray) -> np.ndarray:
    """Map 64-bit numbers one to one over their whole range (the finaliser of SplitMix64)."""
    code = code + np.uint64(0x9E3779B97F4A7C15)
    code = (code ^ (code >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    code = (code ^ (code >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return code ^ (code >> np.uint64(31))


def _multipliers(start: int, count: int) -> np.ndarray:
    """An odd 64-bit number for each of `count` whole numbers from `start` on."""
    return mix_bits(np.arange(start, start + count, dtype=np.uint64)) | np.uint64(1)
