"""SIGKILL, SIGTERM and SIGINT at random moments of a training, in processes of their own."""

import random
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from deltarule.errors import CheckpointError
from deltarule.files.model_file import load_model
from deltarule.training.checkpoints import storage


def kill_again_and_again(training, kills, seed, pause):
    """Kill a training at random moments after its first epoch of each life; how many epochs it came to."""
    moments = random.Random(seed)
    for _ in range(kills):
        process = training.start(10**6, pause)
        assert process.stdout is not None
        assert process.stdout.readline(), process.stderr and process.stderr.read()
        time.sleep(moments.uniform(0, 0.25))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        content, wrong = storage.read_newest(training.place)
        assert content is not None
        assert wrong == []  # a file is whole or has no name
    return int(content.tensors["0.carry.epoch"])


def assert_it_ends_the_same(training, trainer, kills, seed, pause=0.002):
    killed = training("killed", trainer)
    reached = kill_again_and_again(killed, kills, seed, pause)
    assert reached > kills
    resumed, whole = killed.run(reached + 5), training("whole", trainer).run(reached + 5)
    assert resumed.keys() == whole.keys()
    for name, array in whole.items():
        np.testing.assert_array_equal(resumed[name], array)


@pytest.mark.slow
def test_killed_twice(training):
    assert_it_ends_the_same(training, "sgd", kills=2, seed=1)


@pytest.mark.slow
@pytest.mark.parametrize(("trainer", "pause"), [("sgd", 0.002), ("lm", 0.02)])
def test_killed_fifty_times(training, trainer, pause):
    """Levenberg-Marquardt ends by itself after 1,000 epochs or more: slowed, fifty lives do not reach that."""
    assert_it_ends_the_same(training, trainer, kills=50, seed=2, pause=pause)


@pytest.mark.slow
def test_two_trainings_with_one_folder(training):
    """The second is refused with one sentence, and the first does not notice."""
    first, second = training("shared"), None
    process = first.start(10**6, pause=0.01)
    assert process.stdout is not None
    assert process.stdout.readline()
    second = first.start(10)
    _, error = second.communicate()
    assert second.returncode == 1
    assert f"process {process.pid}" in error
    assert str(first.place) in error
    assert CheckpointError.__name__ in error
    assert process.poll() is None
    process.kill()
    process.communicate()
    first.run(storage.read_newest(first.place)[0].tensors["0.carry.epoch"] + 1)


@pytest.mark.slow
@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("asked", [signal.SIGINT, signal.SIGTERM])
def test_a_training_that_is_asked_to_end_saves_its_network_and_a_checkpoint(table, asked, engine):
    words = ("--trainer", "sgd", "--hidden", "4", "--seed", "3", "--json", "--engine", engine)
    words += ("--patience", "1000000")  # or it would end before it is asked to
    command = [sys.executable, "-m", "deltarule", "train", "table.csv", "--target", "z", *words]
    once = [*command, "--checkpoint", "kept", "--out", "model.safetensors", "--epochs", "1000000"]
    process = subprocess.Popen(once, cwd=table.parent, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stderr is not None
    assert any(line.startswith("epoch ") for line in process.stderr)  # after the note of a long training
    process.send_signal(asked)
    _, error = process.communicate()
    assert process.returncode == 130, error
    assert "--resume kept." in error
    load_model(table.parent / "model.safetensors")
    content, _ = storage.read_newest(table.parent / "kept")
    epochs = int(content.tensors["0.carry.epoch"]) + 3
    for options in (["--resume", "kept", "--out", "resumed.safetensors"], ["--out", "whole.safetensors"]):
        subprocess.run([*command, *options, "--epochs", str(epochs)], cwd=table.parent, check=True, capture_output=True)
    resumed, whole = (load_model(table.parent / f"{name}.safetensors") for name in ("resumed", "whole"))
    for one, other in zip(resumed.params, whole.params, strict=True):
        for name in one:
            np.testing.assert_array_equal(one[name], other[name])
