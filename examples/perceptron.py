"""Nielsen's perceptrons: a NAND gate, and sigmoid neurons that learn to add two bits.

`deltarule reproduce perceptron` builds the adder gate by gate, trains from twenty starts and draws the figures.
"""

import numpy as np

import deltarule as dr

bits = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
nand = dr.Network([dr.Dense(1, "step")])
print("NAND:", nand([{"W": np.array([[-2.0, -2.0]]), "b": np.array([3.0])}], bits).ravel())

sums = np.array([[0, 0], [0, 1], [0, 1], [1, 0]])  # carry bit, sum bit
net = dr.Network([dr.Dense(3, "sigmoid"), dr.Dense(2, "sigmoid")], cost="cross-entropy")
result = dr.train(net, bits, sums, trainer=dr.GradientDescent(eta=0.5, momentum=0.9), epochs=2000, seed=0)
for (x1, x2), (carry, total) in zip(bits, np.asarray(net(result.params, bits)), strict=True):
    print(f"{x1} + {x2} = {carry:.3f} {total:.3f}")
