import json
import math

import numpy as np
import pytest

from deltarule.cli.screen import command, emit_json, finite, number, share


def test_json_is_one_line_of_finite_numbers(capsys):
    emit_json({"a": np.float32(0.5), "b": math.nan, "c": [np.inf, 1], "d": np.arange(3), "e": {"é": None}})
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    assert json.loads(out, parse_constant=pytest.fail) == {
        "a": 0.5, "b": None, "c": [None, 1], "d": [0, 1, 2], "e": {"é": None},
    }  # fmt: skip


def test_finite_keeps_what_json_knows():
    assert finite(("text", True, 3, None)) == ["text", True, 3, None]


def test_a_command_can_be_pasted():
    assert command("predict", "my model.safetensors", "digits") == "deltarule predict 'my model.safetensors' digits"


def test_numbers_for_people():
    assert number(-0.0) == "0"
    assert number(None) == "-"
    assert number(0.000123456) == "0.0001235"
    assert share(None) == "-"
    assert share(1.0) == "100.00 %"
