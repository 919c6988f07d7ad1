"""Ten networks as genFunction writes them: what `from_matlab` reads gives Octave's numbers, and goes on from there."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import deltarule as dr
from deltarule.errors import ConfigurationError, DeltaruleError, ModelFileError
from imports.gen_function import NETS, raw_rows, write

STORED = json.loads((Path(__file__).parent / "octave_numbers.json").read_text())


@pytest.fixture(params=NETS)
def name(request) -> str:
    return request.param


def outputs(model, X: np.ndarray) -> np.ndarray:
    """What MATLAB's net(x') gives, (N, k)."""
    return model.predict_proba(X) if model.schema.classes else model.predict(X).reshape(len(X), -1)


def in_octave(path: Path, net, X: np.ndarray) -> np.ndarray:
    """What Octave says that the file gives, (N, k)."""
    np.savetxt(path.parent / "rows.csv", X if net.samples_in_rows else X.T, delimiter=",", fmt="%.17g")
    call = f"dlmwrite('outputs.csv', {path.stem}(dlmread('rows.csv')), 'precision', '%.17g')"
    options = ["--no-gui", "--norc", "--no-history", "--eval", call]
    subprocess.run(["octave-cli", *options], cwd=path.parent, check=True, capture_output=True)
    Y = np.loadtxt(path.parent / "outputs.csv", delimiter=",", ndmin=2)
    return Y.reshape(len(X), -1) if net.samples_in_rows else Y.reshape(-1, len(X)).T


def assert_same(found: np.ndarray, wanted: np.ndarray) -> None:
    assert found.shape == wanted.shape
    assert np.abs((found - wanted) / np.maximum(np.abs(wanted).max(axis=0), 1)).max() < 1e-12


@pytest.mark.skipif(shutil.which("octave-cli") is None, reason="octave-cli is not installed")
def test_the_model_gives_octaves_numbers(name, tmp_path):
    X = raw_rows(NETS[name])
    path = write(NETS[name], name, tmp_path)
    wanted = in_octave(path, NETS[name], X)
    assert_same(outputs(dr.from_matlab(path), X), wanted)
    assert_same(np.array(STORED[name]), wanted[:5])


def test_the_numbers_are_those_that_octave_gave(name, tmp_path):
    X = raw_rows(NETS[name])[:5]
    assert_same(outputs(dr.from_matlab(write(NETS[name], name, tmp_path)), X), np.array(STORED[name]))


def test_a_classifier_of_three_numbers_its_classes_as_vec2ind_does(tmp_path):
    path, X = write(NETS["patternnet"], "patternnet", tmp_path), raw_rows(NETS["patternnet"])
    model = dr.from_matlab(path)
    assert model.predict(X).tolist() == (1 + model.predict_proba(X).argmax(axis=1)).tolist()
    named = dr.from_matlab(path, classes=["idle", "load", "knock"], inputs=["a", "b", "c", "d"])
    assert named.predict(X).tolist() == [("idle", "load", "knock")[number - 1] for number in model.predict(X)]
    assert named.schema.input_names == ("a", "b", "c", "d")


def test_an_imported_model_can_be_saved_trained_and_exported(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    X = raw_rows(NETS[name])
    model = dr.from_matlab(write(NETS[name], name, tmp_path))
    wanted = outputs(model, X)
    model.save("net.safetensors")
    assert_same(outputs(dr.load_model("net.safetensors"), X), wanted)
    names: dict = {}
    exec(dr.export_model("net.safetensors", "net.py").read_text(), names)
    assert_same(names["predict_proba" if "predict_proba" in names else "predict"](X), wanted)
    inputs = model.schema.encode_inputs(frame(model, X))
    targets = np.asarray(model.net(model.params, inputs))
    targets = np.roll(targets, 1, axis=0) if model.schema.classes else targets + 0.1 * np.sin(10 * inputs[:, :1])
    before = model.net.cost_and_gradient(model.params, inputs, targets)[0]
    trainer = dr.LevenbergMarquardt()
    after = dr.train(model.net, inputs, targets, trainer=trainer, params=model.params, epochs=5, seed=0).params
    assert model.net.cost_and_gradient(after, inputs, targets)[0] < before


def frame(model, X: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(X, columns=list(model.schema.input_names))


def test_a_column_knows_the_range_that_mapminmax_saw(tmp_path):
    model = dr.from_matlab(write(NETS["fitnet"], "fitnet", tmp_path))
    text = (tmp_path / "fitnet.m").read_text()
    low = float(re.search(r"x1_step1.xoffset = \[(\S+?);", text)[1])
    gain = float(re.search(r"x1_step1.gain = \[(\S+?);", text)[1])
    assert (model.schema.inputs[0].low, model.schema.inputs[0].high) == pytest.approx((low, low + 2 / gain), rel=1e-15)
    constant = dr.from_matlab(write(NETS["constant_inputs"], "constant_inputs", tmp_path)).schema.inputs[1]
    assert (constant.low, constant.mean, constant.std) == (None, 0.0, 1.0)


def test_a_constant_target_stays_what_it_was(tmp_path):
    model = dr.from_matlab(write(NETS["constant_outputs"], "constant_outputs", tmp_path))
    assert (model.predict(raw_rows(NETS["constant_outputs"]))[:, [0, 3]] == [3.25, 6.5]).all()


def test_two_inputs_are_read_side_by_side(tmp_path):
    text = write(NETS["old_patternnet"], "net", tmp_path).read_text()
    whole = dr.from_matlab(tmp_path / "net.m")
    W = re.search(r"IW1_1 = \[(.*?)\];", text)[1]
    rows = [row.split() for row in W.split(";")]
    halves = [";".join(" ".join(row[part]) for row in rows) for part in (slice(0, 2), slice(2, 4))]
    text = text.replace(f"IW1_1 = [{W}];", f"IW1_1 = [{halves[0]}];\nIW1_2 = [{halves[1]}];")
    text = text.replace("IW1_1*xp1", "IW1_1*xp1 + IW1_2*xp2")
    for entry in ("xoffset", "gain"):
        cells = re.search(rf"x1_step1_{entry} = \[(.*?)\];", text)[1].split(";")
        first, second = (";".join(part) for part in (cells[:2], cells[2:]))
        text = text.replace(
            f"x1_step1_{entry} = [{';'.join(cells)}];", f"x1_step1_{entry} = [{first}];\nx2_step1_{entry} = [{second}];"
        )
    text = text.replace("x1_step1_ymin = -1;", "x1_step1_ymin = -1;\nx2_step1_ymin = -1;")
    (tmp_path / "two.m").write_text(text)
    X = raw_rows(NETS["old_patternnet"])
    assert_same(outputs(dr.from_matlab(tmp_path / "two.m"), X), outputs(whole, X))


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        ("a2 = repmat(b2,1,Q) + LW2_1*a1", "a2 = repmat(b2,1,Q) + IW2_1*Xp1 + LW2_1*a1", "cascadeforwardnet"),
        ("Xp1 = ", "Xd1{xdts} = ", "network with delays"),
        ("tansig_apply", "radbas_apply", "calls radbas"),
        ("mapminmax_apply", "processpca_apply", "calls processpca"),
        ("x1_step1.ymin", "x1_step1.unknown", "settings gain, unknown, xoffset"),
        ("IW1_1 = [", "IW1_1 = [9 ", "no matrix of numbers"),
        ("b1 = [", "c1 = [", "lacks the constant b1"),
        ("x1_step1.gain = [", "x1_step1.gain = [-", "gain of -1.1"),
        ("x1_step1.xoffset = [", "x1_step1.xoffset = [1;", "scales"),
        ("repmat(b2,1,Q)", "repmat(b2,1,Q) + eye(3)", r"layer 2 adds 'eye\(3\)'"),
    ],
)
def test_networks_that_deltarule_lacks_are_refused_by_name(before, after, sentence, tmp_path):
    path = write(NETS["fitnet"], "fitnet", tmp_path)
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))
    with pytest.raises(ModelFileError, match=sentence):
        dr.from_matlab(path)


def test_other_files_are_refused(tmp_path):
    with pytest.raises(ConfigurationError, match=r"net\.onnx .*\.m .*\.mat"):
        dr.from_matlab("net.onnx")
    with pytest.raises(ModelFileError, match="cannot be read"):
        dr.from_matlab(tmp_path / "missing.m")
    (tmp_path / "other.m").write_text("x = 3;\n")
    with pytest.raises(ModelFileError, match=r"genFunction.* statement a1 = "):
        dr.from_matlab(tmp_path / "other.m")
    path = write(NETS["fitnet"], "fitnet", tmp_path)
    with pytest.raises(ConfigurationError, match=r"inputs has .* 2 names"):
        dr.from_matlab(path, inputs=["one"])
    with pytest.raises(ConfigurationError, match="does not end in a softmax"):
        dr.from_matlab(path, classes=["a"])


def test_a_damaged_file_is_read_or_refused_never_a_crash(name, tmp_path):
    random, refused = np.random.default_rng(NETS[name].seed), 0
    whole = write(NETS[name], "net", tmp_path).read_bytes()
    for _ in range(60):
        text = bytearray(whole)
        place = int(random.integers(len(text)))
        match random.integers(3):
            case 0:
                text[place] = int(random.integers(32, 127))
            case 1:
                del text[place : place + int(random.integers(1, 30))]
            case _:
                text[place:] = b""
        (tmp_path / "net.m").write_bytes(bytes(text))
        try:
            dr.from_matlab(tmp_path / "net.m")
        except DeltaruleError:
            refused += 1
    assert refused > 20


DAMAGED = "IW1_1 = [2 0.5];\nb1 = 1;\nLW2_1 = 3;\nb2 = 1;\na1 = tansig_apply(repmat(b1,1,Q) + IW1_1*x1);\n"
LAST = "a2 = repmat(b2,1,Q) + LW2_1*a1;\n"


def test_a_file_without_a_layer_or_its_output_is_refused(tmp_path):
    path = tmp_path / "net.m"
    tansig = "function a = tansig_apply(n,~)\na = 2 ./ (1 + exp(-2*n)) - 1;\nend\n"
    path.write_text(DAMAGED + LAST + "y1 = a2;\n" + tansig)
    np.testing.assert_allclose(dr.from_matlab(path).predict([[1.0, 2.0]]), [3 * np.tanh(4.0) + 1])
    for damaged in (DAMAGED + "y1 = a1;\n", DAMAGED + LAST, DAMAGED):
        path.write_text(damaged + tansig)
        with pytest.raises(ModelFileError, match="damaged"):
            dr.from_matlab(path)


def test_columns_of_one_name_are_refused(tmp_path):
    path = tmp_path / "net.m"
    path.write_text("IW1_1 = [2 0.5];\nb1 = 1;\na1 = repmat(b1,1,Q) + IW1_1*x1;\ny1 = a1;\n")
    with pytest.raises(ConfigurationError, match="'a', 'a'"):
        dr.from_matlab(path, inputs=["a", "a"])
