"""`deltarule train FOLDER`: trained in pieces and saved with its scaling; what needs all in memory is refused."""

import json
import re
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from deltarule.cli.loading import choose_devices, is_main_process, process_group
from deltarule.data import Schema, load_raw
from deltarule.errors import ConfigurationError
from deltarule.files.model_file import load_model

N = 600
random = np.random.default_rng(0)
A, B = random.normal(100, 20, N), random.normal(0, 1, N)
FRAME = pd.DataFrame({"a": A, "b": B, "y": 1000 + 50 * np.sin((A - 100) / 20) + 10 * B})
FRAME["warm"] = (FRAME["y"] > 1000).astype(int)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "rows").mkdir()
    for i, part in enumerate(np.split(np.arange(N), 3)):
        FRAME.iloc[part].to_parquet(tmp_path / "rows" / f"{i}.parquet", index=False, row_group_size=50)
    return tmp_path / "rows"


def record_of(outcome):
    assert outcome.code == 0, outcome.err
    return json.loads(outcome.out.splitlines()[-1])


def test_a_folder_trains_and_the_model_predicts_tables_in_units(run, folder):
    words = ("--target", "y", "--hidden", 5, "--trainer", "lm", "--epochs", 12, "--json")
    found = record_of(run("train", folder, *words))
    assert (found["network"], found["trainer"], found["epochs"]) == ([3, 5, 1], "lm", 12)
    assert found["test_r2"] > 0.99
    assert found["model"] == "rows.safetensors"
    net, params, description, training, _ = load_model("rows.safetensors")
    assert training["examples"] == {"train": 420, "validation": 90, "test": 90}
    schema = Schema.from_json(description)
    rows = load_raw(folder / "0.parquet", schema)
    error = schema.decode(net(params, rows.X))[:, 0] - FRAME["y"][: N // 3]
    assert np.sqrt(np.mean(error**2)) < 0.1 * FRAME["y"].std()
    predicted = record_of(run("predict", "rows.safetensors", folder / "0.parquet", "--json"))["predictions"]["y"]
    np.testing.assert_allclose(predicted, schema.decode(net(params, rows.X))[:, 0], rtol=1e-6)


def test_classes_train_by_mini_batches_without_being_told_how(run, folder):
    outcome = run("train", folder, "--target", "warm", "--epochs", 2, "--json", "--patience", 9, "--halve-after", 5)
    found = record_of(outcome)
    assert (found["trainer"], found["network"]) == ("adam", [3, 20, 2])
    assert found["test_accuracy"] > 0.8
    assert "All 2 epochs were run." in outcome.err
    assert f"deltarule predict rows.safetensors {folder}/0.parquet" in outcome.err
    assert "is read as classes" in outcome.err


def test_two_arrays_train_as_well(run, tmp_path):
    (tmp_path / "arrays").mkdir()
    np.save(tmp_path / "arrays" / "x.npy", FRAME[["a", "b"]].to_numpy())
    np.save(tmp_path / "arrays" / "y.npy", FRAME["y"].to_numpy())
    found = record_of(run("train", tmp_path / "arrays", "--epochs", 1, "--json"))
    assert (found["trainer"], found["epochs"]) == ("adam", 1)
    net, params, description, *_ = load_model("arrays.safetensors")
    assert net.outputs == 1
    table = FRAME[["a", "b"]].set_axis(["x0", "x1"], axis=1)
    table.to_csv("table.csv", index=False)
    schema = Schema.from_json(description)
    outputs = schema.decode(net(params, schema.encode_inputs(table)))
    predicted = record_of(run("predict", "arrays.safetensors", "table.csv", "--json"))["predictions"]["y"]
    np.testing.assert_allclose(predicted, outputs[:, 0], rtol=1e-6)


@pytest.mark.parametrize("trainer", [("sgd", "--momentum", 0.5), ("lm",)])
def test_the_same_command_begins_and_goes_on(run, folder, trainer):
    words = ("train", folder, "--target", "y", "--hidden", 3, "--json", "--trainer", *trainer)
    run(*words, "--epochs", 4, "--out", "whole.safetensors")
    again = (*words, "--checkpoint", "kept", "--resume", "kept")
    run(*again, "--epochs", 2, "--out", "half.safetensors")
    assert record_of(run(*again, "--epochs", 4, "--out", "resumed.safetensors"))["epochs"] == 4
    whole, resumed = (load_model(f"{name}.safetensors") for name in ("whole", "resumed"))
    for one, other in zip(whole.params, resumed.params, strict=True):
        for name in one:
            np.testing.assert_array_equal(one[name], other[name])
    on = (*words, "--epochs", 4, "--resume", "kept")
    FRAME[N // 3 : 2 * N // 3].to_parquet(folder / "0.parquet", index=False, row_group_size=50)  # other rows, as many
    for more, expected in ((("--seed", 1), "seed 0, and here it is 1"), ((), "training data a stream of 420 rows")):
        outcome = run(*on, *more)
        assert (outcome.code, outcome.out) == (2, "")
        assert f"is of another training, with {expected}" in outcome.err.splitlines()[-1]


def test_an_interrupted_training_says_how_to_go_on(run, folder, monkeypatch):
    from deltarule.cli.progress import TrainingProgress

    def interrupt(progress, record):
        raise KeyboardInterrupt

    monkeypatch.setattr(TrainingProgress, "epoch", interrupt)
    outcome = run("train", folder, "--target", "y", "--epochs", 2, "--checkpoint", "kept")
    assert outcome.code == 130
    assert "--resume kept." in outcome.err


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--trainer", "bayesian"), "--trainer is 'bayesian'"),
        (("--trainer", "gd"), "--trainer sgd, momentum, adam, lm"),
        (("--trainer", "lm", "--batch-size", 10), "--batch-size is 10"),
        (("--data-dir", "."), "--data-dir is '.'"),
        (("--record", "learning_speed"), "--record is 'learning_speed'"),
        (("--split", "blocks"), "--split is 'blocks'"),
        (("--drop-missing",), "--drop-missing is given"),
        (("--monitor", "accuracy"), "--monitor is 'accuracy'"),
    ],
)
def test_what_a_stream_does_not_do_is_refused_before_anything_is_read(refused, folder, monkeypatch, words, expected):
    monkeypatch.setattr("deltarule.data.load_folder", lambda *_, **__: pytest.fail("the folder was read"))
    assert expected in refused("train", folder, "--target", "y", *words)


def test_the_model_is_called_as_the_folder_is(run, folder, monkeypatch):
    monkeypatch.chdir(folder.rename(folder.with_name("run.2024")))
    words = ("--target", "y", "--epochs", 1, "--json")
    assert record_of(run("train", ".", *words))["model"] == "run.2024.safetensors"
    assert record_of(run("train", "../run.2024", *words))["model"] == "run.2024.safetensors"


@pytest.mark.parametrize(
    ("command", "words"), [("predict", ("m.safetensors",)), ("evaluate", ("m.safetensors",)), ("search", ())]
)
def test_other_commands_name_the_way(refused, run, folder, command, words):
    record_of(run("train", folder, "--target", "y", "--epochs", 1, "--json", "--out", "m.safetensors"))
    rest = ("--target", "y") if command == "search" else ()
    expected = refused(command, *words, folder, *rest)
    assert "is a directory" in expected


def test_numbers_of_any_size_are_trained_and_scored(run, folder, recwarn):
    for file in folder.iterdir():
        frame = pd.read_parquet(file)
        frame.assign(y=frame["y"] * 1e200, a=frame["a"] * 1e-200).to_parquet(file, index=False, row_group_size=50)
    found = record_of(run("train", folder, "--target", "y", "--hidden", 5, "--trainer", "lm", "--epochs", 12, "--json"))
    assert found["test_r2"] > 0.99
    assert not recwarn


def test_missing_cells_are_refused(run, folder):
    FRAME.assign(a=FRAME["a"].where(FRAME["a"] > 60)).to_parquet(folder / "9.parquet", index=False)
    outcome = run("train", folder, "--target", "y")
    assert (outcome.code, outcome.out) == (2, "")
    assert re.search(r"'a' of .*9\.parquet .*missing", outcome.err.splitlines()[-1])


def test_a_file_of_other_columns_is_refused(refused, folder):
    FRAME.rename(columns={"b": "c"}).to_parquet(folder / "9.parquet", index=False)
    assert "9.parquet has " in refused("train", folder, "--target", "y")


def test_a_plan_of_a_folder_is_refused(refused, folder):
    assert "whose examples stay on disk" in refused("plan", folder, "--target", "y")


def options(devices=None, coordinator=None):
    return SimpleNamespace(devices=devices, coordinator=coordinator)


def test_without_options_nothing_is_divided():
    devices, share = choose_devices(options())
    x, y = np.zeros(3), np.ones(3)
    assert devices is None
    assert share(x, y)[0] is x
    assert share(x, y)[1] is y
    assert is_main_process(options())


def test_without_a_coordinator_a_folder_is_measured_alone():
    pytest.importorskip("jax")
    assert process_group(options()) is None
    assert process_group(options("all")) is None  # the devices of one process
    group = process_group(options(coordinator="127.0.0.1:1"))
    assert (group.index, group.count, group.all_gather(b"found")) == (0, 1, [b"found"])  # no other process has joined


@pytest.mark.parametrize("given", ["1", "all"])
def test_devices_are_counted_from_the_first(given):
    jax = pytest.importorskip("jax")
    devices, share = choose_devices(options(given))
    assert devices == (jax.devices() if given == "all" else jax.devices()[:1])
    np.testing.assert_array_equal(share(np.arange(5))[0], np.arange(5))  # one process has all rows


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--devices", "0"), "at least 1, and is '0'"),
        (("--devices", "some"), "at least 1, and is 'some'"),
        (("--coordinator", "here"), "or 'auto', and is 'here'"),
        (("--coordinator", "here:1"), "--coordinator is 'here:1'"),
        (("--coordinator", "here:1", "--processes", "2", "--process-id", "2"), "--process-id is 2 and there are 2"),
    ],
)
def test_bad_devices_and_processes_are_refused(refused, words, expected):
    pytest.importorskip("jax")
    assert expected in refused("train", "digits", *words)


def test_more_devices_than_there_are_is_refused_with_the_way_out():
    jax = pytest.importorskip("jax")
    count = len(jax.devices()) + 1
    with pytest.raises(ConfigurationError, match=f"--devices is {count}, .*device_count={count}"):
        choose_devices(options(str(count)))


@pytest.mark.parametrize("first", [True, False])
def test_with_a_coordinator_one_process_leads_and_every_device_takes_part(monkeypatch, first):
    jax = pytest.importorskip("jax")
    monkeypatch.setattr("deltarule.engine.processes.is_leader", lambda: first)
    given = options(coordinator="127.0.0.1:1")
    assert is_main_process(given) is first
    assert choose_devices(given)[0] == jax.devices()
