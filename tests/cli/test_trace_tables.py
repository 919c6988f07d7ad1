"""The tables of a trace: they fit the screen, cut no digit off, and shorten large arrays."""

import json

import numpy as np
import pytest
from rich.console import Console

from deltarule.cli.trace_tables import _matrix, _vectors, _vectors_and_matrices
from deltarule.errors import format_number
from deltarule.models.model import load_model


@pytest.fixture
def record(run, shelf, flowers):
    return json.loads(run("trace", flowers, shelf / "flowers.csv", "--row", 7, "--json").out)


@pytest.mark.parametrize("width", [40, 80, 200])
def test_no_number_is_cut_off_on_a_narrow_screen(run, shelf, flowers, record, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    out = run("trace", flowers, shelf / "flowers.csv", "--row", 7).out
    assert "…" not in out
    words = set(out.replace("│", " ").replace("┃", " ").split())
    for layer in record["layers"]:
        for name in ("z", "a", "slope", "dC_da", "delta", "db"):
            assert {format_number(value, 5) for value in layer[name]} <= words, name
        for name in ("W", "dW"):
            assert {format_number(value) for row in layer[name] for value in row} <= words, name
    tables = [line for line in out.splitlines() if line[0:1] in "┏│"]
    assert max(map(len, tables)) <= width
    assert f"delta^{record['layers'][-1]['layer']}" in words


def test_one_neuron_is_no_neurons(run, shelf, houses):
    out = run("trace", houses, shelf / "houses.csv", "--row", 0).out
    assert "Dense, 1 neuron, sigma = linear" in out
    assert f"Dense, {load_model(houses).net.layers[0].n} neurons" in out


def test_large_arrays_are_cut_unless_all_is_asked_for(run, digits):
    short = run("trace", digits, "digits", "--row", 0).out
    assert "10 of 64; --full prints all" in short
    assert "W^2, 8 × 64" in short
    full = run("trace", digits, "digits", "--row", 0, "--full").out
    assert "--full" not in full
    assert "pixel 7,7" in full
    assert max(map(len, full.splitlines())) > 64 * 8  # no row of W^2 is broken


def printed(capsys, write, *arguments, width=80):
    write(Console(width=width, highlight=False), *arguments)
    return capsys.readouterr().out


def test_vectors_of_different_lengths_have_tables_of_their_own(capsys):
    out = printed(capsys, _vectors, {"z^2": np.arange(3.0), "a^2": np.arange(3.0), "a^3": np.arange(2.0)}, True)
    assert out.count("┏") == 2


def test_the_steps_of_a_sequence_are_counted(capsys):
    out = printed(capsys, _vectors, {"a^2": np.arange(4.0).reshape(2, 2)}, True)
    rows = [line.replace("│", " ").split() for line in out.splitlines() if line.startswith("│")]
    assert rows == [["0", "0", "0", "0"], ["1", "0", "1", "1"], ["2", "1", "0", "2"], ["3", "1", "1", "3"]]


def test_a_large_matrix_is_cut_unless_all_is_asked_for(capsys):
    W = np.arange(200.0).reshape(10, 20)
    assert "199" not in (short := printed(capsys, _matrix, "W^2", W, False))
    assert "W^2, 10 × 20" in short
    assert "..." in short
    assert "199" in printed(capsys, _matrix, "W^2", W, True)


def test_biases_stand_beside_the_neurons_and_weights_have_tables():
    vectors, matrices = _vectors_and_matrices({"W": np.ones((3, 2)), "b": np.ones(3)}, "{}^2", np.zeros(3))
    assert list(vectors) == ["b^2"]
    assert list(matrices) == ["W^2"]
