"""Every command that the command line suggests runs."""

import shlex

import pytest

ROWS = "".join(f"{i % 7}.5,{'red' if i % 3 else 'blue'},{i % 5},{i % 7 + i % 5}.25\n" for i in range(40))
HOLES = ",red,3,1.5\n" + ROWS + "1.5,green,2,\n"  # the first row lacks an input, the last a target, with a new colour


def suggestions(outcome):
    return [line for line in (outcome.out + outcome.err).splitlines() if line.startswith("deltarule ")]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (ROWS, ()),
        (HOLES, ("--drop-missing",)),
        (HOLES, ("--missing", "drop")),
        (HOLES, ("--missing", "impute", "--drop-missing")),
        (HOLES.replace(",", ":"), ("--drop-missing", "--sep", ":")),
        (ROWS.replace("0.5,", "-9,"), ("--drop-missing", "--na", "-9")),
    ],
)
def test_what_train_and_then_predict_suggest(run, tmp_path, monkeypatch, text, words):
    if words:  # the pages are drawn once, without options; with them it is enough that their rows are read
        monkeypatch.setattr("deltarule.models.card.render_report", lambda *_: "a page")
    sep = ":" if ":" in text else ","
    (tmp_path / "my table.csv").write_text("a,colour,b,y\n".replace(",", sep) + text)
    outcome = run("train", "my table.csv", "--target", "y", "--hidden", 2, "--epochs", 3, *words)
    assert outcome.code == 0, outcome.err
    found = suggestions(outcome)
    assert len(found) == 2
    while found:
        line = found.pop()
        outcome = run(*shlex.split(line)[1:])
        assert outcome.code == 0, (line, outcome.err)
        found += suggestions(outcome)


def test_what_is_suggested_where_targets_are_missing(run, tmp_path):
    """The first row lacks one of the two targets: it cannot be traced."""
    (tmp_path / "t.csv").write_text("a,colour,b,y\n2.5,red,,1.5\n" + ROWS)
    outcome = run("train", "t.csv", "--target", "y", "--target", "b", "--hidden", 2, "--epochs", 3)
    for line in suggestions(outcome):
        assert run(*shlex.split(line)[1:]).code == 0, line


def test_what_search_suggests(run, tmp_path):
    (tmp_path / "t.csv").write_text("a,colour,b,y\n" + HOLES)
    words = ("--target", "y", "--drop-missing", "--na", "?", "--drop", "b", "--category", "a")
    outcome = run("search", "t.csv", *words, "--vary", "eta=0.01,0.1", "--hidden", 2, "--epochs", 3)
    assert outcome.code == 0, outcome.err
    (line,) = suggestions(outcome)
    assert run(*shlex.split(line)[1:]).code == 0


def test_the_command_on_the_card_of_a_report(run, tmp_path):
    from deltarule.cli.model import read_model
    from deltarule.cli.report import _origin

    (tmp_path / "t.csv").write_text('a,colour,b,"y, m"\n' + HOLES)
    words = ("--target", "y, m", "--target", "b", "--drop-missing", "--drop", "colour", "--epochs", 2, "--hidden", 2)
    assert run("train", "t.csv", *words).code == 0
    line = _origin(read_model(tmp_path / "t.safetensors").training, None)["Command"]
    assert line.count("--target") == 2
    assert run(*shlex.split(line)[1:]).code == 0


def test_predict_suggests_itself_with_the_options_it_was_given(run, tmp_path):
    (tmp_path / "t.csv").write_text("a,colour,b,y\n" + ROWS)
    assert run("train", "t.csv", "--target", "y", "--hidden", 2, "--epochs", 3).code == 0
    (tmp_path / "new.csv").write_text(("a,colour,b\n" + "?,red,1\n" + "1.5,blue,2\n" * 20).replace(",", "|"))
    outcome = run("predict", "t.safetensors", "new.csv", "--na", "?", "--drop-missing", "--sep", "|", "--interval", 0.9)
    (line,) = suggestions(outcome)
    assert "'?'" in line
    assert run(*shlex.split(line)[1:]).code == 0
    assert len((tmp_path / "predictions.csv").read_text().splitlines()) == 21
