"""`deltarule train FOLDER` in several processes: each measures its share of the rows, and all have what one has."""

import json
from pathlib import Path

import numpy as np
import pytest

from deltarule import trees
from deltarule.cli import main
from deltarule.data import ArrayStream, Schema, load_folder
from deltarule.files.model_file import load_model

pytest.importorskip("jax", reason="JAX is not installed")

WORKER = str(Path(__file__).parent / "on_folder.py")
N = 333
random = np.random.default_rng(0)
X = random.normal([3, -1e6, 0], [1e-3, 5, 1e9], (N, 3))
SGD = ["--trainer", "sgd", "--batch-size", "20", "--halve-after", "1"]
LM = ["--trainer", "lm"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """21 blocks of 16 rows, the last one shorter."""
    monkeypatch.setattr(ArrayStream.__init__, "__defaults__", (16,))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows").mkdir()
    np.save("rows/x.npy", X)
    np.save("rows/y.npy", np.sin((X[:, 0] - 3) * 1e3) + (X[:, 1] + 1e6) / 5)
    return tmp_path / "rows"


def train(in_processes, processes, folder, *words):
    """What each process found, the model written to OUT by the first of them."""
    words = [str(word) for word in (folder, "--hidden", 4, *words)]
    ended = in_processes(processes, WORKER, after=[json.dumps(words)])
    assert [code for code, _, _ in ended] == [0] * processes, ended
    return [json.loads(out.splitlines()[-1]) for _, out, _ in ended]


@pytest.mark.parametrize("processes", [2, pytest.param(4, marks=pytest.mark.slow)])
def test_each_measures_its_share_of_the_rows_and_has_what_one_has(in_processes, folder, processes):
    found = train(in_processes, processes, folder, *SGD, "--epochs", 4, "--out", "several.safetensors")
    assert sum(each["read"] for each in found) == N
    assert max(each["read"] for each in found) <= 16 * -(-21 // processes)
    assert min(each["read"] for each in found) > 0
    alone = load_folder(folder)
    schema, digest, *held = found[0]["alike"]
    assert Schema.from_json(schema) == alone.schema  # to the last bit
    assert digest == alone.train.digest
    parts = [alone.validation.X, alone.validation.Y, alone.test.X, alone.test.Y]
    assert held == [array.tobytes().hex() for array in parts]
    assert all(each["alike"] == found[0]["alike"] for each in found)
    model = load_model("several.safetensors")
    assert model.training["epochs"] == 4
    assert model.training["metrics"]["test_r2"] > 0.5


@pytest.mark.slow
@pytest.mark.parametrize(
    ("trainer", "before", "after"), [(SGD, 2, 2), (SGD, 2, 4), (LM, 2, 2), (LM, 2, 4), (LM, 2, 1), (LM, 1, 2)]
)
def test_a_stream_goes_on_in_as_many_processes_or_others(in_processes, folder, trainer, before, after):
    """Exact steps come to the numbers of one process; batches of a stream only where the number stays the same."""
    words = (*trainer, "--checkpoint", "run", "--resume", "run")
    train(in_processes, before, folder, *words, "--epochs", 2, "--out", "half.safetensors")
    train(in_processes, after, folder, *words, "--epochs", 4, "--out", "resumed.safetensors")
    resumed = load_model("resumed.safetensors")
    if trainer is SGD and before != after:
        assert resumed.training["epochs"] == 4
        assert resumed.training["metrics"]["test_r2"] > 0.5
        return
    if trainer is SGD:
        train(in_processes, before, folder, *trainer, "--epochs", 4, "--out", "whole.safetensors")
    else:
        assert main(["train", str(folder), "--hidden", "4", *LM, "--epochs", "4", "--out", "whole.safetensors"]) == 0
    whole = load_model("whole.safetensors")
    bound = 0 if before == after and trainer is SGD else 1e-10
    for one, other in zip(*map(trees.leaves, (resumed.params, whole.params)), strict=True):
        np.testing.assert_allclose(one, other, rtol=bound, atol=bound)


def test_a_row_that_one_process_cannot_use_ends_all_with_its_sentence(in_processes, folder):
    bad = X.copy()
    bad[-1, 0] = np.inf
    np.save(folder / "x.npy", bad)
    ended = in_processes(2, WORKER, after=[json.dumps([str(folder), "--epochs", "1"])])
    for code, _, err in ended:
        assert code == 2
        assert f"column 'x0' of {folder} holds inf" in err.splitlines()[-1]
