"""Which regressions get exact steps where the user names no trainer."""

import pytest

import deltarule as dr
from deltarule.trainers import form
from deltarule.trainers.automatic import exact_steps_are_cheap


def network(hidden, k=1):
    return dr.Network([dr.Dense(hidden, "tanh"), dr.Dense(k, "linear")])


@pytest.mark.parametrize(
    ("inputs", "hidden", "examples", "cheap"),
    [
        (10, 20, 500, True),
        (8, 20, 100_000, True),
        (8, 20, 1_000_000, False),
        (100, 1000, 100, True),  # 102,001 parameters, and the dual form's matrix is 100 x 100
        (800, 20, 700, True),
        (800, 20, 2800, False),  # 800 categories: 18 minutes by exact steps
    ],
)
def test_cheap_is_a_third_of_a_second_an_epoch(inputs, hidden, examples, cheap):
    assert exact_steps_are_cheap(network(hidden), (examples, inputs)) == cheap


def test_what_does_not_fit_the_memory_is_not_cheap(monkeypatch):
    monkeypatch.setattr(form, "available_memory", lambda: 1e3)
    assert not exact_steps_are_cheap(network(20), (500, 10))
