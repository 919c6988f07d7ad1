"""Streams: every row once, in blocks that lie together, from arrays, .npy files, memory maps and Parquet folders."""

import threading
import time

import numpy as np
import pytest

from deltarule.data import ArrayStream, ParquetStream
from deltarule.data.stream import AHEAD, Prefetch, chunks, shuffle_blocks
from deltarule.errors import ConfigurationError, DataError

X = np.arange(60, dtype=np.float32).reshape(20, 3)
Y = np.arange(20)


def rows_of(stream, blocks=None):
    pieces = [piece for block in (blocks or stream.blocks) for piece in stream.pieces(block)]
    return np.concatenate([x for x, _ in pieces]), np.concatenate([y for _, y in pieces])


@pytest.fixture
def files(tmp_path):
    np.save(tmp_path / "x.npy", X)
    np.save(tmp_path / "y.npy", Y)
    return tmp_path


@pytest.fixture
def folder(tmp_path):
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    (tmp_path / "table" / "more").mkdir(parents=True)
    for i, name in enumerate(("a", "b", "more/c")):
        part = slice(6 * i, 6 * i + 6 if i < 2 else 20)
        columns = {"u": X[part, 0], "v": X[part, 1], "w": X[part, 2], "t": Y[part]}
        parquet.write_table(arrow.table(columns), tmp_path / "table" / f"{name}.parquet", row_group_size=4)
    return tmp_path / "table"


def test_arrays_files_and_memory_maps_give_the_same_rows(files):
    mapped = np.load(files / "x.npy", mmap_mode="r")
    for x, y in ((X, Y), (files / "x.npy", files / "y.npy"), (mapped, str(files / "y.npy"))):
        stream = ArrayStream(x, y, block_rows=8)
        assert (len(stream), stream.inputs, stream.targets) == (20, 3, 1)
        assert [block.rows for block in stream.blocks] == [8, 8, 4]
        for found, given in zip(rows_of(stream), (X, Y), strict=True):
            np.testing.assert_array_equal(found, given)


def test_a_view_of_a_memory_map_is_read_at_its_offset(files):
    part = np.load(files / "x.npy", mmap_mode="r")[5:]
    np.testing.assert_array_equal(rows_of(ArrayStream(part, Y[5:], block_rows=8))[0], X[5:])


def test_a_file_that_was_cut_short_is_named(files):
    stream = ArrayStream(files / "x.npy", Y)
    with open(files / "x.npy", "r+b") as file:
        file.truncate(128 + 12 * 7)
    with pytest.raises(DataError, match="ends within row 7"):
        rows_of(stream)


def test_a_folder_of_parquet_files_is_one_table(folder):
    stream = ParquetStream(folder, "t")
    assert (len(stream), stream.input_names, stream.target_names) == (20, ("u", "v", "w"), ("t",))
    assert sorted(block.rows for block in stream.blocks) == [2, 2, 4, 4, 4, 4]
    x, y = rows_of(stream)
    np.testing.assert_array_equal(x, X)
    np.testing.assert_array_equal(y[:, 0], Y)
    x, y = rows_of(ParquetStream(folder, ["t", "u"], inputs=["w"]))
    np.testing.assert_array_equal(np.hstack([x, y]), np.stack([X[:, 2], Y, X[:, 0]], axis=1))


@pytest.mark.parametrize("of", [2, 3, 5])
def test_shards_are_disjoint_and_complete(folder, of):
    for whole in (ParquetStream(folder, "t"), ArrayStream(X, Y, block_rows=3)):
        numbers = np.concatenate([rows_of(whole.shard(i, of))[1].ravel() for i in range(of)])
        np.testing.assert_array_equal(np.sort(numbers), Y)
    files = [{block.place[0] for block in ParquetStream(folder, "t").shard(i, 3).blocks} for i in range(3)]
    assert [len(read) for read in files] == [1, 1, 1]  # each process opens a file of its own


def test_arrays_that_are_no_stream_are_refused(files, folder):
    with pytest.raises(DataError, match="as many rows of both"):
        ArrayStream(X, Y[:5])
    with pytest.raises(DataError, match=r"which is no \.npy file"):
        ArrayStream(files / "none.npy", Y)
    with pytest.raises(DataError, match="no Parquet file"):
        ParquetStream(files / "none", "t")
    with pytest.raises(DataError, match="no column 'z'"):
        ParquetStream(folder, "z")
    with pytest.raises(DataError, match="has no column 'z'"):
        ParquetStream(folder, "t", inputs=["z"])
    with pytest.raises(DataError, match="cannot be read as Parquet"):
        ParquetStream(files / "x.npy", "t")


@pytest.mark.parametrize(
    ("target", "said"), [("t,t", "names a column twice"), ("t,", "needs a target"), ([], "needs a")]
)
def test_targets_are_read_as_those_of_a_table(folder, target, said):
    with pytest.raises(ConfigurationError, match=said):
        ParquetStream(folder, target)


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"u": [1.0], "v": [2.0], "t": [0]}, r"z\.parquet has no column 'w'"),
        ({"u": [1.0], "v": [2.0], "w": [2.0], "t": [0], "s": [1]}, r"z\.parquet has a column 's', which .*a\.parquet"),
        ({"u": [1.0], "v": [2.0], "w": ["red"], "t": [0]}, r"column 'w' of .*z\.parquet is string"),
        ({"u": [1.0], "v": [2.0], "w": [2.0], "t": ["0"]}, r"column 't' of .*z\.parquet is string"),
    ],
)
def test_a_file_of_other_columns_is_named(folder, columns, said):
    pytest.importorskip("pyarrow.parquet").write_table(
        pytest.importorskip("pyarrow").table(columns), folder / "z.parquet"
    )
    with pytest.raises(DataError, match=said):
        ParquetStream(folder, "t")


def test_columns_in_another_order_and_of_other_numbers_are_the_same_table(folder):
    columns = {"t": [20], "w": [62], "v": [61], "u": [60]}
    pytest.importorskip("pyarrow.parquet").write_table(
        pytest.importorskip("pyarrow").table(columns), folder / "z.parquet"
    )
    x, y = rows_of(ParquetStream(folder, "t"))
    assert (x[-1].tolist(), y[-1].tolist()) == ([60, 61, 62], [20])


def test_other_files_in_the_folder_are_left_alone(folder):
    (folder / "README.txt").write_text("measured in March")
    (folder / "_SUCCESS").touch()
    (folder / "_tmp.parquet").write_text("half written")
    assert len(ParquetStream(folder, "t")) == 20


def test_missing_cells_are_named_by_file_and_column(folder):
    table = pytest.importorskip("pyarrow").table({"u": [1.0], "v": [None], "w": [2.0], "t": [0]})
    table = table.set_column(1, "v", table["v"].cast("float64"))
    pytest.importorskip("pyarrow.parquet").write_table(table, folder / "z.parquet")
    with pytest.raises(DataError, match=r"'v' of .*z\.parquet .*missing"):
        rows_of(ParquetStream(folder, "t"))


@pytest.mark.parametrize(
    ("x", "y", "said"),
    [
        (X.astype(str), Y, "X holds <U"),
        (X + 1j, Y, "X holds complex"),
        (X, Y.astype("M8[s]"), "Y holds datetime64"),
        (X.astype(np.longdouble), Y, "X holds float128|X holds longdouble"),
        (X, np.array(1.0), r"Y \(\)"),
        (X[:, 0], Y, r"X is \(20,\)"),
        (X[:, :0], Y, r"X is \(20, 0\)"),
        (X, np.zeros((20, 0)), r"Y \(20, 0\)"),
        (X[:0], Y[:0], r"X is \(0, 3\)"),
        (X, Y[:, None, None], r"Y \(20, 1, 1\)"),
    ],
)
@pytest.mark.parametrize("on_disk", [True, False])
def test_arrays_that_are_no_columns_of_numbers_are_refused(tmp_path, x, y, said, on_disk):
    if on_disk:
        np.save(tmp_path / "x.npy", x)
        np.save(tmp_path / "y.npy", y)
        x, y = tmp_path / "x.npy", tmp_path / "y.npy"
    with pytest.raises(DataError, match=said):
        ArrayStream(x, y)


def test_an_empty_file_is_no_array(tmp_path):
    (tmp_path / "x.npy").touch()
    with pytest.raises(DataError, match=r"which is no \.npy file"):
        ArrayStream(tmp_path / "x.npy", Y)


COUNTED = np.arange(100.0)[:, None]
STREAM = ArrayStream(COUNTED, COUNTED, block_rows=7)


def test_all_chunks_but_the_last_are_full_and_no_row_is_lost():
    found = [x[:, 0] for x, _ in chunks(STREAM, shuffle_blocks(STREAM.blocks, (0, 1, 0)), 30, np.dtype("float32"))]
    assert [len(x) for x in found] == [30, 30, 30, 10]
    np.testing.assert_array_equal(np.sort(np.concatenate(found)), COUNTED[:, 0])


def test_the_order_of_blocks_is_the_seeds():
    orders = [[block.place for block in shuffle_blocks(STREAM.blocks, seed)] for seed in ((0, 1), (0, 1), (0, 2))]
    assert orders[0] == orders[1] != orders[2]
    assert sorted(orders[2]) == [block.place for block in STREAM.blocks]


def test_no_more_items_are_made_ahead_than_the_queue_holds():
    made = []
    ahead = Prefetch(range(100), lambda i: made.append(i) or i)
    items = iter(ahead)
    assert [next(items) for _ in range(3)] == [0, 1, 2]
    assert len(made) <= 3 + AHEAD + 1
    before = threading.active_count()
    items.close()
    while threading.active_count() == before:  # the thread ends with the item that it makes
        time.sleep(0.001)


def test_an_error_of_the_thread_is_raised_where_the_items_are_used():
    def finish(i):
        if i == 2:
            raise ValueError("the disk is gone")
        return i

    with pytest.raises(ValueError, match="the disk is gone"):
        list(Prefetch(range(9), finish))
    assert threading.active_count() < 50
