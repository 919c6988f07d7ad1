"""A table from file to examples: what is scaled by what, what is dropped, and what is refused."""

import numpy as np
import pandas as pd
import pytest

import deltarule as dr
from deltarule.data import CategoricalColumn, NumericColumn, Schema, TableOptions, load, load_raw
from deltarule.data.table import encode_rows
from deltarule.errors import ConfigurationError, DataError


@pytest.fixture
def houses(csv):
    """Twenty rows: two numeric inputs, one of text, one constant; the price has fractions."""
    generator = np.random.default_rng(0)
    size, age = generator.integers(40, 200, 20), generator.integers(0, 90, 20)
    rows = [f"{s},{a},{'ab'[i % 2]},7,{s * 1.5 + a + 0.25}" for i, (s, a) in enumerate(zip(size, age, strict=True))]
    return csv("size,age,area,floor,price\n" + "\n".join(rows), "houses.csv")


def test_a_regression(houses):
    data = load(houses, target="price")
    assert (data.name, data.task) == ("houses.csv", "regression")
    assert [len(part) for part in (data.train, data.validation, data.test)] == [14, 3, 3]
    assert data.schema.input_names == ("size", "age", "area=a", "area=b", "floor")
    assert data.train.X.shape == (14, 5)
    assert data.train.X.dtype == data.train.Y.dtype == np.float64
    assert sorted(np.concatenate([part.rows for part in (data.train, data.validation, data.test)])) == list(range(20))


def test_the_scales_are_those_of_the_training_part(houses):
    data = load(houses, target="price")
    assert data.train.X[:, :2].mean(axis=0) == pytest.approx([0, 0], abs=1e-12)
    assert data.train.X[:, :2].std(axis=0) == pytest.approx([1, 1])
    assert data.train.Y.std() == pytest.approx(1)
    assert abs(data.test.X[:, 0].mean()) > 1e-3
    assert data.train.X[:, 4].tolist() == [0] * 14


def test_each_example_is_its_row(houses):
    data = load(houses, target="price")
    frame = pd.read_csv(houses)
    for part in (data.train, data.validation, data.test):
        assert data.schema.decode(part.Y)[:, 0] == pytest.approx(frame["price"].to_numpy()[part.rows])
        assert np.array_equal(data.schema.encode_inputs(frame)[part.rows], part.X)


def test_the_seed_decides_the_split(houses):
    one, same, other = (load(houses, target="price", seed=seed) for seed in (0, 0, 1))
    assert np.array_equal(one.train.rows, same.train.rows)
    assert not np.array_equal(one.train.rows, other.train.rows)


def test_blocks_are_in_the_order_of_the_table(houses):
    data = load(houses, target="price", split="blocks", seed=7)
    found = [part.rows.tolist() for part in (data.train, data.validation, data.test)]
    assert found == [list(range(14)), [14, 15, 16], [17, 18, 19]]
    with pytest.raises(ConfigurationError, match=r"split .*is 'middle'"):
        load(houses, target="price", split="middle")
    with pytest.raises(ConfigurationError, match="split is 'blocks'"):
        load("digits", split="blocks")


@pytest.mark.parametrize("form", ["%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y %H:%M"])
def test_rows_in_the_order_of_time(tmp_path, form):
    days = pd.date_range("2023-11-20", periods=90)
    frame = pd.DataFrame({"day": days.strftime(form), "x": np.arange(90) % 7, "y": np.arange(90) / 7 % 3})
    for name, rows in (("grows", frame), ("mixed", frame.sample(frac=1, random_state=0))):
        path = tmp_path / f"{name}.csv"
        rows.to_csv(path, index=False)
        notes = load(path, target="y").notes
        assert "'day' is ignored" in notes[0]
        assert any("sorted by 'day'" in note for note in notes) == (name == "grows")
        assert len(load(path, target="y", split="blocks").notes) == 1


def test_several_targets(houses):
    data = load(houses, target="price,age")
    assert data.schema.target_names == ("price", "age")
    assert data.train.Y.shape == (14, 2)
    assert data.schema.input_names[0] == "size"


def test_a_classification(houses):
    data = load(houses, target="area")
    assert data.schema.classes == ("a", "b")
    assert data.schema.targets == ()
    for part in (data.train, data.validation, data.test):
        assert part.Y.sum(axis=0).min() >= 1  # stratified
    labels = pd.read_csv(houses)["area"].to_numpy()
    assert data.schema.decode(data.test.Y).tolist() == labels[data.test.rows].tolist()


@pytest.mark.parametrize(("cells", "classes"), [("130", (0, 1, 3)), (["True", "False", "True"], (False, True))])
def test_classes_keep_their_type(csv, cells, classes):
    rows = "\n".join(f"{i},{cells[i % 3]}" for i in range(12))
    assert load(csv(f"x,y\n{rows}"), target="y").schema.classes == classes


def test_booleans_and_categories_as_inputs(csv):
    data = load(csv("flag,colour,y\ntrue,red,0.5\nfalse,blue,1.5\ntrue,red,2.5\nfalse,red,3.5"), target="y")
    flag, colour = data.schema.inputs
    assert isinstance(flag, NumericColumn)
    assert colour == CategoricalColumn("colour", ("blue", "red"))


def test_parquet_with_nullable_and_arrow_types(tmp_path):
    path = tmp_path / "t.parquet"
    pd.DataFrame(
        {
            "whole": pd.array([1, 2, 3, 4], dtype="Int64"),
            "real": pd.array([0.5, 1.5, 2.5, 3.5], dtype="Float64"),
            "flag": pd.array([True, False, True, False], dtype="boolean"),
            "kind": pd.Categorical(["a", "b", "a", "b"]),
            "day": pd.date_range("2020-01-01", periods=4),
            "y": [0.25, 0.5, 0.75, 1.0],
        }
    ).to_parquet(path)
    data = load(path, target="y")
    assert data.schema.input_names == ("whole", "real", "flag", "kind=a", "kind=b")
    assert "'day' is ignored" in data.notes[0]


def test_missing_cells_are_counted(csv):
    path = csv("a,b,y\n1,x,0.5\n,NA,1.5\n3,,2.5\n4,x,3.5\n5,y,4.5")
    with pytest.raises(DataError) as caught:
        load(path, target="y")
    message = str(caught.value)
    assert "'a' has 1 (first in line 3)" in message
    assert "'b' has 2 (first in line 3)" in message
    assert "--drop-missing" in message
    assert "counted from" not in message


def test_the_advice_on_missing_cells_can_be_followed(csv):
    with pytest.raises(DataError, match="leave such rows out") as caught:
        load(csv("a,y\n1,0.5\n2,\n3,1.5\n4,2"), target="y")
    assert "impute" not in str(caught.value)  # a target is not imputed
    with pytest.raises(DataError, match=r"impute, or .*--drop") as caught:
        load(csv("a,b,y\n1,,0.5\n,2,1\n3,,1.5"), target="y")
    assert "--drop-missing" not in str(caught.value)  # no row would be left


def test_the_advice_on_missing_inputs_of_a_table_with_several_targets(csv):
    with pytest.raises(DataError, match="impute") as caught:
        load(csv("a,b,y,z\n1,1,0.5,1\n,2,1,2\n3,3,1.5,3\n4,4,2,4"), target=["y", "z"])
    assert "'a' has 1" in str(caught.value)


def test_errors_name_the_line_of_the_file(csv, tmp_path):
    messy = 'name,a,y\n# a comment\n\n"two\nlines",1,2.5\nn,2,3.5\nn,3,4.5\nn,x,5.5\nn,4,1.5\n'
    with pytest.raises(DataError, match=r"table.csv: column 'a', line 8 holds 'x' .*--drop"):
        load(csv(messy), target="y")
    with pytest.raises(DataError, match=r"'a', line 8 holds 'x' .*task classification") as caught:
        load(csv(messy), target="a")
    assert "--drop" not in str(caught.value)
    sheet = pd.DataFrame([["title", None], ["a", "y"], [1, 0.5], [2, 1.5], ["x", 2.5], [4, 3.5]])
    sheet.to_excel(tmp_path / "t.xlsx", header=False, index=False)
    with pytest.raises(DataError, match=r"column 'a', line 5 holds 'x'"):
        load(tmp_path / "t.xlsx", target="y")


def test_rows_with_missing_cells_are_left_out_on_request(csv):
    data = load(csv("a,y\n1,0.5\n,1.5\n3,2.5\n4,\n5,4.5"), target="y", drop_missing=True)
    rows = np.concatenate([part.rows for part in (data.train, data.validation, data.test)])
    assert sorted(rows) == [0, 2, 4]
    assert data.notes[0].startswith("2 of 5 rows of table.csv ")


def test_an_empty_column_drops_no_row(csv):
    data = load(csv("a,void,y\n1,,0.5\n2,,1.5\n3,,2.5"), target="y")
    assert data.schema.input_names == ("a",)


def test_inputs_are_not_said_to_be_imputable_while_the_target_is_missing(csv):
    with pytest.raises(DataError, match="--drop-missing") as caught:
        load(csv("a,y\n,1.5\n2,\n3,2.5\n4,1\n"), target="y")
    assert "impute" not in str(caught.value)


def test_missing_inputs_are_imputed_on_request(csv):
    path = csv("a,b,c,y\n1,x,1,0.5\n,NA,2,1.5\n3,,3,2.5\n4,x,4,3.5\n5,y,5,")
    impute = TableOptions(impute=True)
    with pytest.raises(DataError, match=r"column 'y' has 1 .*line 6"):
        load(path, target="y", options=impute)
    data = load(path, target="y", options=impute, drop_missing=True)
    assert data.schema.input_names == ("a", "a is missing", "b=x", "b=y", "b is missing", "c")
    assert any("'a' (1 of 4 rows), 'b' (2 of 4 rows)" in note for note in data.notes)
    assert Schema.from_json(data.schema.to_json()) == data.schema
    raw = load_raw(path, data.schema, targets=False)  # the model knows what to do with missing cells
    assert raw.rows.tolist() == [0, 1, 2, 3, 4]
    assert raw.X[1, [0, 1, 4]].tolist() == [0, 1, 1]
    with pytest.raises(DataError, match="column 'c', line 2"):
        load_raw(csv("a,b,c\n1,x,\n2,x,3", "new.csv"), data.schema)
    assert load_raw(csv("a,b,c\n1,x,\n,x,3", "new.csv"), data.schema, drop_missing=True).rows.tolist() == [1]


def test_weights_count_beside_each_other_whatever_their_unit(csv):
    rows = "".join(f"{i},{i * i % 7},{{}}\n" for i in range(9))
    given = [rows.format(*(unit * (1 + i % 3) for i in range(9))) for unit in (1, 0.001, 1000)]
    parts = [load(csv("a,y,w\n" + text), target="y", options=TableOptions(weights="w")).train for text in given]
    for part in parts:
        assert part.weights.mean() == pytest.approx(1)  # whatever the rows of the other parts weigh
        assert part.weights / part.weights[0] == pytest.approx((1 + part.rows % 3) / (1 + part.rows[0] % 3))


def test_weights_are_split_with_their_rows(csv):
    rows = "\n".join(f"{i},{i}.5,{i % 3}" for i in range(21))
    data = load(csv("a,y,w\n" + rows), target="y", options=TableOptions(weights="w"))
    assert data.schema.input_names == ("a",)
    for part in (data.train, data.validation, data.test):
        assert np.ptp(part.weights[part.rows % 3 > 0] / (part.rows % 3)[part.rows % 3 > 0]) == pytest.approx(0)
        assert not part.weights[part.rows % 3 == 0].any()
    for cells in ("-1", "x", "0"):
        text = "\n".join(f"{i},{i}.5,{cells if i == 3 or cells == '0' else 1}" for i in range(20))
        with pytest.raises(DataError, match=r"'w'(, line 5| are all 0)"):
            load(csv("a,y,w\n" + text), target="y", options=TableOptions(weights="w"))


@pytest.mark.parametrize(
    ("text", "options", "kind", "message"),
    [
        ("a,y\n1,0.5\n2,1\n3,2", {}, ConfigurationError, "table.csv needs a target"),
        ("a,y\n1,0.5\n2,1\n3,2", {"target": "z"}, DataError, "no column 'z'"),
        ("a,y\n1,0.5", {"target": "y"}, DataError, "has 1 data row"),
        ("a,y\n1,0.5\n2,1", {"target": "y"}, DataError, "has 2 data rows"),
        ("a,y\n1,0.5\n,1\n2,2", {"target": "y", "drop_missing": True}, DataError, "2 data rows once those with"),
        ("a,y\n1,\n2,\n3,", {"target": "y"}, DataError, "'y' has no value"),
        ("a,y\n1,\n2,\n3,", {"target": "y", "drop_missing": True}, DataError, "'y' has no value"),
        ("a,y\n1,0.5\ninf,1\n3,2", {"target": "y"}, DataError, "column 'a', line 3 holds inf"),
        ("a,y\n1,0.5\n2,1\n3,-inf", {"target": "y"}, DataError, "column 'y', line 4 holds -inf"),
        ("y\n0.5\n1\n2", {"target": "y"}, DataError, "no column left"),
        ("a,y\n1,0.5\n2,x\n3,2", {"target": "y"}, DataError, "column 'y', line 3 .*'x'"),
        ("a,y\n1,p\n2,q\n3,r", {"target": "y", "task": "regression"}, DataError, "line 2 .*'p'.*numbers"),
        ("a,y\n1,p\n2,p\n3,p", {"target": "y"}, DataError, "'p' in every row"),
        ("a,b,y\n1,1,1\n2,2,2\n3,3,3", {"target": "b,y", "task": "classification"}, ConfigurationError, "one target"),
        ("a,y\n1,0.5\n2,1\n3,2", {"target": "y", "task": "guess"}, ConfigurationError, "task is 'guess'"),
        ("a,y\n1,0.5\n2,1\n3,2", {"target": "y", "seed": -1}, ConfigurationError, "seed must be .* is -1"),
    ],
)
def test_a_table_that_cannot_be_used(csv, text, options, kind, message):
    with pytest.raises(kind, match=message) as caught:
        load(csv(text), **options)
    assert "\n" not in str(caught.value)


def test_new_rows_for_a_model(houses, csv):
    schema = load(houses, target="price").schema
    raw = load_raw(csv("floor,area,age,size,extra\n7,a,10,100,x\n7,b,20,50,y", "new.csv"), schema)
    assert raw.X.shape == (2, 5)
    assert raw.Y is None
    assert raw.targets is None
    assert raw.test_rows is None
    assert raw.rows.tolist() == [0, 1]
    assert list(raw.frame) == ["floor", "area", "age", "size", "extra"]


def test_the_same_rows_for_a_model(houses):
    data = load(houses, target="price")
    raw = load_raw(houses, data.schema)
    assert raw.Y is not None
    assert raw.targets is not None
    assert np.array_equal(raw.X[data.test.rows], data.test.X)
    assert np.array_equal(raw.Y[data.test.rows], data.test.Y)
    assert np.array_equal(raw.targets[:, 0], pd.read_csv(houses)["price"])


def test_labels_of_new_rows(houses, csv):
    schema = load(houses, target="area").schema
    path = csv("size,age,floor,price,area\n1,1,7,1,b\n1,1,7,1,z")
    with pytest.raises(DataError, match=r"table.csv: target 'area', line 3 .*'z'"):
        load_raw(path, schema)
    assert load_raw(path, schema, targets=False).Y is None


def test_categories_that_look_like_numbers_stay_text(csv):
    rows = "\n".join(f"{code},{i}.5" for i, code in enumerate(["01", "A", "B", "C"] * 3))
    schema = load(csv(f"code,y\n{rows}"), target="y").schema
    assert load_raw(csv("code\n01\n01", "new.csv"), schema).X[:, 0].tolist() == [1, 1]


def test_empty_targets_of_new_rows_are_no_targets(houses, csv):
    schema = load(houses, target="price").schema
    raw = load_raw(csv("size,age,area,floor,price\n1,1,a,7,\n1,1,b,7,"), schema)
    assert raw.Y is None


def test_new_rows_with_missing_cells(houses, csv):
    schema = load(houses, target="price").schema
    path = csv("size,age,area,floor\n1,1,a,7\n,1,b,7\n2,2,a,7")
    with pytest.raises(DataError, match=r"'size', line 3 is empty"):
        load_raw(path, schema)
    raw = load_raw(path, schema, drop_missing=True)
    assert raw.rows.tolist() == [0, 2]
    (note,) = raw.notes
    assert "1 of 3 rows of table.csv" in note
    with pytest.raises(DataError, match="missing cell in every row"):
        load_raw(csv("size,age,area,floor\n,1,a,7"), schema, drop_missing=True)


def test_a_header_of_numbers_is_noted(csv):
    rows = "\n".join(f"{i / 7:.3f},{i / 3:.3f}" for i in range(1, 40))
    (note,) = load(csv(f"5.1,3.5\n{rows}"), target="3.5").notes
    assert "'5.1', '3.5'" in note


@pytest.fixture(scope="module")
def schema():
    draw = np.random.default_rng(0)
    table = pd.DataFrame({"a": draw.normal(3, 2, 40), "b": draw.normal(size=40)})
    table["y"] = table.a - table.b
    return dr.fit_table(table, target="y", hidden=(), epochs=2).schema


def test_an_array_is_standardised_in_the_order_of_the_columns(schema):
    rows = np.array([[3.0, 0.5], [1.0, -0.5]])
    a, b = schema.inputs
    expected = (rows - [a.mean, b.mean]) / [a.std, b.std]
    np.testing.assert_allclose(encode_rows(schema, rows), expected, rtol=1e-14)


def test_columns_of_a_data_frame_are_found_by_name(schema):
    frame = pd.DataFrame({"other": ["x", "y"], "b": [0.5, -0.5], "a": [3.0, 1.0]})
    np.testing.assert_allclose(
        encode_rows(schema, frame), encode_rows(schema, frame[["a", "b"]].to_numpy()), rtol=1e-14
    )


def test_an_array_of_another_width_is_refused_with_the_columns(schema):
    with pytest.raises(DataError, match=r"\(2, 3\).*2 columns.*'a'.*'b'"):
        encode_rows(schema, np.zeros((2, 3)))
