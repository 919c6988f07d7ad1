"""What separates the cells of a text, which of its lines are comments, and where its rows begin."""

import pytest

from deltarule.data.text_layout import NAMELESS, text_layout
from deltarule.errors import DataError


@pytest.fixture
def layout(tmp_path):
    def layout(text, separator=None):
        path = tmp_path / "t.txt"
        path.write_text(text, newline="")
        return text_layout(path, "utf-8", separator)

    return layout


@pytest.mark.parametrize(
    ("text", "separator", "names"),
    [
        ("a,b\n1,2\n", ",", ["a", "b"]),
        ("a;b\n1,5;2,5\n", ";", ["a", "b"]),
        ("a\tb\n1,5\t2,5\n", "\t", ["a", "b"]),
        ("a|b\n1|2\n", "|", ["a", "b"]),
        ("a  b\n 1.5   2\n10 3\n", " ", ["a", "b"]),
        ("Fx, N;Fy, N\n1,5;2,5\n3,5;4,5\n", ";", ["Fx, N", "Fy, N"]),  # as many commas in each line, too
        ('a,b\n"x; y",2\n"z; y",3\n', ",", ["a", "b"]),
        ("first name,b\nAnn Lee,1\n", ",", ["first name", "b"]),
        ("a\n1\n2\n", ",", ["a"]),
        ("wind speed\n1\n2\n", ",", ["wind speed"]),
        ("full name\nAnn Lee\nBo Ray\n", ",", ["full name"]),
        ("a,b\n", ",", ["a", "b"]),
        ("sep=;\na;b\n1;2\n", ";", ["a", "b"]),
        ("SEP=|\na,c|b\n1|2\n", "|", ["a,c", "b"]),
        ("a,b,\n1,2,\n", ",", ["a", "b", f"{NAMELESS}2"]),
        ("a,b\n1,2,\n3,4,\n", ",", ["a", "b", f"{NAMELESS}2"]),
    ],
)
def test_the_separator_and_the_names(layout, text, separator, names):
    found = layout(text)
    assert (found.separator, found.names) == (separator, names)
    assert found.comments == 0


@pytest.mark.parametrize(
    ("text", "separator", "first", "above"),
    [
        ("Instrument 7\nDate: 2024-05-01\n\na,b,c\n1,2,3\n4,5,6\n", ",", 4, 2),
        ("Operator;Ann\na;b;c\n1,5;2;3\n4;5;6\n", ";", 2, 1),
        ("run 7\na,b,c\nm,s,kg\n1,2,3\n4,5,6\n", ",", 2, 1),  # a row of units
        ("# calm\nrun 7\na\tb\n1\t2\n3\t4\n", "\t", 3, 2),
        ("a,b\n1,2,\n3,4,\n5,6,\n", ",", 1, 0),  # each row ends with a separator
        ("a\n1\n2\n3\n", ",", 1, 0),
    ],
)
def test_lines_above_the_header(layout, text, separator, first, above):
    found = layout(text)
    assert (found.separator, found.first, found.above) == (separator, first, above)
    assert found.names[0] == "a"


def test_rows_that_are_longer_than_the_header_are_no_preamble(layout):
    with pytest.raises(DataError, match="has 3 cells, but the header 2"):
        layout("a,b\n1,2,3\n4,5,6\n7,8,9\n")


def test_the_user_says_what_separates(layout):
    assert layout("a,b;c\n1,2;3\n", ";").names == ["a,b", "c"]


@pytest.mark.parametrize(
    ("text", "names", "first", "comments", "among"),
    [
        ("# made in May, at 5 V\n\n# calm\na,b\n1,2\n", ["a", "b"], 4, 2, ()),
        ("# a,b\n1,2\n3,4\n", ["a", "b"], 1, 0, ()),  # as NumPy's savetxt writes it
        ("% run 7\n# a,b\n1,2\n", ["a", "b"], 2, 1, ()),
        ("#,b\n1,2\n", [f"{NAMELESS}0", "b"], 1, 0, ()),
        ("# one, two\na,b\n1,2\n", ["a", "b"], 2, 1, ()),
        ("a,b\n1,2\n# pause\n3,4\n# end\n", ["a", "b"], 1, 2, (2, 4)),
        ("#note\na,b\n#DIV/0!,2\n", ["a", "b"], 2, 1, ()),
    ],
)
def test_comments(layout, text, names, first, comments, among):
    found = layout(text)
    assert (found.names, found.first, found.comments, tuple(sorted(found.among_rows))) == (
        names,
        first,
        comments,
        among,
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("my a,b\nx 1,2\nx 3,4\nx 5,6,7\n", "line 4 has 3 cells, .* 2, with commas"),
        ("a,b\n1,2\n3,4,5\n", "line 3 has 3 cells, .* 2, with commas .*--sep"),
        ("a;b\n1;2\n3;4\n5\n", "line 4 has 1 cell, .* 2, with semicolons"),
        ("\n \n", "is empty"),
        ("# only a comment\n", "is empty"),
    ],
)
def test_no_table(layout, text, message):
    with pytest.raises(DataError, match=message):
        layout(text)
