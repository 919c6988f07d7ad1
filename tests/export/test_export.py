import sys
from dataclasses import replace

import numpy as np
import pytest

import deltarule as dr
from deltarule import export_model
from deltarule.data import NumericColumn, Schema
from deltarule.errors import ConfigurationError, ModelFileError
from deltarule.export import LANGUAGES
from deltarule.models.model import Model
from engines import on


@pytest.mark.parametrize("to", LANGUAGES)
def test_the_suffix_names_the_language(to, plain, tmp_path):
    path = tmp_path / f"net{LANGUAGES[to].suffix}"
    assert export_model(plain.model, path) == path
    first = path.read_bytes()
    assert export_model(plain.model, path, to=to).read_bytes() == first
    assert export_model(plain.model, path, precision="float").read_bytes() != first


@pytest.mark.parametrize("to", LANGUAGES)
def test_a_network_of_either_engine_is_exported_to_the_same_bytes(to, plain, tmp_path, engine):
    path = tmp_path / f"net{LANGUAGES[to].suffix}"
    expected = export_model(plain.model, path).read_bytes()
    model = replace(plain.model, params=on(engine, plain.model.params))
    assert export_model(model, path).read_bytes() == expected


def test_an_estimator_of_either_engine_is_exported(tmp_path, engine):
    random = np.random.default_rng(0)
    X, names = random.normal(size=(40, 2)), {}
    model = dr.NetworkRegressor(hidden=(3,), trainer="adam", epochs=3, random_state=0, engine=engine).fit(X, X[:, 0])
    assert model.engine_ == engine
    exec(export_model(model, tmp_path / "net.py").read_text(), names)
    np.testing.assert_allclose(np.ravel(names["predict"](X)), model.predict(X), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "options", "sentence"),
    [
        ("net.txt", {}, "net.txt.*suffix"),
        ("net.c", {"to": "fortran"}, "^to .*onnx, c, python, octave"),
        ("net.c", {"precision": "half"}, "precision .*double, float"),
        ("my-net.m", {}, "call it my_net.m"),
    ],
)
def test_a_bad_option_is_one_sentence(name, options, sentence, plain, tmp_path):
    with pytest.raises(ConfigurationError, match=sentence):
        export_model(plain.model, tmp_path / name, **options)
    assert not (tmp_path / name).exists()


def test_a_place_that_cannot_be_written(plain, tmp_path):
    with pytest.raises(ModelFileError, match="cannot be written"):
        export_model(plain.model, tmp_path / "nowhere" / "net.c")


def test_without_the_package_onnx(plain, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ConfigurationError, match=r"needs the package 'onnx'.*deltarule\[export\]"):
        export_model(plain.model, tmp_path / "net.onnx")


@pytest.mark.parametrize("std", [1e42, 1e-42])
def test_a_number_beyond_a_float_is_refused_in_that_precision(std, tmp_path):
    net = dr.Network([dr.Dense(1, "linear")])
    params = [{"W": np.ones((1, 1)), "b": np.zeros(1)}]
    schema = Schema(
        "table", "regression", (NumericColumn("x", 0.0, std),), (NumericColumn("y", 0.0, 1.0),), None, ("y",)
    )
    model = Model(net, params, schema)
    with pytest.raises(ConfigurationError, match=r"'x' has mean 0 and std .*float"):
        export_model(model, tmp_path / "m.py", precision="float")
    large = [{"W": np.full((1, 1), 1e42), "b": np.zeros(1)}]
    with pytest.raises(ConfigurationError, match=r"stage 0, dense,.* magnitude 1e\+42"):
        export_model((net, large), tmp_path / "m.py", precision="float")
    net = dr.Network([dr.Reshape((1, 1, 1)), dr.MaxPool(1), dr.Convolution(1, 1), dr.Flatten(), dr.Dense(1)])
    large = [{}, {}, {"W": np.full((1, 1, 1, 1), -1e42), "b": np.zeros(1)}, {}, large[0]]
    with pytest.raises(ConfigurationError, match=r"stage 1, convolution,.* magnitude 1e\+42"):
        export_model((net, large), tmp_path / "m.onnx", precision="float")
    assert export_model(model, tmp_path / "m.py").exists()
