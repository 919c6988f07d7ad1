"""What a package says of itself agrees everywhere."""

import re
import tomllib
from importlib.util import find_spec
from pathlib import Path

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


def test_the_types_go_with_the_package():
    spec = find_spec("deltarule")
    assert spec is not None
    assert spec.origin is not None
    assert (Path(spec.origin).parent / "py.typed").exists()
    assert "Typing :: Typed" in PROJECT["classifiers"]
