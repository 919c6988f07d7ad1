"""The delay equation of M. Mackey and L. Glass, Science 197 (1977), 84 steps ahead.

The measure is that of H. Jaeger and H. Haas, Science 304 (2004).
"""

import time

import numpy as np

import deltarule as dr
from deltarule.experiments.report import Report, Row, Settings
from deltarule.inspection import plots

AHEAD = 84  # steps of the free run of the delay equation


def mackey_glass(count: int, tau: float = 17.0, seed: int = 0, finer: int = 10) -> np.ndarray:
    """dx/dt = 0.2 x(t - tau) / (1 + x(t - tau)^10) - 0.1 x(t), by Runge-Kutta's fourth order, at t = 0, 1, .."""
    h, back = 1 / finer, round(tau * finer)
    x = np.full((count + 300) * finer + back + 1, 1.2)
    x[: back + 1] += 0.05 * np.random.default_rng(seed).normal()
    for i in range(back, len(x) - 1):
        early, late = x[i - back], x[i - back + 1]
        before = [0.2 * v / (1 + v**10) for v in (early, (early + late) / 2, late)]
        k1 = before[0] - 0.1 * x[i]
        k2 = before[1] - 0.1 * (x[i] + h / 2 * k1)
        k3 = before[1] - 0.1 * (x[i] + h / 2 * k2)
        k4 = before[2] - 0.1 * (x[i] + h * k3)
        x[i + 1] = x[i] + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return x[back + 300 * finer :: finer][:count]


def run(settings: Settings) -> Report:
    """Mackey-Glass, 84 steps ahead in a free run."""
    steps, starts = (600, 10) if settings.quick else (1500, 50)
    errors, seconds, model, x = [], [], dr.NARXRegressor(), np.empty(0)
    for seed in settings.runs(5, quick=1):
        settings.tell(f"seed {seed}", 0.0)
        x = mackey_glass(steps + starts * 20 + 200, seed=seed)
        began = time.perf_counter()
        model = dr.NARXRegressor(
            output_lags=18, hidden=(6,) if settings.quick else (20,), training="open-loop", random_state=seed
        ).fit(None, x[:steps])
        seconds.append(time.perf_counter() - began)
        runs = [x[steps + 20 * i : steps + 20 * i + 18 + AHEAD] for i in range(starts)]
        last = np.array([model.simulate(None, run)[-1] - run[-1] for run in runs])
        errors.append(float(np.sqrt(np.mean(last**2)) / x.std()))
    lags = f"18 lags, {'6' if settings.quick else '20'} neurons, {steps:,} steps to learn from"
    return Report(
        "mackey-glass",
        "Mackey-Glass, 84 steps ahead",
        [Row(f"NRMSE of step 84 of a free run, {lags}", None, errors, form="{:.1e}", seconds=seconds, median=True)],
        {"run": _run_figure(model, x, steps)},
        ["tau = 17, one sample a unit of time, no noise. Open loop with Bayesian regularisation; the free run is fed "
         "its own outputs from 18 measured ones on, from many places of the series that follows."],
    )  # fmt: skip


def _run_figure(model: dr.NARXRegressor, x: np.ndarray, first: int) -> tuple:
    run = x[first : first + 200]
    figure = plots.run_with_band(np.arange(len(run)), model.simulate(None, run), measured=run, ylabel="x")
    return figure, "A free run of 182 steps beside the equation's own"
