"""Streams: every row once, in blocks that lie together, from arrays, .npy files, memory maps and Parquet folders."""

import numpy as np
import pytest

from deltarule.data import ArrayStream, ParquetStream
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


def test_arrays_files_and_maps_hold_the_same(files):
    mapped = np.load(files / "x.npy", mmap_mode="r")
    for x, y in ((X, Y), (files / "x.npy", files / "y.npy"), (mapped, str(files / "y.npy"))):
        stream = ArrayStream(x, y, block_rows=8)
        assert (stream.rows, stream.inputs, stream.targets) == (20, 3, 1)
        assert [block.rows for block in stream.blocks] == [8, 8, 4]
        for found, given in zip(rows_of(stream), (X, Y), strict=True):
            np.testing.assert_array_equal(found, given)


def test_a_part_of_a_map_is_read_where_it_lies(files):
    part = np.load(files / "x.npy", mmap_mode="r")[5:]
    np.testing.assert_array_equal(rows_of(ArrayStream(part, Y[5:], block_rows=8))[0], X[5:])


def test_a_file_that_was_cut_short_is_named(files):
    stream = ArrayStream(files / "x.npy", Y)
    with open(files / "x.npy", "r+b") as file:
        file.truncate(128 + 12 * 7)
    with pytest.raises(DataError, match="ends within row 7: it was cut short"):
        rows_of(stream)


def test_a_folder_of_parquet_files_is_one_table(folder):
    stream = ParquetStream(folder, "t")
    assert (stream.rows, stream.input_names, stream.target_names) == (20, ("u", "v", "w"), ("t",))
    assert sorted(block.rows for block in stream.blocks) == [2, 2, 4, 4, 4, 4]
    x, y = rows_of(stream)
    np.testing.assert_array_equal(x, X)
    np.testing.assert_array_equal(y[:, 0], Y)
    x, y = rows_of(ParquetStream(folder, ["t", "u"], inputs=["w"]))
    np.testing.assert_array_equal(np.hstack([x, y]), np.stack([X[:, 2], Y, X[:, 0]], axis=1))


@pytest.mark.parametrize("of", [2, 3, 5])
def test_shares_have_no_row_in_common_and_miss_none(folder, of):
    for whole in (ParquetStream(folder, "t"), ArrayStream(X, Y, block_rows=3)):
        numbers = np.concatenate([rows_of(whole.share(i, of))[1].ravel() for i in range(of)])
        np.testing.assert_array_equal(np.sort(numbers), Y)
    files = [{block.place[0] for block in ParquetStream(folder, "t").share(i, 3).blocks} for i in range(3)]
    assert [len(read) for read in files] == [1, 1, 1]  # each process opens a file of its own


def test_what_is_no_stream_is_refused(files, folder):
    with pytest.raises(DataError, match="as many rows of both"):
        ArrayStream(X, Y[:5])
    with pytest.raises(DataError, match=r"which is no \.npy file"):
        ArrayStream(files / "none.npy", Y)
    with pytest.raises(DataError, match="there is no folder or file"):
        ParquetStream(files / "none", "t")
    with pytest.raises(ConfigurationError, match="has no column 'z'"):
        ParquetStream(folder, "z")
    with pytest.raises(DataError, match="cannot be read as Parquet"):
        ParquetStream(files / "x.npy", "t")
