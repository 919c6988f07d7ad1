"""`deltarule train`, `predict`, `report` and `export` on a time series."""

import json

import numpy as np
import pytest

from deltarule.data.table_file import read_table


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    random = np.random.default_rng(0)
    u, y = np.repeat(random.normal(size=60), 4), np.zeros(240)
    for t in range(2, 240):
        y[t] = 0.6 * y[t - 1] - 0.1 * y[t - 2] + np.tanh(u[t - 1]) + 0.02 * random.normal()
    folder = tmp_path_factory.mktemp("series")
    cells = [f"{4 * i},{u[i]:.6f},{y[i]:.6f}" for i in range(240)]
    ends = [f"{4 * i},{u[i]:.6f}," if i >= 230 else cell for i, cell in enumerate(cells)]
    (folder / "plant.csv").write_text("\n".join(["t,u,y", *cells[:230]]) + "\n")
    (folder / "next.csv").write_text("\n".join(["t,u,y", *ends]) + "\n")
    hourly = [end.replace(f"{4 * i},", f"{i},", 1) for i, end in enumerate(ends)]
    (folder / "hourly.csv").write_text("\n".join(["t,u,y", *hourly]) + "\n")
    (folder / "uneven.csv").write_text("t,u,y\n" + "\n".join(cells[:50]).replace("\n8,", "\n9,") + "\n")
    return folder, y


WORDS = ("--target", "y", "--time", "t", "--lags", 2, "--hidden", 3)


def test_train_predict_report_and_export(run, table, tmp_path):
    folder, y = table
    outcome = run("train", folder / "plant.csv", *WORDS, "--json")
    assert outcome.code == 0, outcome
    record = json.loads(outcome.out)
    assert (record["steps"], record["test_steps"], record["output_lags"]) == (230, 34, [1, 2])
    assert record["test_rmse_model"] < record["test_rmse_linear_arx"] < record["test_rmse_persistence"]
    assert len(record["test_rmse_by_horizon"]) == record["horizon"] == 20
    assert set(record["verdict"]) == {"quality", "free run", "lags", "training", "error bars", "residuals"}
    for word in ("verdict", "deltarule report plant.safetensors"):
        assert word in outcome.err

    outcome = run("predict", "plant.safetensors", folder / "next.csv", "--json", "--out", "ahead.csv")
    found = json.loads(outcome.out)
    assert found["times"] == [4.0 * i for i in range(230, 240)]
    assert np.abs(np.array(found["predictions"]["y"]) - y[230:]).max() < 6 * max(found["std"]["y"])
    head, *rows = (tmp_path / "ahead.csv").read_text().splitlines()
    assert head == "t,y,y_std"
    assert len(rows) == 10
    outcome = run("predict", "plant.safetensors", folder / "next.csv", "--interval", 0.9, "--json")
    banded = json.loads(outcome.out)
    middle, std = np.array(banded["predictions"]["y"]), np.array(banded["std"]["y"])
    np.testing.assert_allclose(banded["lower"]["y"], middle - 1.6448536 * std, rtol=1e-7)
    np.testing.assert_allclose(banded["upper"]["y"], middle + 1.6448536 * std, rtol=1e-7)

    text = (folder / "next.csv").read_text()
    (tmp_path / "german.csv").write_text(text.replace(",", ";").replace(".", ","))
    assert run("predict", "plant.safetensors", "german.csv", "--out", "german-ahead.csv").code == 0
    ahead = read_table(tmp_path / "german-ahead.csv")[0]
    np.testing.assert_allclose(ahead["y"], found["predictions"]["y"], rtol=1e-12)

    lines = text.splitlines()
    lines[-3] = "948,,"
    (tmp_path / "hole.csv").write_text("\n".join(lines))
    outcome = run("predict", "plant.safetensors", "hole.csv")
    assert outcome.code == 2
    assert "input 'u' has no value at 948.0" in outcome.err

    assert run("report", "plant.safetensors", folder / "plant.csv").code == 0
    page = (tmp_path / "plant.html").read_text()
    for words in ("Errors of y by steps ahead", "Correlation of the errors of y with u", "Forecast of y over the last"):
        assert words in page
    assert run("export", "plant.safetensors", "--to", "c").code == 0
    assert "int plant_simulate(" in (tmp_path / "plant.c").read_text()
    for words, expected in (
        (("predict", "plant.safetensors", folder / "plant.csv"), "0 rows after its last output"),
        (("evaluate", "plant.safetensors", folder / "plant.csv"), "is a time-series model"),
        (("predict", "plant.safetensors", folder / "hourly.csv"), "has a row every 1, and the model was trained on"),
        (("report", "plant.safetensors", folder / "hourly.csv"), "a row every 4 (seconds"),
        (("predict", "plant.safetensors", folder / "next.csv", "--steps", 0), "--steps must be a whole number of at"),
        (("export", "plant.safetensors", "--to", "onnx"), "is exported to 'c' only"),
        (("export", "plant.safetensors", "--to", "js"), "--to is 'javascript', and the model is a time series"),
        (("export", "plant.safetensors", "--to", "c", "--error-bars"), "--error-bars"),
    ):
        outcome = run(*words)
        assert outcome.code == 2
        assert expected in outcome.err


def test_a_series_without_inputs_goes_on_by_itself(run, tmp_path):
    y = np.sin(0.3 * np.arange(150)) + 0.01 * np.random.default_rng(0).normal(size=150)
    (tmp_path / "wave.csv").write_text("y\n" + "\n".join(map(str, y)) + "\n")
    outcome = run("train", "wave.csv", "--target", "y", "--lags", "1,2,3", "--horizon", 1, "--hidden", 2, "--json")
    assert outcome.code == 0, outcome
    assert json.loads(outcome.out)["training"] == "open-loop"
    expected = run("predict", "wave.safetensors", "wave.csv", "--steps", 1)
    assert "1 step of wave.csv" in expected.out
    again = expected.out.splitlines()[-1]
    assert again == "deltarule predict wave.safetensors wave.csv --steps 1 --out predictions.csv"
    found = json.loads(run("predict", "wave.safetensors", "wave.csv", "--steps", 5, "--json").out)
    np.testing.assert_allclose(found["predictions"]["y"], np.sin(0.3 * np.arange(150, 155)), atol=0.1)
    assert found["times"] == [150, 151, 152, 153, 154]


def test_what_is_refused(refused, table):
    folder = table[0]
    assert "--resample 4" in refused("train", folder / "uneven.csv", *WORDS)
    assert "--trainer is 'lm'" in refused("train", folder / "plant.csv", *WORDS, "--trainer", "lm")
    assert "--lags must be" in refused("train", folder / "plant.csv", "--target", "y", "--lags", "x")
    assert "--time or --lags" in refused("train", folder / "plant.csv", "--horizon", 3)
    (folder / "alone.csv").write_text("y\n" + "\n".join(map(str, range(30))) + "\n")
    assert "time series, --lags 8" in refused("train", folder / "alone.csv", "--target", "y")
    assert "needs a target: give --target, one of" in refused("train", folder / "plant.csv", "--lags", 2)
