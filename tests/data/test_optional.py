"""A package that is not installed is a sentence, not a traceback; importing the data package needs none."""

import ast
from pathlib import Path

import pytest

import deltarule.data
from deltarule.data.optional import require
from deltarule.errors import ConfigurationError


def test_an_absent_package_says_how_to_install_it():
    with pytest.raises(ConfigurationError, match=r"digits needs .*'absent_package'.*deltarule\[cli\]"):
        require("absent_package.module", "the source digits")


def test_a_present_module_is_returned():
    assert require("json", "a test").loads("1") == 1


def test_no_file_imports_an_optional_package():
    optional = {"pandas", "sklearn", "pooch", "platformdirs", "pyarrow", "jax", "requests"}
    for path in Path(deltarule.data.__path__[0]).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not {name.partition(".")[0] for name in names} & optional, path.name
