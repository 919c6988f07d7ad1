"""The program on docs/hyper-parameters.md runs and finds something, and its commands are read."""

import re
import shlex
from pathlib import Path

import numpy as np
from typer.main import get_command

import deltarule as dr
from deltarule.cli.app import app

PAGE = (Path(__file__).parents[1] / "docs" / "hyper-parameters.md").read_text(encoding="utf-8")


def test_the_program():
    X = np.random.default_rng(0).normal(size=(100, 3))
    Y = X[:, :1] ** 2
    names = {"np": np, "dr": dr, "X": X[:70], "Y": Y[:70], "Xv": X[70:], "Yv": Y[70:]}
    exec(re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)[0], names)
    assert names["found"].best.cost < np.mean(Y[70:] ** 2) / 2


def test_the_commands():
    search = get_command(app).commands["search"]  # pyright: ignore[reportAttributeAccessIssue]
    known = {name for parameter in search.params for name in (*parameter.opts, *parameter.secondary_opts)}
    commands = [shlex.split(line, comments=True) for line in re.findall(r"^deltarule search .*$", PAGE, re.MULTILINE)]
    assert len(commands) >= 4
    assert {word for words in commands for word in words if word.startswith("--")} <= known
