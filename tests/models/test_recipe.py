import pytest

from deltarule.errors import ConfigurationError
from deltarule.models.recipe import REGULARIZERS, get_regularizer


def test_the_registry_of_regularizers():
    assert {name for name, row in REGULARIZERS.items() if row.holds_out} == {"early-stopping", "best-epoch"}
    assert [name for name, row in REGULARIZERS.items() if row.sets_penalty] == ["bayesian"]
    assert REGULARIZERS[None].l2 is None


def test_an_unknown_regularizer_is_refused():
    with pytest.raises(ConfigurationError, match="'dropout'"):
        get_regularizer("dropout")
