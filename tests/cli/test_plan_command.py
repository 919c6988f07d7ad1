"""`deltarule plan`: the form, memory and time of a training that is not run."""

import json

import pytest


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Trial runs of a step or two."""
    monkeypatch.setattr("deltarule.forecast.TRIAL_EPOCHS", 2)


def test_a_plan_says_form_memory_and_time(run, shelf):
    words = (
        "plan",
        shelf / "houses.csv",
        "--target",
        "price",
        "--trainer",
        "lm",
        "--hidden",
        4,
        "--on",
        "1,4",
        "--json",
    )
    outcome = run(*words)
    assert outcome.code == 0, outcome.err
    record = json.loads(outcome.out)
    assert (record["form"], record["parameters"], record["examples"], record["epochs"]) == ("primal", 21, 42, 100)
    assert sorted(record["seconds"]) == ["1", "4"]
    assert record["bytes_sent_per_epoch"] == 21 * 21 * 8
    assert "exact steps, primal form" in outcome.err


@pytest.mark.parametrize("on", ["0", "a", "1,,2", ""])
def test_numbers_of_devices_that_are_none_are_refused(refused, on):
    assert "--on must be whole numbers of at least 1" in refused("plan", "digits", "--on", on)
