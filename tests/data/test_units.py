import pytest

from deltarule.data.units import unit_of


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("pressure [bar]", "bar"),
        ("T[ K ]", "K"),
        ("flow [m³/h] [m/s]", "m/s"),
        ("a [b] c", None),
        ("price", None),
        ("[bar]", None),
        ("empty []", None),
        ("broken [bar", None),
    ],
)
def test_the_unit_is_what_ends_the_name_in_brackets(name, unit):
    assert unit_of(name) == unit
