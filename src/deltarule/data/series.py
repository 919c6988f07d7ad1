"""A table of a time series: its steps in the order of time, evenly spaced, with targets and inputs by name."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from deltarule.data.cells import as_numbers, format_value, kind_of
from deltarule.data.optional import Frame, require
from deltarule.data.table_columns import find_targets, require_column
from deltarule.errors import DataError

EVEN = 0.01  # of a step, by which one may differ from the others


@dataclass(frozen=True, eq=False)
class TimeSeries:
    """Evenly spaced steps; a step that the table leaves out has NaN."""

    time: np.ndarray  # of each step, (T,): numbers, or datetime64
    targets: tuple[str, ...]  # the names of the outputs
    inputs: tuple[str, ...]
    Y: np.ndarray  # outputs, (T, k)
    U: np.ndarray  # inputs, (T, m)
    notes: tuple[str, ...] = ()

    @property
    def arrays(self) -> tuple[Any, Any]:
        """U, None without inputs, and Y, (T,) of one output, as `NARXRegressor` takes them."""
        return (self.U if self.inputs else None), (self.Y[:, 0] if len(self.targets) == 1 else self.Y)

    @property
    def step(self) -> float | None:
        """The time from one step to the next, in seconds where times are dates; None of a single step."""
        if len(self.time) < 2:
            return None
        step = self.time[1] - self.time[0]
        return float(step / np.timedelta64(1, "s") if isinstance(step, np.timedelta64) else step)

    def part(self, first: int, last: int | None = None) -> "TimeSeries":
        """Steps `first` to before `last`."""
        which = slice(first, last)
        return replace(self, time=self.time[which], Y=self.Y[which], U=self.U[which])


def series_from_frame(
    frame: Frame,
    origin: str,
    targets: str | Sequence[str] | None,
    time: str | None = None,
    inputs: Sequence[str] | None = None,
    drop: Sequence[str] = (),
    resample: float | None = None,
) -> TimeSeries:
    """The series that a table holds, one row a step.

    Without the column of the `time` rows are evenly spaced. `inputs` None takes all columns but those in `drop`.
    `resample` is the step, in the unit of the time (seconds of dates), to which rows are interpolated; None refuses
    times that are not evenly spaced.
    """

    def found(name: str, option: str) -> str:
        return require_column(name, list(frame.columns), origin, option)

    names = find_targets(list(frame.columns), targets, origin)
    left_out = [found(name, "option --drop") for name in drop]
    at = None if time is None else found(time, "option --time")
    others = [name for name in frame.columns if name not in (*names, *left_out, at)]
    taken = others if inputs is None else [found(name, "inputs") for name in inputs]
    columns = [_read_numbers(frame, name, origin) for name in (*names, *taken)]
    values = np.stack(columns, axis=1) if columns else np.empty((len(frame), 0))
    k, notes = len(names), ()
    moments: np.ndarray = np.arange(len(frame), dtype=float)
    if at is not None:
        moments, values, notes = _space_evenly(
            _read_times(frame, at, origin), values, frame.index, origin, at, resample
        )
    return TimeSeries(moments, tuple(names), tuple(taken), values[:, :k], values[:, k:], notes)


def require_step(series: TimeSeries, step: float | None, origin: str) -> None:
    """Refuse a series of another step than the one that a model was trained on, None if that is not known."""
    if step is not None and series.step is not None and abs(series.step - step) > EVEN * step:
        raise DataError(
            f"{origin} has a row every {series.step:g}, and the model was trained on a row every {step:g} (seconds, "
            f"where times are dates): give it rows {step:g} apart, or train a model on rows like these"
        )


def _read_numbers(frame: Frame, name: str, origin: str) -> np.ndarray:
    """A column as numbers; an empty cell is missing."""
    column = frame[name]
    if kind_of(column) not in ("numeric", "boolean"):
        bad = next((cell for cell in column.dropna() if not isinstance(cell, int | float)), None)
        raise DataError(
            f"{origin}: column {name!r} holds {format_value(bad)}, and a time series holds numbers: correct the cell, "
            f"name the column of the times with --time, or leave the column out with --drop {name}"
        )
    values = as_numbers(column)
    return np.where(np.isfinite(values), values, np.nan)


def _read_times(frame: Frame, name: str, origin: str) -> np.ndarray:
    """A column of numbers, or of dates as seconds since the first."""
    pd, column = require("pandas", "a series"), frame[name]
    if column.isna().any():
        raise DataError(f"{origin}: column {name!r} has no time in data row {frame.index[int(column.isna().argmax())]}")
    if kind_of(column) in ("numeric", "boolean"):
        return as_numbers(column)
    if kind_of(column) != "date":
        raise DataError(
            f"{origin}: column {name!r} holds {format_value(column.iloc[0])}, which is no time: give numbers, or dates "
            "such as 2026-01-31 14:00"
        )
    try:
        return pd.to_datetime(column, utc=True).dt.tz_localize(None).to_numpy(dtype="datetime64[ns]")
    except (ValueError, TypeError, OverflowError) as error:
        raise DataError(f"{origin}: column {name!r} holds dates that cannot be read ({error})") from None


def _space_evenly(
    time: np.ndarray, values: np.ndarray, rows: Sequence, origin: str, name: str, resample: float | None
) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """The steps at even times; those left out are NaN."""
    dates = time.dtype.kind == "M"
    seconds = (time - time[0]) / np.timedelta64(1, "s") if dates else time - time[0]
    steps = np.diff(seconds)
    if len(steps) == 0 or steps.min() <= 0:
        row = int(np.argmax(steps <= 0)) + 1 if len(steps) else 0
        raise DataError(
            f"{origin}: the times in column {name!r} do not rise in data row {rows[row]} ({str(time[row])[:19]}): sort "
            "the rows by time and leave repeated ones out"
        )
    step = float(np.median(steps)) if resample is None else resample
    if resample is None:
        gaps = np.rint(steps / step)
        odd = np.abs(steps - gaps * step) > EVEN * step
        if odd.any():
            row = int(odd.argmax()) + 1
            raise DataError(
                f"{origin}: data row {rows[row]} comes {steps[row - 1]:g} after the one before it in column {name!r}, "
                f"and most rows come {step:g} after theirs: a series needs even steps; interpolate it to them with "
                f"--resample {step:g}"
            )
        place = np.concatenate([[0], np.cumsum(gaps)]).astype(int)
        even = np.full((place[-1] + 1, values.shape[1]), np.nan)
        even[place] = values
        missing = len(even) - len(values)
        notes = (f"{missing} steps between the rows of {origin} are missing",) if missing else ()
    else:
        at = np.arange(int(seconds[-1] / step + 1e-9) + 1) * step
        known = np.isfinite(values)
        even = np.stack([np.interp(at, seconds[k], v[k]) for v, k in zip(values.T, known.T, strict=True)], axis=1)
        notes = (f"{origin} is interpolated to {len(at)} steps of {step:g} from {len(values)} rows",)
    count = np.arange(len(even))
    moments = time[0] + (count * np.timedelta64(round(step * 1e9), "ns") if dates else count * step)
    return moments, even, notes
