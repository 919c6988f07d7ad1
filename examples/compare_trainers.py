"""Train one network from one start by three trainers for two seconds each. Draws docs/images/trainers.png.

python examples/compare_trainers.py [FILE.png]
"""

import sys

import numpy as np

import deltarule as dr
from deltarule.inspection import plots

RULES = dr.Stopping(time_limit=2.0)

random = np.random.default_rng(0)
X = random.uniform(-1, 1, (1000, 2))
y = np.sin(3 * X[:, 0]) * np.cos(2 * X[:, 1])

net = dr.Network([dr.Dense(20, "tanh"), dr.Dense(20, "tanh"), dr.Dense(1, "linear")])
start = net.init(0, (2,), dtype="float64", defaults=dr.LevenbergMarquardt.initializers)
trainers = {
    "gradient descent, momentum 0.9": dr.GradientDescent(eta=0.05, batch_size=32, momentum=0.9),
    "Adam": dr.GradientDescent(rule="adam", eta=3e-3, batch_size=32),
    "Levenberg-Marquardt": dr.LevenbergMarquardt(),
}

figure, (axes,) = plots.panels(size=(8, 4.2))
ends = {}
for (name, trainer), colour in zip(trainers.items(), (plots.GREY, *plots.COLOURS[1::-1]), strict=True):
    for rules in (dr.Stopping(time_limit=0.01), RULES):  # the first call compiles, if JAX computes
        result = dr.train(net, X, y, trainer=trainer, epochs=10**6, params=start, stopping=rules)
    mse = 2 * result.history["cost"]
    axes.plot(np.linspace(0, result.seconds, result.epochs), mse, color=colour)
    ends[name] = (mse[-1], colour)
    print(f"{name}: {result.epochs} epochs, {result.seconds:.2f} s, mean squared error {mse[-1]:.1e}")
axes.set(xlabel="seconds", ylabel="mean squared error", yscale="log", xlim=(0, 2.1))
axes.set_title("2-20-20-1 on 1,000 points of sin(3x) cos(2y), float64", loc="left", fontsize=11)
plots.name_ends(axes, ends)
plots.save(figure, sys.argv[1] if len(sys.argv) > 1 else "docs/images/trainers.png")
