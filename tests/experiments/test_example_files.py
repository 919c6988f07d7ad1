"""The files under examples/ run, and say what they promise."""

import runpy
import shutil
from pathlib import Path

import pytest

from deltarule.experiments import EXPERIMENTS
from engines import WITHOUT_JAX

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def example(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    def example(name):
        runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")
        return capsys.readouterr().out

    return example


def test_every_experiment_has_an_example():
    for experiment in EXPERIMENTS.values():
        assert (EXAMPLES / f"{experiment.module.replace('.', '/')}.py").is_file()


def test_chain(example):
    assert "layer L    ∂C_0/∂a = -0.578997   ∂a/∂z = +0.205689   ∂C_0/∂w = -0.059384" in example("chain")


def test_perceptron(example):
    out = example("perceptron")
    assert "NAND: [1. 1. 1. 0.]" in out
    assert "1 + 1 = 0.999 0.00" in out


@WITHOUT_JAX  # a million steps take NumPy a minute
def test_higham(example):
    assert "1,000,000 steps" in example("higham")


@pytest.mark.slow
def test_nielsen_2(example):
    out = example("nielsen_2")
    back, differences = (float(line.split()[-1]) for line in out.splitlines())
    assert back == pytest.approx(differences, rel=1e-2)  # float32


def test_memory(example):
    out = example("memory")
    error, spread = (float(part.split()[-1].rstrip(",")) for part in out.splitlines()[1].split(", "))
    assert error < 0.3 * spread


def test_calibration_curve(example):
    out = example("calibration_curve")
    assert 0.3 < float(out.split("noise ")[1].split()[0]) < 0.5
    assert Path("calibration.png").is_file()


def test_surrogate(example):
    out = example("surrogate")
    assert float(out.split("error ")[1].split()[0]) < 0.5
    assert "by relevance: radius, " in out


def test_sensor_to_c(example):
    out = example("sensor_to_c")
    assert float(out.split("%")[0]) > 90
    if shutil.which("gcc"):
        assert float(out.split("differ by ")[1]) < 1e-5


@pytest.mark.slow
def test_grid_search(example):
    assert float(example("grid_search").split("new rows ")[1].split()[0]) > 0.97


@pytest.mark.slow
def test_from_matlab(example):
    out = example("from_matlab")
    assert "stopped with 'evidence'" in out
    assert Path("f.m").is_file()


def test_nielsen_5(example):
    assert "speeds at the start: 3.4e-03" in example("nielsen_5")
    assert Path("nielsen_5.png").is_file()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["nielsen_1", "nielsen_3"])
def test_on_mnist(example, name, mnist_folder, monkeypatch):
    monkeypatch.setenv("DELTARULE_DATA", mnist_folder)
    monkeypatch.setenv("EPOCHS", "1")
    out = example(name)
    assert float(out.split(" % of the test images")[0].split()[-1]) > 85


@pytest.mark.slow
def test_nielsen_6(example):
    dense, convolutional = (float(line.split()[1]) for line in example("nielsen_6").splitlines())
    assert convolutional > dense + 0.5


@pytest.mark.slow
def test_beyond(example):
    assert float(example("beyond").split()[0]) > 98


@pytest.mark.slow
def test_a_plant_learnt_and_exported(example, tmp_path):
    pytest.importorskip("sklearn")
    out = example("series/narendra")
    assert float(out.split("NRMSE ")[1].split()[0]) < 0.05
    assert "int plant_simulate(" in (tmp_path / "plant.c").read_text()
