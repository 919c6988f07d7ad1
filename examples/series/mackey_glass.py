"""Mackey-Glass: a network with 18 lags runs freely for 84 steps along a series that it has not seen.

`deltarule reproduce mackey-glass` does it with 1,500 steps to learn from, 20 neurons and several seeds.
"""

import numpy as np

import deltarule as dr
from deltarule.experiments.series import delay_equation

x = delay_equation(1500)
model = dr.NARXRegressor(output_lags=18, hidden=(6,), training="open-loop", random_state=0).fit(None, x[:600])

starts = range(600, 1300, 20)
errors = [model.simulate(None, x[s : s + 18 + 84])[-1] - x[s + 18 + 83] for s in starts]
print(f"NRMSE 84 steps ahead: {np.sqrt(np.mean(np.square(errors))) / x.std():.1e}")
