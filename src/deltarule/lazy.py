"""Packages whose names are imported where they are first used (PEP 562), so that nobody waits for the others.

The public names of such a package are those that it imports `if TYPE_CHECKING`, each written once, as `name as name`:
type checkers read them there, and so does this module.
"""

import ast
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any


def lazy_names(package: str) -> tuple[list[str], Callable[[str], Any], Callable[[], list[str]]]:
    """`__all__`, `__getattr__` and `__dir__` of a package, given its `__name__`."""
    module = sys.modules[package]
    with open(str(module.__file__), encoding="utf-8") as file:
        homes = _homes(file.read())

    def find(name: str) -> Any:
        if name in homes:
            value = getattr(import_module(homes[name]), name)
            setattr(module, name, value)
            return value
        if name.startswith("_"):
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        try:
            return import_module(f"{package}.{name}")
        except ModuleNotFoundError as error:
            if error.name != f"{package}.{name}":
                raise
            raise AttributeError(f"module {package!r} has no attribute {name!r}") from None

    return sorted(homes), find, lambda: sorted({*vars(module), *homes})


def _homes(source: str) -> dict[str, str]:
    """The module of each name that this source imports for type checkers alone."""
    blocks = [node.body for node in ast.parse(source).body if isinstance(node, ast.If)]
    imports = [node for body in blocks for node in body if isinstance(node, ast.ImportFrom)]
    return {alias.name: str(node.module) for node in imports for alias in node.names if alias.asname}
