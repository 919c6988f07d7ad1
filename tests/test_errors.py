"""Plurals and lists in messages, and the types of exceptions."""

import pytest

from deltarule import errors
from deltarule.errors import format_number, how_to_install, pluralized, shorten


def test_plurals():
    assert [pluralized(n, "row") for n in (0, 1, 2, 1200)] == ["0 rows", "1 row", "2 rows", "1,200 rows"]


def test_numbers_for_people():
    assert [format_number(x) for x in (-0.0, None, 0.000123456)] == ["0", "-", "0.0001235"]
    assert [format_number(x, 3) for x in (-69_876.0, 1_234_567, 2.5e9)] == ["-69,900", "1,230,000", "2.5e+09"]


def test_a_long_list_is_shortened():
    assert shorten([], 3) == ""
    assert shorten(["a", "b", "c"], 3) == "a, b, c"
    assert shorten(["a", "b", "c", "d"], 3) == "a, b, c and 1 more"
    assert shorten(["a", "b", "c"], 1, "columns") == "a and 2 more columns"


def test_a_missing_package_is_installed_from_a_clone_too():
    assert how_to_install("plot") == "run pip install 'deltarule[plot]' (in a clone: pip install '.[plot]')"


KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.DeltaruleError)]


@pytest.mark.parametrize("kind", KINDS)
def test_mistakes_are_value_errors_but_for_lost_processes(kind):
    assert issubclass(kind, ValueError) == (kind not in (errors.DeltaruleError, errors.ProcessError))
