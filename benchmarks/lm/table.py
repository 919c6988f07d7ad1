"""The tables: time to each target, medians and success rates over the starts, in Markdown and JSON."""

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from benchmarks.lm.contestants.contract import Run
from benchmarks.machine import Machine
from benchmarks.lm.problems import Problem
from benchmarks.lm.race import Entry

FINAL_ITERATION = 100
TRACE_POINTS = 60  # of each run, kept in the JSON


@dataclass(frozen=True)
class Reached:
    """How one target was met over all starts; a start that failed counts as infinite in the medians."""

    target: float
    success: float  # share of the starts, 0 to 1
    iterations: float
    seconds: float


@dataclass(frozen=True)
class Summary:
    """One contestant on one problem."""

    reached: list[Reached]
    at_100: float  # median mean squared error after 100 iterations
    final: float  # median mean squared error at the end of the run
    compile_seconds: float
    notes: list[str]


def time_to_target(run: Run, target: float) -> tuple[float, float]:
    """(seconds, iterations) at the first measurement with mse ≤ target; (inf, inf) where there is none."""
    at = int(np.argmax(run.mse <= target))
    if not run.mse[at] <= target:
        return math.inf, math.inf
    return float(run.seconds[at]), float(run.iterations[at])


def after_iterations(run: Run, count: int) -> float:
    """The best mean squared error within the first ``count`` iterations; nan for a run cut before them."""
    within = run.iterations <= count
    if not within.any() or (run.iterations[-1] < count and not run.note.startswith("stopped by itself")):
        return math.nan
    return float(run.mse[within][-1])


def summarise(entry: Entry) -> Summary | None:
    """Medians over the starts; None for an absent contestant."""
    if not entry.runs:
        return None
    reached = []
    for target in entry.problem.targets:
        seconds, iterations = np.array([time_to_target(run, target) for run in entry.runs]).T
        success = float(np.isfinite(seconds).mean())
        reached.append(Reached(target, success, upper_median(iterations), upper_median(seconds)))
    return Summary(
        reached,
        upper_median(np.array([after_iterations(run, FINAL_ITERATION) for run in entry.runs])),
        upper_median(np.array([run.mse[-1] for run in entry.runs])),
        float(np.median([run.compile_seconds for run in entry.runs])),
        sorted({run.note for run in entry.runs if run.note}),
    )


def upper_median(values: np.ndarray) -> float:
    """The median; of an even number the upper of the middle two, which stays meaningful beside infinities."""
    return float(np.sort(values)[len(values) // 2])


def cell(reached: Reached) -> str:
    """iterations / seconds, with the success rate where it is not 100 %; – where half the starts failed."""
    rate = "" if reached.success == 1.0 else f" ({100.0 * reached.success:.0f} %)"
    if math.isinf(reached.seconds):
        return "–" + (rate if reached.success > 0.0 else "")
    return f"{reached.iterations:,.0f} / {short(reached.seconds)}{rate}"


def short(seconds: float) -> str:
    """Seconds to two significant digits, without a power of ten."""
    return f"{seconds:.{max(0, 1 - math.floor(math.log10(seconds)))}f}" if seconds > 0.0 else "0"


def error(mse: float) -> str:
    """A mean squared error to two digits; – where it was not measured."""
    return f"{mse:.1e}" if math.isfinite(mse) else "–"


def markdown_problem(problem: Problem, entries: list[Entry]) -> str:
    """The table of one problem, a row for each contestant."""
    sizes = "-".join(map(str, problem.sizes))
    lines = [
        f"## {problem.name}: {sizes}, {problem.hidden} and {problem.output}, {len(problem.X):,} examples",
        "",
        f"{problem.source} {problem.parameters:,} parameters, {problem.residuals:,} residuals.",
        "",
        "| contestant | " + " | ".join(f"{t:.0e}" for t in problem.targets) + " | at 100 | final | compile s |",
        "| --- |" + " --- |" * (len(problem.targets) + 3),
    ]
    for entry in entries:
        summary = summarise(entry)
        if summary is None:
            lines.append(f"| {entry.contestant} | {entry.absent} |" + " |" * (len(problem.targets) + 2))
            continue
        cells = [cell(reached) for reached in summary.reached]
        cells += [error(summary.at_100), error(summary.final), short(summary.compile_seconds)]
        lines.append(f"| {entry.contestant} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def markdown(entries: list[Entry], machine: Machine, count: int) -> str:
    """The whole report."""
    header = [
        "# Levenberg-Marquardt and its peers",
        "",
        f"Median (of an even number the upper) over {count} starts: iterations / seconds to each mean squared error; "
        "(%) is the share of the starts that reached it, – that the median start did not. Compilation is not in the "
        "seconds: it has its own column. An iteration is one trial of a second-order method, one direction of "
        "torch-lbfgs, one evaluation of sklearn-lbfgs, one step of Adam.",
        "",
        machine.line(),
    ]
    problems = {entry.problem.name: entry.problem for entry in entries}
    tables = [
        markdown_problem(problem, [entry for entry in entries if entry.problem is problem])
        for problem in problems.values()
    ]
    return "\n\n".join(["\n".join(header), *tables]) + "\n"


def thinned(run: Run) -> dict[str, Any]:
    """The improvements of one run, at most TRACE_POINTS of them evenly by rank, with its notes."""
    improved = np.flatnonzero(np.diff(run.mse, prepend=np.inf) < 0.0)
    kept = improved[np.unique(np.linspace(0, len(improved) - 1, min(TRACE_POINTS, len(improved))).astype(int))]
    return {
        "seconds": rounded(run.seconds[kept]),
        "mse": rounded(run.mse[kept]),
        "iterations": run.iterations[kept].tolist(),
        "compile_seconds": run.compile_seconds,
        "total_seconds": float(run.seconds[-1]),
        "total_iterations": int(run.iterations[-1]),
        "note": run.note,
    }


def rounded(values: np.ndarray) -> list[float]:
    """``values`` to four significant digits."""
    return [float(f"{value:.4g}") for value in values]


def document(entries: list[Entry], machine: Machine, count: int) -> dict[str, Any]:
    """Everything measured, ready for json.dumps; infinite and unknown values are null."""
    rows = []
    for entry in entries:
        summary = summarise(entry)
        rows.append(
            {
                "problem": entry.problem.name,
                "contestant": entry.contestant,
                "absent": entry.absent or None,
                "summary": None if summary is None else nulled(asdict(summary)),
                "to_targets": [
                    [nulled(list(time_to_target(run, target))) for target in entry.problem.targets]
                    for run in entry.runs
                ],
                "runs": [nulled(thinned(run)) for run in entry.runs],
            }
        )
    problems = {entry.problem.name: entry.problem for entry in entries}
    return {
        "machine": asdict(machine),
        "starts": count,
        "problems": {
            name: {"sizes": p.sizes, "examples": len(p.X), "targets": p.targets, "source": p.source}
            for name, p in problems.items()
        },
        "results": rows,
    }


def nulled(value: Any) -> Any:
    """``value`` with every float that JSON cannot say replaced by None."""
    if isinstance(value, dict):
        return {key: nulled(item) for key, item in value.items()}
    if isinstance(value, list):
        return [nulled(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
