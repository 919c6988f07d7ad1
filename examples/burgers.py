"""Solve Burgers' equation, in which a sine steepens into a shock. Draws burgers.png with a map of the residual."""

import numpy as np
from scipy.stats import qmc

import deltarule as dr
from deltarule.inspection import plots

NU = 0.01 / np.pi
inside = qmc.Sobol(2, seed=0).random_base2(12)[:3000] * [2, 1] - [1, 0]  # place and time
layer = qmc.Sobol(2, seed=1).random_base2(10)[:1000] * [0.3, 0.8] - [0.15, -0.2]  # where u will be steep
line, time = np.linspace(-1, 1, 101), np.linspace(0, 1, 40)
start = np.column_stack([line, 0 * line])
walls = np.vstack([np.column_stack([np.full(40, end), time]) for end in (-1.0, 1.0)])


def burgers(x, u, p):
    """The residual of the equation."""
    return u.d(1) + u.value * u.d(0) - NU * u.d(0, 0)


def sine(x, u, p):
    """The condition at time 0."""
    return u.value + np.sin(np.pi * x[:, :1])


def zero(x, u, p):
    """The condition at both ends."""
    return u.value


net = dr.Network([dr.Dense(20, "tanh"), dr.Dense(20, "tanh"), dr.Dense(20, "tanh"), dr.Dense(1, "linear")])
result = dr.solve(
    net,
    [
        dr.Equation(np.vstack([inside, layer]), burgers),
        dr.Equation(start, sine, weight=10),
        dr.Equation(walls, zero, weight=10),
    ],
    trainer=dr.LevenbergMarquardt(),
    epochs=300,
    stopping=dr.Stopping(time_limit=120),
)
print(f"{result.message} {result.seconds:.0f} s; root mean square of the residual {result.residual_rms[0]:.1e}")

place, time = np.meshgrid(np.linspace(-1, 1, 201), np.linspace(0, 1, 101))
X = np.column_stack([place.ravel(), time.ravel()])
figure, axes = plots.panels(1, 2, size=(10, 3.6))
for axis, field, title in (
    (axes[0], result(X)[:, 0], "u"),
    (axes[1], np.log10(np.abs(result.residuals(X)[:, 0]) + 1e-12), "log10 of the residual"),
):  # fmt: skip
    image = axis.pcolormesh(time, place, field.reshape(time.shape), shading="gouraud", rasterized=True)
    axis.set(xlabel="time", ylabel="place", title=title)
    axis.grid(visible=False)
    figure.colorbar(image, ax=axis)
plots.save(figure, "burgers.png")
