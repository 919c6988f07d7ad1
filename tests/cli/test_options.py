import pytest
import typer

from deltarule.cli.options import data_folders, parse_hidden, real_number, require_writable, whole_number
from deltarule.errors import ConfigurationError


def test_hidden_sizes():
    assert parse_hidden("30") == (30,)
    assert parse_hidden("30, 20") == (30, 20)
    for text in ("", "0", "-3", "1.5", "abc", "30,,20", "²"):
        with pytest.raises(ConfigurationError, match="--hidden"):
            parse_hidden(text)


def test_numbers_as_typed():
    assert real_number("1e-3") == 0.001
    assert whole_number("12") == 12
    with pytest.raises(typer.BadParameter, match="'one'"):
        real_number("one")
    with pytest.raises(typer.BadParameter, match=r"'1\.5'"):
        whole_number("1.5")


def test_a_place_to_write_is_tried_and_left_as_it_was(tmp_path):
    path = tmp_path / "m.safetensors"
    assert require_writable("--out", path) == path
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ConfigurationError, match="no folder"):
        require_writable("--out", tmp_path / "missing" / "m")
    with pytest.raises(ConfigurationError, match="is a folder"):
        require_writable("--out", tmp_path)


def test_the_option_comes_before_the_environment(tmp_path, monkeypatch):
    assert data_folders(None) == ()
    monkeypatch.setenv("DELTARULE_DATA", str(tmp_path))
    assert data_folders(None) == (tmp_path,)
    assert data_folders(tmp_path / "named") == (tmp_path / "named",)


def test_the_names_of_record_are_the_library_s():
    from deltarule.cli.choice_checks import RECORDS
    from deltarule.training.monitoring import AT_THE_END, AT_THE_START

    assert set(RECORDS) == set(AT_THE_START) | set(AT_THE_END)
