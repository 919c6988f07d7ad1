"""`deltarule train` and `predict` for tables whose rows are the steps of a time series."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deltarule.cli.clock import STARTED
from deltarule.cli.model import Predictions
from deltarule.cli.screen import ROWS_SHOWN, format_duration, make_panel, print_json, show_notes, suggest, to_json_types
from deltarule.cli.shared_options import OutputOptions, RowsOptions, parse_hidden, parse_lags
from deltarule.cli.training_options import TrainingOptions
from deltarule.errors import DataError, pluralized

if TYPE_CHECKING:
    from deltarule.cli.predict import PredictOptions
    from deltarule.data.series import TimeSeries
    from deltarule.models.series.narx import NARXRegressor

TEST_HORIZON = 20  # the steps ahead that are tested where no --horizon is given


def train_series(options: TrainingOptions, output: OutputOptions) -> None:
    """Train on the first 85 % of the steps, test on the rest, and save the model."""
    from deltarule.data.splitting import held_out_count
    from deltarule.models.series.judging import evaluate, verdict
    from deltarule.models.series.narx import NARXRegressor

    series = read_series(options.source, options.table_options, options.target, options.time, options.resample)
    cut = len(series.Y) - held_out_count(len(series.Y))
    fit = series.part(0, cut)
    lags = parse_lags("--lags", options.lags or "auto")
    hidden = parse_hidden("--hidden", options.hidden or "10")
    started = time.perf_counter()
    model = NARXRegressor(
        input_lags=lags,
        output_lags=lags,
        hidden=hidden,
        activation=options.activation or "tanh",
        training="open-loop" if options.horizon == 1 else "auto",
        horizon=None if options.horizon in (None, 1) else options.horizon,
        l2=options.l2,
        random_state=options.seed,
    ).fit(*fit.arrays)
    seconds = time.perf_counter() - started
    model.names_ = tuple(series.inputs), tuple(series.targets)
    test = series.part(cut - model.max_lag_)
    errors = evaluate(model, fit.arrays, test.arrays, min(options.horizon or TEST_HORIZON, len(series.Y) - cut))
    outside = max(one.outside for one in model.correlations(*fit.arrays))
    lines, warnings = verdict(model, errors, outside)
    metrics, name = to_json_types(errors.record()), Path(options.source).name
    record = {"seed": options.seed, "verdict": lines, "warnings": warnings, "training_seconds": round(seconds, 3)}
    model.record_ = {"source": name, "options": options.record(), "step": series.step, "metrics": metrics} | record
    model.save(options.model)
    members = len(model.committee_.weights)
    facts = [
        ("data", f"{name}: the first {cut:,} steps to train, the last {len(series.Y) - cut:,} to test"),
        ("outputs", ", ".join(series.targets)),
        ("inputs", ", ".join(series.inputs) or "none"),
        (
            "network",
            f"{'-'.join(map(str, hidden))} hidden neurons"
            f"{f', {members} of these networks averaged' if members > 1 else ''}",
        ),
        ("time", f"{format_duration(time.perf_counter() - STARTED)} (training {format_duration(seconds)})"),
        ("saved", str(options.model)),
    ]
    output.console.print(make_panel("deltarule train", facts))
    output.console.print(make_panel("verdict", [*lines.items(), *(("warning", words) for words in warnings)]))
    next_command = "report" if series.inputs else "predict"  # predict would need rows with the future inputs
    suggest(output, next_command, options.model, options.source)
    if output.as_json:
        print_json(
            {
                "source": options.source,
                "steps": len(series.Y),
                "test_steps": len(series.Y) - cut,
                "output_lags": model.output_lags_,
                "input_lags": model.input_lags_,
                "training": model.training_,
                "horizon": len(errors.model),
                "stop_reason": "validation",
                "engine": "numpy",
                **metrics,
                **record,
                "seconds": round(time.perf_counter() - STARTED, 3),
                "model": str(options.model),
            }
        )


def continue_series(model: "NARXRegressor", options: "PredictOptions") -> Predictions:
    """Predict the steps after the last known output of the source."""
    import numpy as np
    from scipy.special import ndtri

    from deltarule.data.table_file import read_table_as_written

    trained_with, (inputs, targets) = model.record_.get("options") or {}, model.names_
    series = read_series_for(model, options)
    text_format = None
    if options.out is not None:
        text_format = read_table_as_written(Path(options.source), options=options.table_options)[2]
    complete = np.flatnonzero(np.isfinite(series.Y).all(axis=1))
    if not len(complete):
        raise DataError(
            f"{options.source} has no step with all outputs: give the series up to the step after which to continue it"
        )
    end = int(complete[-1]) + 1
    rows = len(series.Y) - end
    count = options.steps or rows or (0 if inputs else trained_with.get("horizon") or ROWS_SHOWN)
    if inputs and (rows == 0 or count > rows):
        raise DataError(
            f"{options.source} has {pluralized(rows, 'row')} after its last output, and the inputs of "
            f"{pluralized(count, 'step') if count else 'the steps to predict'} are needed: add rows with inputs and "
            "empty outputs"
        )
    past, future = series.part(0, end), series.part(end, end + count)
    for step, column in np.argwhere(~np.isfinite(future.U))[:1]:
        raise DataError(
            f"{options.source}: input {inputs[column]!r} has no value at {str(future.time[step])[:19]}, a step to "
            "predict: fill it in"
        )
    ahead, std = model.follow(*past.arrays).forecast(count, future.U if inputs else None, return_std=True)
    step = series.time[1] - series.time[0] if len(series.time) > 1 else 1
    times = series.time[0] + step * np.arange(end, end + count)
    times = np.array([str(one)[:19] for one in times]) if times.dtype.kind == "M" else times
    steps = pluralized(count, "step")
    spread = {"std": std}
    if options.interval is not None:
        reach = float(ndtri((1 + options.interval) / 2))
        spread |= {"lower": ahead - reach * std, "upper": ahead + reach * std}
    return Predictions(
        title=f"{steps} of {Path(options.source).name} after its last output, predicted by {options.model}",
        targets=targets,
        row_labels={trained_with.get("time") or "step": times},
        predicted=dict(zip(targets, np.reshape(ahead, (count, -1)).T, strict=True)),
        spread={what: dict(zip(targets, np.reshape(v, (count, -1)).T, strict=True)) for what, v in spread.items()},
        source_columns={},
        json_fields={"times": times},
        text_format=text_format,
    )


def read_series_for(model: "NARXRegressor", options: RowsOptions) -> "TimeSeries":
    """Read the steps of a table with the columns that the model was trained on; they must be as far apart."""
    from deltarule.data.series import require_step

    trained_with, (inputs, targets) = model.record_.get("options") or {}, model.names_
    at, step = trained_with.get("time"), trained_with.get("resample")
    series = read_series(options.source, options.table_options, targets, at, step, inputs)
    require_step(series, model.record_.get("step"), Path(options.source).name)
    return series


def read_series(
    source: str, options: Any, targets: Sequence[str] | None, at: str | None, step: float | None, inputs: Any = None
) -> "TimeSeries":
    """Read the steps of a table, and show the notes about it."""
    from deltarule.data.series import series_from_frame
    from deltarule.data.table_file import read_table, report_file_lines

    path = Path(source)
    with report_file_lines(path, options):
        frame, notes = read_table(path, options=options)
        series = series_from_frame(frame, path.name, targets, at, inputs, options.drop, step)
    show_notes([*notes, *series.notes])
    return series
