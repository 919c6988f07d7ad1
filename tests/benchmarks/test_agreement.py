"""The checks of `benchmarks.gpu`: what is far apart is told, and a check that raises does not end those after it."""

import numpy as np
import pytest

pytest.importorskip("jax")
import deltarule as dr
from benchmarks import agreement


def test_how_far_two_trees_are_apart():
    one, other = [{"W": np.array([1.0, -4.0])}, {}], [{"W": np.array([1.0, -3.0])}, {}]
    assert agreement.apart(one, other) == 0.25
    assert agreement.apart(one, one) == 0.0


def test_the_engines_agree_on_a_step():
    trainer = dr.LevenbergMarquardt(solver="dual")
    assert agreement.of_epoch(agreement.regression(20, (3,)), trainer, "float64") < agreement.DOUBLE


def test_a_check_that_raises_is_one_that_disagrees(monkeypatch):
    def fails(*_):
        raise RuntimeError("no such function\nin this version")

    monkeypatch.setattr(agreement, "of_gradient", fails)
    monkeypatch.setattr(agreement, "of_epoch", lambda *_: 0.0)
    monkeypatch.setattr(agreement, "of_minimum", lambda *_: 0.0)
    found = list(agreement.checks())
    assert {check.failed for check in found if not check.agrees} == {"RuntimeError: no such function"}
    assert sum(check.agrees for check in found) == len(agreement.trainings()) + 3
