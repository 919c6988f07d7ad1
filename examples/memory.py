"""Train a recurrent network on y_t = sin(pi (u_t + u_{t-2})), which needs a memory of two steps.

`deltarule reproduce memory` does it for recurrent, GRU and LSTM layers, by Levenberg-Marquardt and by Adam.
"""

import numpy as np

import deltarule as dr


def sequences(seed):
    """20 sequences of 50 steps, whose first two have no target."""
    u = np.random.default_rng(seed).uniform(-1, 1, (20, 50, 1))
    y = np.full_like(u, np.nan)
    y[:, 2:] = np.sin(np.pi * (u[:, 2:] + u[:, :-2]))
    return u, y


net = dr.Network([dr.Recurrent(8, "tanh"), dr.Dense(1, "linear")])
X, Y = sequences(0)
result = dr.train(net, X, Y, trainer=dr.LevenbergMarquardt(), epochs=60, restarts=2, seed=0)
print(result)

X, Y = sequences(1)
error = (net(result.params, X) - Y)[:, 2:]
print(f"error on new sequences {np.std(error):.3f}, standard deviation of the targets {np.std(Y[:, 2:]):.3f}")

x, y = X[0, :5], Y[0, :5]
trace = net.trace(result.params, x, y)  # every number of five steps
print("delta of each step:", *(f"{np.linalg.norm(delta):.1e}" for delta in trace.layers[0].delta))
