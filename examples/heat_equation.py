"""A rod cools: u_t = u_xx / 10, with its ends held at 0, hottest in the middle. Draws heat-equation.png.

The ends and the start are built into u = T(x, v), so the network has nothing to learn but the equation.
"""

import numpy as np

import deltarule as dr
from deltarule.inspection import plots

RATE = 0.1
random = np.random.default_rng(0)
points = random.uniform(size=(800, 2))  # place and time


def heat(x, u, p):
    """The residual of the equation."""
    return u.d(1) - RATE * u.d(0, 0)


def conditions(x, v):
    """u, which has the right start and ends whatever the network's output v is."""
    place, time = x[:, :1], x[:, 1:]
    return np.sin(np.pi * place) + time * place * (1 - place) * v


net = dr.Network([dr.Dense(15, "tanh"), dr.Dense(15, "tanh"), dr.Dense(1, "linear")])
result = dr.solve(net, [dr.Equation(points, heat)], hard=conditions, trainer=dr.LevenbergMarquardt(), epochs=150)

line = np.linspace(0, 1, 201)
figure, (axes,) = plots.panels(size=(6, 3.6))
largest_error = 0.0
for t in (0.0, 0.25, 0.5, 1.0):
    X = np.column_stack([line, np.full_like(line, t)])
    exact = np.exp(-RATE * np.pi**2 * t) * np.sin(np.pi * line)
    largest_error = max(largest_error, np.abs(result(X)[:, 0] - exact).max())
    axes.plot(line, result(X), label=f"t = {t:g}")
axes.set(xlabel="place", ylabel="temperature")
axes.legend()
plots.save(figure, "heat-equation.png")
print(f"{result.epochs} steps, {result.seconds:.1f} s; the largest error anywhere is {largest_error:.1e}")
