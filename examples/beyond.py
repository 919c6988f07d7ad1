"""Train on images that are distorted anew for every epoch, so that the network never sees the same image twice.

`deltarule reproduce beyond` trains five such networks on MNIST. Here one learns the digits that come with scikit-learn.
"""

from math import cos, pi

import numpy as np

import deltarule as dr
from deltarule import data
from deltarule.data.expansion import distorted

EPOCHS = 30
digits = data.load("digits")
images = digits.train.X.astype("float32").reshape(-1, 8, 8)
net = dr.Network(
    [
        dr.Reshape((8, 8, 1)),
        dr.Convolution(16, (3, 3), "relu", padding="same"),
        dr.MaxPool((2, 2)),
        dr.Convolution(32, (3, 3), "relu", padding="same"),
        dr.Flatten(),
        dr.Dropout(0.5),
        dr.Dense(10, "softmax"),
    ],
    cost="log-likelihood",
)
params = None
for epoch in range(EPOCHS):
    X = distorted(images, seed=epoch, pixels=0).reshape(len(images), -1)
    eta = 0.02 * (1 + cos(pi * epoch / EPOCHS)) / 2 + 1e-4
    trainer = dr.GradientDescent(eta=eta, batch_size=10, momentum=0.9)
    params = dr.train(net, X, digits.train.Y, trainer=trainer, epochs=1, params=params, seed=epoch).params
right = np.asarray(net(params, digits.test.X)).argmax(1) == digits.test.Y.argmax(1)
print(f"{100 * right.mean():.1f} % of the held-out digits")
