"""`deltarule train --cost huber` and `poisson`: what they choose, record and print."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import PoissonRegressor
from sklearn.metrics import mean_poisson_deviance

import deltarule as dr
from contract.consumers import exported
from deltarule.data import load_raw
from deltarule.data.schema import Schema
from deltarule.files.model_file import load_model
from deltarule.network.costs import Huber, Poisson


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """Tables: clean, spoilt with a tenth of its rows shifted by 5, test of clean rows; counts and counted."""
    folder, random = tmp_path_factory.mktemp("costs"), np.random.default_rng(0)
    X, T = (random.uniform(-2, 2, (n, 2)) for n in (400, 1000))

    def wave(X):
        return np.sin(2 * X[:, 0]) + X[:, 1]

    def write(name, X, y):
        pd.DataFrame({"a": X[:, 0], "b": X[:, 1], "y": y}).to_csv(folder / f"{name}.csv", index=False)

    y = wave(X) + 0.2 * random.normal(size=400)
    write("clean", X, y)
    write("spoilt", X, y + 5 * np.isin(np.arange(400), random.permutation(400)[:40]))
    write("test", T, wave(T) + 0.2 * random.normal(size=1000))
    write("counts", X, random.poisson(np.exp(1 + 0.5 * wave(X))))
    write("counted", T, random.poisson(np.exp(1 + 0.5 * wave(T))))
    return folder


def last_line(outcome):
    assert outcome.code == 0, outcome.err
    return json.loads(outcome.out.splitlines()[-1])


def test_huber_on_a_tenth_of_outliers_is_near_what_clean_data_give(run, tables, tmp_path):
    rmse = {}
    for name, words in (("clean", ()), ("spoilt", ("--cost", "huber"))):
        model = tmp_path / f"{name}.safetensors"
        words = ("--target", "y", "--hidden", 10, *words, "--out", model, "--json")
        last_line(run("train", tables / f"{name}.csv", *words))
        rmse[name] = last_line(run("evaluate", model, tables / "test.csv", "--json"))["test_rmse"]
    assert rmse["spoilt"] < 1.2 * rmse["clean"]
    net = load_model(tmp_path / "spoilt.safetensors").net
    assert isinstance(net.cost, Huber)
    assert net.output_activation.name == "linear"
    if shutil.which("gcc"):
        test = pd.read_csv(tables / "test.csv")
        found = exported(tmp_path / "spoilt.safetensors", "c", tmp_path, test[["a", "b"]].to_numpy())[:, 0]
        assert np.sqrt(np.mean((found - test["y"]) ** 2)) < 1.2 * rmse["clean"]


def test_the_summary_and_the_verdict_of_huber(run, tables, tmp_path):
    words = ("train", tables / "spoilt.csv", "--target", "y", "--cost", "huber", "--out", tmp_path / "m.safetensors")
    outcome = run(*words)
    assert outcome.code == 0
    expected = " ".join(outcome.out.replace("│", " ").split())
    assert "huber, delta 0." in expected
    assert "lm, all examples in a step, l2 0." in expected
    assert "4 starts" in expected
    assert "the last" in expected
    assert "the huber cost" in expected
    words = ("train", tables / "spoilt.csv", "--target", "y", "--hidden", 10, "--out", tmp_path / "q.safetensors")
    plain = run(*words)
    assert "--cost huber bounds their influence" in " ".join(plain.out.replace("│", " ").split())


def test_poisson(run, tables, tmp_path):
    model = tmp_path / "counts.safetensors"
    # the target has few whole numbers, and yet these are no classes
    record = last_line(
        run("train", tables / "counts.csv", "--target", "y", "--cost", "poisson", "--out", model, "--json")
    )
    assert "accuracy" not in record
    assert record["test_r2"] > 0.2
    net, params, schema, _, _ = load_model(model)
    assert isinstance(net.cost, Poisson)
    assert net.output_activation.name == "exponential"
    target = Schema.from_json(schema).targets[0]
    assert (target.mean, target.low) == (0, 0)
    table, test = pd.read_csv(tables / "counts.csv"), pd.read_csv(tables / "counted.csv")
    rows = load_raw(tables / "counted.csv", Schema.from_json(schema))
    predicted = target.decode(np.asarray(net(params, rows.X)))[:, 0]
    np.testing.assert_array_equal(rows.Y[:, 0] * target.std, test["y"])
    peer = PoissonRegressor(alpha=0).fit(table[["a", "b"]], table["y"]).predict(test[["a", "b"]])
    assert mean_poisson_deviance(test["y"], predicted) < 0.9 * mean_poisson_deviance(test["y"], peer)
    for words in (("evaluate", model, tables / "counted.csv"), ("trace", model, tables / "counts.csv", "--row", 0)):
        assert run(*words).code == 0
    written = pd.read_csv(_predictions(run, model, tables / "counted.csv", tmp_path))
    np.testing.assert_allclose(written["y"], predicted, rtol=1e-6)


def _predictions(run, model, table, folder):
    path = folder / "predictions.csv"
    assert run("predict", model, table, "--out", path).code == 0
    return path


@pytest.mark.parametrize("trainer", ["sgd", "adam", "newton-cg", "lm"])
@pytest.mark.parametrize("cost", ["huber", "poisson"])
def test_other_trainers(run, tables, tmp_path, cost, trainer):
    out = tmp_path / "model.safetensors"
    words = ("--cost", cost, "--trainer", trainer, "--epochs", 20, "--hidden", 5, "--out", out, "--json")
    record = last_line(run("train", tables / "counts.csv", "--target", "y", *words))
    assert record["trainer"] == trainer
    assert record["test_rmse"] > 0


def test_a_folder(run, tables, tmp_path):
    folder = tmp_path / "parts"
    folder.mkdir()
    pd.read_csv(tables / "counts.csv").to_parquet(folder / "part.parquet")
    for cost in ("huber", "poisson"):
        out = tmp_path / f"{cost}.safetensors"
        words = ("--cost", cost, "--epochs", 3, "--out", out, "--json")
        last_line(run("train", folder, "--target", "y", *words))
        assert dr.load(out)[0].cost.name == cost


def test_the_search_compares_costs_of_one_scaling(run, refused, tables, tmp_path):
    words = ("search", tables / "spoilt.csv", "--target", "y", "--trials", 2, "--epochs", 2, "--hidden", 3)
    outcome = run(*words, "--vary", "cost=quadratic,huber", "--out", tmp_path / "m.safetensors")
    assert outcome.code == 0
    assert "--cost poisson divides" in run(*words, "--vary", "cost=quadratic,poisson").err


def test_what_does_not_go_together_is_refused(refused, tables, shelf):
    spoilt = ("train", tables / "spoilt.csv", "--target", "y")
    assert "'y' holds -" in refused(*spoilt, "--cost", "poisson")
    assert "is a regression" in refused(*spoilt, "--cost", "cross-entropy")
    sentence = refused(*spoilt, "--cost", "huber", "--trainer", "bayesian")
    assert "--trainer bayesian" in sentence
    assert "--cost is 'huber'" in sentence
    assert "is for numbers" in refused("train", "digits", "--cost", "poisson")
    flowers = ("train", shelf / "flowers.csv", "--target", "flower", "--task", "classification")
    assert "is a classification" in refused(*flowers, "--cost", "huber")
    assert "'absolute'" in refused(*spoilt, "--cost", "absolute")
