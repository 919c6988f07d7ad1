"""How other programs scale what goes into a network and what comes out, as columns with a mean and a spread.

A step of MATLAB's, or of scikit-learn's, maps each row that it keeps by a straight line; steps in turn are one line:

    p = gain (x - offset) + shift

mapminmax has shift = ymin, mapstd shift = ymean, and removeconstantrows keeps some rows as they are. A column of
deltarule is read as (x - mean) / std. With std = 1/gain and mean = offset - shift/gain, rounded, what rounding leaves,
gain (mean - offset) + shift, goes to the bias of the first layer, so that a narrow range far from 0 keeps its digits.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from deltarule.data.columns import NumericColumn
from deltarule.errors import ModelFileError

Settings = Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Lines:
    """What is done to each of `count` raw rows: those kept become gain (x - offset) + shift, the others are constant.

    Args:
        kept: the numbers of the rows kept, from 0, (n,).
        offset, gain, shift: of the rows kept, (n,) float64.
        constant: the value of each raw row that is not kept, (count,); it has no meaning for the others.
        reach: how far p goes from shift, ymax - ymin; None where no range was kept.
    """

    kept: np.ndarray
    offset: np.ndarray
    gain: np.ndarray
    shift: np.ndarray
    constant: np.ndarray
    reach: float | None = None

    @classmethod
    def of(cls, steps: Sequence[Settings], count: int, where: str) -> "Lines":
        """The steps of `count` rows, in the order in which MATLAB applies them.

        Args:
            steps: the settings of each: xoffset, gain, ymin of mapminmax; xoffset, gain, ymean, or xmean, xstd, ymean,
                ystd of mapstd; keep (from 1) and constants of removeconstantrows.
            count: how many raw rows there are.
            where: the file and whether these are inputs or outputs, for messages.

        Raises:
            ModelFileError: a step is of another kind, or does not fit.
        """
        lines = cls(np.arange(count), np.zeros(count), np.ones(count), np.zeros(count), np.zeros(count))
        for step in steps:
            lines = lines._then(step, where)
        return lines

    def _then(self, step: Settings, where: str) -> "Lines":
        n = len(self.kept)
        if "keep" in step:
            kept = np.ravel(step["keep"]).astype(int) - 1
            if not np.isin(kept, np.arange(n)).all():
                raise ModelFileError(f"{where} keeps row {kept.max() + 1} of {n}: the file is damaged.")
            gone = np.setdiff1d(np.arange(n), kept)
            constant = self.constant.copy()
            given = np.ravel(step.get("constants", step.get("value", 0.0))).astype(np.float64)
            constant[self.kept[gone]] = given if len(given) == len(gone) else 0.0
            offset, gain, shift = self.offset[kept], self.gain[kept], self.shift[kept]
            return Lines(self.kept[kept], offset, gain, shift, constant, self.reach)
        offset, gain, shift, reach = _line(step, where)
        try:
            offset, gain, shift = (np.broadcast_to(np.ravel(part), (n,)) for part in (offset, gain, shift))
        except ValueError:
            raise ModelFileError(f"{where} has {n} rows and scales {np.size(gain)}: the file is damaged.") from None
        if not (np.isfinite([offset, gain, shift]).all() and (gain > 0).all()):
            raise ModelFileError(f"{where} has a gain of {gain.min():g}, and rows are scaled by numbers above 0.")
        return Lines(
            self.kept, self.offset + (offset - self.shift) / self.gain, self.gain * gain, shift, self.constant, reach
        )

    @property
    def mean(self) -> np.ndarray:
        """The x that becomes 0, rounded, (n,)."""
        return self.offset - self.shift / self.gain

    @property
    def rest(self) -> np.ndarray:
        """What p still is there, (n,)."""
        return self.gain * (self.mean - self.offset) + self.shift

    def columns(self, names: Sequence[str], at_zero: float = 0.0) -> tuple[NumericColumn, ...]:
        """Every raw row as a column; of one that is not kept `at_zero` stands for its constant."""
        columns = [
            NumericColumn(name, float(value) - at_zero, 1.0) for name, value in zip(names, self.constant, strict=True)
        ]
        for j, mean, offset, gain in zip(self.kept, self.mean, self.offset, self.gain, strict=True):
            low, high = (None, None) if self.reach is None else (float(offset), float(offset + self.reach / gain))
            columns[j] = NumericColumn(str(names[j]), float(mean), float(1 / gain), low, high)
        return tuple(columns)


def _line(step: Settings, where: str) -> tuple[Any, Any, Any, float | None]:
    """xoffset, gain, the value that is added, and ymax - ymin, 2 where only ymin = -1 is known."""
    if {"xoffset", "gain"} <= step.keys() and "ymin" in step:
        ymin = float(np.ravel(step["ymin"])[0])
        ymax = float(np.ravel(step["ymax"])[0]) if "ymax" in step else 1.0
        return step["xoffset"], step["gain"], ymin, ymax - ymin
    if {"xoffset", "gain", "ymean"} <= step.keys():
        return step["xoffset"], step["gain"], step["ymean"], None
    if {"xmean", "xstd"} <= step.keys():
        return (
            step["xmean"],
            np.asarray(step.get("ystd", 1.0)) / np.asarray(step["xstd"]),
            step.get("ymean", 0.0),
            None,
        )
    raise ModelFileError(
        f"{where} has a processing step with the settings {', '.join(sorted(step)) or 'none'}: mapminmax, mapstd and "
        "removeconstantrows can be read."
    )
