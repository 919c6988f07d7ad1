"""What a package says of itself agrees everywhere."""

import re
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest

import deltarule as dr

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
RECIPE = (ROOT / "packaging" / "conda-forge" / "meta.yaml").read_text()


def test_one_version():
    cited = re.search(r"^version: (.+)$", (ROOT / "CITATION.cff").read_text(), re.MULTILINE)
    recipe = re.search(r'set version = "(.+)"', RECIPE)
    assert cited is not None
    assert recipe is not None
    assert dr.__version__ == PROJECT["version"] == cited[1] == recipe[1]


def test_the_recipe_needs_what_the_package_needs():
    optional = PROJECT["optional-dependencies"]
    needed = [*PROJECT["dependencies"], *optional["cli"], *optional["sklearn"]]
    run = re.search(r"  run:\n(.*?)  run_constrained:", RECIPE, re.DOTALL)
    assert run is not None
    listed = re.findall(r"- ([\w-]+) (>=[\d.]+)$", run[1], re.MULTILINE)
    assert {(name, bound) for name, bound in (re.split(r"(?=>=)", one) for one in needed)} <= set(listed)


def test_the_recipe_is_read_as_conda_reads_it():
    """Jinja's braces first, then YAML."""
    jinja2, yaml = pytest.importorskip("jinja2"), pytest.importorskip("yaml")
    least = PROJECT["requires-python"].removeprefix(">=")
    text = jinja2.Environment(undefined=jinja2.StrictUndefined).from_string(RECIPE)
    recipe = yaml.safe_load(text.render(PYTHON="python", python_min=least))
    assert recipe["package"] == {"name": PROJECT["name"], "version": PROJECT["version"]}
    assert recipe["build"]["noarch"] == "python"
    assert recipe["build"]["entry_points"] == [f"{name} = {place}" for name, place in PROJECT["scripts"].items()]
    assert f"python >={least}" in recipe["requirements"]["run"]
    assert (ROOT / recipe["about"]["license_file"]).is_file()
    assert recipe["about"]["license"] == PROJECT["license"]
    assert recipe["test"]["imports"] == [PROJECT["name"]]


def test_the_types_go_with_the_package():
    spec = find_spec("deltarule")
    assert spec is not None
    assert spec.origin is not None
    assert (Path(spec.origin).parent / "py.typed").exists()
    assert "Typing :: Typed" in PROJECT["classifiers"]
