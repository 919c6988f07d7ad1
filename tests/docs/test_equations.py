"""The table of equations in docs/mathematics.md points at the lines that compute them."""

import re
import runpy

import pytest

from docs.pages import DOCS, ROOT

PAGE = (DOCS / "mathematics.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (.+?) \|.*\[(src/\S+?)\]\(\.\./(src/\S+?)#L(\d+)\) `(.+?)` \|$", PAGE, re.MULTILINE)
with_lines = runpy.run_path(str(DOCS / "equations.py"))["with_lines"]


def test_the_table_is_there():
    assert len(ROWS) >= 12


@pytest.mark.parametrize(("equation", "text", "path", "line", "code"), ROWS)
def test_each_line_computes_its_equation(equation, text, path, line, code):
    lines = (ROOT / path).read_text().splitlines()
    assert text == path
    assert code in lines[int(line) - 1], f"{equation}: line {line} of {path} is now {lines[int(line) - 1]!r}"


def test_the_script_has_nothing_to_write():
    assert with_lines(PAGE) == PAGE


def test_the_script_refuses_code_that_is_not_there():
    path = "src/deltarule/errors.py"
    with pytest.raises(ValueError, match=r"on 0 lines of src/deltarule/errors\.py"):
        with_lines(f"| (1) | | [{path}](../{path}#L1) `no such line` |")
