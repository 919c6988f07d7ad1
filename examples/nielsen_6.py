"""Nielsen's chapter 6: convolution and pooling read digits better than the same neurons without.

`deltarule reproduce nielsen-6` runs the whole chapter on MNIST, in hours. This example takes seconds, with the
8x8 digits that come with scikit-learn.
"""

import numpy as np

import deltarule as dr
from deltarule import data

digits = data.load("digits")
dense = [dr.Dense(40, "relu")]
convolutional = [dr.Reshape((8, 8, 1)), dr.Convolution(16, (3, 3), "relu"), dr.MaxPool((2, 2)), dr.Flatten(), *dense]
for name, hidden in (("dense", dense), ("convolutional", convolutional)):
    net = dr.Network([*hidden, dr.Dense(10, "softmax")], cost="log-likelihood")
    accuracies = []
    for seed in range(3):
        result = dr.train(
            net,
            digits.train.X,
            digits.train.Y,
            trainer=dr.GradientDescent(eta=0.03, batch_size=10, l2=1.0),
            epochs=40,
            seed=seed,
        )
        right = np.asarray(net(result.params, digits.test.X)).argmax(1) == digits.test.Y.argmax(1)
        accuracies.append(100 * right.mean())
    print(f"{name}: {np.mean(accuracies):.1f} % of the held-out digits")
