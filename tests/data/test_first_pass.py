"""The pass before the training: several processes, here threads, each read their share and find what one finds."""

import threading
from pathlib import Path

import numpy as np
import pytest

from deltarule.data import ArrayStream, NumericColumn, load_folder
from deltarule.data.first_pass import Among, Found
from deltarule.data.held_out import TEST, TRAINING
from deltarule.errors import DataError

N = 1003
random = np.random.default_rng(0)
X = random.normal([5, 0, 1e6], [2, 1e-3, 3], (N, 3))
Y = random.integers(0, 5, N)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Blocks of 64 rows."""
    monkeypatch.setattr(ArrayStream.__init__, "__defaults__", (64,))
    np.save(tmp_path / "x.npy", X)
    np.save(tmp_path / "y.npy", Y)
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
                found[i] = load_folder(*arguments, among=Among(i, of, everyones), **options)
            except (DataError, MemoryError) as error:
                found[i] = error

    threads = [threading.Thread(target=run, args=(i,)) for i in range(of)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


@pytest.mark.parametrize("of", [2, 4, 20])
def test_each_reads_its_share_and_has_what_one_alone_finds(folder, monkeypatch, of):
    """20 processes are more than there are blocks."""
    alone, read, whole = load_folder(folder, seed=3), [], ArrayStream.pieces

    def counted(stream, block):
        read.append((threading.get_ident(), block))
        return whole(stream, block)

    monkeypatch.setattr(ArrayStream, "pieces", counted)
    for data in together(of, folder, seed=3):
        assert data.schema == alone.schema  # to the last bit
        assert data.train.digest == alone.train.digest
        assert data.notes == alone.notes
        for part in ("validation", "test"):
            one, other = getattr(data, part), getattr(alone, part)
            for name in ("X", "Y", "rows"):
                np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    assert sorted(block.place for _, block in read) == list(range(0, N, 64))  # every block once
    rows = [sum(block.rows for reader, block in read if reader == mine) for mine in {reader for reader, _ in read}]
    assert len(rows) == min(of, 16)
    assert max(rows) <= 64 * -(-16 // of)


@pytest.mark.parametrize("at", [0, N - 1])
def test_what_one_cannot_use_all_refuse(folder, at):
    bad = X.copy()
    bad[at, 1] = np.nan
    np.save(folder / "x.npy", bad)
    for error in together(3, folder):
        assert isinstance(error, DataError)
        assert f"'x1' of {folder} holds nan" in str(error)


def test_a_fault_of_one_ends_all(folder, monkeypatch):
    """Whatever it is: the others wait for what that process has to tell."""
    whole = ArrayStream.pieces

    def fails(stream, block):
        if block.place == 640:
            raise MemoryError("no room")
        return whole(stream, block)

    monkeypatch.setattr(ArrayStream, "pieces", fails)
    found = together(3, folder)
    assert sorted(map(type, found), key=str) == [MemoryError, DataError, DataError]
    assert {str(error) for error in found if isinstance(error, DataError)} == {
        "another process failed: MemoryError('no room')"
    }


@pytest.mark.parametrize("of", [2, 3, 8])
def test_parquet_files_are_measured_together(tmp_path, of):
    """Five files of row groups of 40: whole files for two and three processes, row groups for eight."""
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    for i, rows in enumerate(np.array_split(np.arange(N), 5)):
        columns = {"a": X[rows, 0], "b": X[rows, 1].astype(np.float32), "y": np.sin(X[rows, 0])}
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


def test_classes_are_those_of_all_shares(folder):
    """Each share alone has few whole numbers; together they are too many to be classes."""
    np.save(folder / "y.npy", np.arange(N) // 40)
    assert {data.task for data in together(4, folder)} == {"regression"}
    np.save(folder / "y.npy", np.arange(N) // 60)
    assert {data.schema.classes for data in together(4, folder)} == {tuple(range(17))}
    np.save(folder / "y.npy", np.where(np.arange(N) < N - 1, 0, 0.5))
    assert {data.task for data in together(4, folder)} == {"regression"}
    for error in together(4, folder, task="classification"):
        assert "not whole" in str(error)


def test_the_digest_sees_one_number_of_all(folder):
    before = load_folder(folder).train.digest
    other = X.copy()
    other[500, 1] = np.nextafter(other[500, 1], 1)
    np.save(folder / "x.npy", other)
    assert load_folder(folder).train.digest != before
    np.save(folder / "x.npy", X)
    assert load_folder(folder).train.digest == before
    assert load_folder(folder, seed=1).train.digest != before  # other rows train


PATH = Path("rows")
ROWS = np.random.default_rng(0).normal(3, 2, (60, 2))
TRAINS = np.arange(60) % 3 > 0


def measured(y, task=None):
    found = Found(PATH, ("a", "b"), ("y",), task)
    for i, part in enumerate(np.split(np.arange(60), [7, 40])):
        found.add(i, part[0], ROWS[part], y[part, None], np.where(TRAINS[part], TRAINING, TEST))
    return found


def test_columns_are_measured_on_the_rows_that_train():
    y = np.arange(60) / 7
    schema, notes = measured(y).schema()
    assert (schema.task, notes) == ("regression", ())
    for column, values in zip((*schema.inputs, *schema.targets), (*ROWS.T, y), strict=True):
        whole = NumericColumn.measured(column.name, values[TRAINS])
        np.testing.assert_allclose((column.mean, column.std), (whole.mean, whole.std), rtol=1e-12)


def test_whole_numbers_are_classes_unless_there_are_too_many():
    schema, notes = measured(np.arange(60) % 20).schema()
    assert schema.classes == tuple(range(20))
    assert "read as classes" in notes[0]
    assert measured(np.arange(60) % 21).schema()[0].task == "regression"
    assert measured(np.arange(60) % 21, "classification").schema()[0].classes == tuple(range(21))
    assert measured(np.arange(60) % 20, "regression").schema()[0].task == "regression"


def test_classes_without_a_row_that_trains_are_noted():
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
