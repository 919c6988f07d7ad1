"""Encodings, decimal signs and units of text files; the numbers are those of the plain table."""

import pytest

from deltarule.data.table_file import read_table
from deltarule.data.table_options import TableOptions

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
def test_the_user_says_what_a_comma_is(tmp_path, decimal, values):
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


def test_the_user_says_what_separates(tmp_path):
    path = tmp_path / "t.txt"
    path.write_text("a:b\n1:2\n3:4\n")
    assert list(read_table(path)[0]) == ["a:b"]
    assert read_table(path, options=TableOptions(sep=":"))[0].to_dict("list") == {"a": [1, 3], "b": [2, 4]}
