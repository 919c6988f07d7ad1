"""A task of memory: the sine of a product of two inputs, the older five steps back."""

import numpy as np

import deltarule as dr
from deltarule.experiments.report import Report, Row, Settings


def run(settings: Settings) -> Report:
    """A sine of the past: y_t = sin(3 u_{t-5} u_{t-2}) and u white, which no short window can tell."""
    steps = 400 if settings.quick else 1500
    errors: dict[int, list[float]] = {4: [], 6: []}
    for seed in settings.runs(3, quick=1):
        u = np.random.default_rng(seed).uniform(-1, 1, 2 * steps)
        y = np.concatenate([np.zeros(5), np.sin(3 * u[:-5] * u[3:-2])])
        for lags, found in errors.items():
            settings.tell(f"{lags} lags, seed {seed}", 0.0)
            model = dr.NARXRegressor(input_lags=lags, output_lags=0, hidden=(15,), random_state=seed)
            ahead = model.fit(u[:steps], y[:steps]).predict(u, y)
            found.append(float(np.sqrt(np.nanmean((ahead - y)[steps:] ** 2)) / y.std()))
    return Report(
        "sine-memory",
        "A sine with a memory of five steps",
        [Row(f"NRMSE with lags 1 to {lags}", None, found, form="{:.4f}") for lags, found in errors.items()],
        {},
        ["y_t = sin(3 u_{t-5} u_{t-2}), u uniform on [-1, 1]. Four lags cannot see u_{t-5}; with six the network finds "
         "the product. Time-delay network, 15 neurons."],
    )  # fmt: skip
