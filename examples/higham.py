"""The network of Higham & Higham: ten points, 23 parameters, a million steps of stochastic gradient descent.

`deltarule reproduce higham` does it from twenty starts and draws the paper's figures.
"""

import numpy as np

import deltarule as dr

X = np.array([[0.1, 0.3, 0.1, 0.6, 0.4, 0.6, 0.5, 0.9, 0.4, 0.7], [0.1, 0.4, 0.5, 0.9, 0.2, 0.3, 0.6, 0.2, 0.4, 0.6]]).T
Y = np.array(5 * [[1, 0]] + 5 * [[0, 1]])

net = dr.Network([dr.Dense(2, "sigmoid"), dr.Dense(3, "sigmoid"), dr.Dense(2, "sigmoid")])
# Each step takes one point, drawn with replacement.
trainer = dr.GradientDescent(eta=0.05, batch_size=1, sampling="uniform", steps=10_000)
result = dr.train(net, X, Y, trainer=trainer, epochs=100, seed=1)

cost = np.sum((Y - np.asarray(net(result.params, X))) ** 2)  # the paper's: the sum over the points of ‖y - a‖²
print(f"{100 * 10_000:,} steps in {result.seconds:.1f} s, cost {cost:.1e}")
