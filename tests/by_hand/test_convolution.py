"""A 4x4 image and a 2x2 kernel, forward and backward with pencil and paper ([N] ch. 6; method: section 3)."""

import numpy as np
import pytest

import deltarule as dr
from engines import on, put

pytestmark = pytest.mark.usefixtures("float64")

IMAGE = np.array([[1.0, 2, 0, 1], [0, 1, 3, 1], [2, 1, 0, 0], [1, 0, 1, 2]])[None, :, :, None]
KERNEL = np.array([[1.0, 2], [0, -1]])
PARAMS = {"W": KERNEL[None, :, :, None], "b": np.array([0.5])}
DELTA = np.array([[1.0, 0, 2], [0, -1, 0], [3, 0, 1]])[None, :, :, None]
LAYER = dr.Convolution(1, (2, 2), "relu")


def test_forward(engine):
    values = LAYER.forward(*on(engine, (PARAMS, IMAGE)))
    # z_ij = 1 a_ij + 2 a_i,j+1 - a_i+1,j+1 + 1/2; the corner: 1 + 2·2 - 1 + 0.5 = 4.5
    assert values.z[0, ..., 0].tolist() == [[4.5, -0.5, 1.5], [1.5, 7.5, 5.5], [4.5, 0.5, -1.5]]
    assert values.a[0, ..., 0].tolist() == [[4.5, 0, 1.5], [1.5, 7.5, 5.5], [4.5, 0.5, 0]]


def test_the_error_stops_where_relu_is_off(engine):
    values = LAYER.forward(*on(engine, (PARAMS, IMAGE)))
    assert LAYER.error(values, put(engine, np.ones_like(DELTA)))[0, ..., 0].tolist() == [
        [1, 0, 1],
        [1, 1, 1],
        [1, 1, 0],
    ]


def test_the_weights_gather_every_place(engine):
    params, image, delta = on(engine, (PARAMS, IMAGE, DELTA))
    grads = LAYER.gradient(LAYER.forward(params, image), delta)
    # dC/dW_uv = sum_ij delta_ij a_i+u,j+v; u = v = 0: 1·1 + 2·0 - 1·1 + 3·2 + 1·0
    # (0, 1): 2 + 2·1 - 3 + 3·1 + 0; (1, 0): 0 + 2·3 - 1 + 3·1 + 1; (1, 1): 1 + 2·1 - 0 + 3·0 + 2
    assert grads["W"][0, ..., 0].tolist() == [[6, 4], [9, 5]]
    assert grads["b"].tolist() == [1 + 2 - 1 + 3 + 1]


def test_the_error_below_is_the_full_correlation_with_the_kernel_turned(engine):
    params, image, error = on(engine, (PARAMS, IMAGE, DELTA))
    values = LAYER.forward(params, image)
    # The kernel turned by 180° is [[-1, 0], [2, 1]]; delta inside a margin of zeros is
    #     0 0  0 0 0
    #     0 1  0 2 0
    #     0 0 -1 0 0      and each of its 16 windows of 2x2, times the turned kernel, is one entry: the window
    #     0 3  0 1 0      in the corner holds only delta_11 = 1, at the place of the 1, and gives 1.
    #     0 0  0 0 0
    expected = [[1, 2, 2, 4], [0, -2, -2, -2], [3, 6, 2, 2], [0, -3, 0, -1]]
    assert LAYER.propagate(values, error)[0, ..., 0].tolist() == expected


def test_pooling(engine):
    image, delta = put(engine, IMAGE), put(engine, np.array([[10.0, 20], [30, 40]])[None, :, :, None])
    # windows [[1, 2], [0, 1]], [[0, 1], [3, 1]], [[2, 1], [1, 0]], [[0, 0], [1, 2]]
    pool = dr.MaxPool((2, 2))
    values = pool.forward({}, image)
    assert values.a[0, ..., 0].tolist() == [[2, 3], [2, 2]]
    winners = [[0, 10, 0, 0], [0, 0, 20, 0], [30, 0, 0, 0], [0, 0, 0, 40]]
    assert pool.propagate(values, delta)[0, ..., 0].tolist() == winners
    mean = dr.MeanPool((2, 2))
    values = mean.forward({}, image)
    assert values.a[0, ..., 0].tolist() == [[1, 1.25], [1, 0.75]]
    even = [[2.5, 2.5, 5, 5], [2.5, 2.5, 5, 5], [7.5, 7.5, 10, 10], [7.5, 7.5, 10, 10]]
    assert mean.propagate(values, delta)[0, ..., 0].tolist() == even


def test_of_equal_pixels_the_first_wins(engine):
    pool, flat = dr.MaxPool((2, 2)), put(engine, np.ones((1, 2, 4, 1)))
    values = pool.forward({}, flat)
    found = pool.propagate(values, put(engine, np.array([5.0, 7.0])[None, None, :, None]))
    assert found[0, ..., 0].tolist() == [[5, 0, 7, 0], [0, 0, 0, 0]]


def test_the_norm_of_3_and_4(engine):
    pool, image = dr.L2Pool((1, 2)), put(engine, np.array([3.0, 4, 0, 0])[None, None, :, None])
    values = pool.forward({}, image)
    assert values.a[0, ..., 0].tolist() == [[5, 0]]
    delta = put(engine, np.array([10.0, 7.0])[None, None, :, None])  # shares 3/5 and 4/5; at 0 the norm has a kink: 0
    np.testing.assert_allclose(pool.propagate(values, delta)[0, ..., 0], [[6, 8, 0, 0]], rtol=1e-14)
