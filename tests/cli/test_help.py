"""Help is one screen; `--help-all` has every option; what is named there exists."""

import re

import pytest
import typer

from deltarule.cli.app import app
from deltarule.cli.help import THAT_MATTER

COMMANDS = typer.main.get_command(app).commands  # pyright: ignore[reportAttributeAccessIssue]
NAME = re.compile(r"^\W+(--[a-z][a-z0-9-]*)", re.MULTILINE)


def options(command):
    return {one.opts[0] for one in COMMANDS[command].params if one.param_type_name == "option"} - {"--help"}


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_is_a_screen(run, command):
    done = run(command, "--help")
    assert done.code == 0
    assert len(done.out.splitlines()) <= 55
    shown = set(NAME.findall(done.out)) & options(command)
    if command in THAT_MATTER:
        assert len(shown) <= 10
        assert f"--help-all shows {len(options(command)) - len(shown)} more options" in done.out
    else:
        assert shown == options(command)


@pytest.mark.parametrize("command", THAT_MATTER)
def test_help_all_has_every_option(run, command):
    done = run(command, "--help-all")
    assert done.code == 0
    assert options(command) == set(NAME.findall(done.out)) & options(command)
    assert "more options" not in done.out


@pytest.mark.parametrize("command", THAT_MATTER)
def test_what_matters_exists(command):
    assert set(THAT_MATTER[command].split()) <= {one.name for one in COMMANDS[command].params}


def test_the_shell_can_complete(run):
    done = run("--help")
    assert "--install-completion" in done.out
