"""`deltarule plan`: the form, memory and time of a training that is not run."""

import json
import re

import pytest


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Trial runs of a step or two."""
    monkeypatch.setattr("deltarule.training.forecast.TRIAL_EPOCHS", 2)
    monkeypatch.setattr("deltarule.training.forecast.PROBES", 1)


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
