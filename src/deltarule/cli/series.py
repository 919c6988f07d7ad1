"""`deltarule train` and `predict` where the rows are steps of a time series."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deltarule.cli.choices import Choices, as_words
from deltarule.cli.clock import STARTED
from deltarule.cli.options import parse_hidden, parse_lags
from deltarule.cli.reading import Reading
from deltarule.cli.screen import (
    command,
    console_for,
    emit_json,
    finite,
    line,
    panel_of,
    show_notes,
    table_of_rows,
    write_csv,
)
from deltarule.errors import ConfigurationError, DataError, counted

if TYPE_CHECKING:
    from deltarule.data.series import Series
    from deltarule.models.series.narx import NARXRegressor

LONGEST = 20  # the steps ahead that are judged where no --horizon is given
SHOWN = 10


def train_series(choices: Choices, as_json: bool) -> None:
    """Train on the first 85 % of the steps, judge on the rest, save."""
    from deltarule.data.splitting import held_out
    from deltarule.models.series.judging import judged, verdict
    from deltarule.models.series.narx import NARXRegressor

    series = read_series(choices.source, choices.table_options, choices.target, choices.time, choices.resample)
    cut = len(series.Y) - held_out(len(series.Y))
    fit = series.part(0, cut)
    lags = parse_lags(choices.lags or "auto")
    began = time.perf_counter()
    options: dict[str, Any] = {"hidden": parse_hidden(choices.hidden)} if choices.hidden else {}
    options |= {"activation": choices.activation} if choices.activation else {}
    model = NARXRegressor(
        input_lags=lags,
        output_lags=lags,
        training="open-loop" if choices.horizon == 1 else "auto",
        horizon=None if choices.horizon in (None, 1) else choices.horizon,
        l2=choices.l2,
        random_state=choices.seed,
        **options,
    ).fit(*arrays(fit))
    seconds = time.perf_counter() - began
    model.names_ = tuple(series.inputs), tuple(series.targets)
    test = series.part(cut - model.max_lag_)
    found = judged(model, arrays(fit), arrays(test), min(choices.horizon or LONGEST, len(series.Y) - cut))
    outside = max(one.outside for one in model.correlations(*arrays(fit)))
    lines, warnings = verdict(model, found, outside)
    metrics = finite(found.record())
    model.record_ = {
        "source": Path(choices.source).name,
        "options": choices.record(),
        "step": series.step,
        "seed": choices.seed,
        "metrics": metrics,
        "verdict": lines,
        "warnings": warnings,
        "training_seconds": round(seconds, 3),
    }
    model.save(choices.model)
    console = console_for(as_json)
    members = len(model.committee_.weights)
    facts = [
        ("data", f"{Path(choices.source).name}: {cut:,} steps to fit, {len(series.Y) - cut:,} to test, in their order"),
        ("outputs", ", ".join(series.targets)),
        ("inputs", ", ".join(series.inputs) or "none"),
        (
            "network",
            f"{'-'.join(map(str, parse_hidden(choices.hidden or '10')))} hidden neurons"
            f"{f', {members} of these networks averaged' if members > 1 else ''}",
        ),
        ("seconds", f"{time.perf_counter() - STARTED:.1f} ({seconds:.1f} of them training)"),
        ("saved", str(choices.model)),
    ]
    console.print(panel_of("deltarule train", facts))
    console.print(panel_of("verdict", [*lines.items(), *(("warning", words) for words in warnings)]))
    goes_on = "report" if series.inputs else "predict"  # which would need rows with the inputs to come
    line(console, command(goes_on, choices.model, choices.source), "bold")
    if as_json:
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
                "verdict": lines,
                "warnings": warnings,
                "seed": choices.seed,
                "seconds": round(time.perf_counter() - STARTED, 3),
                "training_seconds": round(seconds, 3),
                "model": str(choices.model),
            }
        )


@dataclass(frozen=True)
class Asked:
    """What `deltarule predict` is asked for."""

    model: Path
    source: str
    reading: Reading
    out: Path | None
    steps: int | None
    interval: float | None
    as_json: bool

    @property
    def again(self) -> str:
        """The command that writes the same predictions to a file."""
        words: list[object] = [*as_words(self.reading)]
        words += [] if self.interval is None else ["--interval", self.interval]
        words += [] if self.steps is None else ["--steps", self.steps]
        return command("predict", self.model, self.source, *words, "--out", "predictions.csv")


def predict_series(model: "NARXRegressor", asked: Asked) -> None:
    """Continue the series of the source: its last rows, which lack outputs, or so many steps where it has no inputs."""
    import numpy as np
    from scipy.special import ndtri

    source, out, interval = asked.source, asked.out, asked.interval
    options, (inputs, targets) = model.record_.get("options") or {}, model.names_
    series = read_for(model, source, asked.reading)
    known = np.flatnonzero(np.isfinite(series.Y).all(axis=1))
    if not len(known):
        raise DataError(f"{source} holds no step with all outputs: give the series up to where it is to be continued")
    end = int(known[-1]) + 1
    rows = len(series.Y) - end
    count = asked.steps or rows or (0 if inputs else options.get("horizon") or SHOWN)
    if inputs and (rows == 0 or count > rows):
        raise DataError(
            f"{source} has {rows} rows after its last output, and the inputs of {count or 'the'} steps to predict are "
            "needed: add rows with inputs and empty outputs"
        )
    past, future = series.part(0, end), series.part(end, end + count)
    ahead, std = model.follow(*arrays(past)).forecast(count, future.U if inputs else None, return_std=True)
    ahead, std = np.reshape(ahead, (count, -1)), np.reshape(std, (count, -1))
    at = _times(series, end, count)
    columns: dict[str, Any] = {options.get("time") or "step": at}
    reach = None if interval is None else float(ndtri((1 + interval) / 2))
    for j, name in enumerate(targets):
        columns |= {name: ahead[:, j], f"{name}_std": std[:, j]}
        if reach is not None:
            ends = {"lower": ahead[:, j] - reach * std[:, j], "upper": ahead[:, j] + reach * std[:, j]}
            columns |= {f"{name}_{end}": values for end, values in ends.items()}
    if out is not None:
        write_csv(out, columns)
    if asked.as_json:
        kinds = ("std",) if interval is None else ("std", "lower", "upper")
        emit_json(
            {
                "model": str(asked.model),
                "source": source,
                "times": at,
                "predictions": {name: columns[name] for name in targets},
                **{kind: {name: columns[f"{name}_{kind}"] for name in targets} for kind in kinds},
                "out": None if out is None else str(out),
            }
        )
        return
    console = console_for(asked.as_json)
    line(console, f"{Path(source).name} goes on for {counted(count, 'step')} after its last output, by {asked.model}")
    console.print(table_of_rows(columns, SHOWN))
    line(console, asked.again if out is None else command("export", asked.model, "--to", "c"), "bold")


def read_for(model: "NARXRegressor", source: str, reading: Reading) -> "Series":
    """The steps of a table with the columns that the model was trained on, as far apart as those that it learnt from.

    Raises:
        DataError, ConfigurationError: as `read_series`, or the steps are of another length.
    """
    from deltarule.data.series import require_step

    options, (inputs, targets) = model.record_.get("options") or {}, model.names_
    series = read_series(source, reading.table_options, targets, options.get("time"), options.get("resample"), inputs)
    require_step(series, model.record_.get("step"), Path(source).name)
    return series


def read_series(
    source: str, options: Any, targets: Sequence[str] | None, at: str | None, step: float | None, inputs: Any = None
) -> "Series":
    """The steps of a table; its notes are shown.

    Raises:
        DataError, ConfigurationError: it cannot be read, or no target is named.
    """
    from deltarule.data.series import series_of
    from deltarule.data.table_file import read_table, rows_as_lines

    path = Path(source)
    frame, notes = read_table(path, options=options)
    if not targets:
        raise ConfigurationError(
            f"--target is missing: name the column of {path.name} to predict; it has {', '.join(frame.columns)}"
        )
    names = [name for words in targets for name in ([words] if words in frame.columns else words.split(","))]
    with rows_as_lines(path, options):
        series = series_of(frame, path.name, names, at, inputs, options.drop, step)
    show_notes([*notes, *series.notes])
    return series


def arrays(series: "Series") -> tuple[Any, Any]:
    """U and y as the model takes them."""
    return (series.U if series.inputs else None), (series.Y[:, 0] if len(series.targets) == 1 else series.Y)


def _times(series: "Series", end: int, count: int) -> Any:
    """The times of steps, as texts where they are dates."""
    import numpy as np

    step = series.time[1] - series.time[0] if len(series.time) > 1 else 1
    at = series.time[0] + step * np.arange(end, end + count)
    return np.array([str(one)[:19] for one in at]) if at.dtype.kind == "M" else at
