import csv
import json

import numpy as np
import pytest
from sklearn.datasets import load_digits


def predictions(path):
    with open(path, newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def imported(path):
    names = {}
    exec(compile(path.read_text(), str(path), "exec"), names)
    return names


def table(path, columns):
    with open(path, newline="") as stream:
        return np.array([[float(row[name]) for name in columns] for row in csv.DictReader(stream)])


def test_the_file_predicts_what_predict_does(run, shelf, houses, tmp_path):
    record = json.loads(run("export", houses, "--to", "python", "--json").out)
    assert record["columns"] == ["area", "age", "heat"]
    assert (record["out"], record["name"], record["outputs"]) == ("houses.py", "houses", ["price"])
    run("predict", houses, shelf / "houses.csv", "--out", "p.csv")
    expected = [float(row["price"]) for row in predictions("p.csv")]
    found = imported(tmp_path / "houses.py")["predict"](table(shelf / "houses.csv", record["columns"]))
    # The command line trains this model in float32 and predicts in it; the file computes in double.
    np.testing.assert_allclose(found[:, 0], expected, rtol=1e-5)


def test_a_classifier_gives_its_labels(run, shelf, flowers, tmp_path):
    run("export", flowers, "--to", "python", "--out", "net.py")
    run("predict", flowers, shelf / "flowers.csv", "--out", "p.csv")
    module = imported(tmp_path / "net.py")
    rows = table(shelf / "flowers.csv", ["length", "width"])
    assert module["predict"](rows).tolist() == [row["flower"] for row in predictions("p.csv")]
    expected = [float(row["probability_iris"]) for row in predictions("p.csv")]
    np.testing.assert_allclose(module["predict_proba"](rows)[:, 1], expected, atol=1e-5)


def test_a_table_is_no_model_file(run, tmp_path):
    (tmp_path / "pump.csv").write_text("a,y\n1,2\n")
    message = run("export", "pump.csv", "--to", "c").err
    assert message.startswith("Error: pump.csv is not a model file")
    assert "pump.safetensors" in message
    assert "header" not in message


@pytest.mark.parametrize(("to", "suffix"), [("onnx", "onnx"), ("c", "c"), ("octave", "m"), ("matlab", "m")])
def test_the_other_languages(to, suffix, run, digits, tmp_path):
    outcome = run("export", digits, "--to", to, "--precision", "float")
    assert outcome.code == 0
    assert f"digits.{suffix}" in outcome.out
    assert (tmp_path / f"digits.{suffix}").stat().st_size > 1000


def test_a_network_of_images_gives_the_labels_of_predict(run, tmp_path):
    (tmp_path / "net.toml").write_text(
        '[[layers]]\nkind = "Convolution"\nfilters = 4\nkernel = 3\nactivation = "relu"\npadding = "same"\n'
        '[[layers]]\nkind = "L2Pool"\nsize = 3\nstride = 2\npadding = "same"\n'
    )
    assert run("train", "digits", "--model", "net.toml", "--epochs", 2, "--out", "images.safetensors").code == 0
    run("export", "images.safetensors", "--to", "python")
    run("predict", "images.safetensors", "digits", "--out", "p.csv")
    images = load_digits().data
    expected = [int(row["digit"]) for row in predictions("p.csv")]
    assert imported(tmp_path / "images.py")["predict"](images).tolist() == expected


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--to", "fortran"), "one of onnx, c, python, octave"),
        (("--to", "c", "--precision", "half"), "one of double, float"),
        (("--to", "c", "--out", "nowhere/net.c"), "there is no folder 'nowhere'"),
        (("--to", "octave", "--out", "a-b.m"), "call it a_b.m"),
        (("--to", "c", "--out", "MODEL"), "also reads"),
    ],
)
def test_bad_words_are_refused(words, sentence, refused, houses):
    assert sentence in refused("export", houses, *(houses if word == "MODEL" else word for word in words))


def test_a_missing_model_is_refused(refused):
    assert "there is no model file" in refused("export", "none.safetensors", "--to", "c")


def test_error_bars_in_c(run, shelf, tmp_path):
    words = ("train", shelf / "houses.csv", "--target", "price", "--hidden", 4, "--epochs", 5, "--out", "h.safetensors")
    assert run(*words, "--trainer", "bayesian").code == 0
    assert run("export", "h.safetensors", "--to", "c", "--error-bars").code == 0
    assert "int h_predict_std(" in (tmp_path / "h.c").read_text()
    assert "in C only" in run("export", "h.safetensors", "--to", "st", "--error-bars").err


@pytest.mark.parametrize("language", ["st", "javascript"])
def test_a_plc_and_a_page(language, run, houses, tmp_path):
    done = run("export", houses, "--to", language)
    assert done.code == 0
    assert (tmp_path / ("houses.st" if language == "st" else "houses.js")).exists()
