"""The three products of a convolution in NumPy, by patches (im2col) and a matrix product.

A patch is what the window sees at one stop, as a row.

    correlate             z[i,j,f] = sum_{u,v,c} W[f,u,v,c] a[s i + u, s j + v, c]              (2)
    correlate_transposed  dC/da[i,j,c] = sum_{u,v,f} W[f,u,v,c] delta[(i - u)/s, (j - v)/s, f]  (BP2')
    kernel_gradient       dC/dW[f,u,v,c] = sum_{i,j} delta[i,j,f] a[s i + u, s j + v, c]        (BP4)

Patches are made for as many examples as fit `PATCH_BYTES`, so memory is bounded for any batch.
"""

from collections.abc import Iterator
from math import prod
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

PATCH_BYTES = 4 * 2**20  # small enough for the caches


def correlate(W: np.ndarray, a: np.ndarray, window: Any) -> np.ndarray:
    """z without the bias, (m, H', W', f), for kernels W (f, h, w, c) and images a (m, H, W, c)."""
    kernels = W.reshape(len(W), -1).T
    z = np.empty((len(a), *window.stops("", a.shape[1:]), len(W)), np.result_type(W, a))
    for part in _parts(z, W):
        z[part] = (_patches(a[part], window) @ kernels).reshape(z[part].shape)
    return z


def correlate_transposed(W: np.ndarray, delta: np.ndarray, window: Any, H: int, width: int) -> np.ndarray:
    """dC/da, (m, H, W, c), from delta (m, H', W', f)."""
    (f, h, w, c), (_, high, wide, _) = W.shape, delta.shape
    (top, bottom), (left, right) = window.margins(H, width)
    (s, t), kernels = window.stride, W.reshape(f, h * w, c).transpose(1, 0, 2)
    padded = np.zeros((len(delta), top + H + bottom, left + width + right, c), delta.dtype)
    for part in _parts(delta, W):
        errors, image = delta[part].reshape(-1, f), padded[part]
        for place, kernel in enumerate(kernels):
            u, v = divmod(place, w)
            seen = image[:, u : u + (high - 1) * s + 1 : s, v : v + (wide - 1) * t + 1 : t]
            seen += (errors @ kernel).reshape(seen.shape)
    return padded[:, top : top + H, left : left + width]


def kernel_gradient(delta: np.ndarray, a: np.ndarray, window: Any) -> np.ndarray:
    """dC/dW, (f, h, w, c), summed over the batch."""
    f, shape = delta.shape[-1], (delta.shape[-1], *window.size, a.shape[-1])
    dW = np.zeros((f, prod(shape[1:])), np.result_type(delta, a))
    for part in _parts(delta, np.broadcast_to(np.float64(0), shape)):
        dW += delta[part].reshape(-1, f).T @ _patches(a[part], window)
    return dW.reshape(shape)


def _patches(images: np.ndarray, window: Any) -> np.ndarray:
    """The patches as rows, (m H' W', h w c), in the order of a kernel's weights."""
    margins, (s, t) = window.margins(*images.shape[1:3]), window.stride
    if any(map(any, margins)):
        images = np.pad(images, ((0, 0), *margins, (0, 0)))
    seen = sliding_window_view(images, window.size, axis=(1, 2))[:, ::s, ::t]  # (m, H', W', c, h, w)
    return seen.transpose(0, 1, 2, 4, 5, 3).reshape(-1, prod(window.size) * images.shape[-1])


def _parts(delta: np.ndarray, W: np.ndarray) -> Iterator[slice]:
    """Slices of examples whose patches fit `PATCH_BYTES`; delta is (m, H', W', f), W has the shape of the kernels."""
    row = delta.itemsize * prod(delta.shape[1:3]) * prod(W.shape[1:])
    block = max(1, PATCH_BYTES // max(row, 1))
    for first in range(0, len(delta), block):
        yield slice(first, first + block)
