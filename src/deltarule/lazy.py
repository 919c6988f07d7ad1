"""Packages whose public names are imported when they are first used (PEP 562), so that `import deltarule` is fast.

The public names of such a package are those that it imports under `if TYPE_CHECKING`, as `name as name`: type checkers
and this module both read them there.
"""

import ast
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any


def lazy_names(package: str) -> tuple[list[str], Callable[[str], Any], Callable[[], list[str]]]:
    """Return `__all__`, `__getattr__` and `__dir__` of the package of this `__name__`."""
    module = sys.modules[package]
    with open(str(module.__file__), encoding="utf-8") as file:
        modules = _modules(file.read())

    def find(name: str) -> Any:
        if name in modules:
            value = getattr(import_module(modules[name]), name)
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

    return sorted(modules), find, lambda: sorted({*vars(module), *modules})


def _modules(source: str) -> dict[str, str]:
    """The module of each name that this source imports under `if TYPE_CHECKING`."""
    blocks = [node.body for node in ast.parse(source).body if isinstance(node, ast.If)]
    imports = [node for body in blocks for node in body if isinstance(node, ast.ImportFrom)]
    return {alias.name: str(node.module) for node in imports for alias in node.names if alias.asname}
