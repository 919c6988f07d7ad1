import json
import shlex
from dataclasses import replace
from pathlib import Path

import pytest

import deltarule as dr
from deltarule.cli.options import to_arguments
from deltarule.cli.search import parse_variations
from deltarule.cli.training_options import TrainingOptions
from deltarule.files.model_file import load_model
from deltarule.models.trainers import TRAINERS
from deltarule.tuning import Range

FLOWERS = ("--target", "flower", "--hidden", 4, "--epochs", 9, "--trials", 9, "--monitor", "accuracy")


def test_it_prints_a_table_and_the_command_that_trains_the_winner(run, shelf):
    outcome = run("search", shelf / "flowers.csv", *FLOWERS, "--vary", "eta=0.001:1", "--vary", "l2=0.01,0.1")
    assert outcome.code == 0
    for words in (
        "9 trials, best first",
        "validation accuracy",
        "pruned",
        "complete",
        "deltarule search",
        "flowers.saf",
    ):
        assert words in outcome.out
    assert outcome.err.count("trial ") == 9
    assert dr.load("flowers.safetensors")[0].layers[0] == dr.Dense(4, "tanh")


def test_the_command_gives_the_same_network(run, shelf):
    words = ("search", shelf / "flowers.csv", *FLOWERS, "--vary", "eta=0.001:1", "--vary", "hidden=4,3x2")
    record = json.loads(run(*[word for word in words if word not in ("--hidden", 4)], "--seed", 3, "--json").out)
    assert set(record["best"]) == {"eta", "hidden"}
    assert len(record["trials"]) == 9
    assert record["trials"][0]["values"] == record["best"]
    assert record["validation_accuracy"] == pytest.approx(max(trial["accuracy"] for trial in record["trials"]))
    found = dr.load("flowers.safetensors")[1]
    command = record["command"].split()
    assert command[:2] == ["deltarule", "train"]
    assert run(*command[1:], "--out", "again.safetensors").code == 0
    again = dr.load("again.safetensors")[1]
    assert all((a[name] == b[name]).all() for a, b in zip(found, again, strict=True) for name in a)
    options = load_model("flowers.safetensors").training["options"]
    assert options["eta"] == record["best"]["eta"]


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("--vary", "eta=0.003,0.01"), []),
        (("--vary", "hidden=2,3"), ["--trainer", "adam"]),
        (("--vary", "trainer=adam,lm"), ["--trainer", "lm", "--epochs", "6"]),
    ],
)
def test_the_command_trains_what_the_search_of_a_regression_found(run, shelf, monkeypatch, words, named):
    monkeypatch.setitem(TRAINERS, "adam", replace(TRAINERS["adam"], epochs=6))
    outcome = run("search", shelf / "houses.csv", "--target", "price", "--trials", 5, *words, "--json")
    assert "Note" not in outcome.err
    record = json.loads(outcome.out)
    assert len(record["trials"]) == 2
    assert {trial["accuracy"] for trial in record["trials"]} == {None}
    command = shlex.split(record["command"])
    assert all(word in command for word in named)
    trained = json.loads(run(*command[1:], "--out", "again.safetensors", "--json").out)
    for name in ("trainer", "parameters", "epochs", "best_epoch", "validation_rmse", "test_rmse"):
        assert trained[name] == record[name]


def test_a_grid_of_a_regression_and_its_defaults(run, shelf):
    words = (
        "--target",
        "price",
        "--hidden",
        3,
        "--epochs",
        2,
        "--method",
        "grid",
        "--points",
        2,
        "--no-prune",
        "--json",
    )
    record = json.loads(run("search", shelf / "houses.csv", *words).out)
    # By default eta and l2 vary: two ends each.
    values = [(trial["values"]["eta"], trial["values"]["l2"]) for trial in record["trials"]]
    assert sorted(values) == [(5e-5, 0.001), (5e-5, 10), (0.05, 0.001), (0.05, 10)]
    assert {trial["epochs"] for trial in record["trials"]} == {2}
    assert record["trials"] == sorted(record["trials"], key=lambda trial: trial["cost"])
    assert "test_r2" in record


def test_bayes(run, shelf):
    pytest.importorskip("optuna")
    words = ("--target", "flower", "--hidden", 4, "--epochs", 4, "--trials", 4, "--method", "bayes", "--json")
    assert len(json.loads(run("search", shelf / "flowers.csv", *words).out)["trials"]) == 4


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--vary", "eta"), ("--vary is 'eta'", "NAME=LOW:HIGH")),
        (("--vary", "speed=1:2"), ("--vary is 'speed=1:2'", "eta, batch-size", "'eta=0.01:10'")),
        (("--vary", "batch-size=1,2.5"), ("--vary is 'batch-size=1,2.5'", "whole numbers")),
        (("--vary", "eta=1:0.1"), ("--vary is 'eta=1:0.1'", "above 1")),
        (("--vary", "eta=0:1"), ("--vary is 'eta=0:1'", "above 0")),
        (("--vary", "eta=a,b"), ("--vary is 'eta=a,b'", "numbers")),
        (("--vary", "eta=-1,1"), ("--eta", "-1.0", "above 0")),
        (("--vary", "momentum=0:2"), ("--momentum", "2", "below 1")),
        (("--vary", "hidden=30:50"), ("--vary is 'hidden=30:50'", "no range")),
        (("--vary", "hidden=30,abc"), ("--hidden", "'abc'")),
        (("--vary", "eta=1,2", "--vary", "eta=3,4"), ("--vary names 'eta' twice",)),
        (("--vary", "eta=1,2", "--eta", "1"), ("--vary names 'eta'",)),
        (("--trainer", "lm", "--vary", "eta=1,2"), ("--eta", "lm")),
        (("--method", "luck"), ("--method", "'luck'", "bayes")),
        (("--trials", "0"), ("--trials", "0")),
        (("--points", "1"), ("--points", "1")),
        (("--epochs", "0"), ("--epochs", "0")),
    ],
)
def test_a_bad_option_is_refused_before_any_data_are_read(refused, words, expected):
    sentence = refused("search", "missing.csv", "--target", "y", *words)
    for word in expected:
        assert word in sentence


def test_a_missing_package_is_named(refused, shelf, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "optuna", None)
    words = ("--target", "flower", "--hidden", 4, "--epochs", 1, "--method", "bayes", "--trials", 1)
    sentence = refused("search", shelf / "flowers.csv", *words)
    assert "optuna" in sentence
    assert "pip install 'deltarule[search]'" in sentence


@pytest.mark.parametrize(
    ("source", "target", "score"), [("flowers.csv", "flower", "accuracy"), ("houses.csv", "price", "r2")]
)
def test_a_better_model_on_the_same_rows_is_not_replaced(run, shelf, source, target, score):
    common = (shelf / source, "--target", target, "--hidden", 4)
    trained = json.loads(run("train", *common, "--epochs", 60, "--json").out)
    model = Path(source).with_suffix(".safetensors")
    before = model.read_bytes()
    worse = ("--vary", "eta=1e-9,2e-9", "--epochs", 1)
    outcome = run("search", *common, *worse, "--json")
    found = json.loads(outcome.out)
    assert found[f"validation_{score}"] < trained[f"validation_{score}"]
    assert model.read_bytes() == before
    beside = f"{model.stem}-search.safetensors"
    assert found["model"] == beside
    assert str(model) in outcome.err
    assert beside in outcome.err
    assert found["command"].endswith(f"--out {beside}")
    again = run("search", *common, *worse)  # no worse than what the search before it wrote
    assert f" {beside}" in again.out
    assert sorted(path.name for path in Path().glob("*.safetensors")) == [beside, model.name]


def test_a_worse_model_on_the_same_rows_is_replaced(run, shelf):
    common = (shelf / "flowers.csv", "--target", "flower", "--hidden", 4)
    run("train", *common, "--epochs", 1, "--eta", 1e-9)
    assert (
        json.loads(run("search", *common, "--epochs", 30, "--trials", 3, "--json").out)["model"]
        == "flowers.safetensors"
    )
    assert [path.name for path in Path().glob("*.safetensors")] == ["flowers.safetensors"]


@pytest.mark.parametrize("seed", [1, None])
def test_what_cannot_be_compared_is_not_replaced(run, shelf, seed):
    common = (shelf / "flowers.csv", "--target", "flower", "--hidden", 4, "--epochs", 2)
    if seed is None:
        Path("flowers.safetensors").write_text("notes")
    else:
        run("train", *common, "--seed", seed)  # other rows
    before = Path("flowers.safetensors").read_bytes()
    found = json.loads(run("search", *common, "--trials", 2, "--json").out)
    assert found["model"] == "flowers-search.safetensors"
    assert Path("flowers.safetensors").read_bytes() == before


NOTHING = dict.fromkeys(TrainingOptions.__dataclass_fields__) | {"source": "digits", "seed": 0, "drop_missing": False}


def options(**given):
    return TrainingOptions(**NOTHING | given)


def test_ranges_and_values():
    texts = [
        "eta=0.01:10",
        "momentum=0.1:0.9",
        "batch-size=5:50",
        "hidden=30, 30x20",
        "--l2=0.1,1",
        "trainer=sgd,momentum",
        "init=old,new",
    ]
    assert parse_variations(texts, options()) == {
        "eta": Range(0.01, 10),
        "momentum": Range(0.1, 0.9, log=False),
        "batch_size": Range(5, 50, whole=True),
        "hidden": ["30", "30,20"],
        "l2": [0.1, 1.0],
        "trainer": ["sgd", "momentum"],
        "init": ["old", "new"],
    }
    assert parse_variations([], options()) == {}


def test_options_that_give_the_values_again():
    given = options(eta=0.5, batch_size=7, hidden="30,20", out=Path("m.safetensors")).record()
    assert to_arguments(TrainingOptions, given | {"out": ()}) == [
        "--hidden", "30,20", "--eta", "0.5", "--batch-size", "7",
    ]  # fmt: skip
    given = options(target="price", max_norm=2.0, seed=4, drop_missing=True, expand=("shift", "rotate"))
    assert to_arguments(TrainingOptions, given.record()) == [
        "--target", "price", "--max-norm", "2.0", "--expand", "shift", "--expand", "rotate", "--seed", "4",
        "--drop-missing",
    ]  # fmt: skip
