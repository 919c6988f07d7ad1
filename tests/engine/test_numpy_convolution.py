"""The three products of a convolution in NumPy against loops over every place, weight and pixel."""

import itertools

import numpy as np
import pytest

from deltarule.engine import numpy_convolution
from deltarule.network.layers.window import Window

WINDOWS = [
    Window((2, 3), (1, 1), "valid"),
    Window((3, 2), (2, 1), "valid"),
    Window((3, 3), (1, 1), "same"),
    Window((2, 4), (2, 3), "same"),
]
M, H, WIDTH, C, F = 7, 6, 5, 2, 3


def by_loops(window, W, a, delta):
    """z, dC/da and dC/dW; what lies outside the image is 0."""
    z, da, dW = np.zeros_like(delta), np.zeros_like(a), np.zeros_like(W)
    (top, _), (left, _) = window.margins(H, WIDTH)
    for i, j, u, v in itertools.product(*map(range, delta.shape[1:3]), *map(range, window.size)):
        row, column = window.stride[0] * i + u - top, window.stride[1] * j + v - left
        if 0 <= row < H and 0 <= column < WIDTH:
            z[:, i, j] += a[:, row, column] @ W[:, u, v].T
            da[:, row, column] += delta[:, i, j] @ W[:, u, v]
            dW[:, u, v] += delta[:, i, j].T @ a[:, row, column]
    return z, da, dW


@pytest.mark.parametrize("together", [1, 2, M], ids="{} at once".format)
@pytest.mark.parametrize("window", WINDOWS, ids=str)
def test_the_products(monkeypatch, window, together):
    draw = np.random.default_rng(0)
    stops = window.stops("", (H, WIDTH, C))
    W, a, delta = (draw.normal(size=shape) for shape in ((F, *window.size, C), (M, H, WIDTH, C), (M, *stops, F)))
    monkeypatch.setattr(numpy_convolution, "PATCH_BYTES", together * 8 * np.prod(stops) * W[0].size)
    found = (
        numpy_convolution.correlate(W, a, window),
        numpy_convolution.correlate_transposed(W, delta, window, H, WIDTH),
        numpy_convolution.kernel_gradient(delta, a, window),
    )
    for one, other in zip(found, by_loops(window, W, a, delta), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-12)


def test_single_precision_stays():
    window, a, W = WINDOWS[0], np.ones((M, H, WIDTH, C), np.float32), np.ones((F, 2, 3, C), np.float32)
    z = numpy_convolution.correlate(W, a, window)
    assert (z.dtype, z[0, 0, 0, 0]) == (np.float32, 2 * 3 * C)
    assert numpy_convolution.correlate_transposed(W, z, window, H, WIDTH).dtype == np.float32
    assert numpy_convolution.kernel_gradient(z, a, window).dtype == np.float32
