"""Read a table as a time series: evenly spaced steps in the order of time, with targets and inputs by name."""

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from deltarule.data.cells import DATE, as_numbers, kind_of, refuse_cells, refuse_other_unit
from deltarule.data.dates import EVEN, read_dates
from deltarule.data.optional import Frame
from deltarule.data.table_columns import find_targets, require_column
from deltarule.engine.machine import require_free_memory
from deltarule.errors import DataError


@dataclass(frozen=True, eq=False)
class TimeSeries:
    """Evenly spaced steps; steps that the table leaves out are NaN."""

    time: np.ndarray  # of each step, (T,), numbers or datetime64
    targets: tuple[str, ...]  # the names of the outputs
    inputs: tuple[str, ...]  # the names of the inputs
    Y: np.ndarray  # outputs, (T, k)
    U: np.ndarray  # inputs, (T, m)
    notes: tuple[str, ...] = ()

    @property
    def arrays(self) -> tuple[Any, Any]:
        """U, or None without inputs, and Y, (T,) for one output, for `NARXRegressor`."""
        return (self.U if self.inputs else None), (self.Y[:, 0] if len(self.targets) == 1 else self.Y)

    @property
    def step(self) -> float | None:
        """The time from one step to the next, in seconds for dates; None for a single step."""
        if len(self.time) < 2:
            return None
        step = self.time[1] - self.time[0]
        return float(step / np.timedelta64(1, "s") if isinstance(step, np.timedelta64) else step)

    def part(self, first: int, last: int | None = None) -> "TimeSeries":
        """The steps from `first` to before `last`."""
        steps = slice(first, last)
        return replace(self, time=self.time[steps], Y=self.Y[steps], U=self.U[steps])


def series_from_frame(
    frame: Frame,
    origin: str,
    targets: str | Sequence[str] | None,
    time: str | None = None,
    inputs: Sequence[str] | None = None,
    drop: Sequence[str] = (),
    resample: float | None = None,
) -> TimeSeries:
    """Read the time series of a table, one row a step.

    Without a column `time` the rows are evenly spaced. `inputs` None takes all columns except those in `drop`.
    `resample` is the step to which the rows are interpolated, in the unit of the times (seconds for dates); without it
    times must be evenly spaced.
    """

    def resolve(name: str, option: str) -> str:
        return require_column(name, list(frame.columns), origin, option)

    if inputs is not None:  # the columns of a trained model
        for name in (*(targets or ()), *inputs, *([] if time is None else [time])):
            refuse_other_unit(name, frame.columns, origin)
    target_names = find_targets(list(frame.columns), targets, origin)
    dropped = [resolve(name, "option --drop") for name in drop]
    time_column = None if time is None else resolve(time, "option --time")
    others = [name for name in frame.columns if name not in (*target_names, *dropped, time_column)]
    input_names = others if inputs is None else [resolve(name, "inputs") for name in inputs]
    columns = [_read_numbers(frame, name, origin) for name in (*target_names, *input_names)]
    values = np.stack(columns, axis=1) if columns else np.empty((len(frame), 0))
    k, notes = len(target_names), ()
    times: np.ndarray = np.arange(len(frame), dtype=float)
    if time_column is not None:
        times, date_notes = _read_times(frame, time_column, origin)
        times, values, notes = _space_evenly(times, values, frame.index, origin, time_column, resample)
        notes = (*date_notes, *notes)
    return TimeSeries(times, tuple(target_names), tuple(input_names), values[:, :k], values[:, k:], notes)


def require_step(series: TimeSeries, step: float | None, origin: str) -> None:
    """Raise a DataError if a series has another step than the one that a model was trained on (None: not known)."""
    if step is not None and series.step is not None and abs(series.step - step) > EVEN * step:
        raise DataError(
            f"{origin} has a row every {series.step:g}, and the model was trained on a row every {step:g} (seconds "
            f"for dates): give it rows {step:g} apart, or train a model on rows like these"
        )


def _read_numbers(frame: Frame, name: str, origin: str) -> np.ndarray:
    """Read a column of numbers; NaN for missing cells and infinite ones."""
    column = frame[name]
    if kind_of(column) == "empty":
        raise DataError(f"{origin}: column {name!r} has no value in any row: fill it in, or leave it out with --drop")
    if kind_of(column) not in ("numeric", "boolean"):
        is_bad = np.array([not isinstance(cell, int | float) for cell in column]) & column.notna().to_numpy()
        advice = f"name the column of the times with --time, or leave the column out with --drop {shlex.quote(name)}"
        refuse_cells(column, is_bad, origin, f", and a time series holds numbers: correct the cell, {advice}")
    values = as_numbers(column)
    return np.where(np.isfinite(values), values, np.nan)


def _read_times(frame: Frame, name: str, origin: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """Read a column of times, numbers or dates; and a note if dates can be read in two ways."""
    column = frame[name]
    if column.isna().any():
        row = frame.index[int(column.isna().argmax())]
        raise DataError(f"{origin}: column {name!r} has no time in data row {row}: fill the cell, or remove the row")
    kind = kind_of(column)
    if kind in ("numeric", "boolean"):
        return as_numbers(column), ()
    if kind == "date":
        return read_dates(column, origin)
    is_date = np.array([bool(re.fullmatch(DATE, str(cell)[:19])) for cell in column], bool)
    advice = ", which is no time: give numbers, or dates such as 2026-01-31 14:00"
    refuse_cells(column, ~is_date, origin, advice)
    raise DataError(f"{origin}: column {name!r} holds dates as texts and in another form: write them all alike")


def _space_evenly(
    time: np.ndarray, values: np.ndarray, rows: Sequence, origin: str, name: str, resample: float | None
) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """Return evenly spaced times and the values at them, NaN for missing steps, and notes."""
    are_dates = time.dtype.kind == "M"
    seconds = (time - time[0]) / np.timedelta64(1, "s") if are_dates else time - time[0]
    steps = np.diff(seconds)
    if len(steps) == 0 or steps.min() <= 0:
        row = int(np.argmax(steps <= 0)) + 1 if len(steps) else 0
        raise DataError(
            f"{origin}: the times in column {name!r} do not rise in data row {rows[row]} ({str(time[row])[:19]}): sort "
            "the rows by time, and remove repeated times"
        )
    step = float(np.median(steps)) if resample is None else resample
    if resample is None:
        gaps = np.rint(steps / step)
        is_uneven = np.abs(steps - gaps * step) > EVEN * step
        if is_uneven.any():
            row = int(is_uneven.argmax()) + 1
            raise DataError(
                f"{origin}: data row {rows[row]} comes {steps[row - 1]:g} after the row before it in column {name!r}, "
                f"and most rows come {step:g} after theirs: a time series needs even steps, interpolate it with "
                f"--resample {step:g}"
            )
        positions = np.concatenate([[0], np.cumsum(gaps)]).astype(int)
        size = 8.0 * (values.shape[1] + 1) * (positions[-1] + 1.0)
        require_free_memory(f"the steps of {origin}", size, f"check the times in column {name!r}")
        even = np.full((positions[-1] + 1, values.shape[1]), np.nan)
        even[positions] = values
        missing = len(even) - len(values)
        notes = (f"{missing} steps between the rows of {origin} are missing",) if missing else ()
    else:
        even_seconds = np.arange(int(seconds[-1] / step + 1e-9) + 1) * step
        present = np.isfinite(values)
        columns = zip(values.T, present.T, strict=True)
        even = np.stack([np.interp(even_seconds, seconds[p], v[p]) for v, p in columns], axis=1)
        notes = (f"{origin} is interpolated to {len(even)} steps of {step:g} from {len(values)} rows",)
    count = np.arange(len(even))
    even_times = time[0] + (count * np.timedelta64(round(step * 1e9), "ns") if are_dates else count * step)
    return even_times, even, notes
