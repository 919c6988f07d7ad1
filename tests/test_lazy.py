"""Public names of lazy packages, and that nothing is imported before it is used."""

import sys

import pytest

PACKAGE = """
from typing import TYPE_CHECKING

from deltarule.lazy import lazy_names

if TYPE_CHECKING:
    from made_up.far import Thing as Thing
    from made_up.far import hidden

__all__, __getattr__, __dir__ = lazy_names(__name__)
"""


@pytest.fixture
def package(tmp_path, monkeypatch):
    folder = tmp_path / "made_up"
    folder.mkdir()
    (folder / "__init__.py").write_text(PACKAGE, encoding="utf-8")
    (folder / "far.py").write_text("class Thing: ...\nhidden = 1\n", encoding="utf-8")
    (folder / "broken.py").write_text("import a_package_that_nobody_has\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    import made_up  # pyright: ignore[reportMissingImports]

    yield made_up
    for name in [name for name in sys.modules if name.partition(".")[0] == "made_up"]:
        del sys.modules[name]


def test_a_name_is_imported_when_it_is_used(package):
    assert package.__all__ == ["Thing"]
    assert "Thing" in dir(package)
    assert "made_up.far" not in sys.modules
    assert package.Thing is sys.modules["made_up.far"].Thing
    assert vars(package)["Thing"] is package.Thing  # from now on it is found at once


def test_modules_are_attributes_too(package):
    assert package.far.hidden == 1


@pytest.mark.parametrize("name", ["hidden", "nothing", "_private"])
def test_an_unknown_name_is_an_attribute_error(package, name):
    with pytest.raises(AttributeError, match=f"'made_up' .*'{name}'"):
        getattr(package, name)


def test_a_module_that_lacks_a_package_says_which(package):
    with pytest.raises(ModuleNotFoundError, match="a_package_that_nobody_has"):
        package.broken  # noqa: B018
