"""Run the code blocks of a documentation page in order: its Python in one namespace, and its shell commands.

A comment behind a `print`, or one that fills a line at the left edge, is what the block must print. Lines that install
something are run by .ci/run instead.
"""

import contextlib
import io
import re
import shlex
from pathlib import Path
from typing import Any

from deltarule.cli import main

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
BLOCK = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PRINTED = re.compile(r"^(?:.*\bprint\(.*\)  )?# (.*)$", re.MULTILINE)
INSTALLING = ("pip install", "python3 -m venv")
SHOWN = ("text", "matlab", "toml", "bibtex")  # screens and other programs' languages; every other block runs


def blocks(page: Path) -> list[tuple[str, str]]:
    """Return the language and the text of each fenced block, except the directives of the site."""
    return [block for block in BLOCK.findall(page.read_text(encoding="utf-8")) if not block[0].startswith("{")]


def run(page: Path) -> int:
    """Run the page's blocks in the current folder, and return how many there were.

    Raises:
        AssertionError: a command fails, or a block prints something other than its comments say.
    """
    names: dict[str, Any] = {"__name__": "__main__"}
    ran = 0
    for language, text in blocks(page):
        if language in SHOWN:
            continue
        assert language in ("python", "sh"), f"{page}: a block of {language or 'no language'}"
        if language == "python":
            run_python(page, text, names)
        else:
            run_commands(page, text)
        ran += 1
    return ran


def run_python(page: Path, code: str, names: dict[str, Any]) -> None:
    expected, output = PRINTED.findall(code), io.StringIO()
    with contextlib.redirect_stdout(output):
        exec(compile(code, str(page), "exec"), names)
    printed = output.getvalue().rstrip("\n").splitlines()
    assert not expected or printed == expected, f"{page}: expected {expected}, printed {printed}"


def run_commands(page: Path, text: str) -> None:
    for line in text.splitlines():
        words = shlex.split(line, comments=True)
        if not words or line.startswith(INSTALLING):
            continue
        assert words[0] == "deltarule", f"{page}: {line}"
        with contextlib.redirect_stdout(io.StringIO()):
            assert main(words[1:]) == 0, f"{page}: {line}"
