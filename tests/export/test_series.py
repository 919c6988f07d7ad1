"""Networks with a memory as programs that go through series of any length, in every language, on the same series."""

import shutil
import subprocess

import numpy as np
import onnxruntime
import pytest

import deltarule as dr
from deltarule.errors import ConfigurationError
from deltarule.export import export_model
from deltarule.export.program import build_program

T, FEATURES = 6, 2
SERIES = np.random.default_rng(5).normal(size=(3, T, FEATURES))
KINDS = {
    "recurrent": [dr.Recurrent(3), dr.Dense(2, "linear")],
    "gru": [dr.Dense(3, "softplus"), dr.GRU(4), dr.Dense(1, "sigmoid")],
    "lstm": [dr.LSTM(3, truncate=2), dr.Dropout(0.5), dr.LSTM(2), dr.Dense(3, "softmax")],
    "the last step": [dr.Recurrent(3, "softplus"), dr.GRU(2), dr.LSTM(4, sequences=False), dr.Dense(2, "linear")],
}
GCC = ["gcc", "-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror", "-Wconversion", "-Wshadow", "-O2", "-DNET_MAIN"]


@pytest.fixture(params=KINDS)
def model(request):
    net = dr.Network(KINDS[request.param])
    draw = np.random.default_rng(1)
    fresh = net.init(0, (T, FEATURES), "float64")
    return net, [{name: p + 0.3 * draw.normal(size=p.shape) for name, p in layer.items()} for layer in fresh]


@pytest.fixture
def expected(model):
    net, params = model
    return net(params, SERIES)


def close(found, expected, tolerance=1e-13):
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)


def module(model, folder, precision="double"):
    names = {}
    path = export_model(model, folder / "net.py", precision=precision)
    exec(compile(path.read_text(), "net.py", "exec"), names)
    return names


def test_numpy(model, expected, tmp_path):
    exported = module(model, tmp_path)
    close(exported["predict"](SERIES), expected)
    state = None
    for t in range(T):
        outputs, state = exported["step"](SERIES[:, t], state)
        close(outputs, expected[:, t] if expected.ndim == 3 else model[0](model[1], SERIES[:, : t + 1]))
    assert module(model, tmp_path, "float")["predict"](SERIES).dtype == np.float32


@pytest.mark.parametrize("precision", ["double", "float"])
def test_onnx(model, expected, precision, tmp_path):
    path = export_model(model, tmp_path / "net.onnx", precision=precision)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    dtype, tolerance = (np.float64, 1e-13) if precision == "double" else (np.float32, 1e-5)
    close(session.run(None, {"X": SERIES.astype(dtype)})[0], expected, tolerance)
    net, params = model
    short = SERIES[:1, :2]
    close(session.run(None, {"X": short.astype(dtype)})[0], net(params, short), tolerance)


@pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed")
@pytest.mark.parametrize("precision", ["double", "float"])
def test_c_takes_one_step_after_the_other(model, expected, precision, tmp_path):
    path = export_model(model, tmp_path / "net.c", precision=precision)
    subprocess.run([*GCC, str(path), "-o", str(tmp_path / "net"), "-lm"], check=True)
    for series, outputs in zip(SERIES, expected, strict=True):
        text = "\n".join(" ".join(map(repr, map(float, row))) for row in series)
        done = subprocess.run([str(tmp_path / "net")], input=text, capture_output=True, text=True, check=True)
        lines = np.array([[float(cell) for cell in line.split()] for line in done.stdout.splitlines()])
        assert (lines[:, 0] == 0).all()
        found = lines[:, 1:] if expected.ndim == 3 else lines[-1, 1:]
        close(found, outputs, 1e-13 if precision == "double" else 1e-5)


@pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed")
def test_c_refuses_a_step_and_keeps_its_state(model, tmp_path):
    path = export_model(model, tmp_path / "net.c")
    subprocess.run([*GCC, str(path), "-o", str(tmp_path / "net"), "-lm"], check=True)
    lines = []
    for text in ("1 2 3 4", "1 2 nan 0 3 4"):
        done = subprocess.run([str(tmp_path / "net")], input=text, capture_output=True, text=True, check=True)
        lines.append(done.stdout.splitlines())
    assert lines[1][1].split()[0] == "-1"
    assert lines[1][2] == lines[0][1]


@pytest.mark.skipif(shutil.which("octave-cli") is None, reason="octave-cli is not installed")
def test_octave(model, expected, tmp_path):
    """All at once, and four steps and then the rest from the state that they leave."""
    export_model(model, tmp_path / "series.m")
    np.savetxt(tmp_path / "X.csv", SERIES[1], delimiter=",", fmt="%.17g")
    script = (
        "X = dlmread('X.csv'); y = series(X); [z, s] = series(X(1:4, :)); w = series(X(5:6, :), s);"
        "dlmwrite('y.csv', y, 'precision', '%.17g'); dlmwrite('z.csv', [z; w], 'precision', '%.17g');"
    )
    options = ["octave-cli", "--no-gui", "--norc", "--no-history", "--eval"]
    subprocess.run([*options, script], cwd=tmp_path, check=True, capture_output=True)
    whole, parts = (np.loadtxt(tmp_path / name, delimiter=",", ndmin=2) for name in ("y.csv", "z.csv"))
    k = model[0].outputs
    close(whole.reshape(-1, k), expected[1].reshape(-1, k))
    close(parts.reshape(-1, k)[-1], expected[1].reshape(-1, k)[-1])


def test_what_needs_several_steps_at_once_is_refused():
    net = dr.Network([dr.Recurrent(3), dr.Flatten(), dr.Dense(1)])
    with pytest.raises(ConfigurationError, match="layer 1 is Flatten"):
        build_program((net, net.init(0, (4, 2), "float64")))
    net = dr.Network([dr.Reshape((4, 2)), dr.Recurrent(3), dr.Dense(1)])
    with pytest.raises(ConfigurationError, match=r"4 steps of a row.* Reshape"):
        build_program((net, net.init(0, (8,), "float64")))


def test_a_series_has_one_step_as_its_columns():
    net = dr.Network([dr.LSTM(3), dr.Dense(1, "linear")])
    program = build_program((net, net.init(0, (4, 2), "float64")))
    assert [column.name for column in program.columns] == ["x0", "x1"]
    assert (program.inputs, program.outputs, program.widest) == (2, 1, 12)
    assert program.series.every_step
    assert program.series.steps is None
