import pytest

from deltarule.data.table_options import TableOptions
from deltarule.errors import ConfigurationError


@pytest.mark.parametrize(
    ("sep", "separator"), [(None, None), (";", ";"), ("tab", "\t"), ("\\t", "\t"), ("space", " "), ("Comma", ",")]
)
def test_separators_by_name(sep, separator):
    assert TableOptions(sep=sep).separator == separator


@pytest.mark.parametrize(
    ("options", "found"), [({"sep": "::"}, "'::'"), ({"sep": ""}, "''"), ({"decimal": "x"}, "'x'")]
)
def test_what_cannot_be(options, found):
    with pytest.raises(ConfigurationError, match=found):
        TableOptions(**options)
