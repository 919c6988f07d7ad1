import json

import numpy as np
import pytest

import deltarule as dr
from deltarule.files.model_file import load_model


def test_every_tensor_is_right(run, shelf, flowers):
    outcome = run("check", flowers, shelf / "flowers.csv")
    assert outcome.code == 0
    for words in ("dC/dW^2", "dC/db^2", "dC/dW^3", "dC/db^3", "4 × 2", "the gradient is right", "60 rows"):
        assert words in outcome.out
    assert "WRONG" not in outcome.out


def test_json_holds_both_numbers(run, digits):
    record = json.loads(run("check", digits, "digits", "--json").out)
    assert record["passed"]
    assert record["rows"] == 100
    assert record["largest_error"] < 1e-6
    for tensor in record["tensors"]:
        assert tensor["backpropagation"] == pytest.approx(tensor["difference"], rel=1e-5)


def test_a_wrong_gradient_fails(run, shelf, flowers, monkeypatch):
    really = dr.Network.cost_and_gradient

    def wrong(*positional):
        cost, grads = really(*positional)
        return cost, [{"W": 1.001 * layer["W"], "b": layer["b"]} for layer in grads]

    monkeypatch.setattr(dr.Network, "cost_and_gradient", wrong)
    outcome = run("check", flowers, shelf / "flowers.csv", "--json")
    assert outcome.code == 1
    assert "the gradient is WRONG" in outcome.err
    record = json.loads(outcome.out)
    assert not record["passed"]
    assert [tensor["passed"] for tensor in record["tensors"]] == [False, True, False, True]


def test_a_network_at_its_minimum_passes(run, shelf, houses):
    """Where every residual is 0 the gradient is 0, and no difference quotient is close to it by ratio."""
    model = load_model(houses)
    net = dr.Network([dr.Dense(2, "tanh"), dr.Dense(1, "linear")])
    params = net.init(3, (3,), dtype="float64")
    table = shelf / "fitted.csv"
    table.write_text((shelf / "houses.csv").read_text())
    dr.save("fitted.safetensors", net, params, schema=model.schema)
    outcome = run("predict", "fitted.safetensors", table, "--out", "p.csv")
    names, *predicted = (line.split(",") for line in open_lines("p.csv"))
    prices = [row[names.index("price")] for row in predicted]
    rows = [line.split(",") for line in open_lines(table)]
    lines = [",".join(rows[0])] + [
        ",".join([area, age, price, heat]) for (area, age, _, heat), price in zip(rows[1:], prices, strict=True)
    ]
    table.write_text("\n".join(lines) + "\n")
    outcome = run("check", "fitted.safetensors", table, "--json")
    assert outcome.code == 0
    record = json.loads(outcome.out)
    assert record["moved"]
    assert np.isfinite(record["largest_error"])


def open_lines(path):
    with open(path, encoding="utf-8") as stream:
        return stream.read().split()
