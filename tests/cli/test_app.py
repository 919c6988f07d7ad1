"""The commands: their help, their options and bad usage."""

import inspect
import re
from importlib.metadata import version

import pytest
import typer
from typer.main import get_command

from deltarule.cli.app import BRIEF_HELP, app
from deltarule.cli.app import run as run_commands


def test_help_and_version(run):
    for word in ("train", "predict", "evaluate", "trace", "check", "export", "report"):
        assert word in run("--help").out
        assert run(word, "--help").code == 0
    assert run("--version").out.strip() == f"deltarule {version('deltarule')}"


def test_help_shows_every_text_and_default_as_written(run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "600")
    for name, command in get_command(app).commands.items():  # pyright: ignore[reportAttributeAccessIssue]
        text = run(name, "--help-all").out
        for parameter in command.params:
            assert parameter.help in text
            if isinstance(parameter.show_default, str):
                assert f"[default: ({parameter.show_default})]" in text


def test_help_breaks_no_line_within_a_sentence(run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "1000")
    for name, command in get_command(app).commands.items():  # pyright: ignore[reportAttributeAccessIssue]
        text = run(name, "--help").out
        for paragraph in inspect.getdoc(command.callback).split("\n\n"):
            assert " ".join(paragraph.split()) in text


def test_bad_usage_names_the_help(refused):
    sentence = refused("tran")
    assert all(word in sentence for word in ("'tran'", "`deltarule --help`"))
    assert "`deltarule trace --help`" in refused("trace", "m.safetensors", "t.csv")  # without --row


def test_the_exit_code_is_returned_and_the_process_stays(capsys):
    assert [run_commands(words) for words in (["--version"], ["tran"], ["train", "none.csv", "--target", "y"])] == [
        0,
        2,
        2,
    ]
    assert "Traceback" not in capsys.readouterr().err


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
    if command in BRIEF_HELP:
        assert len(shown) <= 10
        assert f"--help-all shows {len(options(command)) - len(shown)} more options" in done.out
    else:
        assert shown == options(command)


@pytest.mark.parametrize("command", BRIEF_HELP)
def test_help_all_has_every_option(run, command):
    done = run(command, "--help-all")
    assert done.code == 0
    assert options(command) == set(NAME.findall(done.out)) & options(command)
    assert "more options" not in done.out


@pytest.mark.parametrize("command", BRIEF_HELP)
def test_what_matters_exists(command):
    assert set(BRIEF_HELP[command].split()) <= {one.name for one in COMMANDS[command].params}


def test_the_shell_can_complete(run):
    done = run("--help")
    assert "--install-completion" in done.out
