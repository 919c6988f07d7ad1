"""The goals that were set before anything was measured, and the results."""

from typing import Any, NamedTuple

import numpy as np

from benchmarks.tables.catalogue import Entry
from benchmarks.tables.contestants import OURS, PEERS
from benchmarks.tables.report import Found, number, present, share, standings
from benchmarks.tables.summary import against, mean_calibration, mean_score, pooled_calibration
from benchmarks.tables.times import LIMIT, SIZES


class Goal(NamedTuple):
    """One line of the page's first table; `reached` is None where it could not be measured."""

    text: str
    wanted: str
    found: str
    reached: bool | None


def met(goal: Goal) -> str:
    """Return whether the goal is met, in words."""
    return {True: "met", False: "**not met**", None: "not measured"}[goal.reached]


def goals(found: dict[str, Found], tables: dict[str, list[Entry]], clocks: dict[str, Any]) -> list[Goal]:
    """Return all goals with their results."""
    return [
        *_regression(found["regression"]),
        *_intervals(found["regression"], tables["regression"]),
        *_classification(found["classification"]),
        *_seconds(clocks),
    ]


def _rivals(found: Found) -> Found:
    return {who: results for who, results in found.items() if who in PEERS and present(results)}


def _level(found: Found) -> float:
    """The share of the tables on which ours is best or level with it."""
    places = standings({OURS: found[OURS], **_rivals(found)})
    own = [place[OURS] for place in places.values() if OURS in place]
    return sum(place in ("best", "level") for place in own) / len(own)


def _regression(found: Found) -> list[Goal]:
    ours = found[OURS]
    differences = {who: against(ours, results) for who, results in _rivals(found).items()}
    who = max(differences, key=lambda name: differences[name][0])
    mean, error, count = differences[who]
    level = _level(found)
    both = [name for name in present(ours) if name in present(found["Gaussian process"])]
    density = [mean_score({name: found[each][name] for name in both}, "density") for each in (OURS, "Gaussian process")]
    return [
        Goal(
            f"mean ln(RMSE/sd), ours less the best peer's ({who}, {count} tables)",
            "≤ -0.030",
            f"{number(mean, sign=True)} ± {number(error)}",
            mean <= -0.03,
        ),
        Goal("regression tables on which ours is best or level", "≥ 75 %", share(level), level >= 0.75),
        Goal(
            f"mean log density, beside the Gaussian process's on the same {len(both)} tables",
            f"> {number(density[1])}",
            number(density[0]),
            density[0] > density[1],
        ),
    ]


def _intervals(found: Found, entries: list[Entry]) -> list[Goal]:
    there = present(found[OURS])
    held = sum(each.covered for each in there.values()) / sum(each.rows for each in there.values())
    large = {e.name: there[e.name].covered / there[e.name].rows for e in entries if e.rows > 200 and e.name in there}
    out = [f"{name} {share(value)}" for name, value in large.items() if not 0.90 <= value <= 0.99]
    zero = sum(each.scores["zero width"] for each in there.values() if "zero width" in each.scores)
    said = f"{share(min(large.values(), default=np.nan))} to {share(max(large.values(), default=np.nan))}" + (
        f"; outside: {', '.join(out)}" if out else ""
    )
    return [
        Goal("test rows within the intervals of 95 %, all tables", "93 to 97 %", share(held), 0.93 <= held <= 0.97),
        Goal(f"on each of the {len(large)} tables of over 200 rows", "90 to 99 %", said, not out),
        Goal("intervals of no width", "0", number(zero, 0), zero == 0),
    ]


def _classification(found: Found) -> list[Goal]:
    ours, rivals = found[OURS], _rivals(found)
    differences = {who: against(ours, results) for who, results in rivals.items()}
    who = max(differences, key=lambda name: differences[name][0])
    mean, error, count = differences[who]
    level = _level(found)
    made = []
    for text, ece in (("the mean over the tables", mean_calibration), ("of all test rows", pooled_calibration)):
        # the Gaussian process is not on all tables
        others = {name: ece(present(each)) for name, each in rivals.items() if len(present(each)) == len(present(ours))}
        best, own = min(others, key=lambda name: others[name]), ece(present(ours))
        goal = f"≤ {number(others[best])} ({best})"
        made.append(Goal(f"expected calibration error, {text}", goal, number(own), own <= others[best]))
    return [
        Goal(
            f"mean log loss, ours less the best peer's ({who}, {count} tables)",
            "< 0",
            f"{number(mean, sign=True)} ± {number(error)}",
            mean < 0,
        ),
        Goal("classification tables on which ours is best or level", "≥ 70 %", share(level), level >= 0.70),
        *made,
    ]


def _seconds(clocks: dict[str, Any]) -> list[Goal]:
    made = []
    for (rows, columns), limit in SIZES.items():
        fits = clocks.get(f"{rows} x {columns}", {})
        ours = fits.get(OURS, {}).get("processor")
        if limit is not None:
            found = "–" if ours is None else f"{ours:.1f} s"
            text = f"a fit of {rows:,} x {columns}, seconds of the processor"
            made.append(Goal(text, f"≤ {limit:.0f} s", found, None if ours is None else ours <= limit))
        process = fits.get("Gaussian process, all rows", {})
        if rows >= 1_000 and ours is not None and process:
            took = process.get("processor", LIMIT)
            text = f"{rows:,} x {columns}, beside the Gaussian process on all rows"
            wanted = f"≤ {took:.1f} s" if "processor" in process else f"it was ended after {took:.0f} s"
            made.append(Goal(text, wanted, f"{ours:.1f} s", ours <= took))
    return made
