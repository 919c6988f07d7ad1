"""Sphinx's settings for the documentation site: python -m sphinx -W docs build/site. Nothing is downloaded."""

import json
import os
import re
from importlib.metadata import version as version_of
from pathlib import Path

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent

project = "deltarule"
author = "The deltarule developers"
copyright = author  # noqa: A001
version = release = version_of("deltarule")
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
    "sphinx_design",
]
exclude_patterns = ["equations.py"]
templates_path: list[str] = []
html_theme = "pydata_sphinx_theme"
html_title = "deltarule"
html_static_path = ["_static"]
html_css_files = ["deltarule.css"]
html_last_updated_fmt = None  # the same pages from the same sources
html_theme_options = {
    "navbar_end": ["version-switcher", "theme-switcher"],
    "switcher": {"json_url": "_static/versions.json", "version_match": version},
    "check_switcher": False,
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "secondary_sidebar_items": ["page-toc"],
    "pygments_light_style": "tango",
}
html_context = {"default_mode": "auto"}
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
autodoc_typehints = "none"
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True, "inherited-members": False}
napoleon_numpy_docstring = False
suppress_warnings = ["misc.highlighting_failure"]  # blocks of MATLAB and Structured Text

# These pages show files from the root of the repository. Links to other files outside docs/ become plain names.
COPIES = {"contributing": "CONTRIBUTING.md", "changelog": "CHANGELOG.md"}
PAGES = {"README.md": "index.md", **{file: f"{page}.md" for page, file in COPIES.items()}}
LINK = re.compile(r"(?P<image>!?)\[(?P<text>[^\]]*)\]\((?P<path>[^):#\s]+)(?P<anchor>#[^)\s]*)?\)")


def rebase_links(text: str, origin: Path, page: Path) -> str:
    """Return the text of the file `origin` for `page`: links that leave docs/ become links to pages, or plain names."""

    def rebase(link: re.Match[str]) -> str:
        target = (origin.parent / link["path"]).resolve()
        if not target.is_relative_to(DOCS):
            name = PAGES.get(target.relative_to(ROOT).as_posix())
            if name is None:
                return f"`{link['text'].strip('`')}`"
            target = DOCS / name
        elif target.is_dir():
            return f"`{link['text'].strip('`')}`"
        relative = os.path.relpath(target, page.parent)
        return f"{link['image']}[{link['text']}]({relative}{link['anchor'] or ''})"

    return LINK.sub(rebase, text)


def as_restructured_text(lines: list[str]) -> list[str]:
    """Return a docstring as reStructuredText: |x| is a magnitude, x_ a name, and an indented paragraph an equation."""
    converted: list[str] = []
    literal = False
    for i, line in enumerate(lines):
        indented = line.startswith("    ")
        if indented and i > 0 and not lines[i - 1] and not literal:
            converted, literal = [*converted, "::", ""], True
        literal = literal and (indented or not line)
        converted.append(line if literal else re.sub(r"(?<=\w)_(?!\w)|[|*]", r"\\\g<0>", line))
    return converted


def notebook(text: str) -> str:
    """Return a tutorial as a Jupyter notebook: its Python as cells of code, everything else as cells of text."""
    cells = []
    for i, part in enumerate(re.split(r"^```python\n(.*?)^```\n", text, flags=re.MULTILINE | re.DOTALL)):
        source = part.strip().splitlines(keepends=True)
        if source and i % 2:
            cells.append(
                {"cell_type": "code", "metadata": {}, "source": source, "outputs": [], "execution_count": None}
            )
        elif source:
            cells.append({"cell_type": "markdown", "metadata": {}, "source": source})
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    content = {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def options_as_code(text: str) -> str:
    """Return the text with every --option as code, because Sphinx turns two hyphens in words into a dash."""
    return re.sub(r"`[^`]*`|--[a-z][a-z-]*", lambda found: found[0] if found[0][0] == "`" else f"`{found[0]}`", text)


def command_reference() -> str:
    """Return the help of every command of `deltarule`, with all of its options."""
    import typer

    from deltarule.cli.app import app

    text = ""
    for name, command in typer.main.get_command(app).commands.items():
        text += f"\n## deltarule {name}\n\n{options_as_code(command.help)}\n\n| | |\n| --- | --- |\n"
        for parameter in command.params:
            words = parameter.help or ""
            default = f" Default: {parameter.show_default}." if isinstance(parameter.show_default, str) else ""
            option = parameter.opts[0] if parameter.param_type_name == "option" else ""
            usage = " ".join(part for part in (option, parameter.metavar or "") if part)
            cells = (cell.replace("|", "\\|") for cell in (f"`{usage}`", options_as_code(words + default)))
            text += f"| {' | '.join(cells)} |\n"
    return text


def setup(app) -> None:
    """Register what happens to pages and docstrings when they are read."""

    def read(app, name: str, source: list[str]) -> None:
        page = Path(app.env.doc2path(name))
        origin = ROOT / COPIES[name] if name in COPIES else page
        source[0] += command_reference() if name == "reference/command-line" else ""
        source[0] = rebase_links(origin.read_text(encoding="utf-8") if name in COPIES else source[0], origin, page)

    def convert(app, what, name, thing, options, lines: list[str]) -> None:
        lines[:] = as_restructured_text(lines)

    def skip_member(app, what, name: str, thing, skip: bool, options) -> bool:
        return skip or (getattr(thing, "__module__", None) or "").startswith("sklearn") or name == "__init__"

    def prepare(app) -> None:
        folder = DOCS / "_static" / "notebooks"
        folder.mkdir(parents=True, exist_ok=True)
        for page in sorted((DOCS / "tutorials").glob("*.md")):
            if page.stem != "index":
                (folder / f"{page.stem}.ipynb").write_text(notebook(page.read_text(encoding="utf-8")), encoding="utf-8")
        versions = [{"name": version, "version": version, "url": "../index.html"}]
        (DOCS / "_static" / "versions.json").write_text(json.dumps(versions) + "\n", encoding="utf-8")

    app.connect("autodoc-skip-member", skip_member)
    app.connect("autodoc-process-docstring", convert, priority=100)  # before napoleon
    app.connect("builder-inited", prepare)
    app.connect("source-read", read)
