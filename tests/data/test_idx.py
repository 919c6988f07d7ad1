"""The IDX reader trusts no header and no compressed stream."""

import gzip
import struct

import numpy as np
import pytest

from deltarule.data.idx import LARGEST_ARRAY, idx_header, read_idx
from deltarule.errors import DataError

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
def test_what_was_written_is_read(file, pack, array):
    read = read_idx(file(pack(idx_header(array.shape) + array.tobytes())))
    assert read.dtype == np.uint8
    assert np.array_equal(read, array)


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "nothing|cannot be read|truncated"),
        (b"<htm", "begins with 3c 68 74 6d"),
        (bytes([0, 0, 0x0D, 1, 0, 0, 0, 1]) + bytes(4), "IDX type 0x0d"),
        (bytes([0, 0, 8, 0]), "in 0 dimensions"),
        (bytes([0, 0, 8, 3, 0, 0]), "truncated inside its header"),
        (idx_header((2, 0)), "0 bytes, but 1 to"),
        (idx_header((2, 3, 4)) + bytes(23), "truncated|more than it can hold"),
        (idx_header((2, 3, 4)) + bytes(25), "goes on after the 24 bytes"),
        (idx_header((2**20, 2**20, 2**20)), "1152921504606846976 bytes, but 1 to 2.30"),
        (idx_header((2**29,)) + bytes(9), "claims 536870912 bytes"),
        (struct.pack(">HBB", 0, 8, 255) + b"\xff" * 1020, "1 to 2.30"),
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
    with pytest.raises(DataError, match="middle of its gzip stream"):
        read_idx(file(content[:2000]))


def test_a_gzip_stream_with_a_flipped_bit_is_refused(file):
    content = bytearray(gzip.compress(idx_header(IMAGES.shape) + IMAGES.tobytes()))
    content[-6] ^= 1  # in the checksum
    with pytest.raises(DataError, match="cannot be read"):
        read_idx(file(bytes(content)))


def test_a_gzip_bomb_is_read_no_further_than_its_header_claims(file):
    bomb = gzip.compress(idx_header((3,)) + bytes(50_000_000), compresslevel=1)
    with pytest.raises(DataError, match="goes on after the 3 bytes"):
        read_idx(file(bomb))


def test_the_largest_array_is_above_mnist():
    assert LARGEST_ARRAY > 60_000 * 28 * 28


def test_a_missing_file_is_a_data_error(tmp_path):
    with pytest.raises(DataError, match="cannot be read"):
        read_idx(tmp_path / "absent")
