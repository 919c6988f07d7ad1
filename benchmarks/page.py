"""docs/benchmarks.md: a heading, goals and tables for each result, with its chart; made from the stored results
alone.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.machine import Machine
from benchmarks.record import Case, Entry, Goal, Result

HEADER = """# Benchmarks

Written by `python -m benchmarks`; the numbers are in [benchmarks/](benchmarks). Every contestant runs in a process of
its own. They take turns, one lap at a time, so that a slow minute of the machine affects all alike; between two turns
there is a pause, so that threads that still spin go to sleep. A number is the median of the laps, with the smallest and
the largest; a ratio is a ratio of medians. The machine was shared: compare the ratios, not the seconds. A contestant
that is not installed, cannot do the work or failed is listed with the reason. “✗” beside a name means that its result
differs from the referee's."""


def write(results: Sequence[Result], path: Path) -> None:
    """Write the page and, if matplotlib is installed, a chart for every result."""
    from benchmarks import chart

    store = path.with_suffix("")
    parts = [HEADER]
    if results:
        parts += [machines(results), "## Goals", goals(results)]
    for result in results:
        drawn = result.pictured and chart.write(result, store / f"{result.name}.png")
        parts.append(section(result, picture=drawn))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n\n".join(parts) + "\n")


def machines(results: Sequence[Result]) -> str:
    """Describe the machines: one line if all results are from the same machine."""
    lines = {}
    for result in results:
        machine = Machine(**(result.machine | {"load": None, "dtype": "", "threads": 0}))
        versions = ", ".join(f"{name} {version}" for name, version in machine.versions.items())
        line = f"{machine.processor}, {machine.cores} cores; {machine.system}, Python {machine.python}; {versions}."
        lines.setdefault(line, []).append(result.name)
    if len(lines) == 1:
        return next(iter(lines))
    return "\n".join(f"- {', '.join(names)}: {line}" for line, names in lines.items())


def goals(results: Sequence[Result]) -> str:
    """Return all goals in one table."""
    lines = ["| benchmark | | goal | found | |", "| --- | --- | ---: | ---: | --- |"]
    for result in results:
        lines += [f"| [{result.name}](#{result.name}) | {cells(goal)} |" for goal in result.goals]
    return "\n".join(lines)


def cells(goal: Goal) -> str:
    """Return the cells of a goal: what, the limit, the result, whether it is met."""
    met = {True: "met", False: "**not met**", None: "not measured"}[goal.met]
    sign = "≥" if goal.least else "≤"
    return f"{goal.text} | {sign} {number(goal.limit)} | {number(goal.found)} | {met}"


def section(result: Result, picture: bool = True) -> str:
    """Return the section of one benchmark."""
    machine = result.machine
    load = machine.get("load")
    state = (
        f"{result.date}, {machine['threads']} thread{'s' if machine['threads'] > 1 else ''}, {machine['dtype']}, "
        f"up to {result.repeats} laps, {result.seconds:.0f} s in all"
        + (f"; {load:.1f} processes were running when it began." if load is not None else ".")
    )
    parts = [f"## {result.name}", f"**{result.title}.** {result.text}", state]
    if picture:
        parts.append(f"![{result.title}: {alternative(result)}](benchmarks/{result.name}.png)")
    for case in result.cases:
        parts += [f"### {case.title}"] if len(result.cases) > 1 else []
        parts.append(table(case))
    parts += [f"- {note}" for note in result.notes] and ["\n".join(f"- {note}" for note in result.notes)]
    return "\n\n".join(parts)


def alternative(result: Result) -> str:
    """Describe the chart for those who do not see it."""
    case = result.cases[0]
    present = sorted((e for e in case.entries if e.laps), key=lambda e: e.median)
    return f"{case.title}, {case.unit}: " + ", ".join(f"{e.contestant} {number(e.median)}" for e in present)


def table(case: Case) -> str:
    """Return a row for each contestant, the fastest first, the absent last."""
    ratios = case.reference if any(e.contestant == case.reference and e.laps for e in case.entries) else None
    columns = [name for name in case.columns if any(name in entry.extra for entry in case.entries)]
    heads = ["contestant", case.unit, "least to largest", *([f"/ {ratios}"] if ratios else []), *columns]
    lines = ["| " + " | ".join(heads) + " |", "| --- |" + " ---: |" * (len(heads) - 1)]
    for entry in sorted(case.entries, key=lambda e: (not e.laps, e.median if e.laps else 0.0)):
        extra = [number(entry.extra.get(column, "")) for column in columns]
        if not entry.laps:
            row = [entry.absent or "no lap in the time", *[""] * (len(heads) - 2 - len(columns)), *extra]
            lines.append(f"| {name(entry)} | " + " | ".join(row) + " |")
            continue
        row = [number(entry.median), f"{number(min(entry.laps))} – {number(max(entry.laps))}"]
        row += [number(entry.median / case.entry(ratios).median)] if ratios else []
        lines.append(f"| {name(entry)} | " + " | ".join(row + extra) + " |")
    return "\n".join(lines)


def name(entry: Entry) -> str:
    """Return the contestant's name, bold if it is ours, marked if it disagrees with the referee."""
    text = f"**{entry.contestant}**" if entry.contestant.startswith("deltarule") else entry.contestant
    return f"{text} ✗" if entry.agrees is False else text


def number(value: Any) -> str:
    """Format a number with three digits, thousands with commas and small ones with a power of ten."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "–"
    if not isinstance(value, int | float) or isinstance(value, bool):
        return str(value)
    if isinstance(value, int) or value == 0:
        return f"{value:,.0f}"
    size = abs(value)
    if size >= 100:
        return f"{value:,.0f}"
    if size < 1e-3:
        return f"{value:.1e}"
    return f"{value:.{max(0, 2 - math.floor(math.log10(size)))}f}"
