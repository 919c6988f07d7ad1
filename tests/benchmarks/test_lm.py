"""The race: seconds from the first call, compilation among them, and who is the first at each target."""

import math

import numpy as np
import pytest
from benchmarks.lm.contestants.contract import Run
from benchmarks.lm.problems import every_problem
from benchmarks.lm.race import Entry
from benchmarks.lm.suite import Place, row, standings
from benchmarks.lm.table import time_to_target

PROBLEM = every_problem()["exp4"]  # targets 1e-3, 1e-4, 1e-6


def run(mse, compiling=0.0, each=0.5):
    steps = np.arange(len(mse))
    return Run(each * steps, np.array(mse), steps, compiling, "")


def test_what_was_compiled_is_in_the_seconds_to_a_target():
    ran = run([1.0, 1e-2, 1e-5], compiling=2.0)
    assert time_to_target(ran, 1e-3) == (3.0, 2.0)
    assert time_to_target(ran, 1e-6) == (math.inf, math.inf)


@pytest.fixture
def problem():
    slow = [run([1.0, 1e-4, 1e-5], compiling=3.0)] * 3
    ours = [run([1.0, 1e-3, 1e-3], each=1.0)] * 3
    entries = [
        Entry(PROBLEM, "deltarule", ours),
        Entry(PROBLEM, "compiles", slow),
        Entry(PROBLEM, "gone", absent="not installed: it"),
    ]
    return row("exp4", entries)


def test_a_place_for_every_target_that_somebody_reaches(problem):
    places = standings(problem)
    assert places == [
        Place("exp4", 1e-3, "deltarule", 1.0, 1.0),
        Place("exp4", 1e-4, "compiles", 3.5, None),
    ]
    assert places[1].sentence() == "exp4 to 1e-04, compiles 3.5 s, deltarule –"


def test_a_target_at_which_we_come_later_is_told_with_both_times():
    assert Place("sinc", 1e-8, "peer", 0.01, 0.25).sentence() == "sinc to 1e-08, peer 0.010 s, deltarule 0.25 s"
