"""One chart a benchmark: bars where there is one case, points over the cases where there are several."""

from collections.abc import Sequence
from pathlib import Path

from benchmarks.page import number
from benchmarks.record import Case, Entry, Result

OURS = "deltarule"
MARKERS = "osD^vP*X<>h"


def write(result: Result, path: Path) -> bool:
    """Draw and save; False where matplotlib is missing or nothing was measured."""
    try:
        from deltarule.inspection.plots import style

        style.require_matplotlib()
    except (ImportError, ValueError):
        return False
    cases = [case for case in result.cases if any(entry.laps for entry in case.entries)]
    if not cases:
        return False
    figure = bars(result, cases[0]) if len(cases) == 1 else points(result, cases)
    style.save(figure, path)
    return True


def bars(result: Result, case: Case):
    """A bar for each contestant, the quickest on top, its value at its end; a logarithmic axis."""
    from deltarule.inspection.plots import style

    entries = sorted((entry for entry in case.entries if entry.laps), key=lambda entry: -entry.median)
    figure, (axes,) = style.panels(size=(7.0, 1.1 + 0.34 * len(entries)))
    values = [entry.median for entry in entries]
    colours = [style.COLOURS[0] if entry.contestant.startswith(OURS) else style.GREY for entry in entries]
    with style.styled():
        places = range(len(entries))
        axes.barh(places, values, color=colours, height=0.62)
        axes.set_yticks(places, [entry.contestant for entry in entries])
        least, largest = (min(min(e.laps) for e in entries), max(values))
        axes.set_xscale("log")
        axes.set_xlim(least / 2, largest * 3)
        for place, entry in enumerate(entries):
            axes.plot([min(entry.laps), max(entry.laps)], [place, place], color=style.INK, linewidth=1.0)
            axes.text(max(entry.median, max(entry.laps)) * 1.08, place, number(entry.median), va="center", fontsize=9)
        axes.grid(False, axis="y")
        axes.grid(True, axis="x")
        axes.set(
            xlabel=f"{case.unit}, logarithmic; the line is from the least lap to the largest",
            title=f"{result.name}: {case.title}",
        )
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
                }
                if at:
                    axes.scatter(*zip(*at, strict=True), color=colour, label=name, **look)
            axes.set_yticks(range(len(some)), [case.title for case in reversed(some)])
            axes.set_ylim(-0.6, len(some) - 0.4)
            axes.set_xscale("log")
            axes.grid(True, axis="both")
            axes.set(xlabel=f"{unit}, logarithmic")
        panels[0].set_title(result.name)
        handles: dict = {}
        for axes in panels:
            handles |= {label: handle for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)}
        figure.legend(handles.values(), handles.keys(), loc="outside right upper", frameon=False, fontsize=8.5)
    return figure


def _of(case: Case, name: str) -> list[Entry]:
    """The entry of that name in the case, if it has laps."""
    return [entry for entry in case.entries if entry.contestant == name and entry.laps]
