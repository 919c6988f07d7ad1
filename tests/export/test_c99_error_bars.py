"""The error bars in C are those of the ensemble, and the predictions beside them those of `predict`."""

import ctypes
import shutil
import subprocess

import numpy as np
import pytest

import deltarule as dr
from deltarule.errors import ConfigurationError
from export.test_c99 import STRICT

pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed")
RANDOM = np.random.default_rng(0)
X = RANDOM.normal([3, 500], [0.5, 80], (40, 2))
Y = np.c_[40 * np.sin(X[:, 0]) + RANDOM.normal(0, 2, 40), X[:, 1] / 1000 + RANDOM.normal(0, 0.01, 40)]
NEW = RANDOM.normal([3, 500], [1, 160], (25, 2))


def in_c(source, folder, rows, k, real=ctypes.c_double):
    """out (N, k) and std (N, k), by the library that gcc makes without a warning."""
    (folder / "net.c").write_text(source)
    subprocess.run(
        [*STRICT, "-shared", "-fPIC", str(folder / "net.c"), "-o", str(folder / "net.so"), "-lm"], check=True
    )
    call = ctypes.CDLL(str(folder / "net.so")).net_predict_std
    outs, stds = [], []
    for row in rows:
        out, std = (real * k)(), (real * k)()
        assert call((real * len(row))(*row), out, std) == 0
        outs.append(list(out))
        stds.append(list(std))
    bad = (real * len(rows[0]))(*[float("nan")] * len(rows[0]))
    assert call(bad, (real * k)(), (real * k)()) == -1
    return np.array(outs), np.array(stds)


QUICK = {("tanh", 12), ("sigmoid", 40), ("softplus", 12), ("elliotsig", 40), ("relu", 12), ("linear", 40)}


@pytest.mark.parametrize(
    ("activation", "count"),  # 12 rows take the dual form, 40 the primal one
    [
        pytest.param(activation, count, marks=() if (activation, count) in QUICK else pytest.mark.slow)
        for activation in ("tanh", "sigmoid", "softplus", "elliotsig", "relu", "linear")
        for count in (12, 40)
    ],
)
def test_double_agrees_with_deltarule_to_rounding(activation, count, tmp_path):
    model = dr.NetworkRegressor(hidden=(4, 3), activation=activation, restarts=2, epochs=20, random_state=0)
    model.fit(X[:count], Y[:count])
    path = dr.export_model(model, tmp_path / "net.c", error_bars=True)
    mean, std = model.predict(NEW, return_std=True)
    outs, stds = in_c(path.read_text(), tmp_path, NEW, 2)
    np.testing.assert_allclose(outs, mean, rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose(stds, std, rtol=1e-8)
    assert f"out -+ {model.ensemble_.reach(0.95):.4g} deviation" in path.read_text()


def test_float_and_a_model_file(tmp_path):
    model = dr.NetworkRegressor(hidden=(5,), epochs=20, random_state=0).fit(X, Y[:, 0])
    model.save(tmp_path / "net.safetensors")
    path = dr.export_model(tmp_path / "net.safetensors", tmp_path / "net.c", precision="float", error_bars=True)
    mean, std = model.predict(NEW, return_std=True)
    outs, stds = in_c(path.read_text(), tmp_path, NEW, 1, ctypes.c_float)
    np.testing.assert_allclose(outs[:, 0], mean, rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(stds[:, 0], std, rtol=1e-2)
    same = dr.export_model(
        dr.load_model(tmp_path / "net.safetensors"), tmp_path / "same.c", precision="float", error_bars=True
    )
    assert same.read_text().replace("same", "net").replace("SAME", "NET") == path.read_text()
    assert "double" not in path.read_text().split("#ifdef")[0].replace("(double)", "")


def test_without_error_bars_the_file_has_none(tmp_path):
    model = dr.NetworkRegressor(hidden=(5,), epochs=20, random_state=0).fit(X, Y[:, 0])
    assert "predict_std" not in dr.export_model(model, tmp_path / "net.c").read_text()


def test_what_cannot_be_written_is_refused(tmp_path):
    model = dr.NetworkRegressor(hidden=(5,), epochs=20, random_state=0).fit(X, Y[:, 0])
    with pytest.raises(ConfigurationError, match="in C only"):
        dr.export_model(model, tmp_path / "net.js", error_bars=True)
    plain = dr.NetworkRegressor(hidden=(5,), regularization="l2", epochs=5, random_state=0).fit(X, Y[:, 0])
    with pytest.raises(ConfigurationError, match="has no error bars"):
        dr.export_model(plain, tmp_path / "net.c", error_bars=True)
    large = dr.NetworkRegressor(hidden=(200,), restarts=1, epochs=1, random_state=0).fit(X, Y[:, 0])
    with pytest.raises(ConfigurationError, match=r"801 parameters .*321,201 .* 300,000"):
        dr.export_model(large, tmp_path / "net.c", error_bars=True)
