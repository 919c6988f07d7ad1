"""Calibrate a sensor against a reference: the calibration curve with its error bars, drawn as calibration.png.

`NetworkRegressor` finds the size of the noise and of its penalties by itself; no row is held out. Beyond the last
measurement the band widens, but do not trust the network there.
"""

import matplotlib.pyplot as plt
import numpy as np

import deltarule as dr

random = np.random.default_rng(0)
volts = np.sort(np.r_[random.uniform(0.2, 2.4, 25), random.uniform(3.4, 4.8, 15)])  # nothing between 2.4 and 3.4 V
pressure = 3 * volts**1.5 + 2 * np.sin(2 * volts) + random.normal(0, 0.4, len(volts))  # bar, of the reference

model = dr.NetworkRegressor(hidden=(10,), random_state=0).fit(volts[:, None], pressure)
line = np.linspace(0, 5, 300)
mean, std = model.predict(line[:, None], return_std=True)
low, high = model.predict_interval(line[:, None], coverage=0.95)
ends = model.predict_interval(volts[:, None])
inside = np.mean((ends[0] <= pressure) & (pressure <= ends[1]))

figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
axes.fill_between(line, low, high, alpha=0.25, label="95 % of new measurements")
axes.plot(line, mean, label="the network")
axes.plot(volts, pressure, "k.", label="measured")
axes.set(xlabel="sensor [V]", ylabel="reference [bar]", ylim=(-3, 38))
axes.legend()
figure.savefig("calibration.png", dpi=150)

gap, near = (model.predict([[v]], return_std=True)[1].item() for v in (2.9, 1.5))
print(
    f"noise {model.noise_std_.item():.2f} bar (drawn with 0.40), {model.effective_parameters_:.1f} effective parameters"
)
print(
    f"{100 * inside:.0f} % of the measurements are inside; std {near:.2f} bar at 1.5 V, {gap:.2f} in the gap at 2.9 V"
)
