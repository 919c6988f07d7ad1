"""The command as a process: what needs real signals, real pipes and a fresh interpreter."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

import deltarule as dr
from deltarule.cli import main

COMMAND = [sys.executable, "-m", "deltarule"]


@pytest.fixture
def environment(tmp_path):
    """The process's environment, with a cache folder of its own, where compiled programs are kept."""
    kept = {name: value for name, value in os.environ.items() if name != "DELTARULE_CACHE"}
    return kept | {"XDG_CACHE_HOME": str(tmp_path / "cache")}


def test_without_typer_one_sentence_says_what_to_install(monkeypatch, capsys):
    for name in [name for name in sys.modules if name.startswith("deltarule.cli.")] + ["typer"]:
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, "typer", None)
    assert main(["train"]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "pip install 'deltarule[cli]'" in err
    assert "'typer'" in err


def test_the_command_line_waits_for_no_data_package():
    code = "import sys, deltarule.cli.app; print([m for m in ('pandas', 'sklearn', 'pyarrow') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_a_reader_that_goes_away_is_no_failure(digits, environment):
    words = [*COMMAND, "trace", str(digits), "digits", "--row", "0", "--full"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(60) in (0, 1)


@pytest.mark.skipif(os.name != "posix", reason="there is no SIGINT to send")
@pytest.mark.usefixtures("interruptible")
def test_sigint_saves_the_network_and_json_stays_one_line(shelf, tmp_path, environment, engine):
    words = ["train", str(shelf / "flowers.csv"), "--target", "flower", "--hidden", "4", "--epochs", "1000000000"]
    words += ["--engine", engine, "--patience", "1000000000"]  # it ends by nothing but the signal
    with subprocess.Popen(
        [*COMMAND, *words, "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stderr is not None
        note = process.stderr.readline()
        assert note.startswith("Note: this training may take")
        line = process.stderr.readline()  # the first epochs are done
        assert line.startswith("epoch ")
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert out.count("\n") == 1
    record = json.loads(out)
    assert record["stop_reason"] == "interrupted"
    assert "is saved in flowers.safetensors" in err
    assert "Traceback" not in err
    dr.load("flowers.safetensors")
    # What JAX compiles is kept in the user's cache folder.
    assert (tmp_path / "cache" / "deltarule" / "compiled").exists() == (engine == "jax")
    assert engine == "numpy" or any((tmp_path / "cache" / "deltarule" / "compiled").iterdir())
