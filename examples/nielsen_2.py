"""Nielsen's chapter 2: the gradient of 784-30-10 by backpropagation, and by two differences for each of 23,860 weights.

`deltarule reproduce nielsen-2` times both for five sizes and draws the figure.
"""

import time

import numpy as np

import deltarule as dr

net = dr.Network([dr.Dense(30, "sigmoid"), dr.Dense(10, "sigmoid")])
params = net.init(0, input_shape=(784,), dtype="float64")
x, y = np.random.default_rng(0).uniform(size=(1, 784)), np.eye(10)[[3]]


def by_backpropagation():
    """One forward and one backward pass give all derivatives."""
    _, grads = net.cost_and_gradient(params, x, y)
    return np.concatenate([dp.ravel() for layer in grads for dp in (layer["W"], layer["b"])])


def by_differences(h=1e-6):
    """(C(w + h e_j) - C(w - h e_j)) / 2h for every weight and bias: 2n forward passes."""

    def cost():
        return np.sum((net(params, x) - y) ** 2) / 2

    slopes = []
    for layer in params:
        for array in (layer["W"], layer["b"]):
            for place in np.ndindex(array.shape):
                value, costs = array[place], []
                for array[place] in (value + h, value - h):
                    costs.append(cost())
                array[place] = value
                slopes.append((costs[0] - costs[1]) / (2 * h))
    return np.array(slopes)


for name, compute in {"backpropagation": by_backpropagation, "differences": by_differences}.items():
    started = time.perf_counter()
    gradient = compute()
    print(f"{name}: {1000 * (time.perf_counter() - started):.2f} ms, dC/db of the first output {gradient[-10]:+.6f}")
