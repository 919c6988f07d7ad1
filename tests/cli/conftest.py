"""Running the command line inside the test, on small tables, with models trained once for all tests."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from deltarule.cli import main


class Outcome(NamedTuple):
    code: int
    out: str
    err: str


Run = Callable[..., Outcome]


@pytest.fixture(autouse=True)
def quiet_surroundings(monkeypatch, tmp_path):
    """An empty current folder, a wide terminal, and no data folder from outside."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.delenv("DELTARULE_DATA", raising=False)


@pytest.fixture
def run(capsys) -> Run:
    """Run `deltarule` with these words; none of it may end in a traceback."""

    def run(*words: object) -> Outcome:
        capsys.readouterr()
        code = main([str(word) for word in words])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return Outcome(code, captured.out, captured.err)

    return run


@pytest.fixture
def refused(run) -> Callable[..., str]:
    """Run words that must be refused: exit code 2, nothing on standard output, one sentence, which is returned."""

    def refused(*words: object) -> str:
        outcome = run(*words)
        assert outcome.code == 2, outcome
        assert outcome.out == ""
        lines = outcome.err.strip().splitlines()
        assert len(lines) == 1
        assert lines[0].startswith("Error: ")
        return lines[0]

    return refused


@pytest.fixture(scope="session")
def shelf(tmp_path_factory) -> Path:
    """A folder with two tables, flowers.csv with a class and houses.csv with numbers to fit."""
    folder = tmp_path_factory.mktemp("shelf")
    generator = np.random.default_rng(0)
    length, kind = generator.normal(size=60), np.arange(60) % 3
    rows = [f"{x + 3 * k:.4f},{x - k:.4f},{('aster', 'iris', 'rose')[k]}" for x, k in zip(length, kind, strict=True)]
    (folder / "flowers.csv").write_text("length,width,flower\n" + "\n".join(rows) + "\n")
    area, age = generator.uniform(50, 200, 60), generator.uniform(0, 80, 60)
    prices = zip(area, age, 1000 * area - 500 * age, 2 * area + age, strict=True)
    rows = [",".join(f"{value:.4f}" for value in row) for row in prices]
    (folder / "houses.csv").write_text("area,age,price,heat\n" + "\n".join(rows) + "\n")
    return folder


@pytest.fixture(scope="session")
def flowers(shelf) -> Path:
    """A trained classifier of flowers.csv, 2-4-3."""
    words = ("--trainer", "adam", "--epochs", 40, "--activation", "sigmoid")
    return _trained(shelf, "flowers.csv", "--target", "flower", *words)


@pytest.fixture(scope="session")
def houses(shelf) -> Path:
    """A trained regression of houses.csv, the average of two networks 3-4-1; `heat` is an input."""
    # The table has no noise, so that of most pairs of starts one is all but certain; here both count.
    return _trained(shelf, "houses.csv", "--target", "price", "--epochs", 40, "--seed", 61)


@pytest.fixture(scope="session")
def digits(shelf) -> Path:
    """A trained classifier of the digits, 64-8-10."""
    return _trained(shelf, "digits", "--hidden", 8, "--epochs", 2)


def _trained(shelf: Path, source: str, *words: object) -> Path:
    model = shelf / f"{Path(source).stem}.safetensors"
    table = source if source == "digits" else shelf / source
    words = ("train", table, "--hidden", 4, *words, "--out", model, "--json")
    assert main([str(word) for word in words]) == 0
    return model
