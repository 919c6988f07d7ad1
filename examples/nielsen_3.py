"""Nielsen's chapter 3: the same digits with cross-entropy and L2 regularisation.

`deltarule reproduce nielsen-3` runs the whole chapter: the slow neuron, overfitting, regularisation, initialisation.
MNIST is read from the folder in $DELTARULE_DATA, or downloaded.
"""

import os

import deltarule as dr
from deltarule import data
from deltarule.inspection import plots

mnist = data.load("mnist", data_dir=os.environ.get("DELTARULE_DATA"))
net = dr.Network([dr.Dense(100, "sigmoid"), dr.Dense(10, "sigmoid")], cost="cross-entropy")
result = dr.train(
    net,
    mnist.train.X,
    mnist.train.Y,
    trainer=dr.GradientDescent(eta=0.1, batch_size=10, l2=5.0),
    epochs=int(os.environ.get("EPOCHS", "60")),
    validation_data=(mnist.validation.X, mnist.validation.Y),
    monitor="accuracy",
    record=["training_score"],
    seed=0,
)
accuracy = (net(result.params, mnist.test.X).argmax(axis=1) == mnist.test.Y.argmax(axis=1)).mean()
print(f"best on the validation images in epoch {result.best_epoch}; {100 * accuracy:.2f} % of the test images")
plots.save(plots.accuracy_curves(result.history, title="784-100-10, lambda 5"), "nielsen_3.png")
