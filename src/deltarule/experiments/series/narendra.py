"""The second plant of K. Narendra and K. Parthasarathy, IEEE Transactions on Neural Networks 1 (1990)."""

import time

import numpy as np

import deltarule as dr
from deltarule.experiments.report import Report, Row, Settings
from deltarule.inspection import plots


def run(settings: Settings) -> Report:
    """Narendra and Parthasarathy's second plant, learnt under random inputs and tried on a sine."""
    steps, errors, seconds = (500 if settings.quick else 2000), [], []
    own = y = np.empty(0)
    for seed in settings.runs(3, quick=1):
        settings.tell(f"seed {seed}", 0.0)
        u = np.random.default_rng(seed).uniform(-2, 2, steps)
        trial = np.sin(2 * np.pi * np.arange(500) / 25)
        began = time.perf_counter()
        model = dr.NARXRegressor(input_lags=2, output_lags=2, hidden=(20,), training="open-loop", random_state=seed)
        model.fit(u, _plant(u))
        seconds.append(time.perf_counter() - began)
        y = _plant(trial)
        own = model.simulate(trial, y)
        errors.append(float(np.sqrt(np.mean((own - y) ** 2)) / y.std()))
    return Report(
        "narendra",
        "Narendra and Parthasarathy's plant",
        [Row("NRMSE of 500 free steps under a sine", None, errors, form="{:.1e}", seconds=seconds, median=True)],
        {"run": (plots.run_with_band(np.arange(200), own[:200], measured=y[:200], ylabel="y"),
                 "The plant and the free run of the network, which it does not tell apart")},
        [f"y_t = y y' (y + 2.5) / (1 + y² + y'²) + u, y and y' the last two outputs. {steps:,} steps, inputs uniform "
         "on [-2, 2]; then u = sin(2 pi t / 25). The paper shows curves and gives no number; it took 100,000 steps."],
    )  # fmt: skip


def _plant(u: np.ndarray) -> np.ndarray:
    y = np.zeros(len(u))
    for t in range(2, len(u)):
        a, b = y[t - 1], y[t - 2]
        y[t] = a * b * (a + 2.5) / (1 + a * a + b * b) + u[t - 1]
    return y
