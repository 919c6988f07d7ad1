"""A folder as a data set: Parquet files or two .npy files, measured in one pass, the training part left on disk."""

import numpy as np
import pandas as pd
import pytest

from deltarule.data import NumericColumn, held_out, load_folder
from deltarule.errors import ConfigurationError, DataError

N = 240
random = np.random.default_rng(0)
FRAME = pd.DataFrame({"a": random.normal(5, 2, N), "b": random.integers(0, 9, N), "y": random.normal(0, 30, N)})
FRAME["kind"] = random.integers(1, 4, N)


@pytest.fixture
def folder(tmp_path):
    """Three Parquet files of two row groups each, one of them a level down."""
    (tmp_path / "rows" / "more").mkdir(parents=True)
    for name, part in zip(("0", "1", "more/2"), np.split(np.arange(N), 3), strict=True):
        FRAME.iloc[part].to_parquet(tmp_path / "rows" / f"{name}.parquet", index=False, row_group_size=40)
    return tmp_path / "rows"


def training_rows(data):
    pieces = [piece for block in data.train.blocks for piece in data.train.pieces(block)]
    return tuple(np.concatenate(arrays) for arrays in zip(*pieces, strict=True))


def test_a_folder_is_split_and_standardised_by_its_training_part(folder):
    told = []
    data = load_folder(folder, target="y", seed=3, progress=told.append)
    assert (data.name, data.task, data.schema.input_names) == ("rows", "regression", ("a", "b", "kind"))
    assert (len(data.train), len(data.validation), len(data.test)) == (N - 72, 36, 36)
    x, y = training_rows(data)
    np.testing.assert_allclose([x.mean(axis=0), x.std(axis=0)], [np.zeros(3), np.ones(3)], atol=1e-12)
    held = np.concatenate([data.validation.rows, data.test.rows])
    assert len(set(held)) == 72
    trained = FRAME["y"].drop(held)
    whole = NumericColumn.measured("y", trained.to_numpy())
    column = data.schema.targets[0]
    np.testing.assert_allclose((column.mean, column.std), (whole.mean, whole.std), rtol=1e-12)
    np.testing.assert_allclose(np.sort(data.schema.decode(y)[:, 0]), np.sort(trained), rtol=1e-12)
    np.testing.assert_allclose(data.schema.decode(data.test.Y)[:, 0], FRAME["y"][data.test.rows], rtol=1e-12)
    assert told[-1] == 1.0
    assert told == sorted(told)


def test_held_out_rows_are_encoded_as_a_table_would_be(folder):
    data = load_folder(folder, target="kind")
    assert (data.task, data.schema.classes) == ("classification", (1, 2, 3))
    rows = FRAME.iloc[data.validation.rows]
    np.testing.assert_array_equal(data.validation.X, data.schema.encode_inputs(rows))
    np.testing.assert_array_equal(data.validation.Y, data.schema.encode_targets(rows))
    assert set(training_rows(data)[1][:, 0]) == {0, 1, 2}
    assert "3 different whole numbers" in data.notes[0]


def test_the_task_and_several_targets_overrule_the_looks(folder):
    assert load_folder(folder, target="kind", task="regression").task == "regression"
    assert load_folder(folder, target="kind,y").schema.target_names == ("kind", "y")
    with pytest.raises(ConfigurationError, match="the target has 2 columns"):
        load_folder(folder, target="kind,y", task="classification")
    with pytest.raises(DataError, match=r"target 'y' of .* holds numbers"):
        load_folder(folder, target="y", task="classification")


def test_two_arrays_are_a_folder_too(tmp_path):
    np.save(tmp_path / "X.npy", FRAME[["a", "b"]].to_numpy(np.float32))
    np.save(tmp_path / "y.npy", FRAME["kind"].to_numpy())
    data = load_folder(tmp_path)
    assert (data.schema.input_names, data.schema.target_names) == (("x0", "x1"), ("y",))
    assert data.schema.classes == (1, 2, 3)
    with pytest.raises(ConfigurationError, match=r"y.npy of .* holds"):
        load_folder(tmp_path, target="a")
    (tmp_path / "y.npy").unlink()
    with pytest.raises(DataError, match=r"holds x.npy alone"):
        load_folder(tmp_path)


def test_held_out_classes_take_no_more_memory_than_they_may(tmp_path, monkeypatch):
    k, rows = 10, 5
    np.save(tmp_path / "x.npy", FRAME[["a", "b"]].to_numpy())
    np.save(tmp_path / "y.npy", np.arange(N) % k)
    monkeypatch.setattr(held_out, "HELD_BYTES", 8 * (2 + k) * rows)
    data = load_folder(tmp_path)
    for part in (data.validation, data.test):
        assert part.X.nbytes + part.Y.nbytes == 8 * (2 + k) * rows
        np.testing.assert_array_equal(np.argmax(part.Y, axis=1), part.rows % k)
        np.testing.assert_array_equal(
            part.X, data.schema.encode_inputs(FRAME[["a", "b"]].set_axis(["x0", "x1"], axis=1).iloc[part.rows])
        )
    x, y = training_rows(data)
    assert len(x) == len(data.train) == N - 2 * rows
    held = np.concatenate([data.validation.rows, data.test.rows])
    np.testing.assert_array_equal(y[:, 0], np.delete(np.arange(N) % k, held))  # every other row trains


def test_a_class_of_which_no_row_trains_is_noted(tmp_path):
    for name, rows in (("few", 1), ("many", 60)):
        (tmp_path / name).mkdir()
        FRAME.assign(kind=(np.arange(N) < rows).astype(int)).to_parquet(tmp_path / name / "0.parquet")
    seeds = range(12)
    said = {name: [load_folder(tmp_path / name, target="kind", seed=s) for s in seeds] for name in ("few", "many")}
    for data in said["few"]:
        trains = 1 in training_rows(data)[1]
        assert trains != any("the classes 1 that" in note for note in data.notes)
    assert any(1 not in training_rows(data)[1] for data in said["few"])
    assert not any("none trains" in note for data in said["many"] for note in data.notes)


def test_a_folder_is_named_as_it_is_called(folder, monkeypatch):
    monkeypatch.chdir(folder)
    assert load_folder(".", target="y").name == "rows"


def test_numbers_of_any_size_are_standardised(tmp_path):
    FRAME.assign(y=FRAME["y"] * 1e200, a=FRAME["a"] * 1e-200).to_parquet(tmp_path / "0.parquet")
    x, y = training_rows(load_folder(tmp_path, target="y"))
    np.testing.assert_allclose([x[:, 0].std(), y.std()], [1, 1], rtol=1e-12)


def test_a_constant_column_is_noted(tmp_path):
    FRAME.assign(c=7.0).to_parquet(tmp_path / "0.parquet")
    (note,) = load_folder(tmp_path, target="y").notes
    assert "column 'c' holds 7" in note


@pytest.mark.parametrize(
    ("frame", "target", "said"),
    [
        (None, "y", "neither .parquet .*nor x.npy"),
        (FRAME, None, "needs a target"),
        (FRAME, "z", "has no column 'z'"),
        (FRAME[["y"]], "y", "no column left"),
        (FRAME.assign(kind=4), "kind", "holds 4 in every row"),
        (FRAME.assign(a=np.inf), "y", "'a' of .* holds inf"),
        (FRAME.assign(a="red"), "y", "a stream reads numbers only"),
        (FRAME.assign(a=FRAME["a"].where(FRAME["a"] > 4)), "y", "'a' of .* (missing|nan)"),
        (FRAME.assign(y=FRAME["y"].where(FRAME["a"] > 4)), "y", "'y' of .* (missing|nan)"),
        (FRAME, "y,y", "names a column twice"),
        (FRAME, "y,", "needs a target"),
        (FRAME.iloc[:2], "y", "at least 3: add rows"),
    ],
)
def test_what_cannot_be_used_is_said_in_a_sentence(tmp_path, frame, target, said):
    if frame is not None:
        frame.to_parquet(tmp_path / "0.parquet", index=False)
    with pytest.raises((DataError, ConfigurationError), match=said):
        load_folder(tmp_path, target=target)


def test_nan_in_an_array_is_named(tmp_path):
    np.save(tmp_path / "x.npy", np.where(np.arange(20)[:, None] == [3, 99], np.nan, 1.0))
    np.save(tmp_path / "y.npy", np.arange(20.0))
    with pytest.raises(DataError, match=r"'x0' of .* holds nan"):
        load_folder(tmp_path)
