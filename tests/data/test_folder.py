"""A folder as a data set: Parquet files or two .npy files, measured in one pass, the training part left on disk."""

import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from deltarule.data import ArrayStream, NumericColumn, load_folder, splitting
from deltarule.data.folder import FolderStatistics, ProcessGroup
from deltarule.data.splitting import TEST, TRAINING
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
    whole = NumericColumn.from_values("y", trained.to_numpy())
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


def test_the_task_option_and_several_targets_override_the_rule(folder):
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


def test_held_out_classes_stay_within_the_memory_limit(tmp_path, monkeypatch):
    k, rows = 10, 5
    np.save(tmp_path / "x.npy", FRAME[["a", "b"]].to_numpy())
    np.save(tmp_path / "y.npy", np.arange(N) % k)
    monkeypatch.setattr(splitting, "MAX_PART_BYTES", 8 * (2 + k) * rows)
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


def test_a_class_without_training_rows_is_noted(tmp_path):
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


def test_the_name_of_a_folder(folder, monkeypatch):
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
        (FRAME, None, "needs a target: .* with target$"),
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
def test_folders_that_cannot_be_used_are_refused(tmp_path, frame, target, said):
    if frame is not None:
        frame.to_parquet(tmp_path / "0.parquet", index=False)
    with pytest.raises((DataError, ConfigurationError), match=said):
        load_folder(tmp_path, target=target)


def test_nan_in_an_array_is_named(tmp_path):
    np.save(tmp_path / "x.npy", np.where(np.arange(20)[:, None] == [3, 99], np.nan, 1.0))
    np.save(tmp_path / "y.npy", np.arange(20.0))
    with pytest.raises(DataError, match=r"'x0' of .* holds nan"):
        load_folder(tmp_path)


ROWS = 1003
draws = np.random.default_rng(0)
NUMBERS = draws.normal([5, 0, 1e6], [2, 1e-3, 3], (ROWS, 3))
KINDS = draws.integers(0, 5, ROWS)


@pytest.fixture
def arrays(tmp_path, monkeypatch):
    """Blocks of 64 rows."""
    monkeypatch.setattr(ArrayStream.__init__, "__defaults__", (64,))
    np.save(tmp_path / "x.npy", NUMBERS)
    np.save(tmp_path / "y.npy", KINDS)
    return tmp_path


def together(of, *arguments, **options):
    """What `load_folder` returns or raises in each of so many threads.

    They take turns, as they are processes elsewhere: `ast.literal_eval`, by which NumPy reads an array header, fails
    now and then where two threads of Python 3.11 are in it.
    """
    barrier, turn, told, found = threading.Barrier(of), threading.Lock(), [b""] * of, [None] * of

    def run(i):
        def everyones(content):
            told[i] = content
            turn.release()
            try:
                barrier.wait(timeout=60)
                all_told = list(told)
                barrier.wait(timeout=60)
            finally:
                turn.acquire()
            return all_told

        with turn:
            try:
                found[i] = load_folder(*arguments, group=ProcessGroup(i, of, everyones), **options)
            except (DataError, MemoryError) as error:
                found[i] = error

    threads = [threading.Thread(target=run, args=(i,)) for i in range(of)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


@pytest.mark.parametrize("of", [2, 4, 20])
def test_each_process_reads_its_shard_and_gets_the_result_of_one(arrays, monkeypatch, of):
    """20 processes are more than there are blocks."""
    alone, read, whole = load_folder(arrays, seed=3), [], ArrayStream.pieces

    def counted(stream, block):
        read.append((threading.get_ident(), block))
        return whole(stream, block)

    monkeypatch.setattr(ArrayStream, "pieces", counted)
    for data in together(of, arrays, seed=3):
        assert data.schema == alone.schema  # to the last bit
        assert data.train.digest == alone.train.digest
        assert data.notes == alone.notes
        for part in ("validation", "test"):
            one, other = getattr(data, part), getattr(alone, part)
            for name in ("X", "Y", "rows"):
                np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    assert sorted(block.place for _, block in read) == list(range(0, ROWS, 64))  # every block once
    rows = [sum(block.rows for reader, block in read if reader == mine) for mine in {reader for reader, _ in read}]
    assert len(rows) == min(of, 16)
    assert max(rows) <= 64 * -(-16 // of)


@pytest.mark.parametrize("at", [0, ROWS - 1])
def test_all_processes_refuse_what_one_refuses(arrays, at):
    bad = NUMBERS.copy()
    bad[at, 1] = np.nan
    np.save(arrays / "x.npy", bad)
    for error in together(3, arrays):
        assert isinstance(error, DataError)
        assert f"'x1' of {arrays} holds nan" in str(error)


def test_an_error_of_one_process_ends_all(arrays, monkeypatch):
    """Whatever it is: the others wait for what that process has to tell."""
    whole = ArrayStream.pieces

    def fails(stream, block):
        if block.place == 640:
            raise MemoryError("no room")
        return whole(stream, block)

    monkeypatch.setattr(ArrayStream, "pieces", fails)
    found = together(3, arrays)
    assert sorted(map(type, found), key=str) == [MemoryError, DataError, DataError]
    assert {str(error) for error in found if isinstance(error, DataError)} == {
        "another process failed: MemoryError('no room')"
    }


@pytest.mark.parametrize("of", [2, 3, 8])
def test_parquet_files_are_measured_together(tmp_path, of):
    """Five files of row groups of 40: whole files for two and three processes, row groups for eight."""
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    for i, rows in enumerate(np.array_split(np.arange(ROWS), 5)):
        columns = {"a": NUMBERS[rows, 0], "b": NUMBERS[rows, 1].astype(np.float32), "y": np.sin(NUMBERS[rows, 0])}
        parquet.write_table(pyarrow.table(columns), tmp_path / f"{i}.parquet", row_group_size=40)
    alone = load_folder(tmp_path, target="y")
    for data in together(of, tmp_path, target="y"):
        assert data.schema == alone.schema
        assert data.train.digest == alone.train.digest
        for part in ("validation", "test"):
            for name in ("X", "Y", "rows"):
                one, other = (getattr(getattr(d, part), name) for d in (data, alone))
                np.testing.assert_array_equal(one, other)
    damaged = (tmp_path / "3.parquet").read_bytes()
    (tmp_path / "3.parquet").write_bytes(damaged[:50] + bytes(400) + damaged[450:])
    for error in together(of, tmp_path, target="y"):
        assert f"row group 0 of {tmp_path / '3.parquet'} cannot" in str(error)


def test_classes_are_collected_from_all_shards(arrays):
    """Each share alone has few whole numbers; together they are too many to be classes."""
    np.save(arrays / "y.npy", np.arange(ROWS) // 40)
    assert {data.task for data in together(4, arrays)} == {"regression"}
    np.save(arrays / "y.npy", np.arange(ROWS) // 60)
    assert {data.schema.classes for data in together(4, arrays)} == {tuple(range(17))}
    np.save(arrays / "y.npy", np.where(np.arange(ROWS) < ROWS - 1, 0, 0.5))
    assert {data.task for data in together(4, arrays)} == {"regression"}
    for error in together(4, arrays, task="classification"):
        assert "not whole" in str(error)


def test_the_digest_depends_on_every_number(arrays):
    before = load_folder(arrays).train.digest
    other = NUMBERS.copy()
    other[500, 1] = np.nextafter(other[500, 1], 1)
    np.save(arrays / "x.npy", other)
    assert load_folder(arrays).train.digest != before
    np.save(arrays / "x.npy", NUMBERS)
    assert load_folder(arrays).train.digest == before
    assert load_folder(arrays, seed=1).train.digest != before  # other rows train


PATH = Path("rows")
FEW = np.random.default_rng(0).normal(3, 2, (60, 2))
TRAINS = np.arange(60) % 3 > 0


def measured(y, task=None):
    found = FolderStatistics(PATH, ("a", "b"), ("y",), task)
    for i, part in enumerate(np.split(np.arange(60), [7, 40])):
        found.add(i, part[0], FEW[part], y[part, None], np.where(TRAINS[part], TRAINING, TEST))
    return found


def test_columns_are_measured_on_the_training_rows():
    y = np.arange(60) / 7
    schema, notes = measured(y).schema()
    assert (schema.task, notes) == ("regression", ())
    for column, values in zip((*schema.inputs, *schema.targets), (*FEW.T, y), strict=True):
        whole = NumericColumn.from_values(column.name, values[TRAINS])
        np.testing.assert_allclose((column.mean, column.std), (whole.mean, whole.std), rtol=1e-12)


def test_whole_numbers_are_classes_unless_there_are_too_many():
    schema, notes = measured(np.arange(60) % 20).schema()
    assert schema.classes == tuple(range(20))
    assert "read as classes" in notes[0]
    assert measured(np.arange(60) % 21).schema()[0].task == "regression"
    assert measured(np.arange(60) % 21, "classification").schema()[0].classes == tuple(range(21))
    assert measured(np.arange(60) % 20, "regression").schema()[0].task == "regression"


def test_classes_without_training_rows_are_noted():
    y = np.where(np.arange(60) < 2, [5] * 60, np.arange(60) % 2)
    assert measured(y).untrained(y[[0, 2, 3]]) == ()
    (note,) = measured(y).untrained(y[[0, 1, 2, 3]])
    assert "the classes 5 " in note
    assert measured(np.arange(60) / 7).untrained(np.arange(60) / 7) == ()  # numbers are no classes


@pytest.mark.parametrize(
    ("y", "task", "said"),
    [
        (np.full(60, 4), None, "holds 4 in every row"),
        (np.arange(60) / 7, "classification", "numbers that are not whole"),
        (np.where(np.arange(60) == 9, np.nan, 1.0), None, "column 'y' of rows holds nan"),
        (np.where(np.arange(60) == 9, -np.inf, 1.0), None, "column 'y' of rows holds -inf"),
    ],
)
def test_targets_that_cannot_be_used_are_refused(y, task, said):
    with pytest.raises(DataError, match=said):
        measured(y, task).schema()
