"""Nielsen's chapter 5: in a deep network of sigmoids the early layers learn many times slower than the late ones.

`deltarule reproduce nielsen-5` shows it for two, three and four hidden layers on MNIST. This example uses the
digits that come with scikit-learn.
"""

import deltarule as dr
from deltarule import data
from deltarule.inspection import plots

digits = data.load("digits")
net = dr.Network([dr.Dense(30, "sigmoid") for _ in range(4)] + [dr.Dense(10, "sigmoid")], cost="cross-entropy")
result = dr.train(
    net,
    digits.train.X,
    digits.train.Y,
    trainer=dr.GradientDescent(eta=0.1),
    epochs=500,
    record=["learning_speed"],
    seed=0,
)
speeds = result.history["learning_speed"]  # (epochs, layers): ‖dC/db^l‖
print("speeds at the start:", *(f"{speed:.1e}" for speed in speeds[0]))
plots.save(plots.learning_speeds(speeds, title="64-30-30-30-30-10"), "nielsen_5.png")
