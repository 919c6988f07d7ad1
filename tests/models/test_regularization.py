import pytest

from deltarule.errors import ConfigurationError
from deltarule.models.regularization import WAYS, get_way


def test_the_rows_of_the_table():
    assert {name for name, way in WAYS.items() if way.holds_out} == {"early-stopping", "best-epoch"}
    assert [name for name, way in WAYS.items() if way.chooses_penalty] == ["bayesian"]
    assert WAYS[None].l2 is None


def test_an_unknown_way_is_named():
    with pytest.raises(ConfigurationError, match="'dropout'"):
        get_way("dropout")
