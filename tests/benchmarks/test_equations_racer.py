"""The race of solvers: seconds of processor time that leave the measuring out, turns, and when a run is over."""

import numpy as np
import pytest
from benchmarks.equations import contestants, racer
from benchmarks.equations.problems import CASES, Case

CASE = Case("made up", "", 1e-3, (2,), (), np.zeros((1, 1)), np.ones((1, 1)))


class Seconds:
    """Processor time that passes when it is told to."""

    def __init__(self):
        self.now = 0.0

    def process_time(self):
        return self.now


@pytest.fixture
def seconds(monkeypatch):
    made = Seconds()
    monkeypatch.setattr(racer.time, "process_time", made.process_time)
    return made


def looked(clock, seconds, error, step=10.0):
    """Whether the clock ends a run that has this error after another step; to measure it takes 5 s."""
    seconds.now += step

    def predict(X):
        seconds.now += 5.0
        return np.full((1, 1), 1 + error)

    return clock.look(predict)


def test_measuring_the_error_takes_no_time(seconds):
    clock = racer.Clock(CASE, 45.0)
    assert [looked(clock, seconds, error) for error in (0.5, 0.25, 0.125, 0.0625, 0.03)] == [False] * 4 + [True]
    assert [t for t, _ in clock.curve] == [10, 20, 30, 40, 50]
    np.testing.assert_allclose([error for _, error in clock.curve], [0.5, 0.25, 0.125, 0.0625, 0.03])
    assert clock.ended == "time"


@pytest.mark.parametrize(("error", "last"), [(1e-4, 50), (0.5, 70)], ids=["at its goal", "half its time over"])
def test_a_run_that_comes_no_nearer_ends(seconds, error, last):
    """From 10 s on it comes no nearer: at its goal it ends after 30 s more, far from it not before half of 120 s."""
    clock = racer.Clock(CASE, 120.0)
    while not looked(clock, seconds, error):
        pass
    assert (clock.ended, clock.curve[-1][0]) == ("floor", last)


def test_turns_end_with_a_step_and_errors_are_raised(seconds, monkeypatch):
    order = []

    def solver(name, steps):
        def run(clock):
            for step in range(steps):
                order.append((name, step))
                looked(clock, seconds, 0.5, step=2.0)
            if name == "b":
                raise MemoryError("no room")

        return run

    monkeypatch.setitem(CASES, "made up", lambda: CASE)
    for name, steps in (("a", 5), ("b", 3)):
        monkeypatch.setitem(contestants.CONTESTANTS, name, solver(name, steps))
    a, b = (racer.Racer(name, "made up", 1000.0, 4.0) for name in ("a", "b"))
    for one in (a, b):
        one.lap()
    assert order == [("a", 0), ("a", 1), ("b", 0), ("b", 1)]
    a.lap()
    assert a.finish()["ended"] == ""
    with pytest.raises(MemoryError, match="no room"):
        b.lap()
    a.lap()
    assert a.finish()["ended"] == "its own stop"
    assert [t for t, _ in a.finish()["curve"]] == [2, 4, 6, 8, 10]
