"""Checkpoint files: every byte is covered by the checksum, the newest two are kept, and one process holds the lock."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import safetensors.numpy

from deltarule.errors import CheckpointError
from deltarule.training.checkpoints import storage
from deltarule.training.checkpoints.storage import Checkpoint, DamagedCheckpoint, from_bytes, to_bytes

TENSORS = {
    "0.carry.epoch": np.array(7, np.int32),
    "0.carry.state.params[0]['W']": np.linspace(-1, 1, 6, dtype=np.float32).reshape(2, 3),
    "0.history.0.cost": np.array([3.0, np.nan, np.inf]),
    "0.history.0.trial_verdict": np.zeros((3, 16), np.int8),
    "0.empty": np.zeros((0, 4)),
}
CHECKPOINT = Checkpoint(TENSORS, {"settings": {"trainer": "gd"}, "groups": 1, "seconds": 1.5})
WHOLE = to_bytes(CHECKPOINT)
HEADER = 8 + int.from_bytes(WHOLE[:8], "little")


def test_a_checkpoint_is_read_as_it_was_written():
    checkpoint = from_bytes(WHOLE)
    assert checkpoint.description == {"format_version": 1} | CHECKPOINT.description
    assert checkpoint.tensors.keys() == TENSORS.keys()
    for name, tensor in TENSORS.items():
        assert checkpoint.tensors[name].dtype == tensor.dtype
        np.testing.assert_array_equal(checkpoint.tensors[name], tensor)


@pytest.mark.parametrize("order", ["F", "reversed", "every second"])
def test_arrays_that_are_not_contiguous_are_written_by_value(order):
    """safetensors copies the memory behind an array, whatever its strides are."""
    a = np.arange(24.0).reshape(4, 6)
    a = {"F": np.asfortranarray(a), "reversed": a[::-1], "every second": a[:, ::2]}[order]
    np.testing.assert_array_equal(from_bytes(to_bytes(Checkpoint({"a": a}, {}))).tensors["a"], a)


def test_any_reader_of_safetensors_opens_it():
    assert safetensors.numpy.load(WHOLE).keys() == TENSORS.keys()


def test_cut_short_at_every_length_of_the_header_and_of_the_data():
    for length in range(len(WHOLE)):
        with pytest.raises(DamagedCheckpoint):
            from_bytes(WHOLE[:length])


def test_a_flipped_bit_in_every_byte():
    """Also in the checksum itself and in the length of the header."""
    for place in range(len(WHOLE)):
        for bit in (0, 6):
            flipped = bytearray(WHOLE)
            flipped[place] ^= 1 << bit
            with pytest.raises(DamagedCheckpoint):
                from_bytes(bytes(flipped))


def test_longer_by_a_byte():
    with pytest.raises(DamagedCheckpoint, match="checksum"):
        from_bytes(WHOLE + b"\0")


@pytest.mark.parametrize("content", [b"", b"\0" * 100, b"PK\3\4" * 50, (2**60).to_bytes(8, "little") + WHOLE[8:]])
def test_files_that_are_not_checkpoints(content):
    with pytest.raises(DamagedCheckpoint):
        from_bytes(content)


def signed(tensors, metadata):
    """A file with a true checksum that deltarule would not write."""
    blank = safetensors.numpy.save(tensors, metadata={"checksum": storage.BLANK.decode()} | metadata)
    return blank.replace(storage.BLANK, storage._checksum(blank), 1)


@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        ({}, "not a checkpoint of deltarule"),
        ({"deltarule-checkpoint": "[]"}, "not a checkpoint of deltarule"),
        ({"deltarule-checkpoint": "{"}, "not a checkpoint of deltarule"),
        ({"deltarule-checkpoint": "[" * 100_000}, "not a checkpoint of deltarule"),
        ({"deltarule-checkpoint": json.dumps({"format_version": 2})}, "format version is 2"),
    ],
)
def test_a_true_checksum_on_something_else(metadata, words):
    with pytest.raises(DamagedCheckpoint, match=words):
        from_bytes(signed({"a": np.zeros(2)}, metadata))


def numbered(i):
    return Checkpoint({"a": np.array(i)}, {"i": i})


@pytest.fixture
def three(tmp_path):
    """A folder that three checkpoints were written to."""
    for i in range(3):
        storage.write_checkpoint(tmp_path, numbered(i))
    return tmp_path


def test_the_last_two_are_kept(three):
    assert sorted(os.listdir(three)) == ["checkpoint-000002.safetensors", "checkpoint-000003.safetensors"]
    checkpoint, faults = storage.read_newest(three)
    assert checkpoint is not None
    assert checkpoint.description["i"] == 2
    assert faults == []


def test_a_damaged_checkpoint_is_named_and_the_one_before_it_read(three):
    path = three / "checkpoint-000003.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    checkpoint, (fault,) = storage.read_newest(three)
    assert checkpoint is not None
    assert checkpoint.description["i"] == 1
    assert str(path) in fault
    assert "damaged" in fault


def test_a_write_after_damage_is_the_newest(three):
    (three / "checkpoint-000003.safetensors").write_bytes(b"")
    storage.write_checkpoint(three, numbered(9))
    checkpoint, faults = storage.read_newest(three)
    assert checkpoint is not None
    assert checkpoint.description["i"] == 9
    assert faults == []


def test_only_damaged_checkpoints_are_an_error(three):
    for path in storage.checkpoints_in(three):
        path.write_bytes(b"garbage")
    with pytest.raises(CheckpointError, match=r"checkpoint-000003.*damaged.*checkpoint-000002.*damaged"):
        storage.read_newest(three)


def test_checkpoints_that_are_replaced_while_they_are_read(three, monkeypatch):
    """Two writes of another training between the listing and the first read: never a fresh start."""
    read, replaced = Path.read_bytes, []

    def slow(path):
        if not replaced:
            replaced.extend(storage.checkpoints_in(three))
            storage.write_checkpoint(three, numbered(8))
            storage.write_checkpoint(three, numbered(9))
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", slow)
    checkpoint, faults = storage.read_newest(three)
    assert not any(path.exists() for path in replaced)
    assert checkpoint is not None
    assert checkpoint.description["i"] == 9
    assert faults == []


def test_a_checkpoint_that_is_a_folder_cannot_be_read(three):
    (three / "checkpoint-000004.safetensors").mkdir()
    _, (fault,) = storage.read_newest(three)
    assert "cannot be read" in fault


def test_other_files_are_left_alone(tmp_path):
    for name in ("notes.txt", "checkpoint-x.safetensors", "checkpoint-000001.safetensors.bak"):
        (tmp_path / name).write_text("mine")
    for i in range(4):
        storage.write_checkpoint(tmp_path, numbered(i))
    assert len(os.listdir(tmp_path)) == 3 + 2


def test_an_empty_or_missing_folder_holds_none(tmp_path):
    assert storage.read_newest(tmp_path) == (None, [])
    assert storage.read_newest(tmp_path / "missing") == (None, [])


def test_a_file_in_the_place_of_the_folder(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CheckpointError, match="cannot be read"):
        storage.read_newest(tmp_path / "file")
    with pytest.raises(CheckpointError, match="cannot be written to"), storage.lock_folder(tmp_path / "file"):
        pass
    with (
        pytest.raises(CheckpointError, match="cannot be written to"),
        storage.lock_folder(tmp_path / "file" / "deeper"),
    ):
        pass


def test_the_lock_is_held_once_and_let_go(tmp_path):
    with (
        storage.lock_folder(tmp_path / "new"),
        pytest.raises(CheckpointError, match=f"process {os.getpid()}"),
        storage.lock_folder(tmp_path / "new"),
    ):
        pass
    with storage.lock_folder(tmp_path / "new"):
        pass


HOLDER = """
import sys
from types import SimpleNamespace
from pathlib import Path
from deltarule.training.checkpoints.storage import lock_folder
with lock_folder(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_the_lock_of_a_killed_process_is_free(tmp_path):
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(CheckpointError, match=f"process {holder.pid}"), storage.lock_folder(tmp_path):
        pass
    holder.kill()
    holder.communicate()
    with storage.lock_folder(tmp_path):
        pass


def test_temporary_files_of_a_killed_writer_are_removed(tmp_path):
    (tmp_path / ".checkpoint-000007.safetensors.4711").write_bytes(b"half")
    with storage.lock_folder(tmp_path):
        assert os.listdir(tmp_path) == ["lock"]


def test_the_lock_of_windows(tmp_path, monkeypatch):
    """Where there is no fcntl, msvcrt locks one byte far behind the text; here something stands in for it."""
    held: set[int] = set()

    def locking(descriptor, mode, count):
        place = os.lseek(descriptor, 0, os.SEEK_CUR)
        assert (mode, count, place > 1000) == ("non-blocking", 1, True)
        inode = os.fstat(descriptor).st_ino
        if inode in held:
            raise PermissionError(errno.EACCES, "Permission denied")
        held.add(inode)

    monkeypatch.setattr(storage, "fcntl", None)
    monkeypatch.setitem(sys.modules, "msvcrt", SimpleNamespace(locking=locking, LK_NBLCK="non-blocking"))
    with storage.lock_folder(tmp_path):
        assert (tmp_path / "lock").read_text() == str(os.getpid())
        with (
            pytest.raises(CheckpointError, match=rf"another training, process {os.getpid()}"),
            storage.lock_folder(tmp_path),
        ):
            pass
