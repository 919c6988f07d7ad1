"""What `deltarule search` does to a model file that is there already."""

import json
from pathlib import Path

import pytest


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
