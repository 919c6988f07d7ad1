"""The parts of a network in a .mat file give the numbers of the function file."""

import numpy as np
import pytest
from scipy.io import savemat

import deltarule as dr
from deltarule.errors import ModelFileError
from deltarule.imports.matlab import read_function
from imports.gen_function import NETS, raw_rows, write


def cell(*values) -> np.ndarray:
    found = np.empty((len(values), 1), object)
    for i, value in enumerate(values):
        found[i, 0] = value
    return found


def parts(net, folder) -> dict:
    """What the seven lines of docs/tutorials/leaving-matlab.md save, and the model of the function file."""
    found = read_function(write(net, "net", folder))
    L = len(found.layers)
    IW, LW = np.empty((L, 1), object), np.empty((L, L), object)
    for i in range(L):
        IW[i, 0] = found.layers[0][0] if i == 0 else np.zeros((0, 0))
        for j in range(L):
            LW[i, j] = found.layers[i][0] if i == j + 1 else np.zeros((0, 0))
    names = {"tanh": "tansig", "sigmoid": "logsig", "linear": "purelin", "relu": "poslin"}
    return {
        "IW": IW,
        "LW": LW,
        "b": cell(*(b[:, None] for _, b, _ in found.layers)),
        "transferFcn": cell(*(names.get(a, a) for _, _, a in found.layers)),
        "inputSettings": cell(*found.inputs[0][1]),
        "outputSettings": cell(*found.outputs),
    }


def outputs(path, X):
    model = dr.from_matlab(path)
    return model.predict_proba(X) if model.schema.classes else model.predict(X).reshape(len(X), -1)


def assert_same(path, name):
    X = raw_rows(NETS[name])
    wanted = outputs(path.parent / "net.m", X)
    assert np.abs((outputs(path, X) - wanted) / np.maximum(np.abs(wanted).max(axis=0), 1)).max() < 1e-12


@pytest.mark.parametrize("name", NETS)
def test_cells_as_the_network_object_has_them(name, tmp_path):
    saved = parts(NETS[name], tmp_path)
    if NETS[name].constant_inputs:
        saved["inputSettings"][0, 0]["xrows"] = NETS[name].raw_inputs
    savemat(tmp_path / "net.mat", saved)
    assert_same(tmp_path / "net.mat", name)
    savemat(tmp_path / "inside.mat", {"s": saved})
    assert_same(tmp_path / "inside.mat", name)


def test_matrices_and_settings_by_the_names_that_people_give_them(tmp_path):
    saved = parts(NETS["fitnet"], tmp_path)
    plain = {"IW": saved["IW"][0, 0], "LW": saved["LW"][1, 0], "b": saved["b"]}
    for ins, outs in (("ps", "ts"), ("inputps", "outputps"), ("xs", "ys")):
        settings = {ins: saved["inputSettings"][0, 0], outs: saved["outputSettings"][0, 0]}
        savemat(tmp_path / "net.mat", plain | settings)  # tansig and purelin are fitnet's own
        assert_same(tmp_path / "net.mat", "fitnet")


def test_the_variables_of_a_function_file(tmp_path):
    saved = parts(NETS["fitnet"], tmp_path)
    named = {"IW1_1": saved["IW"][0, 0], "LW2_1": saved["LW"][1, 0], "b1": saved["b"][0, 0], "b2": saved["b"][1, 0]}
    settings = {"x1_step1": saved["inputSettings"][0, 0], "y1_step1": saved["outputSettings"][0, 0]}
    savemat(tmp_path / "net.mat", named | settings)
    assert_same(tmp_path / "net.mat", "fitnet")


def test_settings_as_mapminmax_and_mapstd_return_them(tmp_path):
    saved = parts(NETS["fitnet"], tmp_path)
    low, gain = (np.ravel(saved["inputSettings"][0, 0][entry]) for entry in ("xoffset", "gain"))
    full = {"name": "mapminmax", "xrows": 2.0, "xmax": low + 2 / gain, "xmin": low, "ymax": 1.0, "ymin": -1.0}
    full |= {"yrows": 2.0, "xrange": 2 / gain, "yrange": 2.0, "no_change": 0.0, "gain": gain, "xoffset": low}
    savemat(tmp_path / "net.mat", saved | {"inputSettings": full})
    assert_same(tmp_path / "net.mat", "fitnet")
    same = {"name": "mapstd", "xmean": low + 1 / gain, "xstd": 1 / gain, "ymean": 0.0, "ystd": 1.0}
    savemat(tmp_path / "net.mat", saved | {"inputSettings": same})
    assert_same(tmp_path / "net.mat", "fitnet")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"IW": None}, "no IW: .*MATLAB"),
        ({"b": None}, "lacks the weights .*layer 1"),
        ({"transferFcn": cell("tansig")}, "names 1 transfer functions"),
        ({"transferFcn": cell("radbas", "purelin")}, "transfer function radbas"),
        ({"settings": {"xoffset": 1.0, "gain": 2.0, "ymin": -1.0}}, "settings .*inputSettings .*outputSettings"),
        ({"inputSettings": {"xoffset": 1.0, "transform": np.eye(2)}}, "processing step with the settings"),
        ({"b": cell(np.zeros((3, 1)), np.zeros((1, 1)))}, r"layer 1 are \(\d+, 2\), and 3 neurons"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(changes, sentence, tmp_path):
    saved = parts(NETS["fitnet"], tmp_path) | changes
    savemat(tmp_path / "net.mat", {name: value for name, value in saved.items() if value is not None})
    with pytest.raises(ModelFileError, match=sentence):
        dr.from_matlab(tmp_path / "net.mat")


def test_a_cascade_and_files_of_other_kinds_are_refused(tmp_path):
    saved = parts(NETS["fitnet"], tmp_path)
    saved["IW"][1, 0] = np.ones((1, 2))
    savemat(tmp_path / "net.mat", saved)
    with pytest.raises(ModelFileError, match=r"layers that are not neighbours"):
        dr.from_matlab(tmp_path / "net.mat")
    (tmp_path / "net.mat").write_bytes(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + b"\0\2IM" + bytes(400))
    with pytest.raises(ModelFileError, match=r"version 7.3, which is HDF5"):
        dr.from_matlab(tmp_path / "net.mat")
    (tmp_path / "net.mat").write_text("no such file")
    with pytest.raises(ModelFileError, match=r"cannot be read .*.mat file"):
        dr.from_matlab(tmp_path / "net.mat")
