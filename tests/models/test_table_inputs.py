"""DataFrames with other columns than numbers, from a fit to the command line and the exports, without a transformer."""

import pickle
import shutil
import subprocess
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from typer.testing import CliRunner

import deltarule as dr
from deltarule.cli.app import app
from deltarule.cli.model import read_model
from deltarule.data import CategoricalColumn, NumericColumn
from deltarule.errors import DataError
from deltarule.models.inputs import TableInputs
from deltarule.models.scaling import Scaling


def five_kinds(rows=90, seed=0):
    """Numbers, nullable whole numbers, booleans, declared categories and texts; y depends on all, with noise of 0.1."""
    random = np.random.default_rng(seed)
    X = pd.DataFrame(
        {
            "age": random.uniform(20, 80, rows),
            "rooms": pd.array(random.integers(1, 6, rows), dtype="Int64"),
            "balcony": random.random(rows) < 0.5,
            "heating": pd.Categorical.from_codes(random.integers(0, 3, rows), ["gas", "oil", "wood"]),
            "town": np.array(["Köln", "Aachen", "Bonn"], object)[random.integers(0, 3, rows)],
        }
    )
    y = (
        X["age"] / 20
        + X["rooms"].astype(float)
        + X["balcony"]
        - 2.0 * (X["heating"] == "oil")
        + 1.5 * (X["town"] == "Bonn")
        + random.normal(0, 0.1, rows)
    )
    return X, y.rename("rent")


TABLE, Y = five_kinds()
LABELS = pd.Series(np.where(np.median(Y) > Y, "cheap", "dear"), name="price")


@pytest.fixture(scope="module")
def regressor():
    return dr.NetworkRegressor(hidden=(4,), random_state=0).fit(TABLE, Y)


@pytest.fixture(scope="module")
def classifier():
    return dr.NetworkClassifier(hidden=(4,), epochs=100, random_state=0).fit(TABLE, LABELS)


def test_it_is_cross_validated_and_searched():
    model = dr.NetworkRegressor(hidden=(3,), regularization="l2", epochs=40, random_state=0)
    assert cross_val_score(model, TABLE, Y, cv=3).min() > 0.9
    search = GridSearchCV(model, {"l2": [0.1, 1000.0]}, cv=3).fit(TABLE, Y)
    assert search.best_params_ == {"l2": 0.1}
    labelled = dr.NetworkClassifier(hidden=(3,), epochs=60, random_state=0)
    assert cross_val_score(labelled, TABLE, LABELS, cv=3).mean() > 0.8


def test_fitted_attributes(regressor):
    assert regressor.feature_names_in_.tolist() == list(TABLE)
    assert regressor.n_features_in_ == 5
    age, rooms, balcony, heating, town = regressor.schema().inputs
    assert heating == CategoricalColumn("heating", ("gas", "oil", "wood"))
    assert town == CategoricalColumn("town", ("Aachen", "Bonn", "Köln"))
    for column, cells in ((age, TABLE["age"]), (rooms, TABLE["rooms"]), (balcony, TABLE["balcony"])):
        found = NumericColumn.from_values(column.name, cells.to_numpy(float))
        assert column.mean == pytest.approx(found.mean, rel=1e-14)
        assert column.std == pytest.approx(found.std, rel=1e-12)
        assert (column.low, column.high) == (found.low, found.high)
    assert regressor.score(TABLE, Y) > 0.98


def test_columns_are_found_by_name_in_any_order(regressor):
    expected = regressor.predict(TABLE)
    shuffled = TABLE[["town", "rooms", "age", "balcony", "heating"]].assign(other=pd.Timestamp("2024-01-31"))
    np.testing.assert_array_equal(regressor.predict(shuffled), expected)
    np.testing.assert_array_equal(regressor.predict(TABLE.set_axis(range(5, 95))), expected)
    assert regressor.predict(TABLE, return_std=True)[1].shape == (90,)


@pytest.mark.parametrize(
    ("X", "sentence"),
    [
        (TABLE.drop(columns="town"), "X lacks .*'town'"),
        (TABLE.to_numpy(), "X is a ndarray"),
        (TABLE.assign(town="Trier"), "data row 0 .* holds 'Trier'"),
        (
            TABLE.assign(rooms=pd.array([None] * 90, "Int64")),
            "column 'rooms' has 90",
        ),
        (pd.concat([TABLE, TABLE], axis=1), "X has the column 'age' 2 times"),
    ],
    ids=["lacks", "array", "unknown", "missing", "twice"],
)
def test_tables_with_other_columns_are_refused(regressor, X, sentence):
    with pytest.raises(DataError, match=sentence):
        regressor.predict(X)


@pytest.mark.parametrize(
    ("X", "sentence"),
    [
        (TABLE.assign(town=None), None),
        (TABLE.assign(age=TABLE["age"].where(TABLE["age"] > 30)), r"missing cells \(column 'age' has \d+\)"),
        (TABLE.assign(age=["?", *TABLE["age"][1:]]), "holds '\\?' in a column of numbers"),
        (pd.concat([TABLE, TABLE], axis=1), "X has the column 'age' 2 times"),
        (TABLE[["town"]].assign(town="Bonn"), "no column left"),
    ],
    ids=["empty", "missing", "stray", "twice", "constant"],
)
def test_tables_that_cannot_train_are_refused(X, sentence):
    model = dr.NetworkRegressor(hidden=(2,), epochs=2)
    if sentence is None:
        with pytest.warns(UserWarning, match="'town' is ignored: .*no value"):
            assert len(model.fit(X, Y).schema().inputs) == 4
        return
    with pytest.raises(DataError, match=sentence):
        model.fit(X, Y)


def test_numeric_tables_are_plain_arrays():
    numbers = TABLE[["age", "rooms", "balcony"]]
    model = dr.NetworkRegressor(hidden=(2,), epochs=3, random_state=0)
    expected = clone(model).fit(numbers.to_numpy(float), Y).predict(numbers.to_numpy(float))
    np.testing.assert_array_equal(clone(model).fit(numbers, Y).predict(numbers), expected)
    by_object = numbers.astype(object)  # taken by name, with the same numbers
    np.testing.assert_array_equal(clone(model).fit(by_object, Y).predict(by_object), expected)
    written = numbers.assign(age=[repr(age) for age in numbers["age"].tolist()])
    np.testing.assert_array_equal(clone(model).fit(written, Y).predict(written), expected)


def test_weights_with_categories(regressor):
    weight = np.random.default_rng(0).integers(0, 4, len(TABLE))
    strange = TABLE.assign(town=np.where(weight > 0, TABLE["town"], "Trier"))
    weighted = clone(regressor).fit(strange, Y, sample_weight=weight)
    copies = np.repeat(np.arange(len(TABLE)), weight)
    repeated = clone(regressor).fit(TABLE.iloc[copies], Y.iloc[copies])
    np.testing.assert_array_equal(weighted.predict(TABLE), repeated.predict(TABLE))
    assert weighted.schema() == repeated.schema()


@pytest.mark.parametrize("columns", [list(TABLE), ["age", "rooms"]])
def test_a_column_of_weights(columns):
    weight = np.random.default_rng(0).integers(1, 4, len(TABLE))
    model = dr.NetworkRegressor(hidden=(2,), epochs=3, random_state=0)
    X = TABLE[columns]
    by_name = clone(model).fit(X.assign(w=weight), Y, sample_weight="w")
    assert by_name.feature_names_in_.tolist() == columns
    expected = clone(model).fit(X, Y, sample_weight=weight).predict(X)
    np.testing.assert_array_equal(by_name.predict(X.assign(w=weight)), expected)  # the column is not in the way
    scores = cross_val_score(model, X.assign(w=weight), Y, cv=3, params={"sample_weight": "w"})
    assert np.isfinite(scores).all()
    with pytest.raises(DataError, match="lacks the column 'w'"):
        clone(model).fit(X, Y, sample_weight="w")


def test_declared_categories_need_not_occur():
    rare = TABLE.assign(heating=TABLE["heating"].cat.add_categories("sun"))
    model = dr.NetworkRegressor(hidden=(2,), epochs=3, random_state=0).fit(rare, Y)
    assert model.schema().inputs[3].categories == ("gas", "oil", "sun", "wood")
    assert np.isfinite(model.predict(rare.assign(heating="sun"))).all()


def test_partial_fit_goes_on_with_the_categories_of_the_first_call():
    model = dr.NetworkRegressor(hidden=(4,), trainer="adam", random_state=0)
    for _ in range(60):
        model.partial_fit(TABLE[:60], Y[:60])
    model.partial_fit(TABLE[60:], Y[60:])
    assert model.score(TABLE, Y) > 0.8
    with pytest.raises(DataError, match="'Trier'"):
        model.partial_fit(TABLE.assign(town="Trier"), Y)


def test_a_pickle_predicts_the_same(regressor, classifier):
    for model in (regressor, classifier):
        again = pickle.loads(pickle.dumps(model))
        np.testing.assert_array_equal(again.predict(TABLE), model.predict(TABLE))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder to work in, with the table as rows.csv."""
    monkeypatch.chdir(tmp_path)
    TABLE.to_csv("rows.csv", index=False)
    return tmp_path


def test_the_command_line_predicts_what_the_estimators_do(regressor, classifier, folder):
    regressor.save("rent.safetensors")
    classifier.save("price.safetensors")
    trained = read_model(folder / "rent.safetensors")
    outputs = trained.net(trained.params, trained.schema.encode_inputs(TABLE))
    np.testing.assert_allclose(trained.schema.decode(outputs)[:, 0], regressor.predict(TABLE), rtol=1e-13)
    for model, target in (("rent", "rent"), ("price", "price")):
        done = CliRunner().invoke(app, ["predict", f"{model}.safetensors", "rows.csv", "--out", f"{model}.csv"])
        assert done.exit_code == 0, done.output
        assert target in pd.read_csv(f"{model}.csv")
    rent, price = pd.read_csv("rent.csv"), pd.read_csv("price.csv")
    np.testing.assert_allclose(rent["rent"], regressor.predict(TABLE), rtol=1e-12)
    np.testing.assert_allclose(rent["rent_std"], regressor.predict(TABLE, return_std=True)[1], rtol=1e-9)
    assert price["price"].tolist() == classifier.predict(TABLE).tolist()
    np.testing.assert_allclose(price["probability_dear"], classifier.predict_proba(TABLE)[:, 1], rtol=1e-11)


def numbers_of(schema):
    """The raw columns as exported programs take them: a category by its number."""
    columns = []
    for column in schema.inputs:
        cells = TABLE[column.name]
        categorical = isinstance(column, CategoricalColumn)
        columns.append([column.categories.index(cell) for cell in cells] if categorical else cells.astype(float))
    return np.stack([np.asarray(column, float) for column in columns], axis=1)


def test_exported_python(regressor, classifier, folder):
    for model in (regressor, classifier):
        names = {}
        exec(dr.export_model(model, "net.py").read_text(), names)
        assert regressor is not model or np.allclose(
            names["predict"](TABLE.to_numpy(object))[:, 0], model.predict(TABLE), rtol=1e-12, atol=0
        )
        if model is classifier:
            np.testing.assert_allclose(
                names["predict_proba"](numbers_of(model.schema())), model.predict_proba(TABLE), rtol=1e-11
            )
            assert names["predict"](TABLE.to_numpy(object)).tolist() == model.predict(TABLE).tolist()


@pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed")
def test_exported_c(regressor, folder):
    dr.export_model(regressor, "net.c")
    subprocess.run(["gcc", "-std=c99", "-O1", "-DNET_MAIN", "net.c", "-o", "net", "-lm"], check=True)
    text = "\n".join(" ".join(map(repr, row)) for row in numbers_of(regressor.schema()).tolist())
    done = subprocess.run(["./net"], input=text, capture_output=True, text=True, check=True)
    found = [float(line.split()[1]) for line in done.stdout.splitlines()]
    np.testing.assert_allclose(found, regressor.predict(TABLE), rtol=1e-12)


@pytest.mark.skipif(shutil.which("octave-cli") is None, reason="octave-cli is not installed")
def test_exported_octave(regressor, folder):
    dr.export_model(regressor, "net.m")
    rows = numbers_of(regressor.schema())
    rows[:, 3:] += 1  # Octave counts from 1
    np.savetxt("rows.txt", rows, delimiter=",", fmt="%.17g")
    call = "dlmwrite('out.csv', net(dlmread('rows.txt')), 'precision', '%.17g')"
    subprocess.run(["octave-cli", "--no-gui", "--norc", "--no-history", "--eval", call], check=True)
    np.testing.assert_allclose(np.loadtxt("out.csv"), regressor.predict(TABLE), rtol=1e-12)


def test_exported_onnx(regressor, folder):
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    path = dr.export_model(regressor, "net.onnx")
    session = onnxruntime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"X": numbers_of(regressor.schema())})
    np.testing.assert_allclose(found[:, 0], regressor.predict(TABLE), rtol=1e-12)


def test_categories_are_not_scaled():
    frame = pd.DataFrame({"x": [1.0, 3.0], "c": ["a", "b"]})
    table = TableInputs.fit(frame)
    plain = table.encode(frame)
    assert plain.tolist() == [[1, 1, 0], [3, 0, 1]]
    scaling = table.scale_numbers_only(Scaling.fit(plain, np.ones(2)))
    assert scaling.mean.tolist() == [2, 0, 0]
    assert scaling.std.tolist() == [1, 1, 1]
    assert table.scaled_columns(scaling) == (NumericColumn("x", 2.0, 1.0, 1.0, 3.0), CategoricalColumn("c", ("a", "b")))


def test_columns_without_names_are_called_by_their_numbers():
    model = dr.NetworkRegressor(hidden=(2,), epochs=2).fit(TABLE.set_axis(range(5), axis=1), Y)
    assert model.schema().inputs[4].name == "4"
    assert not hasattr(model, "feature_names_in_")
    assert model.predict(TABLE.set_axis(range(5), axis=1)).shape == (90,)


def test_a_table_that_fits_gives_no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        dr.NetworkRegressor(hidden=(2,), epochs=2).fit(TABLE, Y).predict(TABLE)


def test_the_example_of_the_page_runs_and_so_does_its_command(folder):
    page = (Path(__file__).parents[2] / "docs" / "tables.md").read_text()
    code = page.split("```python\n")[1].split("```")[0]
    names = {}
    exec(code, names)
    names["flats"].to_csv("flats.csv", index=False)
    command = code.split("# deltarule ")[1].split()
    done = CliRunner().invoke(app, [*command, "--out", "out.csv"])
    assert done.exit_code == 0, done.output
    np.testing.assert_allclose(pd.read_csv("out.csv")["rent"], names["model"].predict(names["flats"]), rtol=1e-12)


def test_dates_and_identifiers_are_dropped_with_a_warning():
    X = TABLE.assign(day=pd.Timestamp("2024-01-31"), key=[f"flat {i}" for i in range(90)])
    with pytest.warns(UserWarning, match="is ignored") as told:
        model = dr.NetworkRegressor(hidden=(2,), epochs=2).fit(X, Y)
    for one, words in zip(told, (("'day'", "dates"), ("'key'", "90 texts")), strict=True):
        assert all(word in str(one.message) for word in words)
    assert told[0].filename == __file__
    assert [column.name for column in model.schema().inputs] == list(TABLE)
    assert model.predict(TABLE).shape == (90,)  # they need not be there


def test_texts_of_digits_are_codes():
    model = dr.NetworkRegressor(hidden=(2,), epochs=2).fit(TABLE.assign(zip=["007", "53", "7"] * 30), Y)
    assert model.schema().inputs[-1] == CategoricalColumn("zip", ("007", "53", "7"))


def test_too_few_rows_give_a_warning():
    x = np.linspace(0, 1, 6)
    with pytest.warns(UserWarning, match="only 6 rows to train on"):
        dr.NetworkRegressor(hidden=(2,), random_state=0).fit(x[:, None], x)
