"""Derivatives of an analytic function to rounding, from its values at complex points alone: an oracle without JAX."""

from collections.abc import Callable

import numpy as np

STEP = 1e-200
POINTS = np.exp(2j * np.pi * np.arange(64) / 64)


def jacobian(f: Callable[[np.ndarray], np.ndarray], p: np.ndarray) -> np.ndarray:
    """df/dp, one column for each entry of p: Im f(p + i h e)/h, in which nothing cancels, so h may be tiny."""
    return np.stack([f(p + 1j * STEP * e).imag.reshape(-1) / STEP for e in np.eye(len(p))], axis=-1)


def second_along(f: Callable[[np.ndarray], np.ndarray], p: np.ndarray, v: np.ndarray) -> np.ndarray:
    """d²f/dt² along p + t v at t = 0, by Cauchy's integral over a circle that is small beside what bends f."""
    radius = 0.1 / np.linalg.norm(v)
    values = np.stack([f(p + radius * z * v).reshape(-1) * z**-2 for z in POINTS])
    return 2 * values.mean(axis=0).real / radius**2
