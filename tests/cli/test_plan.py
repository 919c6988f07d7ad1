"""`deltarule plan`: the form, memory and time of a training that is not run."""

import json
import re
from types import SimpleNamespace

import numpy as np
import pytest

from deltarule.cli.plan import long_training_notes, make_plan
from deltarule.cli.training_options import TrainingOptions
from deltarule.data.columns import CategoricalColumn, NumericColumn
from deltarule.data.schema import Schema


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Trial runs of a step or two."""
    monkeypatch.setattr("deltarule.training.forecast.TRIAL_EPOCHS", 2)
    monkeypatch.setattr("deltarule.training.forecast.RUNS", 1)


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
    assert (record["form"], record["parameters"], record["examples"], record["epochs"]) == ("primal", 21, 42, 200)
    assert sorted(record["seconds"]) == ["1", "4"]
    assert record["bytes_sent_per_epoch"] == 21 * 21 * 8
    assert "exact steps, primal form" in outcome.err


def test_a_plan_says_the_engine_and_why(run, shelf):
    lm = ("plan", shelf / "houses.csv", "--target", "price", "--trainer", "lm", "--hidden", 4, "--on", 1)
    assert "LAPACK" in run(*lm).out
    words = ("plan", shelf / "flowers.csv", "--target", "flower", "--hidden", 4, "--trainer", "adam", "--on", 1)
    out = run(*words).out
    assert re.search(r"engine numpy: expected [\d.]+ (ms|s) by NumPy, [\d.]+ s by JAX", out)
    assert "NumPy on" in out
    assert json.loads(run(*words, "--json").out)["engine"] == "numpy"


def test_a_plan_of_long_work_takes_jax_by_itself(run, shelf, monkeypatch):
    pytest.importorskip("jax")
    monkeypatch.setattr("deltarule.engine.choice.COMPILING", 1e-6)
    monkeypatch.setattr("deltarule.engine.choice.CALL_JAX", 1e-9)
    outcome = run("plan", shelf / "flowers.csv", "--target", "flower", "--hidden", 4, "--trainer", "adam", "--on", 1)
    assert "engine jax: expected" in outcome.out
    assert "JAX on" in outcome.out


def test_a_plan_times_the_engine_that_is_asked_for(run, shelf, engine):
    words = (
        "plan",
        shelf / "flowers.csv",
        "--target",
        "flower",
        "--hidden",
        4,
        "--trainer",
        "adam",
        "--on",
        1,
        "--engine",
        engine,
    )
    assert f"engine {engine}, as --engine says: expected" in run(*words).out
    assert json.loads(run(*words, "--json").out)["engine"] == engine
    lm = ("plan", shelf / "houses.csv", "--target", "price", "--trainer", "lm", "--hidden", 4, "--on", 1)
    assert f"engine {engine}, as --engine says" in run(*lm, "--engine", engine).out


def test_a_plan_takes_the_options_of_a_training(run, shelf):
    words = (shelf / "flowers.csv", "--target", "flower", "--trainer", "sgd", "--eta", 0.5, "--dropout", 0.2)
    words += ("--momentum", 0.9, "--patience", 3, "--out", "m.safetensors", "--on", 1)
    outcome = run("plan", *words)
    assert outcome.code == 0, outcome.err
    assert "sgd, eta 0.5, batches of 10, momentum 0.9" in outcome.out


@pytest.mark.parametrize("on", ["0", "a", "1,,2", ""])
def test_numbers_of_devices_that_are_none_are_refused(refused, on):
    assert "--on must be whole numbers" in refused("plan", "digits", "--on", on)


def test_a_stack_of_layers_is_planned_by_its_activations(run, tmp_path):
    """8x8 digits: 2 features of 5x5 have 2·4·4 activations, and 52 parameters; 10 classes see 32 numbers."""
    (tmp_path / "small.toml").write_text(
        '[[layers]]\nkind = "Convolution"\nfilters = 2\nkernel = [5, 5]\nactivation = "relu"\n\n'
    )
    words = ("--model", tmp_path / "small.toml", "--batch-size", 500, "--on", 1, "--json")
    outcome = run("plan", "digits", *words)
    assert outcome.code == 0, outcome.err
    record = json.loads(outcome.out)
    assert record["parameters"] == 2 * 25 + 2 + 32 * 10 + 10
    assert record["flops_per_epoch"] == record["steps_per_epoch"] * 6 * 500 * (16 * 50 + 320)
    assert "Convolution" in outcome.err


def test_the_name_of_a_table_is_no_markup(run, shelf, tmp_path):
    table = tmp_path / "flow [bar].csv"
    table.write_text((shelf / "houses.csv").read_text())
    outcome = run("plan", table, "--target", "price", "--trainer", "lm", "--hidden", 4)
    assert outcome.code == 0, outcome.err
    assert "42 training examples of flow [bar].csv" in outcome.out


NOTHING = dict.fromkeys(TrainingOptions.__dataclass_fields__) | {"source": "t.csv", "seed": 0, "drop_missing": False}


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
    options = TrainingOptions(**NOTHING | options)
    return long_training_notes(options, make_plan(options, data), data)


def test_short_trainings_go_without_a_word():
    assert notes(table(500)) == []
    assert notes(table(2800, categories=797)) == []  # "auto" takes Adam


def test_exact_steps_that_take_long_name_adam():
    (note,) = notes(table(2800, categories=797), trainer="bayesian")
    assert re.fullmatch(
        r"this training may take up to about \d+ min \(2,800 examples, 800 inputs, 200 epochs from 2 starts\); "
        r"--trainer adam may be quicker, and --time-limit 60 .*",
        note,
    )


def test_many_rows_name_larger_batches_and_a_time_limit_once():
    (note,) = notes(table(1_000_000), engine="numpy", trainer="adam")
    assert "--batch-size" in note
    assert notes(table(1_000_000), engine="numpy", trainer="adam", time_limit=600.0) == []


def test_the_command_says_it_before_it_trains(run, tmp_path, monkeypatch):
    monkeypatch.setattr("deltarule.cli.plan.LONG", 1e-6)
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


def test_candidates_are_timed_on_one_device_only(run, shelf):
    """Several devices train two starts of one network instead."""
    outcome = run("plan", shelf / "houses.csv", "--target", "price", "--on", "1,4", "--json")
    assert list(json.loads(outcome.out)["seconds"]) == ["1"]
    assert "4 devices" not in outcome.err
    assert "2 starts" in outcome.err
