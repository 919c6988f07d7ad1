import json
import math

import numpy as np
import pytest

from deltarule.cli.screen import command_line, print_json


def test_json_is_one_line_of_finite_numbers(capsys):
    print_json({"a": np.float32(0.5), "b": math.nan, "c": [np.inf, 1], "d": np.arange(3), "e": {"é": None}})
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    assert json.loads(out, parse_constant=pytest.fail) == {
        "a": 0.5, "b": None, "c": [None, 1], "d": [0, 1, 2], "e": {"é": None},
    }  # fmt: skip


def test_a_command_can_be_pasted():
    assert (
        command_line("predict", "my model.safetensors", "digits") == "deltarule predict 'my model.safetensors' digits"
    )
