import csv
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import deltarule as dr
from deltarule.data import load_raw
from deltarule.data.schema import Schema
from deltarule.data.table_file import read_table
from deltarule.files.model_file import load_model
from deltarule.trainers.bayesian.stored import from_tensors


def read(path):
    with open(path, newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_a_classifier_writes_classes_and_probabilities(run, shelf, flowers):
    outcome = run("predict", flowers, shelf / "flowers.csv", "--out", "p.csv")
    assert outcome.code == 0
    assert "60 predictions are in p.csv." in outcome.out
    rows = read("p.csv")
    assert len(rows) == 60
    assert list(rows[0]) == [
        "row",
        "length",
        "width",
        "flower",
        "probability_aster",
        "probability_iris",
        "probability_rose",
    ]
    for row in rows:
        probabilities = {name: float(row[f"probability_{name}"]) for name in ("aster", "iris", "rose")}
        assert sum(probabilities.values()) == pytest.approx(1)
        assert row["flower"] == max(probabilities, key=lambda name: probabilities[name])


def test_a_regression_writes_the_unit_of_its_target(run, shelf, houses):
    run("predict", houses, shelf / "houses.csv", "--out", "p.csv")
    rows = read("p.csv")
    assert list(rows[0]) == ["row", "area", "age", "heat", "price", "price_std"]
    model = load_model(houses)
    assert model.schema is not None
    schema = Schema.from_json(model.schema)
    raw = load_raw(shelf / "houses.csv", schema)
    expected = schema.decode(np.asarray(model.net(model.params, raw.X)))[:, 0]
    assert np.allclose([float(row["price"]) for row in rows], expected, rtol=1e-9)


def test_the_rows_keep_their_columns_as_they_stand(run, shelf, flowers):
    (shelf / "meadow.csv").write_text(
        "id,seen,length,row,width,probability_iris,flower\n007,2024-05-01,1.50,a,2,x,rose\n008,,,b,3,y,rose\n"
        "009,2024-05-03,2.50,,3,z,rose\n"
    )
    run("predict", flowers, shelf / "meadow.csv", "--out", "p.csv", "--drop-missing")
    rows = read("p.csv")
    kept = ["id", "seen", "length", "row", "width", "probability_iris"]
    assert list(rows[0]) == [
        "source_row", *kept, "flower", "probability_aster", "predicted_probability_iris", "probability_rose"
    ]  # fmt: skip
    assert [[row[name] for name in ("source_row", *kept)] for row in rows] == [
        ["0", "007", "2024-05-01", "1.50", "a", "2", "x"],
        ["2", "009", "2024-05-03", "2.50", "", "3", "z"],
    ]
    (shelf / "meadow.csv").rename(shelf / "field.csv")
    assert set(json.loads(run("predict", flowers, shelf / "field.csv", "--drop-missing", "--json").out)["rows"]) == {
        0,
        2,
    }


def test_error_bars_are_those_of_the_training_and_an_interval_is_of_the_law(run, shelf, houses):
    record = json.loads(run("predict", houses, shelf / "houses.csv", "--interval", 0.9, "--json").out)
    model = load_model(houses)
    ensemble = from_tensors(model.net, model.error_bars)
    schema = Schema.from_json(model.schema)
    expected = schema.targets[0].std * ensemble.predict(load_raw(shelf / "houses.csv", schema).X).std[:, 0]
    np.testing.assert_allclose(record["std"]["price"], expected, rtol=1e-12)
    t = ensemble.reach(0.9)
    lower, upper = (np.array(record[end]["price"]) for end in ("lower", "upper"))
    np.testing.assert_allclose(upper - lower, 2 * t * expected, rtol=1e-6)
    np.testing.assert_allclose((upper + lower) / 2, record["predictions"]["price"], rtol=1e-9)
    run("predict", houses, shelf / "houses.csv", "--interval", 0.9, "--out", "p.csv")
    assert list(read("p.csv")[0])[4:] == ["price", "price_std", "price_lower", "price_upper"]


def test_an_interval_needs_error_bars_and_a_probability(refused, shelf, flowers, houses):
    assert "has no error bars" in refused("predict", flowers, shelf / "flowers.csv", "--interval", 0.9)
    assert "--interval" in refused("predict", houses, shelf / "houses.csv", "--interval", 1)


def test_rows_far_from_the_training_rows_are_counted(run, shelf, houses):
    (shelf / "castles.csv").write_text("area,age,heat\n100,20,220\n900,20,220\n100,95,220\n")
    outcome = run("predict", houses, shelf / "castles.csv", "--json")
    assert "Note: 2 of 3 rows lie outside" in outcome.err
    assert "row 1, with 900 in 'area'" in outcome.err
    assert json.loads(outcome.out)["rows_outside_training_range"] == 2
    (shelf / "homes.csv").write_text("area,age,heat\n100,20,220\n")
    assert "outside" not in run("predict", houses, shelf / "homes.csv").err


@pytest.mark.parametrize("further", [False, True])
def test_a_model_of_an_estimator_knows_its_range(run, tmp_path, further):
    X, y = np.linspace(0, 10, 40)[:, None], np.linspace(0, 1, 40)
    model = dr.NetworkRegressor(hidden=(2,), trainer="adam", epochs=2)
    model = model.partial_fit(X[:20], y[:20]).partial_fit(X[20:], y[20:]) if further else model.fit(X, y)
    model.save(tmp_path / "m.safetensors")
    (tmp_path / "new.csv").write_text("x0\n9\n12\n-3\n")
    outcome = run("predict", "m.safetensors", "new.csv", "--json")
    assert json.loads(outcome.out)["rows_outside_training_range"] == 2
    assert "with -3 in 'x0'" in outcome.err


def test_rows_without_a_range_are_not_counted(run, digits):
    assert json.loads(run("predict", digits, "digits", "--json").out)["rows_outside_training_range"] is None


def test_without_a_file_the_first_ten_rows_are_shown(run, shelf, flowers):
    outcome = run("predict", flowers, shelf / "flowers.csv")
    assert "10 of 60 rows" in outcome.out
    assert "--out predictions.csv" in outcome.out
    assert "probability" in outcome.out


def test_rows_without_targets_are_enough(run, shelf, flowers):
    (shelf / "wild.csv").write_text("width,length,colour\n0.5,1.5,red\n-1,4,blue\n")
    record = json.loads(run("predict", flowers, shelf / "wild.csv", "--json").out)
    assert record["rows"] == [0, 1]
    assert len(record["predictions"]["flower"]) == 2


def test_rows_with_missing_cells_keep_their_numbers(run, shelf, flowers):
    (shelf / "holes.csv").write_text("length,width\n1,2\n,3\n4,5\n")
    record = json.loads(run("predict", flowers, shelf / "holes.csv", "--drop-missing", "--json").out)
    assert record["rows"] == [0, 2]


def test_digits_are_predicted(run, digits):
    record = json.loads(run("predict", digits, "digits", "--json").out)
    assert len(record["predictions"]["digit"]) == 1797
    assert set(record["predictions"]["digit"]) <= set(range(10))


def test_what_cannot_be_predicted_is_refused(refused, shelf, flowers, digits, tmp_path):
    assert "'width'" in _with(refused, shelf, flowers, "length\n1\n")
    assert "'oops'" in _with(refused, shelf, flowers, "length,width\n1,oops\n")
    assert "no model file" in refused("predict", "missing.safetensors", "digits")
    assert "digits is no source" in refused("predict", flowers, "digits")
    assert "--out" in refused("predict", digits, "digits", "--out", "missing/p.csv")
    assert f"--out is '{digits}'" in refused("predict", digits, "digits", "--out", digits)
    table = shelf / "flowers.csv"
    assert f"--out is '{table}'" in refused("predict", flowers, table, "--out", table)
    (tmp_path / "junk.safetensors").write_bytes(b"junk")
    assert "junk.safetensors is damaged" in refused("predict", "junk.safetensors", "digits")


def _with(refused, shelf, flowers, content):
    (shelf / "bad.csv").write_text(content)
    return refused("predict", flowers, shelf / "bad.csv")


def test_a_model_without_a_schema_is_refused(refused):
    net = dr.Network([dr.Dense(10)])
    dr.save("bare.safetensors", net, net.init(0, (64,)))
    assert "bare.safetensors" in refused("predict", "bare.safetensors", "digits")


def test_a_schema_of_another_network_is_refused(refused, digits):
    net = dr.Network([dr.Dense(9)])
    dr.save("odd.safetensors", net, net.init(0, (64,)), schema=load_model(digits).schema)
    assert "odd.safetensors contradicts itself" in refused("predict", "odd.safetensors", "digits")
    dr.save("odd.safetensors", net, net.init(0, (64,)), schema={"source": "digits"})
    assert "odd.safetensors contradicts itself" in refused("predict", "odd.safetensors", "digits")


@pytest.mark.parametrize("target", ["Druck [bar]", "rate [/min]"])
def test_a_unit_in_square_brackets_is_no_markup(run, tmp_path, target):
    path = tmp_path / "units.csv"
    path.write_text(f"x,{target},[/y]\n" + "".join(f"{i},{2 * i},{i * i}\n" for i in range(30)))
    outcome = run("train", path, "--target", f"{target},[/y]", "--hidden", 2, "--epochs", 3)
    assert outcome.code == 0, outcome.err
    assert f"{target}: quality" in outcome.out
    shown = run("predict", "units.safetensors", path)
    assert shown.code == 0, shown.err
    assert f"{target} " in shown.out
    assert "[/y]_std" in shown.out


def test_a_class_in_square_brackets_is_no_markup(run, tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("x,label\n" + "".join(f"{i},{'[/x]' if i < 15 else '[/y]'}\n" for i in range(30)))
    assert run("train", path, "--target", "label", "--hidden", 2, "--epochs", 3).code == 0
    assert "[/" in run("predict", "labels.safetensors", path).out


def test_a_file_with_semicolons_is_read_as_the_one_that_trained(run, shelf, houses):
    """Decimal commas too; the note says so."""
    plain = (shelf / "houses.csv").read_text(encoding="utf-8")
    with open("other.csv", "w", encoding="utf-8") as stream:
        stream.write(plain.replace(",", ";").replace(".", ","))
    outcome = run("predict", houses, "other.csv", "--json")
    assert "other.csv is read with semicolons" in outcome.err
    ours, theirs = (
        json.loads(found.out) for found in (outcome, run("predict", houses, shelf / "houses.csv", "--json"))
    )
    assert ours.pop("source") != theirs.pop("source")
    assert ours == theirs


SOURCES = {
    "semicolons.csv": (";", ","),
    "tabs.tsv": ("\t", ","),
    "blanks.txt": (" ", ","),
    "quoted.csv": (",", ","),
    "bars.dat": ("|", "."),
    "plain.csv": (",", "."),
}


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("out", ["p.csv", "p.tsv", "p.txt", "p.xlsx", "p.parquet"])
def test_the_predictions_read_back_as_the_same_numbers(run, shelf, houses, source, out):
    separator, decimal = SOURCES[source]
    table = pd.read_csv(shelf / "houses.csv").drop(columns="price").head(20).assign(code="007", who="Ann")
    table.to_csv(source, sep=separator, decimal=decimal, index=False)
    outcome = run("predict", houses, source, "--interval", 0.9, "--out", out, "--json")
    expected = json.loads(outcome.out)
    frame, _ = read_table(Path(out), text_columns={"code"})
    assert list(frame) == ["row", "area", "age", "heat", "code", "who", "price", *(f"price_{s}" for s in SPREAD)]
    np.testing.assert_allclose(frame["price"], expected["predictions"]["price"], rtol=1e-14)
    for name in SPREAD:
        np.testing.assert_allclose(frame[f"price_{name}"], expected[name]["price"], rtol=1e-14)
    assert frame["area"].tolist() == table["area"].tolist()
    assert set(frame["code"]) == {"007"}
    again = run("predict", houses, out, "--json")
    assert json.loads(again.out)["predictions"]["price"] == pytest.approx(expected["predictions"]["price"], rel=1e-14)


SPREAD = ("std", "lower", "upper")


def test_a_file_of_semicolons_and_decimal_commas_is_written_like_its_source(run, shelf, houses):
    plain = (shelf / "houses.csv").read_text(encoding="utf-8")
    Path("other.csv").write_text(plain.replace(",", ";").replace(".", ","), encoding="utf-8")
    run("predict", houses, "other.csv", "--out", "p.csv")
    header, first, *_ = Path("p.csv").read_text(encoding="utf-8").splitlines()
    assert header.split(";")[:2] == ["row", "area"]
    assert '"' not in first
    assert "." not in first


@pytest.mark.parametrize("out", ["p.json", "p", "p.xls"])
def test_an_extension_that_no_table_has_is_refused_by_name(refused, shelf, houses, out):
    message = refused("predict", houses, shelf / "houses.csv", "--out", out)
    assert repr(out) in message
    assert ".xlsx" in message
    assert not Path(out).exists()


def test_on_a_narrow_screen_no_number_is_cut(run, tmp_path, monkeypatch):
    """Two targets with their bounds take 9 columns; each target gets tables of its own, as wide as the screen."""
    path = tmp_path / "two.csv"
    rows = "".join(f"{i},{1234.5 * i + i * i % 7},{-987.25 * i + i * i % 5}\n" for i in range(40))
    path.write_text(f"x,volume flow,heat flow\n{rows}")
    run("train", path, "--target", "volume flow,heat flow", "--hidden", 2, "--epochs", 5)
    record = json.loads(run("predict", "two.safetensors", path, "--interval", 0.9, "--json").out)
    monkeypatch.setenv("COLUMNS", "60")
    out = run("predict", "two.safetensors", path, "--interval", 0.9).out
    shown = [line for line in out.splitlines() if "deltarule" not in line]
    assert max(map(len, shown)) <= 60
    assert "…" not in out
    for name in ("volume flow", "heat flow"):
        for values in (record["predictions"], *(record[bound] for bound in SPREAD)):
            assert f" {values[name][9]:.6g} " in out
