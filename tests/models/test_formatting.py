from deltarule.models.formatting import format_percent, quote_names, to_json_types


def test_json_types_are_kept():
    assert to_json_types(("text", True, 3, None)) == ["text", True, 3, None]


def test_percent():
    assert format_percent(None) == "-"
    assert format_percent(1.0) == "100.00 %"


def test_quote_names():
    assert quote_names("abcdefgh") == "'a', 'b', 'c', 'd', 'e', 'f' and 2 more"
