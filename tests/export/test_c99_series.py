"""The C of a time-series model runs freely with the numbers of `simulate`, and steps with those of `predict`."""

import shutil
import subprocess

import numpy as np
import pytest

import deltarule as dr

pytest.importorskip("sklearn")
COMPILER = shutil.which("cc") or shutil.which("gcc")
needs_compiler = pytest.mark.skipif(COMPILER is None, reason="no C compiler")


def plant(steps):
    random = np.random.default_rng(0)
    U = np.repeat(random.normal(size=(steps // 5 + 1, 2)), 5, axis=0)[:steps]
    Y = np.zeros((steps, 2))
    for t in range(2, steps):
        Y[t, 0] = 0.7 * Y[t - 1, 0] + np.tanh(U[t - 1, 0]) - 0.2 * Y[t - 2, 1]
        Y[t, 1] = 0.5 * Y[t - 1, 1] + 0.3 * np.sin(Y[t - 1, 0]) + 0.1 * U[t, 1]
    return U, 3 + 2 * Y + 0.01 * random.normal(size=Y.shape)


@pytest.fixture(scope="module")
def model():
    U, Y = plant(200)
    options = {"input_lags": [0, 1], "output_lags": 2, "hidden": (4,), "members": 2, "restarts": 1, "random_state": 0}
    return dr.NARXRegressor(training="closed-loop", **options).fit(U, Y)


def run(folder, model, lines):
    """The outputs of the exported program for lines of inputs and outputs."""
    source = dr.export_model(model, folder / "tank.c")
    flags = ["-std=c99", "-O2", "-Wall", "-Wextra", "-Werror", "-pedantic", "-DTANK_MAIN"]
    subprocess.run([COMPILER, *flags, source, "-o", folder / "tank", "-lm"], check=True)
    text = "\n".join(" ".join(repr(float(value)) for value in line) for line in lines)
    answer = subprocess.run([folder / "tank"], input=text, capture_output=True, text=True, check=True).stdout
    return np.array([line.split() for line in answer.splitlines()], float)


@needs_compiler
def test_a_thousand_free_steps(model, tmp_path):
    U, Y = plant(1002)
    Y[2:] = np.nan
    expected = model.simulate(U, Y[:2])
    np.testing.assert_allclose(run(tmp_path, model, np.column_stack([U, Y])), expected, rtol=0, atol=1e-10)


@needs_compiler
def test_a_measured_step_takes_the_place_of_the_model_s_own(model, tmp_path):
    U, Y = plant(40)
    Y[30:] = np.nan
    found = run(tmp_path, model, np.column_stack([U, Y]))
    np.testing.assert_allclose(found[30:], model.simulate(U[28:], Y[28:30])[2:], rtol=0, atol=1e-12)


def test_other_languages_are_refused(model, tmp_path):
    with pytest.raises(dr.ConfigurationError, match=r"time series.*'c'"):
        dr.export_model(model, tmp_path / "tank.py")
