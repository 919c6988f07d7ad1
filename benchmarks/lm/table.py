"""Summarise the runs of one contestant on one problem: time to each target, medians and success rates.

Seconds are those that a user waits from the first call: a run's own clock, and before it building and compiling.
"""

import math
from dataclasses import dataclass

import numpy as np

from benchmarks.lm.contestants.contract import Run
from benchmarks.lm.race import Entry

FINAL_ITERATION = 100


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
    compile_seconds: float  # what of the seconds went into building and compiling
    notes: list[str]


def time_to_target(run: Run, target: float) -> tuple[float, float]:
    """(seconds, iterations) at the first measurement with mse ≤ target; (inf, inf) where there is none.

    The seconds are from the first call, so what was compiled before the run's clock began is in them.
    """
    at = int(np.argmax(run.mse <= target))
    if not run.mse[at] <= target:
        return math.inf, math.inf
    return float(run.compile_seconds + run.seconds[at]), float(run.iterations[at])


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
