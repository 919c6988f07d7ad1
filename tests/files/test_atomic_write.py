"""A file is the old one or the new one, whatever happens while it is written."""

import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from deltarule.files.atomic_write import write_atomically


def test_a_file_is_written_and_replaced(tmp_path):
    path = tmp_path / "a.bin"
    write_atomically(path, b"old")
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["a.bin"]


def test_the_umask_is_obeyed(tmp_path):
    before = os.umask(0o027)
    try:
        write_atomically(tmp_path / "a", b"")
    finally:
        os.umask(before)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o640


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    write_atomically(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"


def test_a_pipe_is_written_to(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    reader = subprocess.Popen(["cat", tmp_path / "pipe"], stdout=subprocess.PIPE)
    write_atomically(tmp_path / "pipe", b"through")
    assert reader.communicate()[0] == b"through"


def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path):
    """A limit on the size of files is a disk that is full after so many bytes."""
    path = tmp_path / "a.bin"
    write_atomically(path, b"old")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(OSError, match="too large"):
            write_atomically(path, bytes(5000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.bin"]


def test_a_folder_that_is_a_file_is_an_error_of_the_system(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(NotADirectoryError):
        write_atomically(tmp_path / "file" / "a.bin", b"x")


WRITER = """
import sys
from pathlib import Path
from deltarule.files.atomic_write import write_atomically
print("ready", flush=True)
for i in range(10**9):
    write_atomically(Path(sys.argv[1]), bytes([i % 256]) * 300_000)
"""


def test_a_killed_writer_leaves_one_whole_file(tmp_path):
    path = tmp_path / "a.bin"
    write_atomically(path, bytes(300_000))
    for i in range(8):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, path], stdout=subprocess.PIPE)
        assert writer.stdout is not None
        writer.stdout.readline()
        time.sleep(0.003 * (1 + 2 * i))
        writer.send_signal(signal.SIGKILL)
        writer.communicate()
        content = path.read_bytes()
        assert len(content) == 300_000
        assert len(set(content)) == 1
    assert {Path(name).suffix for name in os.listdir(tmp_path)} >= {".bin"}
