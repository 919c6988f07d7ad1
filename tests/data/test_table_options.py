import pytest

from deltarule.data.table_options import TableOptions, refuse_duplicates
from deltarule.errors import ConfigurationError, DataError


@pytest.mark.parametrize(
    ("sep", "separator"), [(None, None), (";", ";"), ("tab", "\t"), ("\\t", "\t"), ("space", " "), ("Comma", ",")]
)
def test_separators_by_name(sep, separator):
    assert TableOptions(sep=sep).separator == separator


@pytest.mark.parametrize(
    ("options", "found"), [({"sep": "::"}, "'::'"), ({"sep": ""}, "''"), ({"decimal": "x"}, "'x'")]
)
def test_options_outside_their_domain(options, found):
    with pytest.raises(ConfigurationError, match=found):
        TableOptions(**options)


def test_a_name_that_two_columns_have_is_named(tmp_path):
    refuse_duplicates(tmp_path / "t.csv", ["a", "b"])
    with pytest.raises(DataError, match=r"t\.csv .*'b'"):
        refuse_duplicates(tmp_path / "t.csv", ["a", "b", "b"])
