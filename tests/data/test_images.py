"""The digits of scikit-learn, and MNIST from a folder, from the cache, from a local server and from real files."""

import gzip
import hashlib
import os
import socket
import struct
import threading
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from deltarule.data import Pixels, Schema, images, load, load_raw, mnist_directories
from deltarule.data.images import MD5_SUMS, download, idx_header, read_digits, read_idx, read_mnist
from deltarule.errors import DataError

REAL = Path(os.environ.get("DELTARULE_DATA") or Path(__file__).parents[3] / "shared" / "data" / "mnist")


def test_the_parts():
    data = load("digits", seed=1)
    sizes = [len(part) for part in (data.train, data.validation, data.test)]
    assert sum(sizes) == 1797
    assert sizes[1] == sizes[2] == pytest.approx(0.15 * 1797, abs=5)
    assert data.task == "classification"
    assert data.train.X.shape[1:] == (64,)
    assert data.train.Y.shape[1:] == (10,)
    assert data.train.X.min() == 0
    assert data.train.X.max() == 1
    assert np.array_equal(data.train.Y.sum(axis=1), np.ones(sizes[0]))
    for part in (data.validation, data.test):
        assert part.Y.mean(axis=0) == pytest.approx(data.train.Y.mean(axis=0), abs=0.01)


def test_raw_rows_know_which_were_held_out():
    data = load("digits", seed=3)
    raw = load_raw("digits", data.schema, seed=3)
    assert raw.test_rows is not None
    assert raw.Y is not None
    assert set(raw.test_rows) == set(data.test.rows)
    assert np.array_equal(raw.X[data.test.rows], data.test.X)
    assert np.array_equal(raw.Y[data.test.rows], data.test.Y)
    assert np.array_equal(data.schema.decode(raw.Y), raw.targets)


def test_a_model_of_other_images_is_refused():
    schema = Schema("mnist", "classification", (Pixels(784, 255.0, (28, 28)),), (), tuple(range(10)), ("digit",))
    with pytest.raises(DataError, match="784 pixels"):
        load_raw("digits", schema)


def test_the_digits_equal_scikit_learns_for_both_ways_to_read_them(monkeypatch):
    from sklearn.datasets import load_digits

    pixels, labels = load_digits(return_X_y=True)
    for table in (images._read_digits_file, lambda: None):
        monkeypatch.setattr(images, "_read_digits_file", table)
        read = read_digits()
        assert np.array_equal(read.images, pixels)
        assert np.array_equal(read.labels, labels)
        assert (read.images.dtype, read.labels.dtype) == (np.float64, np.int64)


class _Silent(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@contextmanager
def _serving(folder):
    """Serve the files of a folder; its address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Silent, directory=folder)) as http:
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{http.server_port}/"
        http.shutdown()
        thread.join()


@pytest.fixture
def mirror(tiny_mnist_folder, monkeypatch):
    """A server of the tiny set."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with _serving(tiny_mnist_folder) as address:
        yield address


@pytest.fixture
def right_sums(tiny_mnist, monkeypatch):
    """Make the tiny set the one whose MD5 sums are known."""
    sums = {name: hashlib.md5(content).hexdigest() for name, content in tiny_mnist.items()}
    for name, found in sums.items():
        monkeypatch.setitem(MD5_SUMS, name, found)


def test_the_folders_of_mnist():
    assert mnist_directories("here", {"DELTARULE_DATA": "there"}) == (Path("here"),)
    assert mnist_directories(None, {"DELTARULE_DATA": "there"}) == (Path("there"),)
    assert mnist_directories(None, {}) == mnist_directories(None, {"DELTARULE_DATA": ""}) == ()


@pytest.mark.usefixtures("right_sums")
def test_a_folder_of_files(tiny_mnist_folder):
    data = load("mnist", data_dir=tiny_mnist_folder)
    # the last sixth of 12 training images validates
    assert data.train.rows.tolist() == list(range(10))
    assert data.validation.rows.tolist() == [10, 11]
    assert data.test.rows.tolist() == [12, 13, 14, 15]
    assert data.train.X.dtype == np.float32
    assert data.train.X.shape == (10, 6)
    assert data.train.Y.shape == (10, 10)
    assert data.schema.image_shape == (2, 3)
    assert data.notes == ()


def test_other_images_than_mnists_are_noted(tiny_mnist_folder):
    assert any("not the original MNIST" in note for note in read_mnist(tiny_mnist_folder).notes)


def test_plain_files_dotted_names_and_a_subfolder_are_found(tmp_path, tiny_mnist):
    (tmp_path / "mnist").mkdir()
    for name, content in tiny_mnist.items():
        (tmp_path / "mnist" / name.replace("-idx", ".idx")).write_bytes(content)
    assert len(read_mnist([tmp_path / "absent", tmp_path]).parts[2]) == 4


def test_raw_rows_hold_out_the_test_files(tiny_mnist_folder):
    data = read_mnist(tiny_mnist_folder).data_set()
    raw = load_raw("mnist", data.schema, data_dir=tiny_mnist_folder)
    assert raw.test_rows is not None
    assert raw.Y is not None
    assert np.array_equal(raw.test_rows, data.test.rows)
    assert np.array_equal(raw.X[raw.test_rows], data.test.X)
    assert np.array_equal(data.schema.decode(raw.Y), raw.targets)


def test_a_folder_without_a_file_says_which(tiny_mnist_folder):
    (tiny_mnist_folder / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(DataError, match=r"not in .*given: t10k-labels-idx1-ubyte .*--data-dir"):
        read_mnist(tiny_mnist_folder)


@pytest.mark.parametrize(
    ("name", "array", "message"),
    [
        ("t10k-labels-idx1-ubyte", np.zeros(3, np.uint8), r"images \(4, 2, 3\), .*labels \(3,\)"),
        ("t10k-labels-idx1-ubyte", np.array([0, 1, 10, 2], np.uint8), "labels .* up to 10"),
        ("t10k-images-idx3-ubyte", np.zeros((4, 6), np.uint8), r"images \(4, 6\), "),
        ("t10k-images-idx3-ubyte", np.zeros((4, 3, 3), np.uint8), "of one size"),
    ],
)
def test_files_that_do_not_fit_are_refused(tiny_mnist_folder, name, array, message):
    path = tiny_mnist_folder / f"{name}.gz"
    path.write_bytes(gzip.compress(idx_header(array.shape) + array.tobytes()))
    with pytest.raises(DataError, match=message):
        read_mnist(tiny_mnist_folder)


@pytest.mark.usefixtures("right_sums")
def test_a_file_is_downloaded_once(mirror, tmp_path):
    first = read_mnist(cache_dir=tmp_path / "cache", base_urls=[mirror])
    assert sorted(path.name for path in (tmp_path / "cache" / "mnist").iterdir()) == sorted(
        f"{name}.gz" for name in MD5_SUMS
    )
    again = read_mnist(cache_dir=tmp_path / "cache", base_urls=[])
    assert np.array_equal(first.images, again.images)
    assert len(again.raw_rows(first.data_set().schema).X) == 16


def test_a_download_with_a_wrong_sum_is_deleted(mirror, tmp_path):
    with pytest.raises(DataError) as caught:
        read_mnist(cache_dir=tmp_path / "cache", base_urls=[mirror])
    message = str(caught.value)
    path = tmp_path / "cache" / "mnist" / "train-images-idx3-ubyte.gz"
    assert str(path) in message
    assert f"MD5 sum {MD5_SUMS['train-images-idx3-ubyte']}, but have " in message
    assert not path.exists()


@pytest.mark.usefixtures("right_sums")
def test_a_truncated_download_is_deleted(mirror, tiny_mnist_folder, tmp_path):
    served = tiny_mnist_folder / "train-images-idx3-ubyte.gz"
    served.write_bytes(served.read_bytes()[:40])
    with pytest.raises(DataError, match="has been deleted: run again"):
        read_mnist(cache_dir=tmp_path / "cache", base_urls=[mirror])
    assert not (tmp_path / "cache" / "mnist" / served.name).exists()


def test_no_mirror_at_all_says_what_to_do(mirror, tmp_path):
    with pytest.raises(DataError, match=r"HTTP status 404.*--data-dir"):
        read_mnist(cache_dir=tmp_path / "cache", base_urls=[f"{mirror}absent/"])


@pytest.mark.skipif(
    not any(REAL.glob("*train-images-idx3-ubyte*")), reason=f"MNIST is not in {REAL}: set DELTARULE_DATA"
)
def test_the_real_mnist_has_nielsens_split():
    data = load("mnist", data_dir=REAL)
    assert [len(part) for part in (data.train, data.validation, data.test)] == [50_000, 10_000, 10_000]
    assert data.notes == ()  # the MD5 sums are MNIST's
    assert data.schema.decode(data.train.Y[:5]).tolist() == [5, 0, 4, 1, 9]
    assert data.schema.decode(data.test.Y[:5]).tolist() == [7, 2, 1, 0, 4]
    assert (data.train.X.min(), data.train.X.max()) == (0, 1)
    assert data.train.X[:60].mean() == pytest.approx(0.13, abs=0.02)  # most of a digit's image is background


@pytest.fixture
def server(tmp_path, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    folder = tmp_path / "served"
    folder.mkdir()
    (folder / "file.gz").write_bytes(b"0123456789" * 500)
    with _serving(folder) as address:
        yield address


@pytest.fixture
def closed(monkeypatch):
    """An address at which nothing listens."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return f"http://127.0.0.1:{port}/"


def test_a_download_is_complete_and_its_address_is_reported(server, tmp_path, capfd):
    told = []
    path = tmp_path / "cache" / "mnist" / "file.gz"
    download(path, [server], told.append)
    assert path.read_bytes() == b"0123456789" * 500
    assert told == [f"{server}file.gz"]
    assert [file.name for file in path.parent.iterdir()] == ["file.gz"]
    assert capfd.readouterr() == ("", "")


def test_the_second_mirror_serves_if_the_first_does_not(server, closed, tmp_path):
    download(tmp_path / "file.gz", [closed, f"{server}absent/", server], print)
    assert (tmp_path / "file.gz").is_file()


def test_every_address_tried_is_named(server, closed, tmp_path):
    with pytest.raises(DataError) as caught:
        download(tmp_path / "absent.gz", [server, closed, "nonsense://"], print)
    message = str(caught.value)
    assert f"{server}absent.gz (HTTP status 404)" in message
    assert f"{closed}absent.gz (ConnectionError)" in message
    assert "nonsense://absent.gz" in message
    assert "--data-dir" in message
    assert not list(tmp_path.glob("*.gz"))


def test_a_cache_that_cannot_be_made_is_named(server, tmp_path):
    (tmp_path / "occupied").write_text("a file", encoding="utf-8")
    with pytest.raises(DataError, match=r"occupied.*cannot be made.*--data-dir"):
        download(tmp_path / "occupied" / "file.gz", [server], print)


IMAGES = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)


@pytest.fixture
def file(tmp_path):
    def write(content: bytes):
        path = tmp_path / "train-images-idx3-ubyte"
        path.write_bytes(content)
        return path

    return write


def test_the_header_by_hand():
    # 0 0: always; 08: unsigned bytes; 02: two dimensions; then 2 and 3 in 32 bits each, the highest byte first
    assert idx_header((2, 3)) == bytes([0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3])


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize("array", [IMAGES, np.array([7, 0, 255], dtype=np.uint8)], ids=["idx3", "idx1"])
def test_idx_files_are_read(file, pack, array):
    read = read_idx(file(pack(idx_header(array.shape) + array.tobytes())))
    assert read.dtype == np.uint8
    assert np.array_equal(read, array)


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "nothing|cannot be read|truncated"),
        (b"<htm", "begins with 3c 68 74 6d"),
        (bytes([0, 0, 0x0D, 1, 0, 0, 0, 1]) + bytes(4), "begins with 00 00 0d 01"),
        (bytes([0, 0, 8, 0]), "begins with 00 00 08 00"),
        (bytes([0, 0, 8, 3, 0, 0]), "begins with 00 00 08 03 00 00,"),
        (idx_header((2, 0)), "claims 0 bytes"),
        (idx_header((2, 3, 4)) + bytes(1), "fewer than the 24 bytes|claims 24 bytes"),
        (idx_header((2, 3, 4)) + bytes(25), "more than the 24 bytes"),
        (idx_header((2**20, 2**20, 2**20)), "claims 1152921504606846976 bytes"),
        (idx_header((2**29,)) + bytes(9), "claims 536870912 bytes"),
        (struct.pack(">HBB", 0, 8, 255) + b"\xff" * 1020, "claims"),
    ],
)
def test_a_damaged_file_is_refused(file, pack, content, message):
    path = file(pack(content))
    with pytest.raises(DataError, match=message) as caught:
        read_idx(path)
    assert str(path) in str(caught.value)


def test_a_gzip_stream_cut_short_is_refused(file):
    noise = np.random.default_rng(0).integers(0, 256, 5000, dtype=np.uint8)
    content = gzip.compress(idx_header(noise.shape) + noise.tobytes())
    with pytest.raises(DataError, match="cannot be read"):
        read_idx(file(content[:2000]))


def test_a_gzip_stream_with_a_flipped_bit_is_refused(file):
    content = bytearray(gzip.compress(idx_header(IMAGES.shape) + IMAGES.tobytes()))
    content[-6] ^= 1  # in the checksum
    with pytest.raises(DataError, match="cannot be read"):
        read_idx(file(bytes(content)))


def test_a_gzip_bomb_is_read_no_further_than_its_header_claims(file):
    bomb = gzip.compress(idx_header((3,)) + bytes(50_000_000), compresslevel=1)
    with pytest.raises(DataError, match="more than the 3 bytes"):
        read_idx(file(bomb))


def test_a_missing_file_is_a_data_error(tmp_path):
    with pytest.raises(DataError, match="cannot be read"):
        read_idx(tmp_path / "absent")
