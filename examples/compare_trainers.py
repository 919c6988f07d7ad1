"""One network, one start, three trainers, two seconds each: mean squared error. Draws docs/images/trainers.png.

python examples/compare_trainers.py [FILE.png]
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import optax

import deltarule as dr

RULES = dr.Stopping(time_limit=2.0)

random = np.random.default_rng(0)
X = random.uniform(-1, 1, (1000, 2))
y = np.sin(3 * X[:, 0]) * np.cos(2 * X[:, 1])

net = dr.Network([dr.Dense(20, "tanh"), dr.Dense(20, "tanh"), dr.Dense(1, "linear")])
start = net.init(0, (2,), dtype="float64", defaults=dr.LevenbergMarquardt.initializers)
trainers = {
    "gradient descent, momentum 0.9": dr.GradientDescent(eta=0.05, batch_size=32, momentum=0.9),
    "Adam": dr.GradientDescent(rule=optax.adam(3e-3), batch_size=32),
    "Levenberg-Marquardt": dr.LevenbergMarquardt(),
}

figure, axes = plt.subplots(figsize=(8, 4.2), layout="constrained")
for (name, trainer), colour in zip(trainers.items(), ("#8a8f98", "#3b76c4", "#c4452f"), strict=True):
    dr.train(net, X, y, trainer=trainer, epochs=1, params=start)  # compile first: the clock is for training
    result = dr.train(net, X, y, trainer=trainer, epochs=10**6, params=start, stopping=RULES)
    seconds = np.linspace(0, result.seconds, result.epochs)
    mse = 2 * result.history["cost"]
    axes.semilogy(seconds, mse, color=colour, linewidth=2.2)
    axes.annotate(name, (seconds[-1], mse[-1]), xytext=(6, 0), textcoords="offset points", color=colour, va="center")
    print(f"{name}: {result.epochs} epochs, {result.seconds:.2f} s, mean squared error {mse[-1]:.1e}")
axes.set(xlabel="seconds", ylabel="mean squared error", title="2-20-20-1 on 1,000 points of sin(3x) cos(2y), float64")
axes.margins(x=0.02)
axes.set_xlim(right=axes.get_xlim()[1] * 1.5)
axes.spines[["top", "right"]].set_visible(False)
axes.grid(axis="y", alpha=0.25)
figure.savefig(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/images/trainers.png"), dpi=150)
