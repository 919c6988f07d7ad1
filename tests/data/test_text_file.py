"""Encodings, decimal signs and units of text files; the numbers are those of the plain table."""

import pytest

from deltarule.data.table_file import read_table
from deltarule.data.table_options import NAMELESS, TableOptions
from deltarule.data.text_file import find_layout
from deltarule.errors import DataError

TABLE = {"größe": [1.5, 2.25, 1234.5], "y": [10, 20, 30]}


@pytest.mark.parametrize(
    ("name", "text", "encoding", "said"),
    [
        ("t.csv", "größe,y\n1.5,10\n2.25,20\n1234.5,30\n", "utf-8", ()),
        ("t.csv", "größe,y\n1.5,10\n2.25,20\n1234.5,30\n", "utf-8-sig", ()),
        ("t.csv", "größe,y\n1.5,10\n2.25,20\n1234.5,30\n", "latin-1", ("cp1252",)),
        ("t.csv", "größe,y\n1.5,10\n2.25,20\n1234.5,30\n", "utf-16", ("utf-16",)),
        ("t.csv", "größe,y\n1.5,10\n2.25,20\n1234.5,30\n", "utf-16-le", ("utf-16-le",)),
        ("t.csv", "größe,y\r\n1.5,10\r\n2.25,20\r\n1234.5,30\r\n", "utf-16-be", ("utf-16-be",)),
        ("t.csv", "größe;y\n1,5;10\n2,25;20\n1.234,5;30\n", "utf-8", ("semicolons", "decimal commas")),
        ("t.csv", 'größe,y\n"1,5",10\n"2,25",20\n"1234,5",30\n', "utf-8", ("decimal commas",)),
        ("t.csv", 'größe,y\n1.5,10\n2.25,20\n"1,234.5",30\n', "utf-8", ()),
        ("t.tsv", "größe\ty\n1.5\t10\n2.25\t20\n1234.5\t30\n", "utf-8", ("tabs",)),
        ("t.txt", "größe y\n1.5  10\n2.25 20\n1234.5 30\n", "utf-8", ("blanks",)),
        ("t.txt", "sep=;\ngröße;y\n1.5;10\n2.25;20\n1234.5;30\n", "utf-8", ("semicolons",)),
        ("t.dat", "# x\ngröße,y\n1.5,10\n# z\n2.25,20\n1234.5,30\n", "utf-8", ("2 comment lines",)),
    ],
)
def test_the_same_table_however_it_is_written(tmp_path, name, text, encoding, said):
    path = tmp_path / name
    path.write_bytes(text.encode(encoding))
    frame, notes = read_table(path)
    assert frame.to_dict("list") == TABLE
    assert frame["y"].dtype == "int64"
    assert len(notes) == (1 if said else 0)  # one note, whatever was found
    for words in said:
        assert words in notes[0]


def test_a_row_of_units(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("t;p [bar];kind\ns;bar;-\n1,5;2;red\n2,5;3;blue\n")
    frame, notes = read_table(path)
    assert frame.to_dict("list") == {"t [s]": [1.5, 2.5], "p [bar]": [2, 3], "kind": ["red", "blue"]}
    assert frame["p [bar]"].dtype == "int64"
    assert "(s, bar)" in notes[0]


@pytest.mark.parametrize(("decimal", "values"), [(",", [1.234, 2.345]), (".", [1234, 2345])])
def test_the_decimal_option(tmp_path, decimal, values):
    path = tmp_path / "t.tsv"
    path.write_text("a\tb\n1,234\t1\n2,345\t2\n")
    assert read_table(path)[0]["a"].tolist() == ["1,234", "2,345"]  # which is refused where it would be an input
    assert read_table(path, options=TableOptions(decimal=decimal))[0]["a"].tolist() == values


def test_commas_between_semicolons_are_decimal_and_points_are_as_they_stand(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a;b\n1,234;1.250\n2,345;2.500\n")
    assert read_table(path)[0]["a"].tolist() == [1.234, 2.345]
    path.write_text("a;b\n1.234;1\n2.345;2\n")
    assert read_table(path)[0]["a"].tolist() == [1.234, 2.345]


def test_the_separator_option(tmp_path):
    path = tmp_path / "t.txt"
    path.write_text("a:b\n1:2\n3:4\n")
    assert list(read_table(path)[0]) == ["a:b"]
    assert read_table(path, options=TableOptions(sep=":"))[0].to_dict("list") == {"a": [1, 3], "b": [2, 4]}


@pytest.fixture
def layout(tmp_path):
    def layout(text, separator=None):
        path = tmp_path / "t.txt"
        path.write_text(text, newline="")
        return find_layout(path, "utf-8", separator)

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
        ("Messung 12.3.2026;;\n;;\nOrt:;Ulm;\na;b;c\n1,5;2;3\n4;5;6\n7;8;\n", ";", 4, 3),  # as Excel writes titles
        ("run 7,\na,b,\n1,2,3\n4,5,6\n7,8,9\n", ",", 2, 1),  # a column without a name
        ("a;b;;\n1;x;;\n;;;\n2;y;;\n", ";", 1, 0),
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


def test_a_given_separator(layout):
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
    assert (found.names, found.first, found.comments, tuple(sorted(found.comments_below))) == (
        names,
        first,
        comments,
        among,
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("my a,b\nx 1,2\nx 3,4\nx 5,6,7\n", "line 4 has 3 cells, .* 2, with commas"),
        ("a,b\n1,2\n3,4,5\n", "line 3 has 3 cells, .* 2, .*commas .*--sep"),
        ("a;b\n1;2\n3;4\n5\n", "line 4 has 1 cell, .* 2, with semicolons"),
        ("\n \n", "is empty"),
        ("# only a comment\n", "is empty"),
    ],
)
def test_text_that_is_no_table(layout, text, message):
    with pytest.raises(DataError, match=message):
        layout(text)
