from deltarule.models.words import finite, number, quoted, share


def test_finite_keeps_what_json_knows():
    assert finite(("text", True, 3, None)) == ["text", True, 3, None]


def test_numbers_for_people():
    assert number(-0.0) == "0"
    assert number(None) == "-"
    assert number(0.000123456) == "0.0001235"
    assert share(None) == "-"
    assert share(1.0) == "100.00 %"


def test_many_names_are_counted():
    assert quoted("abcdefgh") == "'a', 'b', 'c', 'd', 'e', 'f' and 2 more"
