import sys

import pytest

from deltarule import export_model
from deltarule.errors import ConfigurationError, DataError, ModelFileError
from deltarule.export import LANGUAGES


@pytest.mark.parametrize("to", LANGUAGES)
def test_the_suffix_names_the_language(to, plain, tmp_path):
    path = tmp_path / f"net{LANGUAGES[to].suffix}"
    assert export_model(plain.model, path) == path
    first = path.read_bytes()
    assert export_model(plain.model, path, to=to).read_bytes() == first
    assert export_model(plain.model, path, precision="float").read_bytes() != first


@pytest.mark.parametrize(
    ("name", "options", "sentence"),
    [
        ("net.txt", {}, "whose suffix names no language"),
        ("net.c", {"to": "fortran"}, "to must be one of onnx, c, python, octave"),
        ("net.c", {"precision": "half"}, "precision must be one of double, float"),
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


def test_without_onnx_it_is_said(plain, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(DataError, match=r"needs the package 'onnx'.*deltarule\[export\]"):
        export_model(plain.model, tmp_path / "net.onnx")
