import json
import sys
from pathlib import Path

import pytest

from deltarule.experiments import EXPERIMENTS


def test_without_a_name_the_experiments_are_listed(run):
    outcome = run("reproduce")
    assert outcome.code == 0
    for name in EXPERIMENTS:
        assert f"deltarule reproduce {name} " in outcome.out
    listed = json.loads(run("reproduce", "--json").out)["experiments"]
    assert [each["name"] for each in listed] == list(EXPERIMENTS)


@pytest.mark.parametrize("name", [pytest.param("higham", marks=pytest.mark.slow), "3b1b", "perceptron", "nielsen-2"])
def test_a_quick_run_prints_the_table_and_draws(run, name):
    outcome = run("reproduce", name, "--quick")
    assert outcome.code == 0
    assert "deltarule" in outcome.out
    assert f" results/quick/{name}.md" in outcome.out
    assert outcome.out.splitlines()[-1] == f"deltarule reproduce {name}"
    assert f"{name}: " in outcome.err  # what is being done
    folder = Path("results/quick")
    assert (folder / "README.md").is_file()
    page = (folder / f"{name}.md").read_text()
    pictures = [line.split("](")[1].rstrip(")") for line in page.splitlines() if line.startswith("![")]
    assert pictures
    assert all((folder / picture).read_bytes().startswith(b"\x89PNG") for picture in pictures)
    assert f"`deltarule reproduce {name} --quick`" in page


def test_json_and_a_folder_of_ones_own(run):
    outcome = run("reproduce", "perceptron", "--quick", "--seeds", 1, "--out", "here/there", "--json")
    record = json.loads(outcome.out)
    assert record["folder"] == "here/there"
    (found,) = record["experiments"]
    assert found["rows"][3]["what"] == "1 NAND 1"
    assert found["rows"][3]["ours"] == 0
    assert {row["book"] for row in found["rows"]} == {None}  # its numbers mean nothing
    assert all(Path(path).is_file() for path in found["files"])
    assert "1 NAND 1" in outcome.err  # the table, with standard output kept for the line


@pytest.mark.slow
@pytest.mark.parametrize("name", ["nielsen-1", "nielsen-3", "nielsen-5"])
def test_a_quick_run_on_mnist(run, name, mnist_folder):
    outcome = run("reproduce", name, "--quick", "--seeds", 1, "--data-dir", mnist_folder)
    assert outcome.code == 0
    assert Path(f"results/quick/{name}.md").is_file()


def test_without_matplotlib_no_work_is_begun(refused, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert "pip install 'deltarule[plot]'" in refused("reproduce", "perceptron", "--quick")
    assert not Path("results").exists()


def test_bad_input(refused, tmp_path):
    assert "experiment 'nielsen-4' is not known" in refused("reproduce", "nielsen-4")
    assert "--seeds" in refused("reproduce", "perceptron", "--seeds", 0)
    (tmp_path / "file").write_text("")
    assert "file/x" in refused("reproduce", "perceptron", "--out", "file/x")
    assert "MNIST is not in nowhere" in refused("reproduce", "nielsen-1", "--quick", "--data-dir", "nowhere")
