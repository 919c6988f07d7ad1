"""Every block of code of these pages runs and prints what it says."""

import re
import shutil

import pytest

from deltarule.network.activations import ACTIVATIONS
from docs.pages import DOCS, ROOT, blocks, run

FOLDERS = ("tutorials", "how-to", "reference")
EXPLANATIONS = ("models.md", "tables.md")  # the blocks of the others need data or hours
PAGES = [
    ROOT / "README.md",
    *(DOCS / name for name in EXPLANATIONS),
    *(page for folder in FOLDERS for page in sorted((DOCS / folder).glob("*.md"))),
]
NEEDS = {"reference/play.md": "uvicorn"}  # packages of extras that the tests may lack
CHINESE = {
    ROOT / "README.zh.md": ROOT / "README.md",
    DOCS / "zh" / "table.md": DOCS / "tutorials" / "table.md",
    DOCS / "zh" / "watch.md": DOCS / "tutorials" / "watch.md",
    DOCS / "zh" / "mathematics.md": DOCS / "mathematics.md",
}


@pytest.fixture(autouse=True)
def restore_activations():
    """Remove the activations that a page adds."""
    before = dict(ACTIVATIONS)
    yield
    for name in set(ACTIVATIONS) - set(before):
        del ACTIVATIONS[name]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_the_page_runs(page, tmp_path, monkeypatch):
    pytest.importorskip(NEEDS.get(page.relative_to(page.parents[1]).as_posix(), "numpy"))
    monkeypatch.chdir(tmp_path)
    for beside in page.parent.glob("*.m"):
        shutil.copy(beside, tmp_path)
    run(page)


@pytest.mark.parametrize("page", CHINESE, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_the_chinese_page_has_the_same_code(page):
    wanted = [block for block in blocks(CHINESE[page]) if block[0] in ("python", "sh")]
    assert [block for block in blocks(page) if block[0] in ("python", "sh")] == wanted


@pytest.mark.parametrize("page", CHINESE, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_the_chinese_page_has_the_same_parts(page):
    """Headings, numbered equations and figures; the table of lines of code stands on the English page alone."""
    own, english = (each.read_text(encoding="utf-8").split("```") for each in (page, CHINESE[page]))
    own, english = ("".join(text[::2]) for text in (own, english))
    english = re.sub(r"## Where each equation is computed\n.*?(?=\n## |\Z)", "", english, flags=re.DOTALL)
    for what in (r"^#+ ", r"^    .*\((?:[A-Z-]+\d?'?|\d)\)", r"!\[", r"^\| *`"):
        assert len(re.findall(what, own, re.MULTILINE)) == len(re.findall(what, english, re.MULTILINE)), what
