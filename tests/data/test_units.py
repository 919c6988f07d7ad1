import pytest

from deltarule.data.units import split_unit


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("pressure [bar]", "bar"),
        ("T[ K ]", "K"),
        ("age (years)", "years"),
        ("a [b] c", None),
        ("price", None),
        ("[bar]", None),
        ("share [-]", None),
        ("broken [bar", None),
    ],
)
def test_the_unit_is_what_ends_the_name_in_brackets(name, unit):
    assert split_unit(name).unit == unit
