"""`deltarule train` and `predict` where the rows are steps of a time series."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deltarule.cli.choices import Choices
from deltarule.cli.clock import STARTED
from deltarule.cli.model import Predictions
from deltarule.cli.reading import Rows, Screen, parse_hidden, parse_lags
from deltarule.cli.screen import SHOWN, command, emit_json, panel_of, show_notes, to_json_types
from deltarule.errors import DataError, counted

if TYPE_CHECKING:
    from deltarule.cli.predict import Prediction
    from deltarule.data.series import Series
    from deltarule.models.series.narx import NARXRegressor

LONGEST = 20  # the steps ahead that are judged where no --horizon is given


def train_series(choices: Choices, screen: Screen) -> None:
    """Train on the first 85 % of the steps, judge on the rest, save."""
    from deltarule.data.splitting import held_out
    from deltarule.models.series.judging import judged, verdict
    from deltarule.models.series.narx import NARXRegressor

    series = read_series(choices.source, choices.table_options, choices.target, choices.time, choices.resample)
    cut = len(series.Y) - held_out(len(series.Y))
    fit = series.part(0, cut)
    lags = parse_lags("--lags", choices.lags or "auto")
    hidden = parse_hidden("--hidden", choices.hidden or "10")
    began = time.perf_counter()
    model = NARXRegressor(
        input_lags=lags,
        output_lags=lags,
        hidden=hidden,
        activation=choices.activation or "tanh",
        training="open-loop" if choices.horizon == 1 else "auto",
        horizon=None if choices.horizon in (None, 1) else choices.horizon,
        l2=choices.l2,
        random_state=choices.seed,
    ).fit(*fit.arrays)
    seconds = time.perf_counter() - began
    model.names_ = tuple(series.inputs), tuple(series.targets)
    test = series.part(cut - model.max_lag_)
    found = judged(model, fit.arrays, test.arrays, min(choices.horizon or LONGEST, len(series.Y) - cut))
    outside = max(one.outside for one in model.correlations(*fit.arrays))
    lines, warnings = verdict(model, found, outside)
    metrics, name = to_json_types(found.record()), Path(choices.source).name
    told = {"seed": choices.seed, "verdict": lines, "warnings": warnings, "training_seconds": round(seconds, 3)}
    model.record_ = {"source": name, "options": choices.record(), "step": series.step, "metrics": metrics} | told
    model.save(choices.model)
    members = len(model.committee_.weights)
    facts = [
        ("data", f"{name}: {cut:,} steps to fit, {len(series.Y) - cut:,} to test, in their order"),
        ("outputs", ", ".join(series.targets)),
        ("inputs", ", ".join(series.inputs) or "none"),
        (
            "network",
            f"{'-'.join(map(str, hidden))} hidden neurons"
            f"{f', {members} of these networks averaged' if members > 1 else ''}",
        ),
        ("seconds", f"{time.perf_counter() - STARTED:.1f} ({seconds:.1f} of them training)"),
        ("saved", str(choices.model)),
    ]
    screen.console.print(panel_of("deltarule train", facts))
    screen.console.print(panel_of("verdict", [*lines.items(), *(("warning", words) for words in warnings)]))
    goes_on = "report" if series.inputs else "predict"  # which would need rows with the inputs to come
    screen.line(command(goes_on, choices.model, choices.source), "bold")
    if screen.as_json:
        emit_json(
            {
                "source": choices.source,
                "steps": len(series.Y),
                "test_steps": len(series.Y) - cut,
                "output_lags": model.output_lags_,
                "input_lags": model.input_lags_,
                "training": model.training_,
                "horizon": len(found.model),
                "stop_reason": "validation",
                "engine": "numpy",
                **metrics,
                **told,
                "seconds": round(time.perf_counter() - STARTED, 3),
                "model": str(choices.model),
            }
        )


def continued(model: "NARXRegressor", asked: "Prediction") -> Predictions:
    """Continue the series of the source: its last rows, which lack outputs, or so many steps where it has no inputs."""
    import numpy as np
    from scipy.special import ndtri

    options, (inputs, targets) = model.record_.get("options") or {}, model.names_
    series = read_for(model, asked)
    known = np.flatnonzero(np.isfinite(series.Y).all(axis=1))
    if not len(known):
        raise DataError(
            f"{asked.source} holds no step with all outputs: give the series up to where it is to be continued"
        )
    end = int(known[-1]) + 1
    rows = len(series.Y) - end
    count = asked.steps or rows or (0 if inputs else options.get("horizon") or SHOWN)
    if inputs and (rows == 0 or count > rows):
        raise DataError(
            f"{asked.source} has {rows} rows after its last output, and the inputs of {count or 'the'} steps to "
            "predict are needed: add rows with inputs and empty outputs"
        )
    past, future = series.part(0, end), series.part(end, end + count)
    ahead, std = model.follow(*past.arrays).forecast(count, future.U if inputs else None, return_std=True)
    step = series.time[1] - series.time[0] if len(series.time) > 1 else 1
    times = series.time[0] + step * np.arange(end, end + count)
    times = np.array([str(one)[:19] for one in times]) if times.dtype.kind == "M" else times
    steps = counted(count, "step")
    spread = {"std": std}
    if asked.interval is not None:
        reach = float(ndtri((1 + asked.interval) / 2))
        spread |= {"lower": ahead - reach * std, "upper": ahead + reach * std}
    return Predictions(
        title=f"{Path(asked.source).name} goes on for {steps} after its last output, by {asked.model}",
        targets=targets,
        places={options.get("time") or "step": times},
        said=dict(zip(targets, np.reshape(ahead, (count, -1)).T, strict=True)),
        spread={what: dict(zip(targets, np.reshape(v, (count, -1)).T, strict=True)) for what, v in spread.items()},
        beside={},
        facts={"times": times},
    )


def read_for(model: "NARXRegressor", asked: Rows) -> "Series":
    """The steps of a table with the columns that the model was trained on, and as far apart."""
    from deltarule.data.series import require_step

    options, (inputs, targets) = model.record_.get("options") or {}, model.names_
    at, step = options.get("time"), options.get("resample")
    series = read_series(asked.source, asked.table_options, targets, at, step, inputs)
    require_step(series, model.record_.get("step"), Path(asked.source).name)
    return series


def read_series(
    source: str, options: Any, targets: Sequence[str] | None, at: str | None, step: float | None, inputs: Any = None
) -> "Series":
    """The steps of a table; its notes are shown."""
    from deltarule.data.series import series_of
    from deltarule.data.table_file import read_table, rows_as_lines

    path = Path(source)
    with rows_as_lines(path, options):
        frame, notes = read_table(path, options=options)
        series = series_of(frame, path.name, targets, at, inputs, options.drop, step)
    show_notes([*notes, *series.notes])
    return series
