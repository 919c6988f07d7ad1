"""Mackey-Glass: free runs of 84 steps on a part of the series that the network has not seen.

`deltarule reproduce mackey-glass` trains on 1,500 steps, with 20 neurons and several seeds.
"""

import numpy as np

import deltarule as dr
from deltarule.experiments.series import delay_equation

x = delay_equation(1500)
model = dr.NARXRegressor(output_lags=18, hidden=(6,), training="open-loop", random_state=0).fit(None, x[:600])

starts = range(600, 1300, 20)
errors = [model.simulate(None, x[s : s + 18 + 84])[-1] - x[s + 18 + 83] for s in starts]
print(f"NRMSE 84 steps ahead: {np.sqrt(np.mean(np.square(errors))) / x.std():.1e}")
