"""The README's table of equations points at the lines that compute them."""

import re
import runpy
from pathlib import Path

import numpy as np
import pytest

import deltarule as dr

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
ROWS = re.findall(r"^\| (.+?) \|.*\[(src/\S+?)\]\((src/\S+?)#L(\d+)\) `(.+?)` \|$", README, re.MULTILINE)


def test_the_table_is_there():
    assert len(ROWS) >= 12


@pytest.mark.parametrize(("equation", "text", "path", "line", "code"), ROWS)
def test_each_line_computes_its_equation(equation, text, path, line, code):
    lines = (ROOT / path).read_text().splitlines()
    assert text == path
    assert code in lines[int(line) - 1], f"{equation}: line {line} of {path} is now {lines[int(line) - 1]!r}"


def test_the_script_has_nothing_to_write():
    with_lines = runpy.run_path(str(ROOT / "docs" / "equations.py"))["with_lines"]
    assert with_lines(README) == README


def test_the_script_refuses_code_that_is_not_there():
    with_lines = runpy.run_path(str(ROOT / "docs" / "equations.py"))["with_lines"]
    path = "src/deltarule/errors.py"
    with pytest.raises(ValueError, match=r"on 0 lines of src/deltarule/errors\.py"):
        with_lines(f"| (1) | | [{path}]({path}#L1) `no such line` |")


def test_the_test_command_is_the_one_that_ci_runs():
    commands = re.findall(r"^python3 -m venv .* -m pytest.*$", README, re.MULTILINE)
    assert len(commands) == 1
    assert "^python3 -m venv .* -m pytest" in (ROOT / ".ci" / "run").read_text()


def test_nothing_is_left_to_fill_in():
    assert "@@" not in README


def test_the_error_bars_are_those_that_are_printed(capsys):
    code = re.search(r"## Error bars.*?```python\n(.*?)```", README, re.DOTALL)[1]
    exec(code, {"np": np, "dr": dr})
    assert capsys.readouterr().out.splitlines() == re.findall(r"  # (\[.*)$", code, re.MULTILINE)
