import json
import math
from pathlib import Path

import numpy as np
import pytest

import deltarule as dr
from deltarule.files.model_file import load_model
from deltarule.models import fitting
from deltarule.training.train import train as train_really


def test_the_summary_says_what_was_done_and_what_comes_next(run, shelf):
    words = ("--target", "flower", "--hidden", 4, "--epochs", 5, "--trainer", "adam")
    outcome = run("train", shelf / "flowers.csv", *words)
    assert outcome.code == 0
    for words in (
        "flowers.csv: 42 training, 9 validation, 9 test examples",
        "2-4-3 (tanh, softmax), 27 parameters",
        "log-likelihood",
        "adam, eta 0.005, batches of 32, l2 0.01",
        "All 5 epochs were run.",
        "accuracy",
        "flowers.safetensors",
        f"deltarule predict flowers.safetensors {shelf / 'flowers.csv'}",
        "--row 0",
    ):
        assert words in outcome.out
    assert "epoch 5/5" in outcome.err


def test_classes_are_averaged_by_candidates_and_the_verdict_says_how(run, shelf):
    record = json.loads(run("train", shelf / "flowers.csv", "--target", "flower", "--epochs", 30, "--json").out)
    assert record["verdict"]["networks"].startswith("of ")
    assert "rows left out" in record["verdict"]["networks"]
    training = load_model("flowers.safetensors").training
    assert training["trainer_name"] == "bayesian"
    assert training["calibration"]["rows"] == 42
    assert run("predict", "flowers.safetensors", shelf / "flowers.csv").code == 0


def test_json_is_the_only_line_on_standard_output(run, shelf):
    words = ("--target", "flower", "--hidden", 4, "--epochs", 3, "--trainer", "adam", "--seed", 7, "--json")
    outcome = run("train", shelf / "flowers.csv", *words)
    assert outcome.out.count("\n") == 1
    record = json.loads(outcome.out, parse_constant=pytest.fail)
    assert record["epochs"] == 3
    assert record["stop_reason"] == "epochs"
    assert record["seed"] == 7
    assert record["model"] == "flowers.safetensors"
    assert record["parameters"] == 2 * 4 + 4 + 4 * 3 + 3
    assert 0 <= record["test_accuracy"] <= 1
    assert 0 <= record["validation_accuracy"] <= 1
    assert 1 <= record["best_epoch"] <= 3
    assert record["seconds"] > 0
    assert "deltarule train" in outcome.err


def test_a_regression_is_measured_in_the_unit_of_its_target(run, shelf):
    words = ("--target", "price", "--trainer", "adam", "--hidden", 4, "--epochs", 60, "--json")
    record = json.loads(run("train", shelf / "houses.csv", *words).out)
    assert record["test_r2"] > 0.9
    assert 100 < record["test_rmse"] < 20_000  # prices run from 10,000 to 200,000
    assert "test_accuracy" not in record


def test_a_regression_is_bayesian_by_default_and_holds_no_row_out_of_its_choice(run, shelf, monkeypatch):
    seen = {}

    def watched(*positional, **named):
        seen.update(named, rows=len(positional[1]))
        return train_really(*positional, **named)

    monkeypatch.setattr(fitting, "train", watched)
    words = ("train", shelf / "houses.csv", "--target", "price", "--hidden", 4, "--epochs", 12, "--patience", 3)
    outcome = run(*words, "--seed", 7)
    assert seen["validation_data"] is None
    assert (seen["rows"], seen["restarts"], seen["trainer"].max_fail) == (42, 2, 3)
    assert "bayesian, all examples" in outcome.out
    assert "2 trained" in outcome.out
    assert "that of its largest evidence" in outcome.out
    assert "evidence" in outcome.err
    assert "gamma" in outcome.err
    model = load_model("houses.safetensors")
    record = model.training
    assert [layer.n for layer in model.net.layers] == [4 * record["starts"], 1]
    assert 0 < record["effective_parameters"] < record["parameters_of_a_start"] == 3 * 4 + 4 + 4 + 1
    assert record["noise_std"][0] > 0
    assert np.isfinite(record["log_evidence"])
    assert len(record["start_weights"]) == record["starts"] <= 2
    assert record["metrics"]["training_r2"] > 0.9


def test_a_table_ends_with_a_verdict(run, shelf):
    words = ("train", shelf / "flowers.csv", "--target", "flower", "--hidden", 4, "--epochs", 30)
    outcome = run(*words)
    for subject in ("verdict", "baseline", "confused", "columns"):
        assert subject in outcome.out
    record = json.loads(run(*words, "--json").out)
    assert set(record["verdict"]) == {"accuracy", "baseline", "recall", "AUC", "confused", "columns"}
    assert set(record["importance"]) == {"length", "width"}
    assert load_model("flowers.safetensors").training["verdict"] == record["verdict"]


def test_images_have_no_verdict(run):
    assert "verdict" not in json.loads(run("train", "digits", "--hidden", 4, "--epochs", 1, "--json").out)


def test_ctrl_c_in_a_bayesian_training_saves_what_there_is(run, shelf, monkeypatch):
    interrupted_after(3, monkeypatch)
    outcome = run("train", shelf / "houses.csv", "--target", "price", "--hidden", 4, "--json")
    assert outcome.code == 130
    assert json.loads(outcome.out)["model"] == "houses.safetensors"
    assert run("predict", "houses.safetensors", shelf / "houses.csv", "--interval", 0.9).code == 0


def test_several_targets_have_a_score_each(run, shelf):
    words = ("train", shelf / "houses.csv", "--target", "price,heat", "--hidden", 4, "--epochs", 2, "--json")
    record = json.loads(run(*words).out)
    assert set(record["test_rmse_by_target"]) == {"price", "heat"}
    assert "test_rmse" not in record
    run("report", "houses.safetensors")
    page = Path("houses.html").read_text(encoding="utf-8")
    assert "Predicts price with a root" in page


def test_a_network_of_images_that_has_learnt_nothing_is_warned_of(run):
    words = ("train", "digits", "--hidden", 10, "--epochs", 2, "--cost", "quadratic")
    outcome = run(*words, "--eta", 1000)
    warning = outcome.out.partition("verdict")[2]
    assert "warning" in warning
    assert "--eta" in warning
    assert "1000" in warning
    assert len(json.loads(run(*words, "--eta", 1000, "--json").out)["warnings"]) == 1
    assert json.loads(run(*words, "--eta", 3, "--json").out)["warnings"] == []


def test_the_model_file_holds_schema_and_record(run, shelf):
    run("train", shelf / "flowers.csv", "--target", "flower", "--hidden", 4, "--epochs", 3, "--out", "m.safetensors")
    model = load_model("m.safetensors")
    assert model.schema is not None
    assert model.schema["classes"] == ["aster", "iris", "rose"]
    record = model.training
    assert record is not None
    assert record["options"]["hidden"] == "4"
    assert record["split_seed"] == record["seed"] == 0
    assert record["versions"]["deltarule"] == dr.__version__
    assert len(record["history"]["cost"]) == 3
    measures = ("accuracy", "recall_by_class", "auc_by_class")
    assert set(record["metrics"]) == {
        f"{part}_{name}" for part in ("training", "validation", "test") for name in measures
    }


def test_the_same_seed_gives_the_same_network(run, shelf):
    words = ("train", shelf / "flowers.csv", "--target", "flower", "--hidden", 4, "--epochs", 3, "--seed", 5)
    run(*words, "--out", "a.safetensors")
    run(*words, "--out", "b.safetensors")
    a, b = dr.load("a.safetensors")[1], dr.load("b.safetensors")[1]
    assert all((x[name] == y[name]).all() for x, y in zip(a, b, strict=True) for name in x)


@pytest.mark.parametrize("trainer", ["adam", "lm", "newton-cg"])
def test_other_trainers_train(run, shelf, trainer):
    words = ("train", shelf / "flowers.csv", "--target", "flower", "--hidden", 4, "--trainer", trainer, "--epochs", 2)
    record = json.loads(run(*words, "--json").out)
    assert record["trainer"] == trainer
    assert record["epochs"] == 2


def test_notes_about_the_data_are_shown(run, shelf):
    rows = (shelf / "flowers.csv").read_text().splitlines()
    (shelf / "gaps.csv").write_text("\n".join([*rows, "1.0,,rose"]) + "\n")
    outcome = run("train", shelf / "gaps.csv", "--target", "flower", "--drop-missing", "--epochs", 1, "--hidden", 4)
    assert outcome.code == 0
    assert "Note: 1 of 61 rows of gaps.csv" in outcome.err


def test_patience_stops_early(run, shelf):
    words = ("--target", "flower", "--hidden", 4, "--epochs", 5000, "--patience", 3, "--trainer", "adam", "--json")
    record = json.loads(run("train", shelf / "flowers.csv", *words).out)
    assert record["stop_reason"] == "max_fail"
    assert record["epochs"] == record["best_epoch"] + 3


def test_a_time_limit_stops(run, shelf):
    words = ("--target", "flower", "--hidden", 4, "--epochs", 10**9, "--time-limit", 0.001, "--json")
    assert json.loads(run("train", shelf / "flowers.csv", *words).out)["stop_reason"] == "time"


def test_divergence_names_eta_saves_the_best_and_is_an_error(run, shelf):
    words = ("--target", "price", "--trainer", "sgd", "--eta", 30, "--hidden", 4, "--activation", "relu", "--json")
    outcome = run("train", shelf / "houses.csv", *words)
    assert outcome.code == 2
    record = json.loads(outcome.out, parse_constant=pytest.fail)
    assert record["stop_reason"] == "diverged"
    last = outcome.err.strip().splitlines()[-1]
    assert "--eta = 30" in last
    assert "use a smaller --eta" in last
    assert "saved in houses.safetensors" in last
    _, params = dr.load("houses.safetensors")
    assert all(np.isfinite(tensor).all() for layer in params for tensor in layer.values())


def interrupted_after(epochs, monkeypatch):
    """Let Ctrl-C fall into the training, in the callback of that epoch."""

    def train_until(*positional, callbacks, **named):
        def press(record):
            if record["epoch"] >= epochs:
                raise KeyboardInterrupt

        return train_really(*positional, callbacks=[*callbacks, press], **named)

    monkeypatch.setattr(fitting, "train", train_until)


def test_ctrl_c_saves_the_best_network(run, shelf, monkeypatch):
    interrupted_after(3, monkeypatch)
    outcome = run("train", shelf / "flowers.csv", "--target", "flower", "--hidden", 4, "--epochs", 10**6, "--json")
    assert outcome.code == 130
    record = json.loads(outcome.out)
    assert record["stop_reason"] == "interrupted"
    assert record["epochs"] >= 3
    assert "Interrupted after" in outcome.err
    assert "is saved in flowers.safetensors" in outcome.err
    dr.load("flowers.safetensors")


def test_a_start_that_learned_nothing_does_not_replace_a_model(run, shelf, monkeypatch):
    words = ("train", shelf / "flowers.csv", "--target", "flower", "--hidden", 4, "--epochs", 2, "--json")
    run(*words)
    before = Path("flowers.safetensors").read_bytes()

    def interrupted_at_once(*positional, **named):
        result = train_really(*positional, **named)
        return type(result)(**result.__dict__ | {"best_epoch": 0, "epochs": 0, "stop_reason": "interrupted"})

    monkeypatch.setattr(fitting, "train", interrupted_at_once)
    outcome = run(*words)
    assert outcome.code == 130
    assert json.loads(outcome.out)["model"] is None
    assert "stays as it was" in outcome.err
    assert Path("flowers.safetensors").read_bytes() == before


def test_the_default_reaches_96_percent_on_digits(run):
    record = json.loads(run("train", "--json").out)
    assert record["test_accuracy"] >= 0.96
    assert math.isfinite(record["training_cost"])


def test_images_are_expanded(run):
    words = ("train", "digits", "--hidden", 4, "--epochs", 1, "--expand", "shift", "--expand", "elastic", "--json")
    outcome = run(*words)
    assert "1,259 training images were expanded to 7,554" in outcome.err
    assert "digits: 7,554 training, 269 validation, 269 test examples" in outcome.err
    assert load_model("digits.safetensors").training["options"]["expand"] == ["shift", "elastic"]


def test_what_is_recorded_goes_into_the_model_file(run, shelf):
    words = ("--target", "flower", "--hidden", 4, "--epochs", 3, "--trainer", "adam", "--record", "learning_speed")
    assert run("train", shelf / "flowers.csv", *words, "--record", "training_score").code == 0
    history = load_model("flowers.safetensors").training["history"]
    assert np.shape(history["learning_speed"]) == (3, 2)
    assert len(history["training_accuracy"]) == len(history["validation_accuracy"]) == 3


def test_the_kept_network_is_the_best_in_what_is_monitored(run, shelf):
    words = ("train", shelf / "flowers.csv", "--target", "flower", "--hidden", 4, "--epochs", 40, "--init", "new")
    for monitor, best in (("cost", np.argmin), ("accuracy", np.argmax)):
        record = json.loads(run(*words, "--monitor", monitor, "--json").out)
        history = load_model("flowers.safetensors").training["history"]
        scores = np.asarray(history[f"validation_{monitor}"])
        assert scores[record["best_epoch"] - 1] == scores[best(scores)]


def test_nesterov_is_another_training(run, shelf):
    words = ("train", shelf / "flowers.csv", "--target", "flower", "--hidden", 4, "--epochs", 3, "--momentum", 0.9)
    costs = [json.loads(run(*words, *more, "--json").out)["training_cost"] for more in ((), ("--nesterov",))]
    assert costs[0] != costs[1]
