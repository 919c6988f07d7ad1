"""Time series from papers on networks: a delay equation, the sunspots, and a plant."""

import time
from typing import Any

import numpy as np

import deltarule as dr
from deltarule.data.optional import require
from deltarule.experiments.report import Report, Row, Settings
from deltarule.inspection.plots import run_with_band

AHEAD = 84  # steps of the free run of the delay equation


def fit(seed: int, U: Any, y: np.ndarray, settings: Settings, seconds: list[float], **options: Any) -> Any:
    """A NARX network trained in open loop; the time is appended to `seconds`."""
    settings.report_progress(f"seed {seed}", 0.0)
    began = time.perf_counter()
    model = dr.NARXRegressor(**options, training="open-loop", random_state=seed).fit(U, y)
    seconds.append(time.perf_counter() - began)
    return model


def delay_equation(count: int, tau: float = 17.0, seed: int = 0, finer: int = 10) -> np.ndarray:
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


def mackey_glass(settings: Settings) -> Report:
    """The delay equation of M. Mackey and L. Glass, Science 197 (1977), 84 steps ahead in a free run.

    The measure is that of H. Jaeger and H. Haas, Science 304 (2004).
    """
    steps, starts, neurons = (600, 10, 6) if settings.quick else (1500, 50, 20)
    seeds, seconds = settings.runs(5, quick=1), []
    series = [delay_equation(steps + starts * 20 + 200, seed=seed) for seed in seeds]
    models = [
        fit(seed, None, x[:steps], settings, seconds, output_lags=18, hidden=(neurons,))
        for seed, x in zip(seeds, series, strict=True)
    ]
    errors = []
    for model, x in zip(models, series, strict=True):
        runs = [x[steps + 20 * i : steps + 20 * i + 18 + AHEAD] for i in range(starts)]
        last = np.array([model.simulate(None, run)[-1] - run[-1] for run in runs])
        errors.append(float(np.sqrt(np.mean(last**2)) / x.std()))
    label = f"NRMSE of step 84 of a free run, 18 lags, {neurons} neurons, {steps:,} steps to learn from"
    run = series[-1][steps : steps + 200]
    figure = run_with_band(np.arange(len(run)), models[-1].simulate(None, run), measured=run, ylabel="x")
    return Report(
        "mackey-glass",
        "Mackey-Glass, 84 steps ahead",
        [Row(label, None, errors, template="{:.1e}", seconds=seconds, median=True)],
        {"run": (figure, "A free run of 182 steps beside the equation's own")},
        ["tau = 17, one sample a unit of time, no noise. Open loop with Bayesian regularisation; the free run is fed "
         "its own outputs from 18 measured ones on, from many places of the series that follows."],
    )  # fmt: skip


def narendra(settings: Settings) -> Report:
    """The second plant of K. Narendra and K. Parthasarathy, IEEE Transactions on Neural Networks 1 (1990).

    The network is trained under random inputs and tested on a sine.
    """
    steps, seconds = (500 if settings.quick else 2000), []
    trial = np.sin(2 * np.pi * np.arange(500) / 25)
    y, runs = plant(trial), []
    for seed in settings.runs(3, quick=1):
        u = np.random.default_rng(seed).uniform(-2, 2, steps)
        model = fit(seed, u, plant(u), settings, seconds, input_lags=2, output_lags=2, hidden=(20,))
        runs.append(model.simulate(trial, y))
    errors = [float(np.sqrt(np.mean((run - y) ** 2)) / y.std()) for run in runs]
    return Report(
        "narendra",
        "Narendra and Parthasarathy's plant",
        [Row("NRMSE of 500 free steps under a sine", None, errors, template="{:.1e}", seconds=seconds, median=True)],
        {"run": (run_with_band(np.arange(200), runs[-1][:200], measured=y[:200], ylabel="y"),
                 "The plant and the free run of the network, which it does not tell apart")},
        [f"y_t = y y' (y + 2.5) / (1 + y² + y'²) + u, y and y' the last two outputs. {steps:,} steps, inputs uniform "
         "on [-2, 2]; then u = sin(2 pi t / 25). The paper shows curves and gives no number; it took 100,000 steps."],
    )  # fmt: skip


def plant(u: np.ndarray) -> np.ndarray:
    """The plant's outputs for inputs u (T,), from rest."""
    y = np.zeros(len(u))
    for t in range(2, len(u)):
        a, b = y[t - 1], y[t - 2]
        y[t] = a * b * (a + 2.5) / (1 + a * a + b * b) + u[t - 1]
    return y


def sunspots(settings: Settings) -> Report:
    """The yearly sunspot numbers, as A. Weigend, D. Rumelhart and B. Huberman, NIPS 3 (1990), predict them.

    Trained on 1700 to 1920, then one year ahead.
    """
    data = require("statsmodels.datasets.sunspots", "the sunspot series", "series").load_pandas().data
    years, x = data["YEAR"].to_numpy(float), data["SUNACTIVITY"].to_numpy(float)
    early, late = (years > 1920) & (years <= 1955), (years > 1955) & (years <= 1979)
    seconds, training = [], x[years <= 1920]
    models = [fit(n, None, training, settings, seconds, output_lags=12, hidden=(8,)) for n in settings.runs(5, quick=1)]
    predicted = [model.predict(None, x) for model in models]
    errors = [(run - x) ** 2 / x[years <= 1979].var() for run in predicted]
    before, after = ([float(error[part].mean()) for error in errors] for part in (early, late))
    return Report(
        "sunspots",
        "Yearly sunspot numbers, one year ahead",
        [
            Row("average relative variance, 1921 to 1955", 0.086, before, template="{:.3f}", seconds=seconds),
            Row("average relative variance, 1956 to 1979", 0.35, after, template="{:.3f}"),
        ],
        {"years": (run_with_band(years, predicted[-1], measured=x, xlabel="year", ylabel="sunspots"),
                   "One year ahead, from the years before")},
        ["12 lags and 8 neurons as in the paper, learnt from 1700 to 1920; the error over the variance of the whole "
         "series. The paper's numbers are of a network with 3 neurons after weight elimination."],
        reference="Weigend, Rumelhart and Huberman",
    )  # fmt: skip
