"""Burgers' equation, in which a sine steepens into a shock layer. Draws burgers.png with a map of the residual."""

import numpy as np

import deltarule as dr
from deltarule.inspection import plots

NU = 0.01 / np.pi
random = np.random.default_rng(0)
inside = np.column_stack([random.uniform(-1, 1, 2000), random.uniform(0, 1, 2000)])
layer = np.column_stack([random.uniform(-0.15, 0.15, 700), random.uniform(0.2, 1, 700)])  # where u will be steep


def burgers(x, u, p):
    """The equation."""
    return u.d(1) + u.value * u.d(0) - NU * u.d(0, 0)


def conditions(x, v):
    """u(x, 0) = -sin(pi x) and u = 0 at both ends, exactly; v is the network's output."""
    place, time = x[:, :1], x[:, 1:]
    return -np.sin(np.pi * place) + time * (1 - place**2) * v


net = dr.Network([dr.Dense(20, "tanh"), dr.Dense(20, "tanh"), dr.Dense(20, "tanh"), dr.Dense(1, "linear")])
result = dr.solve(
    net,
    [dr.Equation(np.vstack([inside, layer]), burgers)],
    hard=conditions,
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
