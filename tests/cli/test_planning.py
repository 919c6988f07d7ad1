"""A training of more than a minute is announced with what would be quicker, by shapes and settings alone."""

import re
from types import SimpleNamespace

import numpy as np
import pytest

from deltarule.cli.choices import Choices
from deltarule.cli.planning import long_training, make_plan
from deltarule.data.columns import CategoricalColumn, NumericColumn
from deltarule.data.schema import Schema

NOTHING = dict.fromkeys(Choices.__dataclass_fields__) | {"source": "t.csv", "seed": 0, "drop_missing": False}


class Rows:
    """Training rows of which none is ever looked at."""

    X = Y = np.zeros((1, 1))

    def __init__(self, count):
        self.count = count

    def __len__(self):
        return self.count


def table(rows, columns=3, categories=0):
    """A regression of that many training rows, of which no row is ever looked at."""
    inputs = tuple(NumericColumn(f"x{i}", 0.0, 1.0, -1.0, 1.0) for i in range(columns))
    if categories:
        inputs += (CategoricalColumn("zip code", tuple(f"{i:05d}" for i in range(categories))),)
    target = NumericColumn("y", 0.0, 1.0, -1.0, 1.0)
    schema = Schema("table", "regression", inputs, (target,), None, ("y",))
    return SimpleNamespace(name="t.csv", task="regression", schema=schema, train=Rows(rows), streamed=False)


def notes(data, **options):
    choices = Choices(**NOTHING | options)
    return long_training(choices, make_plan(choices, data), data)


def test_short_trainings_go_without_a_word():
    assert notes(table(500)) == []
    assert notes(table(2800, categories=797)) == []  # "auto" takes Adam


def test_exact_steps_that_take_long_name_adam_and_the_wide_column():
    (note,) = notes(table(2800, categories=797), trainer="bayesian")
    assert re.fullmatch(
        r"this training may take up to about \d+ min \(2,800 examples, 800 inputs, 200 epochs from 2 starts\); with "
        r"--trainer adam it is about \d[\d.]* s; the column 'zip code' alone makes 797 inputs: leave it out with "
        r"--drop 'zip code', or group its values",
        note,
    )


def test_many_rows_name_larger_batches():
    (note,) = notes(table(1_000_000), engine="numpy", trainer="adam")
    assert "with --batch-size 100 it is about" in note
    assert "column" not in note


def test_where_nothing_is_quicker_a_time_limit_is_named_once():
    (note,) = notes(table(1_000_000), batch_size=500, epochs=100_000)
    assert "--time-limit 60 ends it after a minute" in note
    assert notes(table(1_000_000), batch_size=500, epochs=100_000, time_limit=600.0) == []


def test_an_option_that_adam_does_not_take_is_not_contradicted():
    pytest.importorskip("jax")  # without it Adam is not much quicker here
    (note,) = notes(table(50_000, columns=100), trainer="newton-cg", epochs=10_000)
    assert "with --trainer adam" in note
    (note,) = notes(table(300_000, columns=100), trainer="gd", momentum=0.5)
    assert "--time-limit 60" in note


def test_the_command_says_it_before_it_trains(run, tmp_path, monkeypatch):
    monkeypatch.setattr("deltarule.cli.planning.LONG", 1e-6)
    rng = np.random.default_rng(0)
    rows = "".join(f"{x},{x * x}\n" for x in rng.normal(size=40))
    (tmp_path / "t.csv").write_text("x,y\n" + rows)
    outcome = run("train", tmp_path / "t.csv", "--target", "y", "--epochs", 2, "--out", tmp_path / "m.safetensors")
    assert outcome.code == 0
    assert "Note: this training may take" in outcome.err


@pytest.mark.parametrize("engine", ["numpy", "jax"])
def test_the_engine_that_is_asked_for_counts(engine):
    if engine == "jax":
        pytest.importorskip("jax")
    found = notes(table(1_000_000), batch_size=100, epochs=300, engine=engine)
    assert bool(found) == (engine == "numpy")
