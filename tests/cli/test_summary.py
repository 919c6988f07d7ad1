"""What is printed after a training: why it ended, what was saved, and the next commands."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from deltarule.cli.summary import interruption_message, json_record, next_commands, stop_sentence, training_origin
from deltarule.cli.training_options import TrainingOptions
from deltarule.data import load

TRAINED = {
    "network": [2, 4, 1], "parameters": 17, "trainer_name": "sgd", "eta": 30.0, "epochs": 7, "best_epoch": 5,
    "stop_reason": "interrupted", "stopped": "Interrupted with eta = 30.", "training_cost": 0.25, "engine": "numpy",
    "training_seconds": 1.5, "metrics": {"test_r2": 0.75}, "warnings": ["few rows"],
}  # fmt: skip


def model(**changes):
    return SimpleNamespace(training=TRAINED | changes)


def test_the_record_names_where_the_model_is():
    options = TrainingOptions(source="t.csv", seed=3)
    record = json_record(options, model(), True, 2.0004)
    assert record["model"] == "t.safetensors"
    assert (record["trainer"], record["seed"], record["seconds"], record["test_r2"]) == ("sgd", 3, 2.0, 0.75)
    assert record["warnings"] == ["few rows"]
    assert json_record(options, model(), False, 2.0)["model"] is None


def test_eta_has_the_name_of_its_option_where_the_trainer_has_one():
    assert "--eta = 30" in stop_sentence(model())
    assert "--eta" not in stop_sentence(model(eta=None))


@pytest.mark.parametrize(
    ("best", "saved", "expected"), [(5, True, "epoch 5"), (0, True, "untrained"), (0, False, "stays as it was")]
)
def test_the_message_says_what_was_saved(best, saved, expected):
    words = interruption_message(TrainingOptions(source="t.csv"), model(best_epoch=best), saved)
    assert expected in words
    assert "t.safetensors" in words
    assert "--resume" not in words


def test_an_interrupted_training_can_go_on():
    options = TrainingOptions(source="t.csv", checkpoint=Path("my folder"))
    assert "--resume 'my folder'" in interruption_message(options, model(), True)
    assert "--resume" not in interruption_message(options, model(stop_reason="diverged"), True)


def test_the_model_file_keeps_the_options():
    origin = training_origin(TrainingOptions(source="t.csv", eta=0.5, seed=4, drop_missing=True))
    assert origin["options"]["eta"] == 0.5
    assert (origin["seed"], origin["split_seed"], origin["drop_missing"]) == (4, 4, True)


def test_the_row_to_trace_has_its_targets(tmp_path):
    """The first row lacks one of two targets."""
    rows = "".join(f"{x},{x % 7},{x * x % 11 / 2}\n" for x in np.arange(20))
    (tmp_path / "my table.csv").write_text("x,a,b\n5,,1.5\n" + rows)
    options = TrainingOptions(source=str(tmp_path / "my table.csv"), target=("a,b",), sep=",")
    predict, trace = next_commands(options, load(options.source, target="a,b"))
    assert predict.endswith("my table.csv' --sep ,")
    assert trace.endswith("--row 1")


def test_arrays_have_no_next_command(tmp_path):
    data = SimpleNamespace(streamed=True)
    assert next_commands(TrainingOptions(source=str(tmp_path)), data) == []  # pyright: ignore[reportArgumentType]
