"""lm as `python -m benchmarks lm` runs it: all contestants in one process on one thread, start after start.

One process, because each contestant computes alone on one thread, and a problem's data and compiled code are shared
by its starts.
"""

import math
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from benchmarks.lm.contestants import registry
from benchmarks.lm.problems import Problem, every_problem
from benchmarks.lm.race import Entry, run_start
from benchmarks.lm.table import cell, error, short, summarise
from benchmarks.record import Case, Goal, Result
from benchmarks.record import Entry as Row
from benchmarks.settings import Settings
from benchmarks.turns import Contestant, Failed, Worker

QUICK_SECONDS, FULL_SECONDS = 1.0, 3.0  # of one run, once what it compiles is compiled
LEAST_STARTS = 3
OURS, COMPILING = "deltarule", "of it compiling"


class Race:
    """The worker's side: a lap is one start of one problem for every contestant."""

    def __init__(self, seconds: float, only: list[str] | None = None):
        """`seconds` are those of one run; `only` names the problems."""
        self.seconds = seconds
        self.contestants = list(registry().values())
        missing = {c.name: c.available() or "" for c in self.contestants}
        chosen = {name: problem for name, problem in every_problem().items() if not only or name in only}
        self.entries = {
            name: {c.name: Entry(problem, c.name, absent=missing[c.name]) for c in self.contestants}
            for name, problem in chosen.items()
        }
        self.turn = 0
        self.units = float(len(chosen))

    def lap(self) -> None:
        """The next problem's next start."""
        names = list(self.entries)
        name, index = names[self.turn % len(names)], self.turn // len(names)
        run_start(self.entries[name], self.contestants, index, seconds=min(self.seconds, FULL_SECONDS))
        self.turn += 1

    def finish(self) -> list[dict[str, Any]]:
        """A row for each problem."""
        return [row(name, list(entries.values())) for name, entries in self.entries.items()]


def row(name: str, entries: list[Entry]) -> dict[str, Any]:
    """What the page needs of one problem: the median start's seconds to each target, and the cells of the table."""
    problem: Problem = entries[0].problem
    found = []
    for entry in entries:
        summary = summarise(entry)
        if summary is None:
            found.append({"contestant": entry.contestant, "absent": entry.absent or "no run in the time"})
            continue
        cells = {f"to {r.target:.0e}": cell(r) for r in summary.reached}
        cells |= {"final": error(summary.final), COMPILING: summary.compile_seconds, "starts": len(entry.runs)}
        reached = [r.seconds if math.isfinite(r.seconds) else None for r in summary.reached]
        found.append({"contestant": entry.contestant, "seconds": reached, "extra": cells})
    sizes = "-".join(map(str, problem.sizes))
    title = f"{name}: {sizes}, {problem.hidden} and {problem.output}, {len(problem.X):,} examples"
    return {"title": title, "source": problem.source, "targets": list(problem.targets), "rows": found}


def lm(settings: Settings, tell: Callable[[str], object] = str) -> Result:
    """Race until every start is made or the time is up, but for three starts of every problem."""
    run_seconds = FULL_SECONDS if settings.full else QUICK_SECONDS
    began, budget = time.perf_counter(), 6_000.0 if settings.full else settings.seconds
    environment = {"JAX_PLATFORMS": "cpu"}
    racer = Contestant(
        "race", "benchmarks.lm.suite:Race", options={"seconds": run_seconds}, environment=environment, threads=1
    )
    worker = Worker(racer)
    try:
        problems = int(worker.ask("prepare", 300)["units"])
        for lap in range(settings.repeats * problems):
            if lap >= LEAST_STARTS * problems and lap % problems == 0 and time.perf_counter() - began > budget:
                break
            seconds = worker.ask("lap", 600)["seconds"]
            tell(f"start {lap // problems + 1} of problem {lap % problems + 1}: {seconds:.1f} s")
        found = worker.ask("finish", 60)["finish"]
    except Failed as reason:
        raise RuntimeError(str(reason)) from None
    finally:
        worker.end()
    cases, places = (
        [as_case(problem) for problem in found],
        [place for problem in found for place in standings(problem)],
    )
    behind = [place.sentence() for place in places if place.leader != OURS]
    text = (
        "Eight problems, each from the same starting points for all, float64, one thread. A cell is iterations / "
        "seconds to a mean "
        "squared error: the median start (of an even number the upper), with the share of the starts that reached "
        "it where it is not all; "
        f"– where the median start did not. The seconds are from the first call, with building and compiling in them, "
        f"of which the column “{COMPILING}” tells how much; after that a run has {run_seconds:.0f} s. "
        "An iteration is one trial of a second-order method, one direction of torch-lbfgs, one evaluation of "
        "sklearn-lbfgs, one "
        "step of Adam."
    )
    goals = [
        Goal(
            "targets at which deltarule is the first, of those that anyone's median start reaches",
            float(len(places)),
            float(len(places) - len(behind)),
            least=True,
        )
    ]
    notes = [f"Not the first: {'; '.join(behind)}."] if behind else []
    return Result(
        "lm", "Levenberg-Marquardt: time to target", text, cases, goals, notes + [case_note(p) for p in found]
    )


def as_case(problem: dict[str, Any]) -> Case:
    """A problem as a case: the lap is the median start's time to the last target."""
    entries = []
    for one in problem["rows"]:
        reached = one["seconds"][-1] if "seconds" in one else None
        absent = one.get("absent") or ("" if reached is not None else "not reached by the median start")
        entries.append(Row(one["contestant"], [] if reached is None else [reached], absent, one.get("extra", {})))
    columns = list(dict.fromkeys(name for entry in entries for name in entry.extra))
    return Case(problem["title"], "s to the last target", OURS, entries, columns)


def case_note(problem: dict[str, Any]) -> str:
    """Where the data come from."""
    return f"{problem['title'].split(':')[0]}: {problem['source']}"


class Place(NamedTuple):
    """Who is the first at one target of one problem, and when deltarule is there; None where it is not."""

    problem: str
    target: float
    leader: str
    seconds: float
    ours: float | None

    def sentence(self) -> str:
        """For the note."""
        ours = "– " if self.ours is None else f"{short(self.ours)} s"
        return f"{self.problem} to {self.target:.0e}, {self.leader} {short(self.seconds)} s, {OURS} {ours}".rstrip()


def standings(problem: dict[str, Any]) -> list[Place]:
    """A place for each target that somebody's median start reached."""
    name, places = problem["title"].split(":")[0], []
    for i, target in enumerate(problem["targets"]):
        reached = {one["contestant"]: one["seconds"][i] for one in problem["rows"] if "seconds" in one}
        there = {contestant: seconds for contestant, seconds in reached.items() if seconds is not None}
        if there:
            leader = min(there, key=lambda contestant: there[contestant])
            places.append(Place(name, target, leader, there[leader], there.get(OURS)))
    return places
