"""A 2-2-1 network of sigmoids worked by hand: every number of (1)-(4), BP1-BP4 and one step of gradient descent.

The biases are chosen so that every weighted input is 0 or ±ln 3, where the sigmoid is a fraction:

    sigma(0) = 1/2    sigma(ln 3) = 3/(3 + 1) = 3/4    sigma(-ln 3) = 1/4
    sigma'(z) = a (1 - a):    1/4 at 0    3/4 · 1/4 = 3/16 at ±ln 3
"""

from math import log

import numpy as np
import pytest

import deltarule as dr
from engines import on

NET = dr.Network([dr.Dense(2, "sigmoid"), dr.Dense(1, "sigmoid")])
LN3 = log(3)

# Layer 2 takes x = (1, 2):  W² x = (1·1 + 1·2, 2·1 - 1·2) = (3, 0), and b² = (-3, ln 3) makes z² = (0, ln 3).
# Layer 3 takes a² = (1/2, 3/4):  W³ a² = 2/2 - 4·3/4 = -2, and b³ = 2 - ln 3 makes z³ = -ln 3.
PARAMS = [
    {"W": np.array([[1.0, 1.0], [2.0, -1.0]]), "b": np.array([-3.0, LN3])},
    {"W": np.array([[2.0, -4.0]]), "b": np.array([2 - LN3])},
]
X, Y = np.array([1.0, 2.0]), np.array([1.0])


@pytest.fixture
def params(engine):
    return on(engine, PARAMS)


@pytest.fixture
def trace(params):
    return NET.trace(params, X, Y)


def same(found, expected):
    np.testing.assert_allclose(found, expected, rtol=1e-14, atol=1e-15)


def test_the_forward_pass(trace, params):
    same(trace.x, [1, 2])  # (1)
    same(trace.layers[0].z, [0, LN3])  # (2)
    same(trace.layers[0].a, [1 / 2, 3 / 4])  # (3)
    same(trace.layers[1].z, [-LN3])
    same(trace.layers[1].a, [1 / 4])
    same(trace.layers[0].slope, [1 / 4, 3 / 16])
    same(trace.layers[1].slope, [3 / 16])
    same(NET(params, X[None]), [[1 / 4]])


def test_the_cost(trace):
    # C_x = 1/2 (y - a)² = 1/2 (1 - 1/4)² = 1/2 · 9/16
    same(trace.cost, 9 / 32)


def test_the_errors(trace):
    # BP1: dC/da = a - y = -3/4, delta³ = -3/4 · 3/16 = -9/64
    same(trace.layers[1].dC_da, [-3 / 4])
    same(trace.layers[1].delta, [-9 / 64])
    # BP2': (W³)^T delta³ = (2 · -9/64, -4 · -9/64) = (-9/32, 9/16)
    same(trace.layers[0].dC_da, [-9 / 32, 9 / 16])
    # BP2: times sigma' = (1/4, 3/16): (-9/128, 27/256)
    same(trace.layers[0].delta, [-9 / 128, 27 / 256])


def test_the_gradient(trace):
    # BP3: dC/db = delta. BP4: dC/dW_jk = a_k delta_j.
    # dW³ = -9/64 · (1/2, 3/4) = (-9/128, -27/256)
    same(trace.layers[1].dW, [[-9 / 128, -27 / 256]])
    same(trace.layers[1].db, [-9 / 64])
    # dW² = rows -9/128 · (1, 2) and 27/256 · (1, 2)
    same(trace.layers[0].dW, [[-9 / 128, -18 / 128], [27 / 256, 54 / 256]])
    same(trace.layers[0].db, [-9 / 128, 27 / 256])


def test_the_gradient_of_a_batch_is_the_mean(params):
    # The same example with target 0 has dC/da = 1/4, so delta³ = 1/4 · 3/16 = 3/64: -1/3 of the one above.
    # The mean of the two is (1 - 1/3)/2 = 1/3 of it; the mean cost is (9/32 + 1/32)/2 = 5/32.
    cost, grads = NET.cost_and_gradient(params, np.array([X, X]), np.array([[1.0], [0.0]]))
    same(cost, 5 / 32)
    same(grads[1]["W"], [[-9 / 128 / 3, -27 / 256 / 3]])
    same(grads[1]["b"], [-9 / 64 / 3])
    same(grads[0]["W"], [[-3 / 128, -6 / 128], [9 / 256, 18 / 256]])
    same(grads[0]["b"], [-3 / 128, 9 / 256])


def test_one_step_of_gradient_descent(engine):
    # p - eta ∇C with eta = 256/9, so that eta · 9/256 = 1:
    #   W³ = (2 + 2, -4 + 3) = (4, -1)           b³ = 2 - ln 3 + 4 = 6 - ln 3
    #   W² = (1 + 2, 1 + 4; 2 - 3, -1 - 6)       b² = (-3 + 2, ln 3 - 3)
    result = dr.train(
        NET, X[None], Y[None], trainer=dr.GradientDescent(eta=256 / 9), epochs=1, params=PARAMS, engine=engine
    )
    same(result.params[1]["W"], [[4, -1]])
    same(result.params[1]["b"], [6 - LN3])
    same(result.params[0]["W"], [[3, 5], [-1, -7]])
    same(result.params[0]["b"], [-1, LN3 - 3])
    same(result.history["cost"], [9 / 32])  # before the step
