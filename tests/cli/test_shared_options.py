"""The options that say where the rows of a command are and how to read them."""

import pytest

from deltarule.cli.shared_options import DataFolderOptions, ReadOptions
from deltarule.errors import ConfigurationError


def test_the_option_comes_before_the_environment(tmp_path, monkeypatch):
    assert DataFolderOptions().folders == ()
    monkeypatch.setenv("DELTARULE_DATA", str(tmp_path))
    assert DataFolderOptions().folders == (tmp_path,)
    assert DataFolderOptions(data_dir=tmp_path / "named").folders == (tmp_path / "named",)


def test_a_table_is_read_as_the_options_say():
    assert ReadOptions().table_options.na == ()
    options = ReadOptions(sep="tab", decimal=",", na=("?", "-200")).table_options
    assert (options.separator, options.decimal, options.na) == ("\t", ",", ("?", "-200"))


@pytest.mark.parametrize(("wrong", "expected"), [({"sep": ";;"}, "';;'"), ({"decimal": ";"}, "';'")])
def test_what_separates_nothing_is_refused(wrong, expected):
    with pytest.raises(ConfigurationError, match=expected):
        ReadOptions(**wrong).table_options  # noqa: B018
