"""Backpropagation in a debugger: run this, and type the commands of docs/debugger.md.

python examples/step_through.py
"""

import numpy as np

import deltarule as dr
from deltarule.network import backprop  # noqa: F401 - for the debugger

net = dr.Network([dr.Dense(2, "sigmoid"), dr.Dense(1, "sigmoid")], cost="quadratic")
params = [
    {"W": np.array([[0.1, 0.2], [0.3, 0.4]]), "b": np.zeros(2)},
    {"W": np.array([[0.5, 0.6]]), "b": np.zeros(1)},
]
breakpoint()
net.cost_and_gradient(params, [[1.0, 2.0]], [[1.0]])
