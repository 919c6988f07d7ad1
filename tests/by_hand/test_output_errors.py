"""The output error of the natural pairs, delta^L = a - y, and a chain of single neurons, worked by hand."""

from math import log

import numpy as np

import deltarule as dr
from engines import on

LN3 = log(3)


def same(found, expected):
    np.testing.assert_allclose(found, expected, rtol=1e-14, atol=1e-15)


def test_softmax_with_log_likelihood(engine):
    # x = (1, 2):  W x = (1 + 2, 2 - 2, 0 + 2) = (3, 0, 2);  with b = (-3, ln 2, ln 5 - 2)  z = (0, ln 2, ln 5).
    # e^z = (1, 2, 5), which sum to 8: a = (1/8, 2/8, 5/8).
    # The class is 1: y = (0, 1, 0), C_x = -ln a_1 = -ln(1/4) = ln 4.
    net = dr.Network([dr.Dense(3, "softmax")], "log-likelihood")
    params = [{"W": np.array([[1.0, 1.0], [2.0, -1.0], [0.0, 1.0]]), "b": np.array([-3, log(2), log(5) - 2])}]
    trace = net.trace(on(engine, params), [1.0, 2.0], 1)
    same(trace.y, [0, 1, 0])
    same(trace.layers[0].z, [0, log(2), log(5)])
    same(trace.layers[0].a, [1 / 8, 1 / 4, 5 / 8])
    same(trace.cost, log(4))
    # delta = a - y = (1/8, 1/4 - 1, 5/8)
    same(trace.layers[0].delta, [1 / 8, -3 / 4, 5 / 8])
    # The long way, BP1 in full: ∇_a C = (0, -1/a_1, 0) = (0, -4, 0), <a, ∇_a C> = -1, and
    # (diag(a) - a a^T) ∇_a C = a ⊙ (∇_a C - <a, ∇_a C>) = (1/8, 1/4, 5/8) ⊙ (1, -3, 1).
    same(trace.layers[0].dC_da, [0, -4, 0])
    same(trace.layers[0].dW, [[1 / 8, 2 / 8], [-3 / 4, -6 / 4], [5 / 8, 10 / 8]])
    same(trace.layers[0].db, [1 / 8, -3 / 4, 5 / 8])


def test_sigmoid_with_cross_entropy(engine):
    # z = (ln 3, -ln 3): a = (3/4, 1/4); y = (1, 1).
    # C_x = -ln 3/4 - ln 1/4 = ln 16/3;  delta = a - y = (-1/4, -3/4): no sigma', no slowdown.
    net = dr.Network([dr.Dense(2, "sigmoid")], "cross-entropy")
    params = [{"W": np.array([[1.0], [-1.0]]), "b": np.array([LN3 - 1, 1 - LN3])}]
    trace = net.trace(on(engine, params), [1.0], [1.0, 1.0])
    same(trace.cost, log(16 / 3))
    same(trace.layers[0].delta, [-1 / 4, -3 / 4])
    # BP1 in full: (a - y)/(a (1 - a)) = -1/a = (-4/3, -4), times sigma' = 3/16 gives the same.
    same(trace.layers[0].dC_da, [-4 / 3, -4])
    same(trace.layers[0].slope, [3 / 16, 3 / 16])


def test_cross_entropy_of_a_soft_target(engine):
    # z = 0: a = 1/2, and every target costs ln 2; delta = 1/2 - y.
    net = dr.Network([dr.Dense(1, "sigmoid")], "cross-entropy")
    trace = net.trace(on(engine, [{"W": np.array([[1.0]]), "b": np.array([-1.0])}]), [1.0], [0.3])
    same(trace.cost, log(2))
    same(trace.layers[0].delta, [0.2])


def test_the_chain_of_3blue1brown(engine):
    # One neuron a layer, C_0 = (a - y)², so scale = 1 and dC_0/da = 2 (a - y).
    #   x = 1   w² = 2, b² = -2:            z² = 0         a² = 1/2   sigma' = 1/4
    #           w³ = 4, b³ = ln 3 - 2:      z³ = ln 3      a³ = 3/4   sigma' = 3/16
    #           w⁴ = 4, b⁴ = -3 - ln 3:     z⁴ = -ln 3     a⁴ = 1/4   sigma' = 3/16
    net = dr.Network([dr.Dense(1, "sigmoid")] * 3, dr.Quadratic(scale=1))
    params = [
        {"W": np.array([[2.0]]), "b": np.array([-2.0])},
        {"W": np.array([[4.0]]), "b": np.array([LN3 - 2])},
        {"W": np.array([[4.0]]), "b": np.array([-3 - LN3])},
    ]
    trace = net.trace(on(engine, params), [1.0], [1.0])
    first, second, third = trace.layers
    same([first.a, second.a, third.a], [[1 / 2], [3 / 4], [1 / 4]])
    same(trace.cost, 9 / 16)  # (1/4 - 1)²
    # dC/da⁴ = 2 (1/4 - 1) = -3/2;  delta⁴ = -3/2 · 3/16 = -9/32;  dC/dw⁴ = a³ delta⁴ = 3/4 · -9/32
    same(third.dC_da, [-3 / 2])
    same(third.delta, [-9 / 32])
    same(third.dW, [[-27 / 128]])
    # dC/da³ = w⁴ delta⁴ = 4 · -9/32 = -9/8;  delta³ = -9/8 · 3/16 = -27/128;  dC/dw³ = 1/2 · -27/128
    same(second.dC_da, [-9 / 8])
    same(second.delta, [-27 / 128])
    same(second.dW, [[-27 / 256]])
    # dC/da² = w³ delta³ = 4 · -27/128 = -27/32;  delta² = -27/32 · 1/4 = -27/128;  dC/dw² = x delta²
    same(first.dC_da, [-27 / 32])
    same(first.delta, [-27 / 128])
    same(first.dW, [[-27 / 128]])
    same(first.db, [-27 / 128])
