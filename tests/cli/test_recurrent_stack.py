"""A recurrent network from a TOML file, on rows that hold sequences, through the commands."""

import json

import numpy as np
import pytest

STACK = """\
[[layers]]
kind = "Reshape"
shape = [6, 1]

[[layers]]
kind = "{kind}"
n = 3
sequences = false
"""


@pytest.fixture(params=["Recurrent", "GRU", "LSTM"])
def model(request, run, tmp_path):
    """A network that learns the sum of the last two of six steps."""
    x = np.random.default_rng(0).normal(size=(60, 6))
    lines = [",".join([f"x{i}" for i in range(6)] + ["y"])]
    lines += [",".join(f"{value:.6f}" for value in [*row, row[-1] + row[-2]]) for row in x]
    (tmp_path / "steps.csv").write_text("\n".join(lines))
    (tmp_path / "stack.toml").write_text(STACK.format(kind=request.param))
    options = ["--model", "stack.toml", "--trainer", "lm", "--epochs", 3, "--out", "net.safetensors", "--json"]
    record = json.loads(run("train", "steps.csv", "--target", "y", *options).out.splitlines()[-1])
    assert record["engine"] == "numpy"
    return request.param


def test_the_trace_has_every_step(model, run):
    out = run("trace", "net.safetensors", "steps.csv", "--row", 2, "--full").out
    assert f"Layer 3: {model}, 3 neurons" in out
    assert "at every step t" in out
    assert "(BPTT)" in out
    assert "dC/dV^3" in out
    gates = {"Recurrent": 1, "GRU": 3, "LSTM": 4}[model]
    record = json.loads(run("trace", "net.safetensors", "steps.csv", "--row", 2, "--json").out)
    layer = {name: np.array(value) for name, value in record["layers"][1].items() if isinstance(value, list)}
    assert layer["z"].shape == layer["delta"].shape == (6, 3 * gates)
    assert layer["dV"].shape == layer["V"].shape == (3 * gates, 3)
    np.testing.assert_allclose(layer["db"], layer["delta"].sum(axis=0), rtol=1e-4, atol=1e-6)
    x = np.array(record["layers"][0]["a"])
    np.testing.assert_allclose(layer["dW"], layer["delta"].T @ x, rtol=1e-4, atol=1e-6)


def test_check_evaluate_predict_and_export(model, run, tmp_path):
    assert "the gradient is right" in run("check", "net.safetensors", "steps.csv").out
    assert run("evaluate", "net.safetensors", "steps.csv").code == 0
    assert run("predict", "net.safetensors", "steps.csv", "--out", "p.csv").code == 0
    predicted = np.loadtxt(tmp_path / "p.csv", delimiter=",", skiprows=1, ndmin=2)
    assert run("export", "net.safetensors", "--to", "python", "--out", "net.py").code == 0
    names = {}
    exec(compile((tmp_path / "net.py").read_text(), "net.py", "exec"), names)
    rows = np.loadtxt(tmp_path / "steps.csv", delimiter=",", skiprows=1)[:, :6]
    np.testing.assert_allclose(names["predict"](rows)[:, 0], predicted[:, -1], rtol=1e-5)
