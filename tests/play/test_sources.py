import numpy as np
import pytest

import deltarule as dr
from deltarule.data import NumericColumn, Schema
from deltarule.errors import ConfigurationError, DataError, ModelFileError
from deltarule.play.lesson import Lesson
from deltarule.play.problems import GENERATED
from deltarule.play.sources import load_problem


@pytest.fixture
def table(tmp_path):
    random = np.random.default_rng(0)
    X = random.normal(5, 2, (60, 3))
    lines = ["a,b,c,y", *(f"{a},{b},{c},{a * b - c}" for a, b, c in X)]
    path = tmp_path / "plant.csv"
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def test_a_name_is_a_generated_problem():
    for name in GENERATED:
        assert load_problem(name).name == name


def test_the_first_columns_of_a_table_and_its_last_one_as_the_target(table):
    problem = load_problem(table)
    assert problem.inputs == ("a", "b")
    assert problem.outputs == ("y",)
    assert problem.view == "plane"
    assert "first 2 of 3 inputs" in problem.title
    assert len(problem.X) == 42  # 70 % train
    assert problem.validation[0].shape == (9, 2)
    every = load_problem(table, columns=None, target=["a"])
    assert every.inputs == ("b", "c", "y")
    assert every.view == "table"
    lesson = Lesson(every)
    lesson.epoch()
    view = lesson.frame()["learners"][0]["view"]
    assert len(view["targets"]) == len(view["predictions"]) == 42


def test_the_rows_of_a_table_are_those_of_its_source(table):
    problem = load_problem(table)
    lesson = Lesson(problem)
    row = int(problem.rows[7])
    lesson.look(row)
    assert lesson.row == 7
    assert lesson.frame()["source_row"] == row
    held_out = next(row for row in range(60) if row not in problem.rows)
    with pytest.raises(ConfigurationError, match=f"row {held_out} is not among"):
        lesson.look(held_out)


def test_the_first_rows_of_a_folder_train_and_what_it_holds_out_is_scored(tmp_path, monkeypatch):
    pd = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    random = np.random.default_rng(0)
    table = pd.DataFrame(random.normal(size=(3000, 3)), columns=["a", "b", "c"])
    table.assign(kind=(table.a > 0).astype(int)).to_parquet(tmp_path / "part.parquet")
    monkeypatch.setattr("deltarule.play.sources.MOST_ROWS", 500)
    problem = load_problem(str(tmp_path), target="kind")
    assert problem.inputs == ("a", "b")
    assert problem.classes == ("0", "1")
    assert problem.X.shape == (500, 2)
    assert problem.X[problem.labels == 1, 0].min() > problem.X[problem.labels == 0, 0].max()
    assert len(problem.validation[0]) == 450
    Lesson(problem).frame()
    with pytest.raises(ConfigurationError, match="needs a target"):
        load_problem(str(tmp_path))


def test_the_arrays_of_a_folder(tmp_path):
    X = np.random.default_rng(0).normal(size=(200, 2))
    np.save(tmp_path / "x.npy", X)
    np.save(tmp_path / "y.npy", X[:, :1] * X[:, 1:])
    problem = load_problem(str(tmp_path))
    assert problem.view == "plane"
    assert problem.classes is None
    assert len(problem.X) + len(problem.validation[0]) == 170  # 30 are the test part


def test_a_time_series_model_is_refused_with_what_to_do(tmp_path):
    u = np.random.default_rng(0).normal(size=80)
    y = np.append(0, np.tanh(u[:-1]))
    model = dr.NARXRegressor(input_lags=1, output_lags=1, hidden=(2,), training="open-loop", random_state=0).fit(u, y)
    model.save(tmp_path / "narx.safetensors")
    with pytest.raises(ModelFileError, match="deltarule report"):
        load_problem(str(tmp_path / "narx.safetensors"))


def test_digits_are_pictures():
    problem = load_problem("digits")
    assert problem.image == (8, 8)
    assert problem.view == "image"
    assert problem.classes == tuple("0123456789")


@pytest.fixture
def model(tmp_path):
    columns = tuple(NumericColumn(name, 5.0, 2.0) for name in "abc")
    schema = Schema("table", "regression", columns, (NumericColumn("y", 20.0, 10.0),), None, ("y",))
    net = dr.Network([dr.Dense(4, "tanh"), dr.Dense(1, "linear")])
    params = net.init(3, (3,), "float32")
    path = tmp_path / "plant.safetensors"
    dr.save(path, net, params, schema=schema.to_json())
    return str(path), net, params


def test_a_model_goes_on_where_it_stands_on_the_rows_that_are_named(model, table):
    path, net, params = model
    problem = load_problem(path, table)
    lesson = Lesson(problem)
    assert len(problem.X) == 60
    np.testing.assert_array_equal(problem.rows, np.arange(60))
    frame = lesson.frame()
    assert frame["trace"]["layers"][0]["W"] == params[0]["W"].tolist()
    traced = net.trace(params, problem.X[0], problem.Y[0])
    assert frame["trace"]["layers"][1]["delta"] == traced.layers[1].delta.tolist()
    lesson.epoch()
    assert lesson.net == net


def test_a_model_alone_reads_no_other_file(model):
    problem = load_problem(model[0])
    np.testing.assert_array_equal(problem.X, [[0, 0, 0]])
    Lesson(problem).frame()


def test_what_cannot_be_played_is_refused(model, tmp_path, table):
    with pytest.raises(ModelFileError, match="there is no model file"):
        load_problem("none.safetensors")
    with pytest.raises(DataError, match=r"none\.csv"):
        load_problem("none.csv", target=["y"])
    with pytest.raises(ConfigurationError, match="model file"):
        load_problem("circles", table)
    path = tmp_path / "bare.safetensors"
    dr.save(path, model[1], model[2])
    with pytest.raises(ModelFileError, match="has no schema"):
        load_problem(str(path))


def test_missing_cells_are_refused_with_the_options_of_play_alone(tmp_path):
    path = tmp_path / "gaps.csv"
    path.write_text("a,b,y\n1,,3\n" + "1,2,4\n2,1,5\n" * 5)
    with pytest.raises(DataError, match=r"'b' has 1 .*--drop-missing") as refused:
        load_problem(str(path))
    assert "--missing" not in str(refused.value)
    path.write_text("a,b,y\n" + "1,,3\n,2,4\n" * 5)
    with pytest.raises(DataError, match="fill them") as refused:
        load_problem(str(path))
    assert "--drop" not in str(refused.value)
