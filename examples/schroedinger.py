"""A system of two equations: the nonlinear Schrödinger equation i h_t + h_xx/2 + |h|² h = 0. Draws schroedinger.png.

h = u + i v is a network of two outputs. h(x, 0) = 2 sech x is even, so half of it is enough; it focuses at t = pi/4.
"""

import numpy as np

import deltarule as dr
from deltarule.inspection import plots

random = np.random.default_rng(0)
END = np.pi / 2
inside = np.column_stack([5 * random.uniform(size=3000) ** 1.5, random.uniform(0, END, 3000)])
time = np.linspace(0, END, 60)
ends = np.vstack([np.column_stack([np.full(60, end), time]) for end in (0.0, 5.0)])


def schroedinger(x, h, p):
    """The real and the imaginary part of the equation."""
    u, v = h.value[:, 0], h.value[:, 1]
    h_xx, h_t = h.d(0, 0), h.d(1)
    square = u**2 + v**2
    return h_t[:, 0] + h_xx[:, 1] / 2 + square * v, h_t[:, 1] - h_xx[:, 0] / 2 - square * u


def no_flux(x, h, p):
    """The condition at both ends."""
    return h.d(0)


def start(x, w):
    """h, which has the right start whatever the network's output w (real and imaginary part) is."""
    return 2 / np.cosh(x[:, :1]) * np.array([1.0, 0.0]) + x[:, 1:] * w


net = dr.Network([dr.Dense(20, "tanh"), dr.Dense(20, "tanh"), dr.Dense(20, "tanh"), dr.Dense(2, "linear")])
result = dr.solve(
    net,
    [dr.Equation(inside, schroedinger), dr.Equation(ends, no_flux)],
    hard=start,
    trainer=dr.LevenbergMarquardt(),
    epochs=200,
    stopping=dr.Stopping(time_limit=120),
)
print(f"{result.message} {result.seconds:.0f} s; residuals {', '.join(f'{r:.1e}' for r in result.residual_rms)}")
peak = np.linalg.norm(result([[0.0, np.pi / 4]]))
print(f"|h| at the focus is {peak:.4f}, and 4 is exact")

place = np.linspace(-5, 5, 301)
figure, (axes,) = plots.panels(size=(6, 3.6))
for t in (0.0, np.pi / 8, np.pi / 4):
    h = result(np.column_stack([np.abs(place), np.full_like(place, t)]))
    axes.plot(place, np.linalg.norm(h, axis=1), label=f"t = {t:.2f}")
axes.set(xlabel="place", ylabel="|h|")
axes.legend()
plots.save(figure, "schroedinger.png")
