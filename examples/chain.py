"""The chain of 3Blue1Brown's lecture: one neuron in each layer, and every partial derivative by its name.

`deltarule reproduce 3b1b` prints all of them beside the lecture's formulas, for the chain and for the layer of j and k.
"""

import numpy as np

import deltarule as dr

net = dr.Network([dr.Dense(1), dr.Dense(1), dr.Dense(1)], dr.Quadratic(scale=1))  # C_0 = (a^(L) - y)²
params = [{"W": np.array([[w]]), "b": np.array([b])} for w, b in ((1.2, -0.3), (-0.8, 0.5), (1.6, 0.1))]
trace = net.trace(params, x=[0.7], y=[1.0])

print(f"C_0 = {trace.cost:.6f}")
for name, layer in zip(("L-2", "L-1", "L"), trace.layers, strict=True):
    print(
        f"layer {name:3}  ∂C_0/∂a = {layer.dC_da[0]:+.6f}   ∂a/∂z = {layer.slope[0]:+.6f}   "
        f"∂C_0/∂w = {layer.dW[0, 0]:+.6f}   ∂C_0/∂b = {layer.db[0]:+.6f}"
    )
