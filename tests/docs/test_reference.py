"""The reference has every public name, each with an example that runs (`test_blocks` runs it)."""

import re

import deltarule as dr
from docs.pages import DOCS, blocks

PAGES = sorted((DOCS / "reference").glob("*.md"))
TEXT = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)


def test_every_public_name_is_described():
    described = set(re.findall(r"^\.\. auto(?:class|function|exception):: (\w+)$", TEXT, re.MULTILINE))
    assert set(dr.__all__) - described == set()


def test_every_public_name_has_an_example():
    code = "\n".join(text for page in PAGES for language, text in blocks(page) if language == "python")
    assert {name for name in dr.__all__ if not re.search(rf"\bdr\.{name}\b", code)} == set()


def test_every_page_is_listed():
    index = (DOCS / "reference" / "index.md").read_text()
    assert all(page.stem in index for page in PAGES if page.stem != "index")
