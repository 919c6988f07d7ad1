"""A contestant that runs for a slice of processor time at a time, and the clock it is judged by.

The solvers own their loops, so each runs in a thread that waits, between two of its steps, until it is its turn again.
Seconds are those of processor time of the contestant's process, the measuring of its error left out: what else the
machine does then decides how long the race takes, and hardly who is ahead.
"""

import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.equations.problems import CASES, Case

Curve = list[tuple[float, float]]  # seconds, error

FLOOR_SECONDS = 30.0  # without coming 5 % nearer: a run that is at its goal, or has used half its time, ends there
NEARER = 0.95
LOOKS = 1.1  # times the seconds of one measured error are those of the next


class Clock:
    """Seconds of processor time that a contestant has used; pauses while its error is measured and others run.

    Args:
        case: the problem.
        limit: seconds.
        hand_over: called after every slice of `lap` seconds; returns when it is this contestant's turn again.
        lap: seconds.
    """

    def __init__(
        self, case: Case, limit: float, hand_over: Callable[[], object] = lambda: None, lap: float = float("inf")
    ):
        self.case, self.limit, self.hand_over, self.lap = case, limit, hand_over, lap
        self.curve: Curve = []
        self.ended = ""
        self.used, self.next, self.turn = 0.0, 0.0, lap
        self.best, self.nearer = float("inf"), 0.0
        self.began = time.process_time()

    @property
    def now(self) -> float:
        """The seconds used so far."""
        return self.used + time.process_time() - self.began

    def look(self, predict: Callable[[np.ndarray], np.ndarray]) -> bool:
        """Measure the error if a further tenth of the time has passed; return whether the contestant must stop."""
        now = self.now
        if self.ended:
            return True
        if now >= self.limit:
            self.ended = "time"
        if self.ended or now >= self.next:
            error = self.case.error(predict(self.case.X))
            self.curve.append((now, error))
            if error < NEARER * self.best:
                self.best, self.nearer = error, now
            settled = self.best <= self.case.goal or now > self.limit / 2
            if settled and now - self.nearer > FLOOR_SECONDS:
                self.ended = "floor"
            self.next = LOOKS * now
        if now >= self.turn:
            self.turn = now + self.lap
            self.hand_over()
        self.used, self.began = now, time.process_time()
        return bool(self.ended)


class Racer:
    """One contestant on one problem, for `benchmarks.worker`."""

    def __init__(self, who: str, name: str, limit: float, lap: float):
        from benchmarks.equations.contestants import CONTESTANTS

        self._go, self._back = threading.Semaphore(0), threading.Semaphore(0)
        case, run = CASES[name](), CONTESTANTS[who]
        self.error: BaseException | None = None
        self.clock: Clock

        def race() -> None:
            self._go.acquire()
            self.clock = Clock(case, limit, self._hand_over, lap)
            try:
                run(self.clock)
                self.clock.ended = self.clock.ended or "its own stop"
            except BaseException as error:  # whatever a peer raises is its result
                self.error = error
            self._back.release()

        self.thread = threading.Thread(target=race, daemon=True)
        self.thread.start()

    def _hand_over(self) -> None:
        self._back.release()
        self._go.acquire()

    def lap(self) -> None:
        """Run for the next slice of time."""
        self._go.release()
        self._back.acquire()
        if self.error is not None:
            raise self.error

    def finish(self) -> dict[str, Any]:
        """Return the current errors."""
        return {"curve": self.clock.curve, "ended": self.clock.ended}
