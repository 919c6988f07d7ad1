import http.client
import json
import threading
import time
from contextlib import ExitStack, suppress

import pytest

from deltarule.errors import ConfigurationError
from deltarule.play.problems import GENERATED
from play.conftest import heard, sent

pytest.importorskip("uvicorn")
client = pytest.importorskip("websockets.sync.client")
from websockets.exceptions import ConnectionClosed, InvalidStatus  # noqa: E402

from deltarule.play import connection as module  # noqa: E402
from deltarule.play.connection import AHEAD  # noqa: E402
from deltarule.play.server import MOST_PAGES, Playground  # noqa: E402


@pytest.fixture
def server(served):
    return served(GENERATED["circles"]())


def get(server, path, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode(), dict(answer.getheaders())
    finally:
        connection.close()


def connected(server, token=None, **options):
    token = server.guard.token if token is None else token
    return client.connect(f"ws://127.0.0.1:{server.port}/socket?token={token}", open_timeout=20, **options)


def asked(server):
    return f"/?token={server.guard.token}"


def test_the_page_and_its_files_come_with_the_token(server):
    status, page, headers = get(server, asked(server))
    assert status == 200
    assert "deltarule" in page
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    for line in page.split('"'):
        if line.endswith(server.guard.token):
            assert get(server, f"/{line}")[0] == 200
    assert "http://" not in page
    assert "https://" not in page  # nothing comes from elsewhere


@pytest.mark.parametrize(
    "path",
    ["/", "/play.js", "/socket", "/?token=", "/?token=wrong", "/?token=%ff", "/?token=a&token=b", f"/?{'a=1&' * 20}"],
)
def test_without_the_token_nothing_is_answered(server, path):
    status, page, headers = get(server, path)
    assert status == 403
    assert page.startswith("Refused")
    assert server.guard.token not in page
    assert "content-security-policy" in headers


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:1", "localhost.evil.example:80", ""])
def test_another_host_is_refused(server, host):
    assert get(server, asked(server), Host=host)[0] in (400, 403)


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://127.0.0.1", "http://127.0.0.1:1"])
def test_another_origin_is_refused(server, origin):
    assert get(server, asked(server), Origin=origin)[0] == 403
    with pytest.raises(InvalidStatus) as refused, connected(server, origin=origin):
        pass
    assert refused.value.response.status_code == 403


def test_a_socket_without_the_token_or_for_another_host_is_refused(server):
    for token in ("", "wrong"):
        with pytest.raises(InvalidStatus) as refused, connected(server, token):
            pass
        assert refused.value.response.status_code == 403
    with pytest.raises(InvalidStatus), connected(server, additional_headers={"Host": "evil.example"}):
        pass


def test_its_own_origin_may_connect(server):
    with connected(server, origin=f"http://127.0.0.1:{server.port}") as socket:
        assert heard(socket, "layout")["problem"]["name"] == "circles"


@pytest.mark.parametrize(
    "path", ["/../server.py", "/..%2fserver.py", "/assets/play.js", "/%00", "/page.html", "//etc/passwd"]
)
def test_no_other_file_is_read(server, path):
    assert get(server, f"{path}?token={server.guard.token}")[0] in (400, 404)


def test_only_get_is_answered(server):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    connection.request("POST", asked(server), body=b"x" * 1000)
    assert connection.getresponse().status == 403
    connection.close()


WRONG = [
    "", "{", "null", "[]", "7", '"x"', "{}", '{"do":7}', '{"do":"?"}', '{"do":"__class__"}', '{"do":"change"}x',
    '{"do":null}', "NaN", '{"do":["step"]}', "[" * 5000, "\x00", '{"do":"exec","code":"1"}',
]  # fmt: skip


def until_closed(socket):
    """Hear what comes until the server closes the connection; the code that it gives, if any."""
    with pytest.raises(ConnectionClosed) as closed:
        hear_all(socket)
    return closed.value.rcvd and closed.value.rcvd.code


def hear_all(socket):
    while True:
        socket.recv(timeout=20)


def test_ten_thousand_malformed_messages_close_their_page_and_nothing_else(server):
    total = 0
    while total < 10_000:
        with connected(server) as socket:
            heard(socket, "layout")
            with suppress(ConnectionClosed):
                while total < 10_000:
                    socket.send(WRONG[total % len(WRONG)])
                    total += 1
            assert until_closed(socket) in (1008, None)
    with connected(server) as socket:  # the server lives
        heard(socket, "layout")
        sent(socket, do="epoch")
        while heard(socket, "frame")["learners"][0]["epoch"] < 1:
            pass
    assert get(server, asked(server))[0] == 200


REFUSED = [
    {"do": "change", "settings": {"hidden": [10**9]}},
    {"do": "change", "settings": {"eta": 10**400}},
    {"do": "change", "settings": {"nothing": 1}},
    {"do": "choose", "problem": "/etc/passwd"},
    {"do": "choose", "problem": None},
    {"do": "choose", "problem": "points", "points": [[1e300, 0, 0]]},
    {"do": "look", "row": 10**6},
    {"do": "look", "row": "0"},
    {"do": "select", "learner": 5},
    {"do": "show", "moment": -1},
    {"do": "speed", "speed": 1e9},
    {"do": "draw", "pixels": [0] * 64},
]


def test_what_cannot_be_is_refused_in_a_sentence_and_the_page_goes_on(server):
    with connected(server) as socket:
        heard(socket, "layout")
        for message in REFUSED:
            sent(socket, **message)
            assert heard(socket, "error")["text"]
        sent(socket, do="epoch")
        while heard(socket, "frame")["learners"][0]["epoch"] < 1:
            pass


def test_a_message_that_is_too_large_or_binary_closes_its_page(server):
    for message in ("x" * 100_000, b"\x00"):
        with connected(server) as socket:
            heard(socket, "layout")
            socket.send(message)
            assert until_closed(socket) in (1008, 1009)
    with connected(server) as socket:
        heard(socket, "layout")


def test_only_so_many_pages_at_once(server):
    with ExitStack() as stack:
        for _ in range(MOST_PAGES):
            heard(stack.enter_context(connected(server)), "layout")
        with connected(server) as one_more, pytest.raises(ConnectionClosed) as closed:
            one_more.recv(timeout=20)
        assert closed.value.rcvd.code == 1013


def test_a_closed_page_ends_its_training(server, monkeypatch):
    lessons = []
    begun = module.LessonConnection.__init__

    def noted(self, socket, lesson):
        begun(self, socket, lesson)
        lessons.append(lesson)

    monkeypatch.setattr(module.LessonConnection, "__init__", noted)
    with connected(server) as socket:
        heard(socket, "layout")
        sent(socket, do="speed", speed=0)
        sent(socket, do="run")
        while heard(socket, "frame")["learners"][0]["epoch"] < 3:
            pass
    (lesson,) = lessons
    deadline = time.monotonic() + 20
    while server.pages and time.monotonic() < deadline:
        time.sleep(0.02)
    assert server.pages == 0
    time.sleep(0.2)
    epoch = lesson.learners[0].now.epoch
    time.sleep(0.5)
    assert lesson.learners[0].now.epoch == epoch


def test_an_epoch_ends_within_when_its_page_closes(server, monkeypatch):
    within, ended = threading.Event(), threading.Event()

    def check_open(self):
        if self.lesson.learners[0].now.epoch < 1:  # the first epoch is always whole
            return
        within.set()
        deadline = time.monotonic() + 20
        while not self.closed and time.monotonic() < deadline:
            time.sleep(0.01)
        try:
            original(self)
        except module.TimeLimitReached:
            ended.set()
            raise

    original = module.LessonConnection.check_open
    monkeypatch.setattr(module.LessonConnection, "check_open", check_open)
    with connected(server) as socket:
        heard(socket, "layout")
        sent(socket, do="run")
        assert within.wait(20)
    assert ended.wait(20)


def test_a_page_that_does_not_keep_up_misses_frames_and_no_epochs(server):
    with connected(server) as socket:
        heard(socket, "layout")
        sent(socket, do="speed", speed=0)
        sent(socket, do="run")
        frames = []
        for _ in range(AHEAD):  # nobody says that they were shown
            frames.append(json.loads(socket.recv(timeout=20))["learners"][0]["epoch"])
        time.sleep(0.5)
        for _ in range(4):
            sent(socket, do="shown")
        while True:
            learner = heard(socket, "frame")["learners"][0]
            if learner["epoch"] > frames[-1] + 5:
                break
        assert learner["epochs"][0] <= frames[-1] + 1  # those that were not shown are told with the next
        sent(socket, do="pause")
        heard(socket, "paused")


def test_a_port_that_is_taken_is_refused(server):
    with pytest.raises(ConfigurationError, match=f"port {server.port} .*another one"):
        Playground(GENERATED["higham"](), server.port)


def test_every_server_has_its_own_token(server):
    other = Playground(GENERATED["higham"]())
    other.listening.close()
    assert other.guard.token != server.guard.token
    assert len(other.guard.token) >= 32


def test_a_pause_gives_up_the_epoch_that_is_under_way(server, monkeypatch):
    within, ended = threading.Event(), threading.Event()
    original = module.LessonConnection.check_running

    def check_running(self):
        if self.lesson.learners[0].now.epoch < 1:  # the first epoch is always whole
            return
        within.set()
        deadline = time.monotonic() + 20
        while self.running and time.monotonic() < deadline:
            time.sleep(0.01)
        try:
            original(self)
        except module.TimeLimitReached:
            ended.set()
            raise

    monkeypatch.setattr(module.LessonConnection, "check_running", check_running)
    with connected(server) as socket:
        heard(socket, "layout")
        sent(socket, do="run")
        assert within.wait(20)
        sent(socket, do="pause")
        heard(socket, "paused")
        assert ended.is_set()
        sent(socket, do="epoch")  # and the training can go on
        while heard(socket, "frame")["learners"][0]["epoch"] < 2:
            pass
