"""The tables of the page, as Markdown; the terminal prints the same."""

from collections.abc import Sequence

import numpy as np

from benchmarks.tables.catalogue import Entry
from benchmarks.tables.contestants import OURS
from benchmarks.tables.summary import (
    Result,
    against,
    differences,
    mean_and_error,
    mean_calibration,
    mean_score,
    pooled_calibration,
    standing,
)

Found = dict[str, dict[str, Result]]  # contestant: table: result


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a Markdown table with all but the first column aligned to the right."""
    lines = [f"| {' | '.join(head)} |", "| --- |" + " ---: |" * (len(head) - 1)]
    return [*lines, *(f"| {' | '.join(row)} |" for row in rows)]


def number(value: float, digits: int = 3, sign: bool = False) -> str:
    """Format with so many decimals, or as a dash."""
    return "–" if not np.isfinite(value) else f"{value:{'+' if sign else ''}.{digits}f}"


def share(value: float) -> str:
    """Format in percent."""
    return "–" if not np.isfinite(value) else f"{100 * value:.1f} %"


def present(results: dict[str, Result]) -> dict[str, Result]:
    """Return those results that exist."""
    return {name: each for name, each in results.items() if not each.missing}


def standings(found: Found) -> dict[str, dict[str, str]]:
    """Return the standing of each contestant on each table that anyone has a result for."""
    tables = {name for results in found.values() for name in present(results)}
    return {name: standing({who: results[name] for who, results in found.items()}) for name in sorted(tables)}


def overview(found: Found, kind: str, us: str = OURS) -> list[str]:
    """One row a contestant: mean score, ours minus theirs, how often best or level, and what else the kind has."""
    places = standings(found)
    regression = kind == "regression"
    head = [
        "",
        "mean ln(RMSE/sd)" if regression else "mean log loss",
        f"{us} less this",
        "median",
        "tables",
        "best",
        "or level",
    ]
    head += ["log density", "held by 95 %"] if regression else ["right", "ECE", "ECE, pooled"]
    rows, complete = [], len(present(found[us]))
    for who, results in sorted(found.items(), key=lambda item: -against(found[us], item[1])[0]):
        there = present(results)
        mean, error, count = against(found[us], results) if who != us else (np.nan, np.nan, len(there))
        difference = "" if who == us else f"{number(mean, sign=True)} ± {number(error)}"
        own = [table[who] for table in places.values() if who in table]
        best, level = own.count("best"), own.count("best") + own.count("level")
        median = "" if who == us else number(float(np.median(differences(found[us], results) or [np.nan])), sign=True)
        mean_of_all = number(_mean(results) if count >= complete else np.nan)  # fewer tables are another mean
        row = [f"**{who}**" if who == us else who, mean_of_all, difference, median, str(count)]
        row += [str(best), share(level / len(own) if own else np.nan)]
        if regression:
            rows_with = sum(each.rows for each in there.values())
            held = sum(each.covered for each in there.values()) / rows_with if rows_with else np.nan
            row += [number(mean_score(there, "density")), share(held)]
        else:
            row += [
                share(mean_score(there, "right")),
                number(mean_calibration(there)),
                number(pooled_calibration(there)),
            ]
        rows.append(row)
    return markdown(head, rows)


def _mean(results: dict[str, Result]) -> float:
    return mean_and_error([each.value for each in present(results).values()])[0]


def errors(found: Found, entries: Sequence[Entry]) -> list[str]:
    """One row a table, one column a contestant: RMSE/sd or log loss; in bold the best and those level with it."""
    rows = []
    places = standings(found)
    for entry in entries:
        standing_here = places.get(entry.name, {})
        cells = []
        for who, results in found.items():
            each = results[entry.name]
            text = "–" if each.missing else number(each.error)
            cells.append(f"**{text}**" if standing_here.get(who) in ("best", "level") else text)
        rows.append([entry.name, str(entry.rows), *cells])
    return markdown(["table", "rows", *found], rows)


def seconds(found: Found, entries: Sequence[Entry]) -> list[str]:
    """Median seconds of the processor for a fit, by the size of the table."""
    groups = [(0, 500), (500, 2_000), (2_000, 20_000)]
    rows = []
    for who, results in found.items():
        cells = []
        for least, most in groups:
            inside = [
                results[e.name].processor for e in entries if least < e.rows <= most and not results[e.name].missing
            ]
            cells.append(number(float(np.median(inside)), 2) if inside else "–")
        rows.append([who, *cells])
    return markdown(["", "up to 500 rows", "up to 2,000", "up to 20,000"], rows)


def intervals(found: Found, entries: Sequence[Entry], us: str = OURS) -> list[str]:
    """How many test rows our intervals held, table by table, beside the Gaussian process's."""
    rows = []
    for entry in entries:
        cells = []
        for who in (us, "Gaussian process"):
            each = found.get(who, {}).get(entry.name, Result(missing="not run"))
            cells += [share(each.covered / each.rows) if each.rows else "–", number(each.scores.get("density", np.nan))]
        ours = found[us][entry.name]
        rows.append([entry.name, str(entry.rows), *cells, number(ours.scores.get("zero width", np.nan), 0)])
    head = ["table", "rows", "held", "log density", "GP: held", "GP: log density", "intervals of no width"]
    return markdown(head, rows)


def absent(found: Found) -> list[str]:
    """List which contestant has no result on which table, and why."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for who, results in found.items():
        for name, each in results.items():
            if each.missing:
                reasons.setdefault((who, each.missing), []).append(name)
    return [f"- {who}, {', '.join(names)}: {reason}." for (who, reason), names in reasons.items()]
