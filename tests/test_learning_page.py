"""docs/learning.md names options, commands, experiments and functions that exist."""

import re
from importlib import import_module
from pathlib import Path

import pytest
import typer

import deltarule as dr
from deltarule.cli.app import app
from deltarule.experiments import EXPERIMENTS
from deltarule.inspection import plots

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "learning.md").read_text()
COMMANDS = typer.main.get_command(app).commands  # pyright: ignore[reportAttributeAccessIssue]


def test_every_option_belongs_to_deltarule_train():
    known = {option for parameter in COMMANDS["train"].params for option in parameter.opts}
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z0-9-]+", PAGE))
    assert len(named) > 15
    assert named <= known


def test_every_command_exists():
    assert set(re.findall(r"`deltarule ([a-z]+)", PAGE)) <= set(COMMANDS)


def test_every_experiment_exists_and_all_are_named():
    last = " ".join(line.rsplit("|", 2)[1] for line in PAGE.splitlines() if line.startswith("| "))
    assert set(re.findall(r"`([a-z0-9-]+)`", last)) == set(EXPERIMENTS)


def test_every_public_name_exists():
    names = set(re.findall(r"\bdr\.(\w+)", PAGE))
    assert len(names) > 12
    assert all(hasattr(dr, name) for name in names)
    assert all(hasattr(plots, name) for name in re.findall(r"`plots\.(\w+)", PAGE))


@pytest.mark.parametrize("module", sorted(set(re.findall(r"\bdeltarule\.(data\.expansion|inspection\.plots)\b", PAGE))))
def test_every_module_exists(module):
    import_module(f"deltarule.{module}")


def test_the_readme_leads_here():
    assert "](docs/learning.md)" in (ROOT / "README.md").read_text()
