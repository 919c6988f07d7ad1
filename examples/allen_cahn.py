"""Two phases that separate: u_t = 1e-4 u_xx + 5 (u - u³), u(x, 0) = x² cos(pi x). Draws allen-cahn.png.

The solution has period 2 and is even, so half of it is enough, with no flux through its ends.
"""

import numpy as np

import deltarule as dr
from deltarule.inspection import plots

random = np.random.default_rng(0)
inside = random.uniform(size=(3000, 2))
time = np.linspace(0, 1, 41)[1:]  # not at time 0, where the start has a slope at the ends
ends = np.vstack([np.column_stack([np.full(40, end), time]) for end in (0.0, 1.0)])


def allen_cahn(x, u, p):
    """The residual of the equation."""
    return u.d(1) - 1e-4 * u.d(0, 0) - 5 * (u.value - u.value**3)


def no_flux(x, u, p):
    """The condition at both ends."""
    return u.d(0)


def start(x, v):
    """u, which has the right start whatever the network's output v is."""
    place, t = x[:, :1], x[:, 1:]
    return place**2 * np.cos(np.pi * place) + t * v


net = dr.Network([dr.Dense(20, "tanh"), dr.Dense(20, "tanh"), dr.Dense(20, "tanh"), dr.Dense(1, "linear")])
result = dr.solve(
    net,
    [dr.Equation(inside, allen_cahn), dr.Equation(ends, no_flux)],
    hard=start,
    trainer=dr.LevenbergMarquardt(),
    epochs=250,
    stopping=dr.Stopping(time_limit=120),
)
print(f"{result.message} {result.seconds:.0f} s; residuals {', '.join(f'{r:.1e}' for r in result.residual_rms)}")

place = np.linspace(-1, 1, 401)
figure, (axes,) = plots.panels(size=(6, 3.6))
for t in (0.0, 0.2, 0.5, 1.0):
    axes.plot(place, result(np.column_stack([np.abs(place), np.full_like(place, t)])), label=f"t = {t:g}")
axes.set(xlabel="place", ylabel="phase")
axes.legend()
plots.save(figure, "allen-cahn.png")
