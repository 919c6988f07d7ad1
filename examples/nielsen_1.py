"""Nielsen's chapter 1: handwritten digits with 30 hidden neurons, the quadratic cost and eta = 3.

`deltarule reproduce nielsen-1` does it from five seeds, with 100 neurons too, and draws the figures.
MNIST is read from the folder in $DELTARULE_DATA, or downloaded.
"""

import os

import deltarule as dr
from deltarule import data

mnist = data.load("mnist", data_dir=os.environ.get("DELTARULE_DATA"))
net = dr.Network([dr.Dense(30, "sigmoid", "old"), dr.Dense(10, "sigmoid", "old")], cost="quadratic")
result = dr.train(
    net,
    mnist.train.X,
    mnist.train.Y,
    trainer=dr.GradientDescent(eta=3.0, batch_size=10),
    epochs=int(os.environ.get("EPOCHS", "30")),
    validation_data=(mnist.test.X, mnist.test.Y),
    seed=0,
)
for epoch, accuracy in zip(result.history["epoch"], result.history["validation_accuracy"], strict=True):
    print(f"epoch {epoch}: {100 * accuracy:.2f} % of the test images")
