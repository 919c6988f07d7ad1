import json

import numpy as np
import pytest


@pytest.fixture
def record(run, shelf, flowers):
    return json.loads(run("trace", flowers, shelf / "flowers.csv", "--row", 7, "--json").out)


def test_the_numbers_follow_the_equations(record):
    """Each array of the trace from those before it, by equations (1)-(4) and BP1-BP4."""
    hidden, output = ({name: np.asarray(value) for name, value in layer.items()} for layer in record["layers"])
    x, y = np.asarray(record["x"]), np.asarray(record["y"])
    close = {"rtol": 1e-4, "atol": 1e-6}
    np.testing.assert_allclose(hidden["z"], hidden["W"] @ x + hidden["b"], **close)  # (2)
    np.testing.assert_allclose(hidden["a"], 1 / (1 + np.exp(-hidden["z"])), **close)  # (3)
    np.testing.assert_allclose(hidden["slope"], hidden["a"] * (1 - hidden["a"]), **close)
    np.testing.assert_allclose(output["z"], output["W"] @ hidden["a"] + output["b"], **close)
    np.testing.assert_allclose(output["delta"], output["a"] - y, **close)  # BP1
    np.testing.assert_allclose(hidden["dC_da"], output["W"].T @ output["delta"], **close)  # BP2'
    np.testing.assert_allclose(hidden["delta"], hidden["dC_da"] * hidden["slope"], **close)  # BP2
    for layer, below in ((hidden, x), (output, hidden["a"])):
        np.testing.assert_allclose(layer["db"], layer["delta"], **close)  # BP3
        np.testing.assert_allclose(layer["dW"], np.outer(layer["delta"], below), **close)  # BP4


def test_json_names_the_example_and_the_equations(record):
    assert record["row"] == 7
    assert record["target"] in ("aster", "iris", "rose")
    assert record["cost"] > 0
    assert [layer["layer"] for layer in record["layers"]] == [2, 3]
    hidden, output = (layer["equations"] for layer in record["layers"])
    for name, mark in (("z", "(2)"), ("a", "(3)"), ("delta", "(BP2)"), ("dC_da", "(BP2')"), ("db", "(BP3)")):
        assert mark in hidden[name]
    assert "(BP1" in output["delta"]
    assert "(BP4)" in output["dW"]


def test_the_tables_carry_their_formulas(run, shelf, flowers):
    out = run("trace", flowers, shelf / "flowers.csv", "--row", 7).out
    for formula in (
        "a^1 = x   (1)",
        "z^2 = W^2 a^1 + b^2   (2)",
        "a^2 = sigma(z^2) = 1 / (1 + e^-z)   (3)",
        "delta^l = dC/dz^l   (4)",
        "= a^3 - y   (BP1; sigma' cancels)",
        "delta^2 = ((W^3)^T delta^3) ⊙ sigma'(z^2)   (BP2)",
        "dC/da^2 = (W^3)^T delta^3   (BP2')",
        "dC/db^2 = delta^2   (BP3)",
        "dC/dW^2_jk = a^1_k delta^2_j   (BP4)",
    ):
        assert formula in out
    for word in ("length", "aster", "row 7 of flowers.csv"):
        assert word in out


@pytest.mark.parametrize("row", ["60", "-1", "1000000000000"])
def test_a_row_out_of_range_is_refused(refused, shelf, flowers, row):
    sentence = refused("trace", flowers, shelf / "flowers.csv", "--row", row)
    assert f"--row is {row}" in sentence
    assert "from 0 to 59" in sentence


def test_a_row_that_was_left_out_is_refused(refused, run, shelf, flowers):
    (shelf / "holes.csv").write_text("length,width,flower\n1,2,rose\n,3,rose\n4,5,iris\n")
    assert run("trace", flowers, shelf / "holes.csv", "--row", 2, "--drop-missing").code == 0
    outcome = run("trace", flowers, shelf / "holes.csv", "--row", 1, "--drop-missing")
    assert outcome.code == 2
    assert "--row is 1, " in outcome.err


def test_a_row_must_be_named(refused, digits):
    assert "--row" in refused("trace", digits, "digits")
    assert "'two'" in refused("trace", digits, "digits", "--row", "two")


def test_a_network_with_dropout_is_traced_as_it_predicts(run, shelf):
    words = ("--target", "flower", "--hidden", 4, "--dropout", 0.5, "--epochs", 2, "--out", "dropped.safetensors")
    assert run("train", shelf / "flowers.csv", *words).code == 0
    outcome = run("trace", "dropped.safetensors", shelf / "flowers.csv", "--row", 0)
    assert outcome.code == 0
    for formula in (
        "z^3 = a^2   (2)",
        "Dropout acts in training only",
        "dC/da^2 = delta^3   (BP2')",
        "dC/da^3 = (W^4)^T delta^4   (BP2')",
    ):
        assert formula in outcome.out
    assert run("check", "dropped.safetensors", shelf / "flowers.csv").code == 0
    assert run("predict", "dropped.safetensors", shelf / "flowers.csv").code == 0


def test_images_have_their_own_formulas(run, tmp_path):
    (tmp_path / "net.toml").write_text(
        '[[layers]]\nkind = "Convolution"\nfilters = 2\nkernel = 3\nactivation = "relu"\n'
        '[[layers]]\nkind = "MaxPool"\nsize = 2\n'
    )
    run("train", "digits", "--model", tmp_path / "net.toml", "--epochs", 1, "--out", "images.safetensors")
    out = run("trace", "images.safetensors", "digits", "--row", 0).out
    for formula in (
        "Layer 3: Convolution, 72 neurons (6 × 6 × 2), sigma = relu",
        "z^3 = b^3 + W^3 at every place of a^2: z_ijf = b_f + sum_uvc W_fuvc a_(s i + u)(s j + v)c   (2)",
        "z^4 = the largest a^3 of each window   (2)",
        "dC/da^2 = delta^3 fully correlated with W^3 turned by 180°   (BP2')",
        "delta^3 = (delta^4 at the largest pixel of its window) ⊙ sigma'(z^3)   (BP2)",
        "dC/dW^3_fuvc = sum_ij delta^3_ijf a^2_(s i + u)(s j + v)c   (BP4)",
        "W^3, 2 × 3 × 3 × 1",
    ):
        assert formula in out
