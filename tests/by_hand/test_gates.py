"""The gated layers by hand: gates at which sigmoid and tanh are fractions.

sigmoid(0) = 1/2    sigmoid(ln 3) = 3/4    tanh(ln 2) = (4 - 1)/(4 + 1) = 3/5    tanh(ln 3) = (9 - 1)/(9 + 1) = 4/5
"""

from math import log, tanh

import numpy as np
import pytest

import deltarule as dr
from engines import on

LN2, LN3 = log(2), log(3)


def test_two_steps_of_an_lstm(engine):
    # x = 1, 0. Step 1, gates i f o g: z = (ln 3, 0, 0, ln 2), so c_1 = 3/4 · 3/5 = 9/20, h_1 = 1/2 tanh(9/20)
    # Step 2, with V = 0 for all but o and x = 0: z = b = (0, ln 3, V_o h_1, ln 3)
    # c_2 = 3/4 · 9/20 + 1/2 · 4/5 = 27/80 + 32/80 = 59/80, h_2 = sigmoid(2 h_1) tanh(59/80)
    b = np.array([0.0, LN3, 0.0, LN3])
    W = np.array([[LN3], [-LN3], [0.0], [LN2 - LN3]])
    V = np.array([[0.0], [0.0], [2.0], [0.0]])
    params = on(engine, {"W": W, "V": V, "b": b})
    values = dr.LSTM(1).forward(params, on(engine, np.array([[[1.0], [0.0]]])))
    h_1 = tanh(9 / 20) / 2
    h_2 = tanh(59 / 80) / (1 + np.exp(-2 * h_1))
    np.testing.assert_allclose(np.asarray(values.z)[0], [[LN3, 0, 0, LN2], [0, LN3, 2 * h_1, LN3]], atol=1e-6)
    np.testing.assert_allclose(np.asarray(values.a)[0, :, 0], [h_1, h_2], rtol=1e-6)


def test_two_steps_of_a_gru(engine):
    # Step 1, gates r u g: u = 3/4 and g = 3/5: h_1 = 1/4 · 3/5 = 3/20
    # Step 2: r = 1/2, u = 1/2, and g = tanh(x_2 + 4 r h_1 ...) with V_g = 20: z_g = ln 3 - 3/2 + 20 · 1/2 · 3/20 = ln 3
    # h_2 = 1/2 · 4/5 + 1/2 · 3/20 = 19/40
    W = np.array([[0.0], [LN3], [LN2 - LN3 + 1.5]])
    V = np.array([[0.0], [0.0], [20.0]])
    b = np.array([0.0, 0.0, LN3 - 1.5])
    params = on(engine, {"W": W, "V": V, "b": b})
    values = dr.GRU(1).forward(params, on(engine, np.array([[[1.0], [0.0]]])))
    np.testing.assert_allclose(np.asarray(values.a)[0, :, 0], [3 / 20, 19 / 40], rtol=1e-6)
    assert np.asarray(values.a_prev.h[1])[0, :, 0] == pytest.approx([0, 1 / 2 * 3 / 20])


pytestmark = pytest.mark.usefixtures("float64")
