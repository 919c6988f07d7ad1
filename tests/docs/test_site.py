"""The site builds without a warning, and no link in it is broken; .ci/run does the same in its own environment."""

import importlib.util
import json
import runpy
import subprocess
import sys

import pytest

from docs.pages import DOCS

NEEDED = ("sphinx", "myst_parser", "pydata_sphinx_theme", "sphinx_design", "sphinx_copybutton")
broken_links = runpy.run_path(str(DOCS / "links.py"))["broken_links"]


@pytest.mark.slow
@pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in NEEDED), reason="the extra docs is not installed"
)
def test_it_builds_and_no_link_is_broken(tmp_path):
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html", str(DOCS), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert broken_links(tmp_path) == []
    assert (tmp_path / "searchindex.js").stat().st_size > 10_000
    assert "–" not in (tmp_path / "reference" / "command-line.html").read_text(encoding="utf-8")  # no option has a dash
    notebook = json.loads((tmp_path / "_static" / "notebooks" / "watch.ipynb").read_text())
    assert {cell["cell_type"] for cell in notebook["cells"]} == {"markdown", "code"}


def test_no_page_has_the_name_of_a_page_that_sphinx_makes():
    """Sphinx writes its own search.html and genindex.html over a page of that name, without a warning."""
    assert {page.name for page in DOCS.glob("*.md")} & {"search.md", "genindex.md", "py-modindex.md"} == set()


def test_a_broken_link_is_found(tmp_path):
    (tmp_path / "a.html").write_text('<a href="b.html#here"></a><a href="c.html"></a><a href="https://x.y/z"></a>')
    (tmp_path / "b.html").write_text('<h1 id="there"></h1><a href="#there"></a><a href="#nowhere"></a>')
    assert broken_links(tmp_path) == ["a.html: b.html#here", "a.html: c.html", "b.html: #nowhere"]


def test_every_page_is_reached_from_the_index():
    listed = "\n".join(page.read_text(encoding="utf-8") for page in DOCS.rglob("*.md"))
    for page in DOCS.rglob("*.md"):
        name = page.relative_to(DOCS).with_suffix("").as_posix()
        assert (
            name == "index"
            or name.startswith("results/")
            or any(f"\n{short}\n" in listed for short in (name, page.stem))
        ), name
