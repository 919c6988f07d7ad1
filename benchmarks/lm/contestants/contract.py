"""What a contestant is: a `Run` from a start, a clock that records it, and two exceptions that end it."""

import time
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from benchmarks.lm.problems import Problem, Start


class NotSupported(Exception):
    """This contestant cannot be given this problem; the message says why."""


class BudgetSpent(Exception):
    """Raised inside a peer's callback to leave a solver that has no other way to be stopped."""


@dataclass(frozen=True)
class Run:
    """One contestant from one start: T measurements, in order of time."""

    seconds: np.ndarray  # (T,) wall-clock since the clock began, after what is in compile_seconds
    mse: np.ndarray  # (T,) best mean squared error so far, the mean over all N k residuals of (y - a)²
    iterations: np.ndarray  # (T,) trials made so far: factorisations of a second-order method, line searches or steps
    compile_seconds: float  # building and compiling before the clock began, the same for every start of a problem
    note: str  # settings chosen for this problem, or why it stopped early


class Contestant(Protocol):
    """What the race asks of a contestant."""

    name: str

    def available(self) -> str | None:
        """None, or why it is missing here."""
        ...

    def run(self, problem: Problem, start: Start, *, seconds: float, iterations: int) -> Run:
        """Train from ``start``; raises NotSupported where the problem is beyond it."""
        ...


class Recorder:
    """The clock of one run: started by ``begin``, told every error that the peer computed anyway.

    A run is ``finished`` when its budget of seconds or iterations is spent, or when the last target is
    reached and ``AFTER_TARGET`` iterations are made, so that "after 100 iterations" stays comparable.
    """

    AFTER_TARGET = 100

    def __init__(self, problem: Problem, *, seconds: float, iterations: int, second_order: bool = True):
        self.last_target = min(problem.targets)
        self.seconds_allowed, self.iterations_allowed = seconds, iterations
        self.least_iterations = self.AFTER_TARGET if second_order else 0
        self.rows: list[tuple[float, float, int]] = []
        self.best = np.inf

    def begin(self) -> None:
        """Start the clock."""
        self.zero = time.perf_counter()

    def elapsed(self) -> float:
        """Seconds since ``begin``."""
        return time.perf_counter() - self.zero

    def add(self, mse: float, iteration: int, seconds: float | None = None) -> None:
        """Record one error; ``seconds`` says when, where that is not now."""
        if mse < self.best:
            self.best = mse
        self.rows.append((self.elapsed() if seconds is None else seconds, self.best, iteration))

    def finished(self) -> bool:
        """Return whether the peer should be stopped now."""
        iteration = self.rows[-1][2] if self.rows else 0
        return (
            self.elapsed() >= self.seconds_allowed
            or iteration >= self.iterations_allowed
            or (self.best <= self.last_target and iteration >= self.least_iterations)
        )

    def stop_when_finished(self) -> None:
        """Raise BudgetSpent when the run is finished: for peers that only call back."""
        if self.finished():
            raise BudgetSpent

    def run(self, compile_seconds: float, note: str) -> Run:
        """The Run of what was recorded."""
        seconds, mse, iterations = zip(*self.rows, strict=True)
        return Run(np.array(seconds), np.array(mse), np.array(iterations), compile_seconds, note)
