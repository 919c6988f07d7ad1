"""Narendra and Parthasarathy's second plant: trained on random inputs, run freely on a sine, and exported to C.

`deltarule reproduce narendra` uses more steps and several seeds.
"""

import numpy as np

import deltarule as dr


def plant(u):
    """y_t = y y' (y + 2.5) / (1 + y² + y'²) + u, y and y' the last two outputs."""
    y = np.zeros(len(u))
    for t in range(2, len(u)):
        a, b = y[t - 1], y[t - 2]
        y[t] = a * b * (a + 2.5) / (1 + a * a + b * b) + u[t - 1]
    return y


u = np.random.default_rng(0).uniform(-2, 2, 500)
model = dr.NARXRegressor(input_lags=2, output_lags=2, hidden=(20,), training="open-loop", random_state=0).fit(
    u, plant(u)
)

sine = np.sin(2 * np.pi * np.arange(500) / 25)
error = model.simulate(sine, plant(sine)[:2]) - plant(sine)
print(f"free run of 500 steps: NRMSE {np.sqrt(np.mean(error**2)) / plant(sine).std():.3f}")

(correlations,) = model.correlations(u, plant(u))
print(f"{100 * correlations.outside:.0f} % of the correlations of its errors lie outside the 95 % band")
dr.export_model(model, "plant.c")
print("plant.c runs it in C")
