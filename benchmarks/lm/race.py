"""The race: every contestant from every start of every problem, interleaved in one process."""

import gc
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from benchmarks.lm.contestants.contract import Contestant, NotSupported, Run
from benchmarks.lm.problems import Problem, starts


@dataclass
class Entry:
    """One contestant on one problem: a run for each start, or the reason why there is none."""

    problem: Problem
    contestant: str
    runs: list[Run] = field(default_factory=list)
    absent: str = ""


def run_start(
    entries: dict[str, Entry],
    contestants: Sequence[Contestant],
    index: int,
    *,
    seconds: float | None = None,
    iterations: int = 10**9,
    tell: Callable[[str], object] = str,
) -> None:
    """Run every contestant from start number `index` of one problem and add the runs to its entries.

    Each start begins with another contestant, so that a slow minute of the machine falls on all alike. `seconds`
    replaces the budget of the problem; `tell` is given a line after every run.
    """
    problem = next(iter(entries.values())).problem
    start = starts(problem, index + 1)[index]
    turn = index % len(contestants)
    for contestant in [*contestants[turn:], *contestants[:turn]]:
        entry = entries[contestant.name]
        if entry.absent:
            continue
        gc.collect()
        try:
            run = contestant.run(problem, start, seconds=seconds or problem.seconds, iterations=iterations)
        except NotSupported as reason:
            entry.absent = f"not supported: {reason}"
            tell(f"{problem.name:10} {contestant.name:20} {entry.absent}")
            continue
        entry.runs.append(run)
        tell(
            f"{problem.name:10} {contestant.name:20} start {index}: mse {run.mse[-1]:.2e} after "
            f"{run.iterations[-1]} iterations, {run.seconds[-1]:.2f} s {run.note}"
        )
