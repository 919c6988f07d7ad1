"""A chart of a report: lines, points, bands and bars on two axes, as SVG that takes its colours from the page.

Matplotlib, which draws the figures of `deltarule.inspection.plots`, takes as long to import as all of a report takes.
Marks show their numbers as tooltips.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, NamedTuple

import numpy as np

from deltarule.inspection.plots.style import COLOURS
from deltarule.inspection.report.axis import Axis

WIDTH, HEIGHT = 400.0, 280.0
FONT = 11
CHARACTER = 0.58 * FONT  # the mean width of a character
ROW = 15.0  # of the legend
MOST_STEPS = 600  # points of a line, more than there are pixels
MOST_TIPS = 60  # points of a line with a tooltip

DARK = ("#ee7c64", "#74abf0", "#58c29a", "#ecb94e", "#b193e0", "#8a8f98", "#e58fc8")  # `plots.COLOURS` on a dark ground
PAINTS = tuple(f"var(--colour-{i})" for i in range(len(COLOURS)))
SOFT = "var(--soft)"


def palette() -> str:
    """CSS that defines --colour-i for every colour i of `plots.COLOURS`, in light and in dark."""
    light, dark = (
        " ".join(f"--colour-{i}: {colour};" for i, colour in enumerate(colours)) for colours in (COLOURS, DARK)
    )
    return f":root {{ {light} }}\n@media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}"


class Mark:
    """Something drawn on two axes."""

    name: str = ""  # in the legend

    def extent(self) -> tuple[Any, Any]:
        """All x and all y."""
        raise NotImplementedError

    def svg(self, across: Axis, up: Axis) -> str:
        """The mark as SVG elements."""
        raise NotImplementedError


@dataclass(frozen=True, eq=False)
class Line(Mark):
    """A line through (x, y), broken where y is NaN; with a name it has a legend entry and tooltips."""

    x: np.ndarray
    y: np.ndarray
    colour: str = SOFT
    name: str = ""
    dash: str = ""
    width: float = 1.8

    def extent(self) -> tuple[Any, Any]:
        return self.x, self.y

    def svg(self, across: Axis, up: Axis) -> str:
        drawn = _outline(self.y)
        x, y = across.at(self.x[drawn]), up.at(self.y[drawn])
        steps, pen = [], "M"
        for a, b in zip(x.tolist(), y.tolist(), strict=True):
            known = b == b
            if known:
                steps.append(f"{pen}{a:.1f} {b:.1f}")
            pen = "L" if known else "M"
        dashes = f' stroke-dasharray="{self.dash}"' if self.dash else ""
        path = f'<path d="{"".join(steps)}" fill="none" stroke="{self.colour}" stroke-width="{self.width}"{dashes}/>'
        if not self.name:
            return path
        tips = drawn[np.unique(np.linspace(0, len(drawn) - 1, min(len(drawn), MOST_TIPS)).round().astype(int))]
        tips = tips[np.isfinite(self.y[tips])]
        titles = [f"{self.name} at {a:.6g}: {b:.5g}" for a, b in zip(self.x[tips], self.y[tips], strict=True)]
        circles = _circles(across.at(self.x[tips]), up.at(self.y[tips]), np.full(len(tips), 4.0), titles)
        return f'{path}<g class="hit" fill="{self.colour}">{circles}</g>'


@dataclass(frozen=True, eq=False)
class Band(Mark):
    """The area between two lines."""

    x: np.ndarray
    low: np.ndarray
    high: np.ndarray
    colour: str = SOFT
    opacity: float = 0.2

    def extent(self) -> tuple[Any, Any]:
        return self.x, np.concatenate([self.low, self.high])

    def svg(self, across: Axis, up: Axis) -> str:
        x = across.at(np.concatenate([self.x, self.x[::-1]]))
        y = up.at(np.concatenate([self.low, self.high[::-1]]))
        steps = "L".join(f"{a:.1f} {b:.1f}" for a, b in zip(x, y, strict=True))
        return f'<path d="M{steps}Z" fill="{self.colour}" opacity="{self.opacity}"/>'


@dataclass(frozen=True, eq=False)
class Points(Mark):
    """Dots with tooltips; radii are in the chart's units."""

    x: np.ndarray
    y: np.ndarray
    colour: str = PAINTS[1]
    titles: Sequence[str] = ()
    radii: np.ndarray | float = 2.4
    name: str = ""

    def extent(self) -> tuple[Any, Any]:
        return self.x, self.y

    def svg(self, across: Axis, up: Axis) -> str:
        radii = np.broadcast_to(self.radii, np.shape(self.x))
        circles = _circles(across.at(self.x), up.at(self.y), radii, self.titles)
        return f'<g fill="{self.colour}" opacity="0.65">{circles}</g>'


@dataclass(frozen=True, eq=False)
class Bars(Mark):
    """Rectangles from (x0, y0) to (x1, y1) with tooltips."""

    x0: np.ndarray
    x1: np.ndarray
    y0: np.ndarray
    y1: np.ndarray
    colour: str = PAINTS[1]
    titles: Sequence[str] = ()
    name: str = ""

    def extent(self) -> tuple[Any, Any]:
        return np.concatenate([self.x0, self.x1]), np.concatenate([self.y0, self.y1])

    def svg(self, across: Axis, up: Axis) -> str:
        a, b, c, d = (across.at(self.x0), across.at(self.x1), up.at(self.y0), up.at(self.y1))
        left, width, top, height = np.minimum(a, b), np.abs(b - a), np.minimum(c, d), np.abs(d - c)
        made = [
            f'<rect x="{p:.1f}" y="{q:.1f}" width="{w:.1f}" height="{h:.1f}">{_title(self.titles, i)}</rect>'
            for i, (p, q, w, h) in enumerate(zip(left, top, width, height, strict=True))
        ]
        return f'<g fill="{self.colour}" opacity="0.85">{"".join(made)}</g>'


@dataclass(frozen=True, eq=False)
class Rule(Mark):
    """A straight line across the whole chart, at an x or a y."""

    x: float | None = None
    y: float | None = None
    dash: str = ""

    def extent(self) -> tuple[Any, Any]:
        return [] if self.x is None else [self.x], [] if self.y is None else [self.y]

    def svg(self, across: Axis, up: Axis) -> str:
        x = across.ends if self.x is None else 2 * (float(across.at(self.x)),)
        y = up.ends if self.y is None else 2 * (float(up.at(self.y)),)
        dashes = f' stroke-dasharray="{self.dash}"' if self.dash else ""
        return f'<path d="M{x[0]:.1f} {y[0]:.1f}L{x[1]:.1f} {y[1]:.1f}" stroke="{SOFT}"{dashes}/>'


class Chart(NamedTuple):
    """Marks on a horizontal and a vertical axis; later marks cover earlier ones."""

    marks: Sequence[Mark]
    across: Axis
    up: Axis
    height: float = HEIGHT
    width: float = WIDTH

    def svg(self, label: str) -> str:
        """An <svg> element that is as wide as its container; screen readers read `label`."""
        xs, ys = ([part[i] for part in (mark.extent() for mark in self.marks)] for i in (0, 1))
        across, up = self.across.over(xs), self.up.over(ys)
        legend, rows = self._legend()
        left = 25 + CHARACTER * max(map(len, up.tick_labels), default=0)
        top, bottom = 8 + ROW * rows, self.height - 38
        across, up = across.between(left, self.width - 12), up.between(bottom, top)
        parts = [legend, *self._frame(across, up), *(mark.svg(across, up) for mark in self.marks)]
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width:.0f} {self.height:.0f}" role="img" '
            f'aria-label="{escape(label, quote=True)}" font-size="{FONT}" fill="currentColor">{"".join(parts)}</svg>'
        )

    def _frame(self, across: Axis, up: Axis) -> list[str]:
        """Grid, ticks and labels."""
        (left, right), (bottom, top) = across.ends, up.ends
        grid = "".join(f"M{left:.1f} {y:.1f}H{right:.1f}" for y in up.at(up.ticks))
        parts = [
            f'<path d="{grid}" stroke="currentColor" opacity="0.14"/>',
            f'<path d="M{left:.1f} {top:.1f}V{bottom:.1f}H{right:.1f}" fill="none" stroke="currentColor"/>',
        ]
        for x, words in zip(across.at(across.ticks), across.tick_labels, strict=True):
            parts.append(f'<text x="{x:.1f}" y="{bottom + 14:.1f}" text-anchor="middle">{escape(words)}</text>')
        for y, words in zip(up.at(up.ticks), up.tick_labels, strict=True):
            parts.append(f'<text x="{left - 5:.1f}" y="{y + 3.8:.1f}" text-anchor="end">{escape(words)}</text>')
        x, y = (left + right) / 2, (top + bottom) / 2
        parts.append(f'<text x="{x:.1f}" y="{bottom + 31:.1f}" text-anchor="middle">{escape(across.title)}</text>')
        turned = f'transform="translate(11 {y:.1f}) rotate(-90)" text-anchor="middle"'
        parts.append(f"<text {turned}>{escape(up.title)}</text>" if up.title else "")
        return parts

    def _legend(self) -> tuple[str, int]:
        """The names of the marks, if several have one, and the number of rows they take."""
        named: list[Any] = [mark for mark in self.marks if mark.name]
        if len(named) < 2:
            return "", 0
        parts, x, row = [], 30.0, 0
        for mark in named:
            wide = 24 + CHARACTER * len(mark.name) + 10
            if x > 30 and x + wide > self.width:
                x, row = 30.0, row + 1
            y = 12 + ROW * row
            dashes = getattr(mark, "dash", "")
            dashes = f' stroke-dasharray="{dashes}"' if dashes else ""
            parts.append(
                f'<path d="M{x:.0f} {y - 4:.0f}h18" stroke="{mark.colour}" stroke-width="3"{dashes}/>'
                f'<text x="{x + 22:.0f}" y="{y:.0f}">{escape(mark.name)}</text>'
            )
            x += wide
        return "".join(parts), row + 1


def _outline(y: np.ndarray) -> np.ndarray:
    """The points of a line to draw; of a long one the lowest and highest of each stretch, so that no peak is lost."""
    if len(y) <= MOST_STEPS:
        return np.arange(len(y))
    kept = {0, len(y) - 1}
    for places in np.array_split(np.arange(len(y)), MOST_STEPS // 2):
        if np.isfinite(y[places]).any():
            kept |= {int(places[np.nanargmin(y[places])]), int(places[np.nanargmax(y[places])])}
    return np.array(sorted(kept))


def _circles(x: np.ndarray, y: np.ndarray, radii: np.ndarray, titles: Sequence[str]) -> str:
    made = [
        f'<circle cx="{a:.1f}" cy="{b:.1f}" r="{r:.1f}">{_title(titles, i)}</circle>'
        for i, (a, b, r) in enumerate(zip(x.tolist(), y.tolist(), radii.tolist(), strict=True))
    ]
    return "".join(made)


def _title(titles: Sequence[str], i: int) -> str:
    return f"<title>{escape(titles[i])}</title>" if i < len(titles) else ""
