"""The network of [HH], 2-2-3-2 sigmoids with 23 parameters: one training point forwards and backwards by hand.

As in `test_two_two_one`, the biases put every weighted input at 0 or ±ln 3:

    sigma(0) = 1/2, sigma(ln 3) = 3/4, sigma(-ln 3) = 1/4;  sigma' = 1/4 at 0 and 3/16 at ±ln 3
"""

from math import log

import numpy as np
import pytest

import deltarule as dr
from deltarule import trees
from engines import on

NET = dr.Network([dr.Dense(2, "sigmoid"), dr.Dense(3, "sigmoid"), dr.Dense(2, "sigmoid")])
LN3 = log(3)
X, Y = np.array([1.0, 2.0]), np.array([1.0, 0.0])

PARAMS = [
    # W² x = (1 + 2, 2 - 2) = (3, 0);  z² = (0, ln 3);  a² = (1/2, 3/4)
    {"W": np.array([[1.0, 1.0], [2.0, -1.0]]), "b": np.array([-3.0, LN3])},
    # W³ a² = (2/2, 4·3/4, -2/2 + 4·3/4) = (1, 3, 2);  z³ = (0, ln 3, -ln 3);  a³ = (1/2, 3/4, 1/4)
    {"W": np.array([[2.0, 0.0], [0.0, 4.0], [-2.0, 4.0]]), "b": np.array([-1.0, LN3 - 3, -LN3 - 2])},
    # W⁴ a³ = (2/2 - 4·3/4 + 4/4, 4/2 - 8/4) = (-1, 0);  z⁴ = (0, ln 3);  a⁴ = (1/2, 3/4)
    {"W": np.array([[2.0, -4.0, 4.0], [4.0, 0.0, -8.0]]), "b": np.array([1.0, LN3])},
]

# C_x = 1/2 ((1 - 1/2)² + (0 - 3/4)²) = 1/2 (4/16 + 9/16) = 13/32
COST = 13 / 32

# BP1: ∇_a C = a - y = (-1/2, 3/4), times sigma' = (1/4, 3/16):
DELTA4 = np.array([-1 / 8, 9 / 64])

# BP2': (W⁴)^T delta⁴ = (2·-1/8 + 4·9/64, -4·-1/8 + 0, 4·-1/8 - 8·9/64) = (-4/16 + 9/16, 1/2, -4/8 - 9/8)
DC_DA3 = np.array([5 / 16, 1 / 2, -13 / 8])
# BP2: times sigma' = (1/4, 3/16, 3/16):
DELTA3 = np.array([5 / 64, 3 / 32, -39 / 128])

# BP2': (W³)^T delta³ = (2·5/64 - 2·-39/128, 4·3/32 + 4·-39/128) = (10/64 + 39/64, 12/32 - 39/32)
DC_DA2 = np.array([49 / 64, -27 / 32])
# BP2: times sigma' = (1/4, 3/16):
DELTA2 = np.array([49 / 256, -81 / 512])

# BP4: dC/dW_jk = a_k delta_j; BP3: dC/db = delta.
GRADIENT = [
    {"W": [[49 / 256, 98 / 256], [-81 / 512, -162 / 512]], "b": DELTA2},  # times x = (1, 2)
    {  # times a² = (1/2, 3/4)
        "W": [[5 / 128, 15 / 256], [3 / 64, 9 / 128], [-39 / 256, -117 / 512]],
        "b": DELTA3,
    },
    {  # times a³ = (1/2, 3/4, 1/4)
        "W": [[-1 / 16, -3 / 32, -1 / 32], [9 / 128, 27 / 256, 9 / 256]],
        "b": DELTA4,
    },
]


def same(found, expected):
    np.testing.assert_allclose(found, expected, rtol=1e-14, atol=1e-15)


@pytest.fixture
def params(engine):
    return on(engine, PARAMS)


@pytest.fixture
def trace(params):
    return NET.trace(params, X, Y)


def test_there_are_23_parameters():
    # 2·2 + 2, 2·3 + 3, 3·2 + 2: 6 + 9 + 8
    assert trees.size(NET.init(0, input_shape=(2,))) == 23
    assert trees.size(PARAMS) == 23


def test_the_trace_forwards(trace):
    for layer, z, a in zip(
        trace.layers,
        ([0, LN3], [0, LN3, -LN3], [0, LN3]),
        ([1 / 2, 3 / 4], [1 / 2, 3 / 4, 1 / 4], [1 / 2, 3 / 4]),
        strict=True,
    ):
        same(layer.z, z)
        same(layer.a, a)
        same(layer.slope, [1 / 4 if value == 0 else 3 / 16 for value in z])
    same(trace.x, X)
    same(trace.y, Y)
    same(trace.cost, COST)


def test_the_trace_backwards(trace):
    for layer, dC_da, delta in zip(
        trace.layers, (DC_DA2, DC_DA3, [-1 / 2, 3 / 4]), (DELTA2, DELTA3, DELTA4), strict=True
    ):
        same(layer.dC_da, dC_da)
        same(layer.delta, delta)


def test_the_trace_has_the_gradient(trace):
    for layer, expected in zip(trace.layers, GRADIENT, strict=True):
        same(layer.dW, expected["W"])
        same(layer.db, expected["b"])


def test_cost_and_gradient(params):
    cost, grads = NET.cost_and_gradient(params, X[None], Y[None])
    same(cost, COST)
    for found, expected in zip(grads, GRADIENT, strict=True):
        same(found["W"], expected["W"])
        same(found["b"], expected["b"])


def test_the_cost_of_3blue1brown_doubles_everything(params):
    net = dr.Network(NET.layers, dr.Quadratic(scale=1))
    cost, grads = net.cost_and_gradient(params, X[None], Y[None])
    same(cost, 2 * COST)
    same(grads[0]["W"], 2 * np.array(GRADIENT[0]["W"]))
