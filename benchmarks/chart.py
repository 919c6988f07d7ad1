"""One chart for each benchmark: a point for each contestant, in a row of its own or in the row of its case."""

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.page import number
from benchmarks.record import Case, Entry, Result

OURS = "deltarule"
FEW_CASES = 3  # up to these a panel each, in which every contestant has a row
MARKERS = "osD^vP*X<>h"


def write(result: Result, path: Path) -> bool:
    """Draw and save the chart; return False if matplotlib is missing or nothing was measured."""
    if importlib.util.find_spec("matplotlib") is None:
        return False
    from deltarule.inspection.plots import style

    cases = [case for case in result.cases if any(entry.laps for entry in case.entries)]
    if not cases:
        return False
    few = len(cases) <= FEW_CASES
    figure = rows_of_contestants(result, cases) if few else points(result, cases)
    path.parent.mkdir(parents=True, exist_ok=True)
    style.save(figure, path)
    return True


def rows_of_contestants(result: Result, cases: Sequence[Case]):
    """A panel for each case: a point for each contestant, the quickest on top, its value beside it."""
    from deltarule.inspection.plots import style

    present = [sorted((e for e in case.entries if e.laps), key=lambda e: -e.median) for case in cases]
    heights = [max(len(entries), 1) for entries in present]
    size = (8.2, 0.9 * len(cases) + 0.32 * sum(heights) + 0.3)
    figure, panels = style.panels(len(cases), 1, size=size, height_ratios=heights)
    with style.styled():
        for axes, case, entries in zip(panels, cases, present, strict=True):
            for place, entry in enumerate(entries):
                colour = style.COLOURS[0] if entry.contestant.startswith(OURS) else style.GREY
                axes.plot([min(entry.laps), max(entry.laps)], [place, place], color=style.INK, linewidth=1.0)
                axes.scatter(entry.median, place, color=colour, s=56, zorder=3)
                end = (max(entry.laps), place)
                axes.annotate(number(entry.median), end, (8, 0), textcoords="offset points", va="center", fontsize=9)
            axes.set_yticks(range(len(entries)), [entry.contestant for entry in entries])
            axes.set_ylim(-0.7, len(entries) - 0.3)
            axes.set_xscale("log")
            laps = [lap for entry in entries for lap in entry.laps]
            axes.set_xlim(min(laps) / 1.6, max(laps) * 2.6)
            label_decades(axes)
            axes.grid(True, axis="both")
            title = f"{result.name}: {case.title}".replace("`", "")
            axes.set(xlabel=f"{case.unit}, least lap to largest", title=title)
    return figure


def points(result: Result, cases: Sequence[Case]):
    """A row for each case and a point for each contestant; a panel for each unit."""
    from deltarule.inspection.plots import style

    units = list(dict.fromkeys(case.unit for case in cases))
    names = list(dict.fromkeys(e.contestant for case in cases for e in case.entries if e.laps))
    peers = [name for name in names if not name.startswith(OURS)]
    ours = [name for name in names if name.startswith(OURS)]
    rows = [[case for case in cases if case.unit == unit] for unit in units]
    heights = [len(some) for some in rows]
    size = (8.6, 1.2 * len(units) + 0.36 * sum(heights) + 0.4)
    figure, panels = style.panels(len(units), 1, size=size, height_ratios=heights)
    with style.styled():
        for axes, unit, some in zip(panels, units, rows, strict=True):
            for i, name in enumerate([*peers, *ours]):
                at = [(e.median, len(some) - 1 - k) for k, case in enumerate(some) for e in _of(case, name)]
                mine = name in ours
                colour = style.COLOURS[0] if mine else (*style.COLOURS[1:], style.INK)[i % len(style.COLOURS)]
                look = {
                    "s": 60 if mine else 34,
                    "zorder": 3 if mine else 2,
                    "marker": "o" if mine else MARKERS[1:][i % 10],
                    "facecolors": "none" if mine and name != ours[0] else colour,
                    "edgecolors": colour,
                }
                if at:
                    axes.scatter(*zip(*at, strict=True), label=name, **look)
            axes.set_yticks(range(len(some)), [case.title.split(":")[0] for case in reversed(some)])
            axes.set_ylim(-0.6, len(some) - 0.4)
            axes.set_xscale("log")
            axes.grid(True, axis="both")
            label_decades(axes)
            axes.set(xlabel=f"{unit}, logarithmic")
        panels[0].set_title(result.name)
        handles: dict = {}
        for axes in panels:
            handles |= {label: handle for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)}
        figure.legend(handles.values(), handles.keys(), loc="outside right upper", frameon=False, fontsize=8.5)
    return figure


def label_decades(axes: Any) -> None:
    """Label 1, 2 and 5 of every decade if at most two decades are shown, else 1 only."""
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    low, high = axes.get_xlim()
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if high / low <= 100 else (1.0,)))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.10g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _of(case: Case, name: str) -> list[Entry]:
    """The entry of that name in the case, if it has laps."""
    return [entry for entry in case.entries if entry.contestant == name and entry.laps]
