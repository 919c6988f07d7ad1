"""Downloads, from a server on this machine: whole, from the second mirror, and not at all."""

import logging
import socket
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pooch
import pytest

from deltarule.data.mnist import download
from deltarule.errors import DataError


class _Silent(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def server(tmp_path, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    folder = tmp_path / "served"
    folder.mkdir()
    (folder / "file.gz").write_bytes(b"0123456789" * 500)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Silent, directory=folder)) as http:
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{http.server_port}/"
        http.shutdown()
        thread.join()


@pytest.fixture
def closed(monkeypatch):
    """An address at which nothing listens."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return f"http://127.0.0.1:{port}/"


class Bar:
    """The part of tqdm's interface that pooch uses."""

    total = 0
    seen = 0
    closed = False

    def update(self, count):
        self.seen += count

    def reset(self):
        self.seen = 0

    def close(self):
        self.closed = True


def test_a_file_arrives_whole_and_the_bar_is_told(server, tmp_path):
    bar = Bar()
    path = tmp_path / "cache" / "mnist" / "file.gz"
    download(path, [server], bar)
    assert path.read_bytes() == b"0123456789" * 500
    assert (bar.total, bar.seen, bar.closed) == (5000, 5000, True)
    assert [file.name for file in path.parent.iterdir()] == ["file.gz"]


def test_the_second_mirror_serves_if_the_first_does_not(server, closed, tmp_path):
    download(tmp_path / "file.gz", [closed, f"{server}absent/", server])
    assert (tmp_path / "file.gz").is_file()


def test_nothing_is_written_to_standard_error(server, tmp_path, capfd):
    level = pooch.get_logger().level
    download(tmp_path / "file.gz", [server])
    assert capfd.readouterr() == ("", "")
    assert pooch.get_logger().level == level != logging.ERROR


def test_every_address_tried_is_named(server, closed, tmp_path):
    with pytest.raises(DataError) as caught:
        download(tmp_path / "absent.gz", [server, closed, "nonsense://"])
    message = str(caught.value)
    assert f"{server}absent.gz (HTTP status 404)" in message
    assert f"{closed}absent.gz (ConnectionError)" in message
    assert "nonsense://absent.gz" in message
    assert "--data-dir" in message
    assert not list(tmp_path.glob("*.gz"))


def test_a_cache_that_cannot_be_made_is_named(server, tmp_path):
    (tmp_path / "occupied").write_text("a file", encoding="utf-8")
    with pytest.raises(DataError, match=r"occupied.*cannot be made.*--data-dir"):
        download(tmp_path / "occupied" / "file.gz", [server])
