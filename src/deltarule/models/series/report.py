"""The report on a time-series model: its card and verdict, a run with its band, errors by horizon, correlations."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from deltarule.errors import format_number
from deltarule.inspection.report import Figure, pictures, render_page, verdict_cards
from deltarule.models.series.judging import evaluate
from deltarule.models.series.narx import NARXRegressor

HORIZON = 30  # the largest horizon of the errors by horizon
FORECAST_STEPS = 300  # of the plotted forecast, at the end of the record
BAND = 1.96  # standard deviations of a 95 % band


def series_report(
    title: str, model: NARXRegressor, card: Mapping[str, Any], record: tuple[Any, Any] | None, name: str = ""
) -> str:
    """The page about the model, and with a record (U, y) of this name about its forecasts and errors there."""
    training = model.record_
    inputs, targets = model.names_
    facts = {
        "Outputs": ", ".join(targets),
        "Inputs": ", ".join(inputs) or "none",
        "Output lags": ", ".join(map(str, model.output_lags_)) or "none",
        "Input lags": ", ".join(map(str, model.input_lags_)) or "none",
        "Networks": f"{len(model.committee_.weights)}, averaged; trained in {model.training_.replace('-', ' ')}",
        "Validation error": format_number(model.validation_error_),
        **card,
    }
    sections: list[tuple[str, list[Mapping[str, Any]], list[Figure]]] = [
        ("The model", [facts], []),
        ("The verdict after training", verdict_cards(training), []),
    ]
    if record is not None:
        sections += [(f"The model on {name}", [], _runs(model, record)), ("Its errors", [], _errors(model, record))]
    lead = f"Predicts the next steps of {', '.join(targets)}" + (f" from {', '.join(inputs)}." if inputs else ".")
    return render_page(title, lead, sections)


def _runs(model: NARXRegressor, record: tuple[Any, Any]) -> list[Figure]:
    """A forecast of the last steps of each output, with its error band."""
    U, y = record
    Y = np.reshape(y, (len(y), -1))
    steps = min(FORECAST_STEPS, len(Y) - model.max_lag_ - 1)
    before = (None if U is None else U[:-steps], y[:-steps])
    ahead, std = model.follow(*before).forecast(steps, None if U is None else U[-steps:], return_std=True)
    ahead, reach = np.reshape(ahead, (steps, -1)), BAND * np.reshape(std, (steps, -1))
    at = np.arange(len(Y) - steps, len(Y))
    return [
        Figure(
            f"Forecast of {name} over the last {steps} steps",
            "The forecast knows no output of these steps, only those before. Its root mean square error is "
            f"{format_number(np.sqrt(np.nanmean((ahead[:, j] - Y[-steps:, j]) ** 2)))}; the band should contain 95 % "
            "of the measurements.",
            pictures.run_with_band(at, ahead[:, j], reach[:, j], Y[-steps:, j], name),
        )
        for j, name in enumerate(model.names_[1])
    ]


def _errors(model: NARXRegressor, record: tuple[Any, Any]) -> list[Figure]:
    """The errors of each output by horizon, and the correlations of the errors one step ahead."""
    found = evaluate(model, record, record, HORIZON)
    shown = []
    for j, (name, correlations) in enumerate(zip(model.names_[1], model.correlations(*record), strict=True)):
        lines = {"model": found.model[:, j], "linear": found.linear[:, j], "last value": found.persistence[:, j]}
        shown.append(
            Figure(
                f"Errors of {name} by steps ahead",
                "Root mean square errors. The linear model has the same lags and was fitted to these very steps.",
                pictures.over(lines, range(1, 1 + len(found.model)), "steps ahead", "error"),
            )
        )
        shown += [
            Figure(
                f"Correlation of the errors of {name} with {other}",
                "Errors one step ahead. By chance 95 % of the correlations lie in the grey band; if fewer do, the "
                "model has not learnt everything.",
                pictures.correlogram(lags, values, correlations.bound, "correlation"),
            )
            for other, lags, values in correlations.by_name(model.names_[0])
        ]
    return shown
