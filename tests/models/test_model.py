"""Models from tables and from files, also those of earlier versions: raw rows in, units or classes out."""

import inspect
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import deltarule as dr
from deltarule.errors import ConfigurationError, DataError, ModelFileError

FILES = Path(__file__).parent / "files"  # written by the version before `Model`, with what it predicted
EXPECTED = json.loads((FILES / "expected.json").read_text())
TABLES = [name for name, entry in EXPECTED.items() if "predictions" in entry and "rows" in entry]


@pytest.fixture(scope="module")
def model(houses):
    """A Bayesian regression."""
    return dr.fit_table(
        houses.assign(kind=np.array(["old", "new"])[np.arange(60) % 2]), "price", hidden=(3,), epochs=30
    )


@pytest.fixture(scope="module")
def classifier(flowers):
    return dr.fit_table(flowers, "flower", hidden=(4,), epochs=60)


def old(name):
    """A model that an earlier version wrote, some rows, and what it predicted."""
    frame = pd.DataFrame(EXPECTED[name]["rows"])
    predictions = [np.array(values) for values in EXPECTED[name]["predictions"]]
    return dr.load_model(FILES / f"{name}.safetensors"), frame, np.stack(predictions, axis=-1)


@pytest.mark.parametrize("name", TABLES)
def test_files_of_earlier_versions_predict_the_same(name):
    model, frame, expected = old(name)
    found = model.predict(frame)
    expected = expected[:, 0] if expected.shape[1] == 1 else expected
    if expected.dtype.kind == "f":
        np.testing.assert_allclose(found, expected, rtol=1e-9)
    else:
        assert found.tolist() == expected.tolist()
    shuffled = frame[frame.columns[::-1]]
    assert (model.predict(shuffled) == found).all()


def test_the_error_bars_of_an_earlier_version():
    model, frame, _ = old("bayesian")
    for end, expected in zip(model.predict_interval(frame, 0.9), ("lower", "upper"), strict=True):
        np.testing.assert_allclose(end, EXPECTED["bayesian"][expected], rtol=1e-9)
    with pytest.raises(ConfigurationError, match="no error bars"):
        old("two_targets")[0].predict_interval(frame)


@pytest.mark.parametrize(("name", "top", "pixels"), [("digits", 16, (8, 8)), ("mnist", 255, (28, 28))])
def test_models_of_images_take_raw_pixels(name, top, pixels):
    model, expected = dr.load_model(FILES / f"{name}.safetensors"), EXPECTED[name]
    flat = np.arange(3 * np.prod(pixels)).reshape(3, -1) * 7 % (top + 1)
    for images in (flat, flat.reshape(3, *pixels)):
        assert model.predict(images).tolist() == expected["predictions"]
        outputs = np.array(expected["outputs"])
        np.testing.assert_allclose(model.predict_proba(images), outputs / outputs.sum(axis=1, keepdims=True), rtol=1e-5)
    with pytest.raises(DataError, match="shape"):
        model.predict(flat[:, :5])
    assert f"{pixels[0]} x {pixels[1]}" in model.summary()
    assert "<html" in model.report()


def test_a_file_without_a_schema_is_not_scaled():
    model, expected = dr.load_model(FILES / "bare.safetensors"), EXPECTED["bare"]
    np.testing.assert_allclose(model.predict_proba(expected["rows"]), expected["outputs"], rtol=1e-6)
    assert model.predict(expected["rows"]).tolist() == np.argmax(expected["outputs"], axis=1).tolist()
    assert "without columns" in repr(model)
    with pytest.raises(ModelFileError):
        model.report()


PICTURES = ("predictions", "residuals", "confusion", "roc", "calibration", "dependence", "costs")


def test_public_methods():
    promised = {"predict", "predict_interval", "predict_proba", "summary", "report", "verdict", "save", "calibrate"}
    promised |= {f"plot_{name}" for name in PICTURES}
    fields = {"net", "params", "schema", "training", "error_bars", "examples", "path"}
    assert {name for name in dir(dr.Model) if not name.startswith("_")} <= promised | fields
    assert list(inspect.signature(dr.Model.predict_interval).parameters) == ["self", "rows", "coverage"]
    assert inspect.signature(dr.Model.predict_interval).parameters["coverage"].default == 0.95
    assert inspect.signature(dr.Model.report).parameters["path"].default is None


def test_rows_as_a_table_or_an_array(model, houses):
    rows = houses.assign(kind="new", more="?")[["more", "heat", "kind", "age", "area"]]
    predicted = model.predict(rows)
    assert predicted.shape == (60,)
    np.testing.assert_allclose(predicted, houses["price"], rtol=0.05)
    ordered = rows[["area", "age", "heat", "kind"]]
    assert (model.predict(ordered.to_numpy()) == predicted).all()
    assert (model.predict(ordered.astype(str).to_numpy()) == predicted).all()
    assert (model.predict(rows.set_index(np.arange(60) + 7)) == predicted).all()


def test_numeric_rows_need_no_names(line):
    x, z = np.random.default_rng(0).normal(size=(2, 80))
    table = pd.DataFrame({"x": x, "z": z, "y": 10 * x + z, "w": x * z})
    model = dr.fit_table(table, ["y", "w"], hidden=(3,), epochs=15)
    assert model.predict(table).shape == (80, 2)
    np.testing.assert_allclose(model.predict(table[["x", "z"]].to_numpy()), model.predict(table), rtol=1e-12)
    low, high = model.predict_interval(table, 0.5)
    assert low.shape == high.shape == (80, 2)
    assert (low < high).all()


def test_bad_rows_are_refused(model, houses):
    rows = houses.assign(kind="new")
    for bad, word in (
        (rows.drop(columns="age"), "'age'"),
        (rows.assign(kind="ruin"), "'ruin'"),
        (rows.assign(age=np.where(np.arange(60) == 3, np.nan, 5.0)), "'age'"),
        (np.ones((2, 3)), r"\(2, 3\)"),
        (np.full((1, 4), np.nan), "empty"),
    ):
        with pytest.raises(DataError, match=word):
            model.predict(bad)
    with pytest.raises(ConfigurationError, match="predict"):
        model.predict_proba(rows)
    with pytest.raises(ConfigurationError, match=r"1\.5"):
        model.predict_interval(rows, 1.5)


def test_numbers_as_texts_and_units_are_read_as_in_training():
    x = np.random.default_rng(0).uniform(1, 9, 80).round(2)
    table = pd.DataFrame({"load [%]": [f"{v} %" for v in x], "z": x**2, "y": 3 * x})
    with pytest.warns(UserWarning, match="'load \\[%\\]' in %"):
        model = dr.fit_table(table, "y", hidden=(3,), epochs=15)
    plain = pd.DataFrame({"load": x, "z": x**2})
    np.testing.assert_allclose(model.predict(plain), model.predict(table), rtol=1e-12)


def test_coverage_of_error_bars(line):
    random = np.random.default_rng(1)
    x, z = random.normal(size=(2, 400))
    table = pd.DataFrame({"x": x, "z": z, "y": 500 + 10 * x + 2 * random.normal(size=400)})
    model = dr.fit_table(table, "y", hidden=(3,))
    new = pd.DataFrame({"x": x, "z": z, "y": 500 + 10 * x + 2 * random.normal(size=400)})
    low, high = model.predict_interval(new, 0.9)
    assert 0.85 < np.mean((low <= new["y"]) & (new["y"] <= high)) < 0.95
    assert "noise" in model.verdict.lines


def test_classes(classifier, flowers):
    p = classifier.predict_proba(flowers)
    assert p.shape == (60, 3)
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-9)
    labels = classifier.predict(flowers)
    assert np.mean(labels == flowers["flower"]) > 0.8
    assert (np.array(classifier.schema.classes)[p.argmax(axis=1)] == labels).all()
    assert "calibration" in classifier.training


def test_a_saved_model_is_the_same_one(model, houses, tmp_path):
    rows = houses.assign(kind="new")
    model.save(tmp_path / "m.safetensors")
    again = dr.load_model(tmp_path / "m.safetensors")
    assert (again.predict(rows) == model.predict(rows)).all()
    for one, other in zip(again.predict_interval(rows), model.predict_interval(rows), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12)
    assert again.verdict == model.verdict
    assert again.summary() == model.summary()
    assert (repr(again), again._repr_html_()) == (repr(model), model._repr_html_())
    assert len(repr(model)) < 200
    for words in ("price", "area", "3-", "bayesian", "quality"):
        assert words in model.summary()
        assert words in model._repr_html_()


def test_the_report_shows_the_parts_of_the_rows_apart(model, tmp_path):
    page = model.report(tmp_path / "r.html")
    assert (tmp_path / "r.html").read_text(encoding="utf-8") == page
    for part in ("training", "validation", "test"):
        rows = model.examples[part].rows
        assert f"Regression of price, {part} rows" in page
        assert f"{len(rows)} rows. Dashed" in page
        assert {int(row) for row in re.findall(r"row (\d+): actual", page)} >= set(rows.tolist())
    for words in ("Importance of the columns", "The verdict after training", "Performance"):
        assert words in page
    model.save(tmp_path / "m.safetensors")
    assert "Regression of price" not in dr.load_model(tmp_path / "m.safetensors").report()


def test_an_inconsistent_file_is_refused(model, tmp_path):
    schema = model.schema.to_json()
    schema["inputs"] = schema["inputs"][:-1]
    dr.save(tmp_path / "m.safetensors", model.net, model.params, schema=schema)
    with pytest.raises(ModelFileError, match="contradicts itself"):
        dr.load_model(tmp_path / "m.safetensors")
    dr.save(tmp_path / "m.safetensors", model.net, model.params, schema={"source": "table"})
    with pytest.raises(ModelFileError, match="schema"):
        dr.load_model(tmp_path / "m.safetensors")
    with pytest.raises(ModelFileError, match="nowhere"):
        dr.load_model("nowhere.safetensors")


def test_a_report_is_shown_in_a_notebook(tmp_path):
    from deltarule.models.model import Page

    page = Page('<p class="x">a & b</p>')
    assert page == '<p class="x">a & b</p>'
    assert 'srcdoc="&lt;p class=&quot;x&quot;&gt;a &amp; b&lt;/p&gt;"' in page._repr_html_()
