"""The README is short, its test command is the one that CI runs, and its links lead somewhere."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = {name: (ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "README.zh.md")}


def test_the_test_command_is_the_one_that_ci_runs():
    commands = re.findall(r"^python3 -m venv .* -m pytest.*$", PAGES["README.md"], re.MULTILINE)
    assert len(commands) == 1
    assert "^python3 -m venv .* -m pytest" in (ROOT / ".ci" / "run").read_text()


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_it_is_at_most_120_lines(page):
    assert len(page.splitlines()) <= 120


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_every_link_leads_to_a_file(page):
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page)
    assert len(links) > 10
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_nothing_is_left_to_fill_in():
    assert all(not re.search(r"@@|TODO|SCREEN", page) for page in PAGES.values())
