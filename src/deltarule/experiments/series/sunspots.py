"""The yearly sunspot numbers, as A. Weigend, D. Rumelhart and B. Huberman, NIPS 3 (1990), predict them."""

import time

import deltarule as dr
from deltarule.data.optional import require
from deltarule.experiments.report import Report, Row, Settings
from deltarule.inspection import plots


def run(settings: Settings) -> Report:
    """The yearly numbers: 1700 to 1920 to learn from, then one year ahead."""
    data = require("statsmodels.datasets.sunspots", "the sunspot series", "series").load_pandas().data
    years, x = data["YEAR"].to_numpy(float), data["SUNACTIVITY"].to_numpy(float)
    learn = years <= 1920
    early, late = (years > 1920) & (years <= 1955), (years > 1955) & (years <= 1979)
    found: dict[str, list[float]] = {"early": [], "late": []}
    seconds, model = [], dr.NARXRegressor()
    for seed in settings.runs(5, quick=1):
        settings.tell(f"seed {seed}", 0.0)
        began = time.perf_counter()
        options = {"output_lags": 12, "hidden": (8,), "training": "open-loop"}
        model = dr.NARXRegressor(**options, random_state=seed).fit(None, x[learn])
        seconds.append(time.perf_counter() - began)
        error = (model.predict(None, x) - x) ** 2 / x[years <= 1979].var()
        found["early"].append(float(error[early].mean()))
        found["late"].append(float(error[late].mean()))
    return Report(
        "sunspots",
        "Yearly sunspot numbers, one year ahead",
        [
            Row("average relative variance, 1921 to 1955", 0.086, found["early"], form="{:.3f}", seconds=seconds),
            Row("average relative variance, 1956 to 1979", 0.35, found["late"], form="{:.3f}"),
        ],
        {"years": (plots.run_with_band(years, model.predict(None, x), measured=x, xlabel="year", ylabel="sunspots"),
                   "One year ahead, from the years before")},
        ["12 lags and 8 neurons as in the paper, learnt from 1700 to 1920; the error over the variance of the whole "
         "series. The paper's numbers are of a network with 3 neurons after weight elimination."],
        reference="Weigend, Rumelhart and Huberman",
    )  # fmt: skip
