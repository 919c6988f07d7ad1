import re

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from deltarule.data.columns import RawColumn
from deltarule.export.languages import (
    RESERVED,
    as_identifier,
    comment_text,
    describe_columns,
    format_number,
    octave_source,
    wrap_items,
)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_double_reads_back_as_itself(value):
    text = format_number(value, "double")
    assert float(text) == value
    assert "." in text or "e" in text


@given(st.floats(allow_nan=False, allow_infinity=False, width=32))
def test_a_float_reads_back_as_itself(value):
    assert np.float32(format_number(value, "float")) == np.float32(value)


@given(st.text())
def test_identifiers(text):
    name = as_identifier(text)
    assert name.isascii()
    assert name.isidentifier()
    assert name[0].isalpha()
    assert name not in RESERVED


@given(st.text() | st.text('*/\\"?°\u2028\n'))
def test_names_cannot_end_a_comment(text):
    shown = comment_text(text)
    assert shown.isprintable()
    assert not {"*/", "/*", '"""', "\n", "\\", "??"} & {shown[i : i + n] for n in (1, 2, 3) for i in range(len(shown))}


def test_letters_of_all_alphabets_stay_in_comments():
    assert comment_text("Temperatur [°C], Durchfluß (m³/h)") == "Temperatur [°C], Durchfluß (m³/h)"


def test_lines_are_filled_and_broken_between_items():
    lines = wrap_items([str(i) for i in range(100)], "    ", end=" ...").split("\n")
    assert all(len(line) <= 110 for line in lines)
    assert all(line.endswith(" ...") for line in lines[:-1])
    assert "".join(lines).replace("...", "").replace(" ", "").split(",") == [str(i) for i in range(100)]


def test_categories_are_numbered_from_where_the_language_counts():
    column = RawColumn("colour", categories=("blue", "red"))
    assert describe_columns([column], 0) == ["0: colour, one of: 0 blue, 1 red"]
    assert describe_columns([column], 1) == ["1: colour, one of: 1 blue, 2 red"]


def test_no_file_is_called_as_a_function_that_an_octave_file_calls(case):
    """max.m would call itself."""
    variables = {"a", "missing", "net", "classes", "image", "images", "kernel", "margins", "outputs", "stops", "stride"}
    variables |= {"gates", "source"}
    called = set(re.findall(r"\b([a-z][a-z0-9]*)\(", octave_source(case.program, "net", "double"))) - variables
    assert "size" in called
    assert called <= RESERVED
