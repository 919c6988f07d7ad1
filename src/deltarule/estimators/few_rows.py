"""a^L of a few rows by NumPy: (2) and (3) through dense layers, in float64, without a call of JAX.

A call of compiled code from Python costs more than such a product: one row through 64-30-10 takes 10 µs here and
200 there, and nothing has to be compiled first. The numbers are the same to rounding.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import expit

from deltarule.layers import Dense
from deltarule.network import Network

FEW_ROWS = 64


def softmax(z: np.ndarray) -> np.ndarray:
    """e^{z_j} / sum_k e^{z_k}, (m, k); subtracting the largest keeps it finite."""
    a = np.exp(z - z.max(axis=1, keepdims=True))
    return a / a.sum(axis=1, keepdims=True)


# `deltarule.activations` in NumPy.
SIGMA: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "sigmoid": expit,
    "tanh": np.tanh,
    "relu": lambda z: np.maximum(z, 0.0),
    "softplus": lambda z: np.logaddexp(0.0, z),
    "linear": lambda z: z,
    "step": lambda z: (z > 0).astype(np.float64),
    "softmax": softmax,
}


def are_few(net: Network, X: np.ndarray) -> bool:
    """Whether `outputs` is the quicker way: few rows, dense layers only."""
    return len(X) <= FEW_ROWS and all(isinstance(layer, Dense) for layer in net.layers)


def outputs(net: Network, params: Any, X: np.ndarray) -> np.ndarray:
    """a^L of the rows X (m, n_1) float64, (m, k) float64.

    Args:
        net: dense layers only, see `are_few`.
        params: of the network, NumPy float64.
        X: scaled rows, finite and of the network's width.
    """
    a = X
    for layer, p in zip(net.layers, params, strict=True):
        a = SIGMA[layer.activation](a @ p["W"].T + p["b"])  # pyright: ignore[reportAttributeAccessIssue]
    return a
