"""A recurrent layer of two neurons through two steps, by hand, forward and back through time.

Every z is 0 or ln 3, where the sigmoid is a fraction:

    sigma(0) = 1/2    sigma(ln 3) = 3/4        sigma'(z) = a (1 - a):    1/4 at 0    3/16 at ln 3

    z_t = W x_t + V h_{t-1} + b,  h_t = sigma(z_t),  h_0 = 0                                      (RNN)
    delta_t = (dC/dh_t + V^T delta_{t+1}) ⊙ sigma'(z_t)                                           (BPTT)
"""

from math import log

import numpy as np
import pytest

import deltarule as dr
from engines import on

LN3 = log(3)
NET = dr.Network([dr.Recurrent(2, "sigmoid"), dr.Dense(1, "linear")])
LAST = dr.Network([dr.Recurrent(2, "sigmoid", sequences=False), dr.Dense(1, "linear")])

# Step 1 takes x_1 = 1 and h_0 = (0, 0):  W x_1 = (1, -1), and b = (-1, 1 + ln 3) makes z_1 = (0, ln 3).
# Step 2 takes x_2 = ln 3 and h_1 = (1/2, 3/4):  W x_2 = (ln 3, -ln 3),  V h_1 = (2/2, 4/2 - 4·3/4) = (1, -1),
# and b makes z_2 = (ln 3 + 1 - 1, -ln 3 - 1 + 1 + ln 3) = (ln 3, 0).
# The output layer: 4/2 + 8·3/4 - 6 = 2 of h_1, and 4·3/4 + 8/2 - 6 = 1 of h_2 = (3/4, 1/2).
PARAMS = [
    {
        "W": np.array([[1.0], [-1.0]]),
        "V": np.array([[2.0, 0.0], [4.0, -4.0]]),
        "b": np.array([-1.0, 1 + LN3]),
    },
    {"W": np.array([[4.0, 8.0]]), "b": np.array([-6.0])},
]
X, Y = np.array([[1.0], [LN3]]), np.array([[1.0], [3.0]])


@pytest.fixture
def params(engine):
    return on(engine, PARAMS)


@pytest.fixture
def trace(params):
    return NET.trace(params, X, Y)


def same(found, expected):
    np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-14)


def test_the_forward_pass(trace, params):
    same(trace.layers[0].z, [[0, LN3], [LN3, 0]])
    same(trace.layers[0].a, [[1 / 2, 3 / 4], [3 / 4, 1 / 2]])
    same(trace.layers[0].slope, [[1 / 4, 3 / 16], [3 / 16, 1 / 4]])
    same(trace.layers[1].a, [[2], [1]])
    same(NET(params, X[None]), [[[2], [1]]])
    same(LAST(params, X[None]), [[1]])


def test_the_cost_is_summed_over_the_steps(trace):
    # 1/2 (2 - 1)² + 1/2 (1 - 3)² = 1/2 + 2
    same(trace.cost, 5 / 2)


def test_the_errors_through_time(trace):
    # BP1 at each step: a - y = 1, -2
    same(trace.layers[1].delta, [[1], [-2]])
    # From above: W³^T delta = (4, 8) · 1 and (4, 8) · -2
    same(trace.layers[0].dC_da, [[4, 8], [-8, -16]])
    # delta_2 = (-8 · 3/16, -16 · 1/4) = (-3/2, -4)
    # V^T delta_2 = (2 · -3/2 + 4 · -4, -4 · -4) = (-19, 16), so dC/dh_1 = (4 - 19, 8 + 16) = (-15, 24)
    # delta_1 = (-15 · 1/4, 24 · 3/16) = (-15/4, 9/2)
    same(trace.layers[0].delta, [[-15 / 4, 9 / 2], [-3 / 2, -4]])


def test_the_gradient_is_summed_over_the_steps(trace):
    # dC/dW = delta_1 · 1 + delta_2 · ln 3;  dC/dV = delta_2 h_1^T, as h_0 = 0;  dC/db = delta_1 + delta_2
    same(trace.layers[0].dW, [[-15 / 4 - 3 / 2 * LN3], [9 / 2 - 4 * LN3]])
    same(trace.layers[0].dV, [[-3 / 4, -9 / 8], [-2, -3]])
    same(trace.layers[0].db, [-21 / 4, 1 / 2])
    # The output layer: 1 · h_1 - 2 · h_2 = (1/2 - 3/2, 3/4 - 1), and 1 - 2
    same(trace.layers[1].dW, [[-1, -1 / 4]])
    same(trace.layers[1].db, [-1])


def test_the_last_step_alone(params):
    # C = 1/2 (1 - 3)² = 2; dC/dh_1 is V^T delta_2 alone: delta_1 = (-19/4, 16 · 3/16 = 3)
    cost, grads = LAST.cost_and_gradient(params, X[None], Y[1][None])
    same(cost, 2)
    same(grads[0]["W"], [[-19 / 4 - 3 / 2 * LN3], [3 - 4 * LN3]])
    same(grads[0]["V"], [[-3 / 4, -9 / 8], [-2, -3]])
    same(grads[0]["b"], [-25 / 4, -1])
    same(grads[1]["W"], [[-2 * 3 / 4, -2 * 1 / 2]])


def test_a_piece_of_one_step_stops_the_error(params):
    # truncate=1: V^T delta_2 does not reach step 1, so delta_1 = (4 · 1/4, 8 · 3/16) = (1, 3/2)
    net = dr.Network([dr.Recurrent(2, "sigmoid", truncate=1), dr.Dense(1, "linear")])
    _, grads = net.cost_and_gradient(params, X[None], Y[None])
    same(grads[0]["W"], [[1 - 3 / 2 * LN3], [3 / 2 - 4 * LN3]])
    same(grads[0]["V"], [[-3 / 4, -9 / 8], [-2, -3]])
    same(grads[0]["b"], [-1 / 2, -5 / 2])


def test_a_shorter_sequence_beside_it(params):
    # The second sequence is step 1 alone with target 0: delta³ = 2, delta_1 = (8 · 1/4, 16 · 3/16) = (2, 3), C = 2.
    # The mean of the two costs is (5/2 + 2)/2 = 9/4, and of the gradients half of their sum.
    sequences, targets = [X, X[:1]], [Y, np.array([[0.0]])]
    cost, grads = NET.cost_and_gradient(params, sequences, targets)
    same(cost, 9 / 4)
    same(grads[0]["W"], [[(-15 / 4 - 3 / 2 * LN3 + 2) / 2], [(9 / 2 - 4 * LN3 + 3) / 2]])
    same(grads[0]["V"], [[-3 / 8, -9 / 16], [-1, -3 / 2]])
    same(grads[0]["b"], [(-21 / 4 + 2) / 2, (1 / 2 + 3) / 2])
    same(grads[1]["W"], [[(-1 + 2 / 2) / 2, (-1 / 4 + 2 * 3 / 4) / 2]])
    # Of the last steps alone the first gives 1 and the shorter one 2.
    same(LAST(params, sequences), [[1], [2]])
    same(NET(params, sequences), [[[2], [1]], [[2], [np.nan]]])


def test_one_step_of_gradient_descent(engine):
    # p - eta ∇C with eta = 4: b = (-1 + 21, 1 + ln 3 - 2), W³ = (4 + 4, 8 + 1)
    trainer = dr.GradientDescent(eta=4)
    result = dr.train(NET, X[None], Y[None], trainer=trainer, epochs=1, params=PARAMS, engine=engine)
    same(result.params[0]["b"], [20, LN3 - 1])
    same(result.params[0]["V"], [[2 + 3, 4.5], [12, 8]])
    same(result.params[1]["W"], [[8, 9]])
