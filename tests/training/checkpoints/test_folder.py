"""A folder of checkpoints: the newest two, the newest whole one, and the lock."""

import errno
import os
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from deltarule.errors import CheckpointError
from deltarule.training.checkpoints import folder
from deltarule.training.checkpoints.content import Content


def numbered(i):
    return Content({"a": np.array(i)}, {"i": i})


@pytest.fixture
def three(tmp_path):
    """A folder that three checkpoints were written to."""
    for i in range(3):
        folder.write(tmp_path, numbered(i))
    return tmp_path


def test_the_last_two_are_kept(three):
    assert sorted(os.listdir(three)) == ["checkpoint-000002.safetensors", "checkpoint-000003.safetensors"]
    content, wrong = folder.newest(three)
    assert content is not None
    assert content.description["i"] == 2
    assert wrong == []


def test_a_damaged_one_is_named_and_the_one_before_it_is_taken(three):
    path = three / "checkpoint-000003.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    content, (wrong,) = folder.newest(three)
    assert content is not None
    assert content.description["i"] == 1
    assert str(path) in wrong
    assert "damaged" in wrong


def test_a_write_after_damage_is_the_newest(three):
    (three / "checkpoint-000003.safetensors").write_bytes(b"")
    folder.write(three, numbered(9))
    content, wrong = folder.newest(three)
    assert content is not None
    assert content.description["i"] == 9
    assert wrong == []


def test_nothing_but_damage_is_an_error_and_never_a_fresh_start(three):
    for path in folder.checkpoints_in(three):
        path.write_bytes(b"garbage")
    with pytest.raises(CheckpointError, match=r"checkpoint-000003.*damaged.*checkpoint-000002.*damaged"):
        folder.newest(three)


def test_a_checkpoint_that_is_a_folder_cannot_be_read(three):
    (three / "checkpoint-000004.safetensors").mkdir()
    _, (wrong,) = folder.newest(three)
    assert "cannot be read" in wrong


def test_other_files_are_left_alone(tmp_path):
    for name in ("notes.txt", "checkpoint-x.safetensors", "checkpoint-000001.safetensors.bak"):
        (tmp_path / name).write_text("mine")
    for i in range(4):
        folder.write(tmp_path, numbered(i))
    assert len(os.listdir(tmp_path)) == 3 + 2


def test_an_empty_or_missing_folder_holds_none(tmp_path):
    assert folder.newest(tmp_path) == (None, [])
    assert folder.newest(tmp_path / "missing") == (None, [])


def test_a_file_in_the_place_of_the_folder(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CheckpointError, match="cannot be read"):
        folder.newest(tmp_path / "file")
    with pytest.raises(CheckpointError, match="cannot be written to"), folder.locked(tmp_path / "file"):
        pass
    with pytest.raises(CheckpointError, match="cannot be written to"), folder.locked(tmp_path / "file" / "deeper"):
        pass


def test_the_lock_is_held_once_and_let_go(tmp_path):
    with (
        folder.locked(tmp_path / "new"),
        pytest.raises(CheckpointError, match=f"process {os.getpid()}"),
        folder.locked(tmp_path / "new"),
    ):
        pass
    with folder.locked(tmp_path / "new"):
        pass


HOLDER = """
import sys
from types import SimpleNamespace
from pathlib import Path
from deltarule.training.checkpoints.folder import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_the_lock_of_a_killed_process_is_free(tmp_path):
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(CheckpointError, match=f"process {holder.pid}"), folder.locked(tmp_path):
        pass
    holder.kill()
    holder.communicate()
    with folder.locked(tmp_path):
        pass


def test_what_a_killed_writer_left_is_swept_away(tmp_path):
    (tmp_path / ".checkpoint-000007.safetensors.4711").write_bytes(b"half")
    with folder.locked(tmp_path):
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

    monkeypatch.setattr(folder, "fcntl", None)
    monkeypatch.setitem(sys.modules, "msvcrt", SimpleNamespace(locking=locking, LK_NBLCK="non-blocking"))
    with folder.locked(tmp_path):
        assert (tmp_path / "lock").read_text() == str(os.getpid())
        with (
            pytest.raises(CheckpointError, match=rf"another training, process {os.getpid()}"),
            folder.locked(tmp_path),
        ):
            pass
