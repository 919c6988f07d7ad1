"""The files, modules and names of modules that the documentation names exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "deltarule"
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
FOLDERS = "|".join(sorted(folder.name for folder in SOURCE.iterdir() if folder.is_dir()))
FILE = re.compile(r"`((?:tests|src/deltarule|benchmarks|examples)/[a-z0-9_/.-]+\.py)`")
INSIDE = re.compile(rf"`((?:{FOLDERS}|layers)/[a-z0-9_/*]+)(?:\.py)?`")
MODULE = re.compile(rf"`(?:deltarule\.)?((?:{FOLDERS})(?:\.\w\w+)+)`")


def is_file(name: str) -> bool:
    """Whether a path without suffix is a module or a folder of the package, or of its network."""
    return any(list(base.glob(name)) or list(base.glob(f"{name}.py")) for base in (SOURCE, SOURCE / "network"))


def is_module(name: str) -> bool:
    """Whether a dotted path leads to a module, and the module has the names that follow it."""
    folder, parts = SOURCE, name.split(".")
    while parts and (folder / parts[0]).is_dir():
        folder = folder / parts.pop(0)
    file = folder / f"{parts[0]}.py" if parts else folder / "__init__.py"
    if file.is_file():
        parts = parts[1:]
    else:
        file = folder / "__init__.py"
    return all(re.search(rf"\b{part}\b", file.read_text(encoding="utf-8")) for part in parts)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_everything_that_a_page_names_exists(page):
    text = page.read_text(encoding="utf-8")
    missing = [name for name in FILE.findall(text) if not (ROOT / name).exists()]
    missing += [name for name in INSIDE.findall(text) if not is_file(name)]
    missing += [name for name in MODULE.findall(text) if not is_module(name)]
    assert missing == []


@pytest.mark.parametrize("name", ["trainers.base.damped_step", "models.trainers.TRAINERS", "data.load", "engine"])
def test_a_name_is_found(name):
    assert is_module(name)


@pytest.mark.parametrize("name", ["trainers.base.dampened_step", "models.nothing.TRAINERS", "data.lode"])
def test_a_missing_name_is_noticed(name):
    assert not is_module(name)


def test_a_missing_file_is_noticed():
    assert all(is_file(name) for name in ("layers/dense", "engine/jax_*", "training/checkpoints"))
    assert not is_file("layers/denser")
