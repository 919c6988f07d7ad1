"""--checkpoint, --checkpoint-every and --resume."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from deltarule.files.model_file import load_model
from deltarule.training.checkpoints import storage


@pytest.fixture
def words(shelf):
    return ("train", shelf / "flowers.csv", "--target", "flower", "--hidden", 4, "--trainer", "adam", "--json")


def parameters(path):
    return [array for layer in load_model(path).params for array in layer.values()]


def test_the_same_command_begins_and_continues(run, words):
    assert " (training " in run(*words, "--epochs", 6, "--out", "whole.safetensors").err
    again = (*words, "--checkpoint", "kept", "--checkpoint-every", 2, "--resume", "kept")
    run(*again, "--epochs", 3, "--out", "half.safetensors")
    outcome = run(*again, "--epochs", 6, "--out", "resumed.safetensors")
    assert outcome.code == 0
    assert json.loads(outcome.out)["epochs"] == 6
    assert "earlier runs included)" in outcome.err
    for one, other in zip(parameters("resumed.safetensors"), parameters("whole.safetensors"), strict=True):
        np.testing.assert_array_equal(one, other)
    resumed, whole = (load_model(f"{name}.safetensors").training for name in ("resumed", "whole"))
    assert resumed is not None
    assert whole is not None
    assert resumed["history"] == whole["history"]
    assert {**resumed["options"], "out": None} == {**whole["options"], "out": None}


def test_an_interrupted_training_says_how_to_continue(run, words, monkeypatch):
    from deltarule.cli.progress import TrainingProgress

    def interrupt(progress, record):
        raise KeyboardInterrupt

    monkeypatch.setattr(TrainingProgress, "epoch", interrupt)
    outcome = run(*words, "--epochs", 6, "--checkpoint", "kept")
    assert outcome.code == 130
    assert "--resume kept." in outcome.err


def test_a_damaged_checkpoint_gives_a_note(run, words):
    run(*words, "--epochs", 4, "--checkpoint", "kept")
    path = storage.checkpoints_in(Path("kept"))[0]
    path.write_bytes(path.read_bytes()[:-9])
    outcome = run(*words, "--epochs", 5, "--resume", "kept")
    assert outcome.code == 0
    assert "Note: kept/checkpoint-000004.safetensors is damaged" in outcome.err
    assert "of epoch 3." in outcome.err


@pytest.mark.parametrize(
    ("options", "words_of_error"),
    [
        (("--checkpoint-every", 2), "--checkpoint-every is 2"),
        (("--checkpoint", "kept", "--checkpoint-every", 0), "at least 1, and is 0"),
        (("--resume", "typo"), "no checkpoint in typo"),
        (("--checkpoint", "file/kept"), "file/kept"),
        (("--checkpoint", "file"), "file"),
    ],
)
def test_refused(refused, words, options, words_of_error):
    with open("file", "w"):
        pass
    assert words_of_error in refused(*words[:-1], "--epochs", 3, *options)
    assert not os.path.exists("flowers.safetensors")


def test_other_options_are_refused_under_their_names(run, refused, words):
    run(*words, "--epochs", 4, "--checkpoint", "kept")
    sentence = refused(*words[:-1], "--epochs", 4, "--resume", "kept", "--eta", 0.3)
    assert "eta 0.005, and here it is 0.3" in sentence
    assert "--epochs is 3: give at least 4" in refused(*words[:-1], "--epochs", 3, "--resume", "kept")
    assert "give --resume" in refused(*words[:-1], "--epochs", 9, "--checkpoint", "kept")
