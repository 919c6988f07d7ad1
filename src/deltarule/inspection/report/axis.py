"""An axis of a chart: its limits, its ticks and where a value lies on the page."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

MOST_TICKS = 6
ROOM = 0.04  # of the values' range, left at each end
EXPONENT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class Axis:
    """One axis.

    Args:
        label: what it measures.
        log: a logarithmic scale; values that are not above 0 have no place.
        limits: from and to; None is where the values lie.
        names: of the places 0, 1, ..., in place of numbers.
        tight: no room beside the values.
        ends: where on the page the limits lie.
    """

    label: str = ""
    log: bool = False
    limits: tuple[float, float] | None = None
    names: Sequence[str] = ()
    tight: bool = False
    ends: tuple[float, float] = (0.0, 1.0)

    def over(self, values: Sequence[Any]) -> Self:
        """The axis with limits, around these arrays where it has none."""
        if self.limits is not None:
            return self
        every = np.concatenate([np.ravel(np.asarray(part, float)) for part in values] or [np.zeros(0)])
        every = self._scaled(every[np.isfinite(every) & ((every > 0) | (not self.log))])
        low, high = (float(every.min()), float(every.max())) if every.size else (0.0, 1.0)
        if high - low <= 1e-12 * max(abs(low), abs(high)):
            low, high = low - 0.5 * (abs(low) or 1), high + 0.5 * (abs(high) or 1)
        room = 0.0 if self.tight else ROOM * (high - low)
        limits = low - room, high + room
        return replace(self, limits=tuple(10**v for v in limits) if self.log else limits)

    def between(self, start: float, end: float) -> Self:
        """The axis with its ends on the page."""
        return replace(self, ends=(start, end))

    def at(self, values: Any) -> np.ndarray:
        """Where values lie on the page, those beyond the limits at the ends; NaN where there is none."""
        assert self.limits is not None
        low, high = self._scaled(np.asarray(self.limits, float))
        with np.errstate(divide="ignore", invalid="ignore"):
            share = (self._scaled(np.asarray(values, float)) - low) / (high - low)
        return self.ends[0] + (self.ends[1] - self.ends[0]) * np.clip(share, 0, 1)

    @property
    def ticks(self) -> np.ndarray:
        """The values that are marked."""
        if self.names:
            return np.arange(len(self.names), dtype=float)
        assert self.limits is not None
        low, high = self.limits
        if not self.log:
            return _round_numbers(low, high)
        first, last = np.ceil(np.log10(low) - 1e-9), np.floor(np.log10(high) + 1e-9)
        if last - first >= 2:
            return 10 ** np.arange(first, last + 1, np.ceil((last - first) / MOST_TICKS))
        few = np.ravel(np.outer(10.0 ** np.arange(first - 1, last + 1), (1, 2, 5)))
        few = few[(few >= low * (1 - 1e-9)) & (few <= high * (1 + 1e-9))]
        return few if len(few) > 1 else _round_numbers(low, high)

    @property
    def words(self) -> list[str]:
        """What stands at the ticks."""
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
        """The label; of very large or small numbers with the power of ten that they are pluralized in."""
        return self.label + (f", in 10{str(self._power).translate(EXPONENT)}" if self._power else "")

    @property
    def _decades(self) -> bool:
        """Whether the ticks are powers of ten, of a logarithmic scale."""
        powers = np.log10(self.ticks) if self.log else np.array([0.5])
        return bool(np.all(np.abs(powers - powers.round()) < 1e-9))

    @property
    def _power(self) -> int:
        """The power of ten that the numbers at the ticks are pluralized in."""
        ticks = self.ticks
        largest = float(np.abs(ticks).max(initial=0))
        if self.names or largest == 0 or self._decades:
            return 0
        power = int(np.floor(np.log10(largest)))
        return power if power >= 5 or power <= -4 else 0

    def _scaled(self, values: np.ndarray) -> np.ndarray:
        return np.log10(values) if self.log else values


def _round_numbers(low: float, high: float) -> np.ndarray:
    """At most `MOST_TICKS` multiples of 1, 2 or 5 times a power of ten."""
    step = 10.0 ** np.floor(np.log10((high - low) / MOST_TICKS))
    step *= next(factor for factor in (1, 2, 5, 10) if (high - low) / (factor * step) <= MOST_TICKS)
    return step * np.arange(np.ceil(low / step - 1e-9), np.floor(high / step + 1e-9) + 1)
