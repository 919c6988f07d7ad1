"""The measuring core: every contestant in a process of its own, taking turns, one lap at a time.

A process each, because libraries in one process get in each other's way: torch's OpenMP threads spin for some
milliseconds after a call, thread pools are sized by whoever comes first, and a crash ends all. Turns, because a slow
minute of the machine then falls on all alike. Who waits for its turn sleeps in a read of its standard input, and
between two turns there is a pause, so that threads that still spin do not take from the next. Each round starts
with another.
"""

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.machine import missing, thread_environment
from benchmarks.record import Entry

PAUSE = 0.05  # seconds between two turns; OpenMP's threads spin for a few milliseconds
PATIENCE = 90.0  # seconds that everyone may take to get ready, torch.compile above all, whatever the budget says
LEAST_ROUNDS = 3  # of these every contestant that is ready gets its laps, whatever the clock says
ROOT = Path(__file__).resolve().parents[1]
NUMPY, JAX = "deltarule, NumPy engine", "deltarule, JAX engine"  # the names of ours, where both take part


@dataclass(frozen=True)
class Contestant:
    """A contestant.

    Attributes:
        name: in the tables.
        factory: "package.module:function"; called in the worker with `options`, it returns something with
            `lap() -> float | None` and `finish() -> dict`. lap does one lap; what it returns, if anything, is the lap's
            own measurement, else the wall-clock seconds of the call are taken.
        needs: the modules without which it is missing here.
        options: keyword arguments of the factory, such as JSON can say.
        environment: variables of its process.
        cannot: why it cannot take part in this case, if it cannot.
        threads: of its process; 0 is one a core.
    """

    name: str
    factory: str
    needs: tuple[str, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    cannot: str = ""
    threads: int = 0


class Failed(Exception):
    """A worker died, raised or ran out of time; the message says which."""


class Worker:
    """The process of one contestant."""

    def __init__(self, contestant: Contestant):
        """Start the process, which has imported only the standard library yet."""
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115 - `end` closes it
        # Nothing that an earlier process compiled: "ready" has compilation in it.
        own = {"DELTARULE_CACHE": "0"} | contestant.environment
        environment = os.environ | thread_environment(contestant.threads) | own
        places = [str(ROOT / "src"), str(ROOT), *filter(None, [environment.get("PYTHONPATH")])]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker", contestant.factory, json.dumps(contestant.options)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            env=environment | {"PYTHONPATH": os.pathsep.join(places)},
            cwd=ROOT,
            start_new_session=True,  # so that what it starts, torch's compilers among them, can be ended with it
        )

    def ask(self, what: str, seconds: float) -> dict[str, Any]:
        """Send one word, and return the answer.

        Raises:
            Failed: it raised, died, or gave none within `seconds`.
        """
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            self.process.stdin.write(what.encode() + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise Failed(self._last_words()) from None
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            if not selector.select(timeout=max(seconds, 0.0)):
                self.end()
                raise Failed(f"no answer within {seconds:.0f} s")
        line = self.process.stdout.readline()
        if not line:
            raise Failed(self._last_words())
        answer = json.loads(line)
        if "failed" in answer:
            raise Failed(answer["failed"])
        return answer

    def end(self) -> None:
        """End the process and its children."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()
        self.process.wait()
        self.errors.close()

    def _last_words(self) -> str:
        """Return how the process ended, and the last line that it wrote."""
        code = self.process.wait()
        self.errors.seek(0)
        lines = self.errors.read().decode(errors="replace").strip().splitlines()
        return f"ended with code {code}" + (f": {lines[-1][:200]}" if lines else "")


def take_turns(
    contestants: Sequence[Contestant],
    *,
    repeats: int,
    seconds: float,
    tell: Callable[[str], object] = str,
    per_unit: float = 1.0,
) -> list[Entry]:
    """Prepare every contestant and one lap to warm up, then `repeats` rounds of one lap each.

    Args:
        contestants: who takes part.
        repeats: the rounds.
        seconds: the budget of all this. When it is spent no further round begins, but for `LEAST_ROUNDS` short ones; a
            contestant that needs more than most of it, and more than `PATIENCE`, to get ready is left out.
        tell: is given a line after every step.
        per_unit: what a lap's seconds, divided by the contestant's own `units`, are multiplied by.

    Returns:
        An entry for each contestant, the absent included, with "ready s", from the start of its process to the end of
        the warming lap less one ordinary lap: imports, compilation, data.
    """
    began = time.perf_counter()
    entries = {c.name: Entry(c.name, absent=c.cannot or missing(*c.needs) or "") for c in contestants}
    workers: dict[str, Worker] = {}
    units: dict[str, float] = {}
    ready: dict[str, float] = {}
    deadline = began + seconds

    def attempt(name: str, what: str, patience: float) -> dict[str, Any] | None:
        try:
            return workers[name].ask(what, patience)
        except Failed as reason:
            tell(f"{name}: failed, {reason}")
            entries[name].absent, entries[name].laps = f"failed: {reason}", []
            workers.pop(name).end()
            return None

    try:
        for contestant in contestants:
            name = contestant.name
            if entries[name].absent:
                tell(f"{name}: {entries[name].absent}")
                continue
            start = time.perf_counter()
            workers[name] = Worker(contestant)
            answer = attempt(name, "prepare", max(0.8 * (deadline - start), PATIENCE))
            if answer is not None and attempt(name, "lap", max(deadline - time.perf_counter(), PATIENCE)) is not None:
                units[name], ready[name] = answer["units"], time.perf_counter() - start
                tell(f"{name}: ready after {ready[name]:.1f} s")
            time.sleep(PAUSE)
        for number in range(repeats):
            order = list(workers)
            turn = number % max(len(order), 1)
            if number >= LEAST_ROUNDS and time.perf_counter() > deadline:
                tell(f"the time is up after {number} of {repeats} rounds")
                break
            for name in order[turn:] + order[:turn]:
                patience = max(deadline - time.perf_counter(), 30.0)
                if (answer := attempt(name, "lap", patience)) is not None:
                    entries[name].laps.append(answer["seconds"] / units[name] * per_unit)
                time.sleep(PAUSE)
        for name in list(workers):
            if (answer := attempt(name, "finish", 60.0)) is not None:
                lap = entries[name].median * units[name] / per_unit
                entries[name].extra = {"ready s": max(0.0, ready[name] - lap)} | answer["finish"]
                tell(f"{name}: median {entries[name].median:.4g}")
    finally:
        for worker in workers.values():
            worker.end()
    return list(entries.values())
