import sys

import pytest
import typer

from deltarule.cli.failures import flush_output, report_errors, with_flags
from deltarule.errors import DataError


@pytest.mark.parametrize(
    ("failure", "code", "expected"),
    [
        (DataError("row 3 is\n  empty: fill it"), 2, "Error: row 3 is empty: fill it\n"),
        (ModuleNotFoundError("No module named 'pandas'", name="pandas"), 2, "pip install 'deltarule[cli]'"),
        (PermissionError(13, "Permission denied", "/x/m.csv"), 2, "/x/m.csv: Permission denied"),
        (MemoryError(), 2, "not enough memory"),
        (RuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 8 bytes."), 2, "not enough memory"),
        (ValueError("RESOURCE_EXHAUSTED: Out of memory allocating 8 bytes."), 2, "not enough memory"),
        (typer.BadParameter("'x' is not a number"), 2, "'x' is not a number"),
        (KeyboardInterrupt(), 130, "Interrupted."),
    ],
)
def test_a_failure_becomes_a_sentence_and_a_code(capsys, failure, code, expected):
    with pytest.raises(typer.Exit) as leaving, report_errors():
        raise failure
    assert leaving.value.exit_code == code
    assert expected in capsys.readouterr().err


@pytest.mark.parametrize(
    "mistake", [ZeroDivisionError("ours"), ValueError("ours"), ModuleNotFoundError("ours", name="deltarule.missing")]
)
def test_a_bug_is_not_hidden(mistake):
    with pytest.raises(type(mistake), match="ours"), report_errors():
        raise mistake


def test_arguments_become_options():
    assert with_flags("task is 'x': give one") == "--task is 'x': give one"
    assert with_flags("to fit them as numbers use task regression") == "to fit them as numbers use --task regression"
    assert with_flags("leave them out with drop_missing=True (--drop-missing)") == "leave them out with --drop-missing"
    assert with_flags("the target is near") == "the target is near"


def test_a_pipe_whose_reader_went_away_ends_quietly(monkeypatch, capfd):
    class Closed:
        def flush(self):
            raise BrokenPipeError

        def fileno(self):
            return 1

    monkeypatch.setattr(sys, "stdout", Closed())
    monkeypatch.setattr("os.dup2", lambda *_: None)
    assert flush_output(0) == 1
    assert capfd.readouterr().err == ""
