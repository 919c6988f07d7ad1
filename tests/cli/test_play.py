import http.client
import json
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

pytest.importorskip("uvicorn")


@pytest.fixture
def started(tmp_path):
    """A function that starts `deltarule` in a process of its own and returns it with the address that it prints."""
    running = []

    def start(*words, stream="stdout"):
        process = subprocess.Popen(
            [sys.executable, "-m", "deltarule", *map(str, words)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path,
        )  # fmt: skip
        running.append(process)
        for line in getattr(process, stream):
            found = re.search(r"http://127\.0\.0\.1:(\d+)(/\S+)", line)
            if found:
                return process, int(found.group(1)), found.group(2)
        pytest.fail(process.stderr.read())

    yield start
    for process in running:
        process.kill()
        process.communicate()


def get(port, path):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", path)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


def test_it_prints_its_address_serves_the_page_and_ends_on_ctrl_c(started, interruptible):
    process, port, path = started("play", "xor", "--no-browser", "--port", "0")
    status, page = get(port, path)
    assert status == 200
    assert "deltarule" in page
    assert get(port, "/")[0] == 403
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0
    assert process.stderr.read() == ""


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["none.csv"], "none.csv"),
        (["none.safetensors"], "no model file"),
        (["circles", "rows.csv"], "rows for a model file"),
        (["circles", "--port", "70000"], "--port must be at most 65535"),
        (["circles", "--port", "x"], "not a whole number"),
        (["circles", "--columns", "-1"], "--columns must be"),
    ],
)
def test_bad_input_is_one_sentence(refused, words, expected):
    assert expected in refused("play", "--no-browser", *words)


def test_a_training_is_watched_and_its_result_is_the_same(started, run, tmp_path):
    client = pytest.importorskip("websockets.sync.client")
    random = np.random.default_rng(0)
    x = random.uniform(-2, 2, (80, 2))
    lines = ["a,b,y", *(f"{a},{b},{np.sin(a) + b}" for a, b in x)]
    (tmp_path / "t.csv").write_text("\n".join(lines) + "\n")
    words = ["train", "t.csv", "--target", "y", "--trainer", "lm", "--epochs", "20", "--json"]
    process, port, path = started(*words, "--watch", "--out", "watched.safetensors", stream="stderr")
    with client.connect(f"ws://127.0.0.1:{port}/socket{path.removeprefix('/')}", open_timeout=30) as page:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            message = json.loads(page.recv(timeout=60))
            page.send('{"do": "shown"}')
            if message["kind"] == "frame" and message["learners"][0]["ended"]:
                break
        assert message["learners"][0]["epoch"] >= 1  # the last frame need not bring a new epoch
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    watched = json.loads(out.strip().splitlines()[-1])
    same = json.loads(run(*words, "--out", "alone.safetensors").out)
    for name in ("test_rmse", "epochs", "stop_reason"):
        assert watched[name] == same[name]
