"""Find the damping and stiffness of a swinging mass from noisy measurements. Draws damping-from-data.png.

The network is u(t); the equation u'' + c u' + k u = 0 holds everywhere, and c and k are found together with u. At
first the equation weighs little, so that the data lead; then it weighs much, so that the error bars hold.
"""

import numpy as np

import deltarule as dr
from deltarule.inspection import plots

C, K, NOISE = 0.5, 4.0, 0.1
random = np.random.default_rng(0)
measured = np.sort(random.uniform(0, 8, 60))[:, None]


def exact(t):
    """The displacement without noise."""
    omega = np.sqrt(K - C**2 / 4)
    return np.exp(-C * t / 2) * (np.cos(omega * t) + C / (2 * omega) * np.sin(omega * t))


y = exact(measured) + random.normal(0, NOISE, measured.shape)
t = np.linspace(0, 8, 200)[:, None]


def newton(x, u, p):
    """The residual of Newton's law."""
    return u.d(0, 0) + p.c * u.d(0) + p.k * u.value


net = dr.Network([dr.Dense(20, "tanh"), dr.Dense(1, "linear")])
params, unknowns = None, {"c": 0.1, "k": 2.0}
for weight, epochs in ((0.01, 50), (10.0, 200)):
    result = dr.solve(
        net,
        [dr.Equation(t, newton, weight=weight)],
        unknowns=unknowns,
        data=(measured, y),
        trainer=dr.LevenbergMarquardt(),
        epochs=epochs,
        params=params,
    )
    params, unknowns = result.params, result.unknowns
for name, truth in (("c", C), ("k", K)):
    print(f"{name} = {result.unknowns[name]:.3f} ± {result.standard_errors[name]:.3f}, and {truth} is true")
print(f"noise {result.noise:.3f}, and {NOISE} is true; {result.seconds:.1f} s")

figure, (axes,) = plots.panels(size=(6, 3.6))
axes.plot(t, exact(t), color=plots.style.GREY, label="truth")
axes.plot(t, result(t), label="the network")
axes.plot(measured, y, ".", color=plots.style.INK, label="measured")
axes.set(xlabel="time", ylabel="displacement")
axes.legend()
plots.save(figure, "damping-from-data.png")
