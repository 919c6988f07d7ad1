"""Every option outside its domain is refused before training, by name and value."""

import json

import pytest

from deltarule.cli.options import to_arguments
from deltarule.cli.training_options import TrainingOptions

NOTHING = dict.fromkeys(TrainingOptions.__dataclass_fields__) | {"source": "digits", "seed": 0, "drop_missing": False}


def test_missing_drop_is_drop_missing():
    assert TrainingOptions(missing="drop") == TrainingOptions(drop_missing=True)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--eta", "0"), ("--eta", "0.0", "above 0")),
        (("--eta", "-1"), ("--eta", "-1.0", "above 0")),
        (("--eta", "nan"), ("--eta", "nan", "finite")),
        (("--eta", "inf"), ("--eta", "inf", "finite")),
        (("--eta", "abc"), ("--eta", "'abc'", "number")),
        (("--hidden", "0"), ("--hidden", "'0'", "30,20")),
        (("--hidden", "-3"), ("--hidden", "'-3'")),
        (("--hidden", "abc"), ("--hidden", "'abc'")),
        (("--hidden", "30,"), ("--hidden", "'30,'")),
        (("--hidden", "99999999"), ("--hidden", "'99999999'")),
        (("--model", "vgg"), ("--model", "'vgg'", "lenet", ".toml")),
        (("--activation", "sigmoyd"), ("--activation", "'sigmoyd'", "tanh")),
        (("--activation", "step"), ("--activation", "'step'", "sigmoid")),
        (("--activation", "softmax"), ("--activation", "'softmax'")),
        (("--cost", "square"), ("--cost", "'square'", "quadratic")),
        (("--trainer", "newton"), ("--trainer", "'newton'", "sgd")),
        (("--task", "guess"), ("--task", "'guess'")),
        (("--batch-size", "0"), ("--batch-size", "0")),
        (("--batch-size", "1.5"), ("--batch-size", "'1.5'")),
        (("--batch-size", "5000"), ("--batch-size", "5000", "1259")),
        (("--epochs", "0"), ("--epochs", "0")),
        (("--epochs", "99999999999"), ("--epochs", "99999999999")),
        (("--l2", "-1"), ("--l2", "-1.0")),
        (("--l1", "-1"), ("--l1", "-1.0")),
        (("--max-norm", "0"), ("--max-norm", "0.0", "above 0")),
        (("--dropout", "1"), ("--dropout", "1.0", "below 1")),
        (("--halve-after", "0"), ("--halve-after", "0")),
        (("--trainer", "lm", "--dropout", "0.5"), ("--dropout", "0.5", "lm", "sgd")),
        (("--trainer", "lm", "--max-norm", "2"), ("--max-norm", "2.0", "lm")),
        (("--expand", "flip"), ("--expand", "'flip'", "elastic")),
        (("--expand", "shift", "--expand", "shift"), ("--expand", "'shift' twice")),
        (("--nesterov",), ("--nesterov", "sgd", "--momentum 0.9")),
        (("--trainer", "adam", "--nesterov"), ("--nesterov", "adam")),
        (("--init", "xavier"), ("--init", "'xavier'", "glorot")),
        (("--monitor", "loss"), ("--monitor", "'loss'", "accuracy")),
        (("--sep", ";"), ("--sep", "';'", "digits")),
        (("--record", "speed"), ("--record", "'speed'", "learning_speed")),
        (("--momentum", "1"), ("--momentum", "1.0", "below 1")),
        (("--patience", "0"), ("--patience", "0")),
        (("--time-limit", "0"), ("--time-limit", "0")),
        (("--seed", "-1"), ("--seed", "-1")),
        (("--seed", "4294967296"), ("--seed", "4294967296")),
        (("--trainer", "adam", "--momentum", "0.5"), ("--momentum", "0.5", "adam")),
        (("--trainer", "gd", "--batch-size", "5"), ("--batch-size", "5", "gd")),
        (("--trainer", "lm", "--eta", "0.1"), ("--eta", "0.1", "lm")),
        (("--split", "blocks"), ("--split", "'blocks'", "leave it out")),
        (("--split", "first"), ("--split", "'first'", "random, blocks")),
        (("--target", "digit"), ("--target", "'digit'", "leave it out")),
        (("--task", "regression"), ("--task", "'regression'")),
        (("--out", "missing/m.safetensors"), ("--out", "'missing/m.safetensors'", "folder")),
        (("--out", "."), ("--out", "folder")),
        (("--frobnicate",), ("--frobnicate",)),
    ],
)
def test_a_bad_option_is_refused(refused, words, expected):
    sentence = refused("train", "digits", *words)
    for word in expected:
        assert word in sentence


def test_a_folder_that_cannot_be_written_is_refused(refused, monkeypatch):
    def denied(**_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.TemporaryFile", denied)
    sentence = refused("train", "digits", "--out", "m.safetensors")
    assert "--out is 'm.safetensors'" in sentence
    assert "Permission denied" in sentence


def test_a_regression_has_one_cost(refused, shelf):
    sentence = refused("train", shelf / "houses.csv", "--target", "price", "--cost", "cross-entropy")
    assert "--cost is 'cross-entropy'" in sentence


def test_a_regression_has_no_accuracy(refused, shelf):
    sentence = refused("train", shelf / "houses.csv", "--target", "price", "--monitor", "accuracy")
    assert "--monitor is 'accuracy'" in sentence
    assert "--monitor cost" in sentence


def test_an_option_that_the_default_trainer_does_not_take_asks_for_another(run, shelf):
    words = ("train", shelf / "houses.csv", "--target", "price", "--momentum", "0.5", "--epochs", 1, "--json")
    assert json.loads(run(*words).out)["trainer"] == "sgd"


def test_nothing_is_loaded_before_the_options_are_right(refused):
    assert "--eta" in refused("train", "missing.csv", "--target", "y", "--eta", 0)


def test_the_record_of_the_options_can_be_typed_again():
    given = TrainingOptions(**NOTHING | {"l2": 0.0, "momentum": 0.9, "nesterov": True, "expand": ("shift", "rotate")})
    assert given.record() == {
        "source": "digits", "l2": 0.0, "momentum": 0.9, "nesterov": True, "expand": ("shift", "rotate"), "seed": 0,
    }  # fmt: skip
    assert to_arguments(TrainingOptions, given.record()) == [
        "--l2", "0.0", "--momentum", "0.9", "--nesterov", "--expand", "shift", "--expand", "rotate",
    ]  # fmt: skip
    assert to_arguments(TrainingOptions, {"seed": 3, "recorded": ["training_score"]}) == [
        "--seed",
        "3",
        "--record",
        "training_score",
    ]
