"""--engine: which engine trains, where that is printed and recorded, and what is refused."""

import json
import re

import numpy as np
import pytest

import deltarule as dr
from deltarule.files.model_file import load_model
from engines import WITHOUT_JAX

FLOWERS = ("--target", "flower", "--hidden", 4, "--epochs", 3)


def written(name):
    return {"numpy": "NumPy", "jax": "JAX"}[name]


def test_a_training_says_which_engine_it_took(run, shelf, engine):
    outcome = run("train", shelf / "flowers.csv", *FLOWERS, "--engine", engine)
    assert re.search(rf"engine +{written(engine)} ", outcome.out)
    training = load_model("flowers.safetensors").training
    assert training["engine"] == training["options"]["engine"] == engine
    assert set(training["versions"]) == {"deltarule", engine, "python"}
    assert (
        json.loads(run("train", shelf / "flowers.csv", *FLOWERS, "--engine", engine, "--json").out)["engine"] == engine
    )


@pytest.mark.parametrize("words", [(), ("--engine", "auto")])
def test_a_small_training_takes_numpy_by_itself(run, shelf, words):
    record = json.loads(run("train", shelf / "flowers.csv", *FLOWERS, *words, "--json").out)
    assert record["engine"] == "numpy"
    assert load_model("flowers.safetensors").training["engine"] == "numpy"


@WITHOUT_JAX
@pytest.mark.parametrize(
    "trainer", ["adam", "lm", *(pytest.param(name, marks=pytest.mark.slow) for name in ("sgd", "newton-cg"))]
)
def test_both_engines_train_the_same_network(run, shelf, trainer):
    words = ("train", shelf / "flowers.csv", *FLOWERS, "--trainer", trainer)
    for name in ("numpy", "jax"):
        assert run(*words, "--engine", name, "--out", f"{name}.safetensors").code == 0
    ours, theirs = (dr.load(f"{name}.safetensors")[1] for name in ("numpy", "jax"))
    tolerance = 1e-5 if ours[0]["W"].dtype == np.float32 else 1e-9
    for one, other in zip(ours, theirs, strict=True):
        for name in one:
            np.testing.assert_allclose(one[name], other[name], rtol=0, atol=tolerance * np.abs(other[name]).max())


def test_a_search_trains_on_the_engine_and_names_it_in_its_command(run, shelf, engine):
    words = ("search", shelf / "flowers.csv", *FLOWERS, "--vary", "eta=0.1,0.2", "--trials", 2, "--engine", engine)
    record = json.loads(run(*words, "--json").out)
    assert record["engine"] == load_model("flowers.safetensors").training["engine"] == engine
    assert f"--engine {engine}" in record["command"]


def test_a_folder_is_streamed_on_the_engine(run, shelf, tmp_path, engine):
    pandas = pytest.importorskip("pandas")
    (tmp_path / "houses").mkdir()
    pandas.read_csv(shelf / "houses.csv").to_parquet(tmp_path / "houses" / "a.parquet")
    words = ("train", tmp_path / "houses", "--target", "price", "--hidden", 4, "--epochs", 2, "--engine", engine)
    assert json.loads(run(*words, "--json").out)["engine"] == engine


@pytest.mark.parametrize("command", ["train", "search", "plan"])
def test_an_engine_that_does_not_exist_is_refused_before_any_data_are_read(refused, command):
    sentence = refused(command, "missing.csv", "--target", "y", "--engine", "torch")
    assert all(word in sentence for word in ("auto, numpy, jax", "'torch'"))


@pytest.mark.parametrize(
    "words",
    [("--engine", "jax"), ("--devices", "all"), ("--coordinator", "here:1", "--processes", "1", "--process-id", "0")],
)
def test_without_jax_one_sentence_says_what_to_install(refused, shelf, monkeypatch, words):
    monkeypatch.setattr("deltarule.engine.jax_is_installed", lambda: False)
    sentence = refused("train", shelf / "flowers.csv", *FLOWERS, *words)
    assert "pip install 'deltarule[jax]'" in sentence


@pytest.mark.parametrize(
    "words",
    [
        ("train", "--time-limit", 0.01),
        ("search", "--vary", "eta=0.1,0.2", "--trials", 2, "--no-prune"),
        ("plan", "--on", 1),
    ],
    ids=lambda words: words[0],
)
def test_work_that_jax_would_do_much_sooner_says_so_once(run, shelf, monkeypatch, words):
    monkeypatch.setattr("deltarule.engine.choice.jax_is_installed", lambda: False)
    monkeypatch.setattr("deltarule.engine.choice.COMPILING", 1e-9)
    command, *more = words
    outcome = run(command, shelf / "flowers.csv", *FLOWERS, "--trainer", "adam", *more)
    assert outcome.code == 0
    assert outcome.err.count("Note: this training may take") == 1
    assert "pip install 'deltarule[jax]'" in outcome.err
    assert "EngineWarning" not in outcome.err
