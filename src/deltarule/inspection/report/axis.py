"""An axis of a chart: its limits, its ticks, and the positions of values on the page."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

MOST_TICKS = 6
MARGIN = 0.04  # of the values' range, left free at each end
EXPONENT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class Axis:
    """One axis.

    Args:
        label: the quantity.
        log: a logarithmic scale; values of 0 and below are not drawn.
        limits: lowest and highest value; None for the range of the values.
        names: names of the values 0, 1, ..., instead of numbers.
        tight: no margin beside the values.
        whole: ticks at whole numbers only.
        ends: the positions of the limits on the page.
    """

    label: str = ""
    log: bool = False
    limits: tuple[float, float] | None = None
    names: Sequence[str] = ()
    tight: bool = False
    whole: bool = False
    ends: tuple[float, float] = (0.0, 1.0)

    def over(self, values: Sequence[Any]) -> Self:
        """The axis with its own limits, or with the range of these arrays."""
        if self.limits is not None:
            return self
        every = np.concatenate([np.ravel(np.asarray(part, float)) for part in values] or [np.zeros(0)])
        every = self._scaled(every[np.isfinite(every) & ((every > 0) | (not self.log))])
        low, high = (float(every.min()), float(every.max())) if every.size else (0.0, 1.0)
        if high - low <= 1e-12 * max(abs(low), abs(high)):
            low, high = low - 0.5 * (abs(low) or 1), high + 0.5 * (abs(high) or 1)
        margin = 0.0 if self.tight else MARGIN * (high - low)
        limits = low - margin, high + margin
        return replace(self, limits=tuple(10**v for v in limits) if self.log else limits)

    def between(self, start: float, end: float) -> Self:
        """The axis between these positions on the page."""
        return replace(self, ends=(start, end))

    def at(self, values: Any) -> np.ndarray:
        """The positions of values on the page; values beyond the limits lie at the ends, NaN has none."""
        assert self.limits is not None
        low, high = self._scaled(np.asarray(self.limits, float))
        with np.errstate(divide="ignore", invalid="ignore"):
            share = (self._scaled(np.asarray(values, float)) - low) / (high - low)
        return self.ends[0] + (self.ends[1] - self.ends[0]) * np.clip(share, 0, 1)

    @property
    def ticks(self) -> np.ndarray:
        """The values that have a tick."""
        if self.names:
            return np.arange(len(self.names), dtype=float)
        assert self.limits is not None
        low, high = self.limits
        if not self.log:
            return _round_numbers(low, high, self.whole)
        first, last = np.ceil(np.log10(low) - 1e-9), np.floor(np.log10(high) + 1e-9)
        if last - first >= 2:
            return 10 ** np.arange(first, last + 1, np.ceil((last - first) / MOST_TICKS))
        few = np.ravel(np.outer(10.0 ** np.arange(first - 1, last + 1), (1, 2, 5)))
        few = few[(few >= low * (1 - 1e-9)) & (few <= high * (1 + 1e-9))]
        return few if len(few) > 1 else _round_numbers(low, high)

    @property
    def tick_labels(self) -> list[str]:
        """The labels of the ticks."""
        if self.names:
            return list(map(str, self.names))
        ticks = self.ticks
        if self._decades and (ticks[0] < 1e-3 or ticks[-1] > 1e4):
            return ["10" + str(p).translate(EXPONENT) for p in np.log10(ticks).round().astype(int).tolist()]
        values = ticks / 10.0**self._power
        if self.log:
            return [f"{value:g}" for value in values]
        step = float(np.diff(values).min()) if len(values) > 1 else 1.0
        decimals = max(0, -int(np.floor(np.log10(step) + 1e-9)))
        return [f"{value:.{decimals}f}".replace("-", "−") for value in values + 0.0]

    @property
    def title(self) -> str:
        """The label, with the power of ten by which very large or small tick labels are divided."""
        return self.label + (f", in 10{str(self._power).translate(EXPONENT)}" if self._power else "")

    @property
    def _decades(self) -> bool:
        """Whether the axis is logarithmic and its ticks are powers of ten."""
        powers = np.log10(self.ticks) if self.log else np.array([0.5])
        return bool(np.all(np.abs(powers - powers.round()) < 1e-9))

    @property
    def _power(self) -> int:
        """The power of ten by which tick labels are divided."""
        ticks = self.ticks
        largest = float(np.abs(ticks).max(initial=0))
        if self.names or largest == 0 or self._decades:
            return 0
        power = int(np.floor(np.log10(largest)))
        return power if power >= 5 or power <= -4 else 0

    def _scaled(self, values: np.ndarray) -> np.ndarray:
        return np.log10(values) if self.log else values


def _round_numbers(low: float, high: float, whole: bool = False) -> np.ndarray:
    """At most `MOST_TICKS` multiples of 1, 2 or 5 times a power of ten, if `whole` of at least 1."""
    step = 10.0 ** np.floor(np.log10((high - low) / MOST_TICKS))
    step *= next(factor for factor in (1, 2, 5, 10) if (high - low) / (factor * step) <= MOST_TICKS)
    step = max(step, 1.0) if whole else step
    return step * np.arange(np.ceil(low / step - 1e-9), np.floor(high / step + 1e-9) + 1)
