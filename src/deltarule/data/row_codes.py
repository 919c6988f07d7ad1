"""Rows known by what they hold: a 64-bit code of each, so that equal rows are found without comparing all."""

import numpy as np


def row_codes(values: np.ndarray) -> np.ndarray:
    """A 64-bit code of each row of `values`, (N, c) float64: equal rows have equal codes."""
    bits = (values + 0.0).view(np.uint64)  # + 0.0 turns -0.0 into 0.0, which is equal to it
    code = np.zeros(len(values), np.uint64)
    for column in bits.T:
        code = scattered(code ^ column)
    return code


def scattered(code: np.ndarray) -> np.ndarray:
    """Scatter 64-bit numbers over their whole range, one to one (the finaliser of SplitMix64)."""
    code = code + np.uint64(0x9E3779B97F4A7C15)
    code = (code ^ (code >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    code = (code ^ (code >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return code ^ (code >> np.uint64(31))
