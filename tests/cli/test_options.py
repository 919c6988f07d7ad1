from dataclasses import MISSING, dataclass

import pytest
import typer
from typer.testing import CliRunner

from deltarule.cli.options import (
    PARSERS,
    check_values,
    count,
    flag,
    given_options,
    number,
    one_of,
    option,
    to_arguments,
    with_options,
    with_value,
)
from deltarule.cli.shared_options import parse_hidden, require_writable
from deltarule.errors import ConfigurationError


@dataclass(frozen=True, kw_only=True)
class Place:
    table: str = option("The table.", "TABLE", default="t.csv", positional=True)
    quick: bool = option("Go faster.", default=False)


@dataclass(frozen=True, kw_only=True)
class Journey(Place):
    """Options of a made-up command."""

    step_size: float | None = option("How far.", default_text="one", check=number(above=0), search="two")
    names: tuple[str, ...] | None = option("Who.", name="with", check=one_of(("ann", "bo")))
    turns: int = option("How often.", default=3, check=count(), search=False)


@dataclass(frozen=True, kw_only=True)
class Loud:
    loud: bool = option("Say so.", default=False)
    goal: int = option("Where to.", default=MISSING)


def commands(function):
    app = typer.Typer()
    app.command()(with_options(function))
    return app


def test_a_field_is_an_option():
    seen = []

    def go(journey: Journey, loud: Loud) -> None:
        seen.append((journey, loud))

    invoke = CliRunner().invoke
    assert invoke(commands(go), ["--goal", "1"]).exit_code == 0
    words = "other.csv --step-size 0.5 --with ann --with bo --turns 2 --quick --loud --goal 7"
    assert invoke(commands(go), words.split()).exit_code == 0
    journey = Journey(table="other.csv", step_size=0.5, names=("ann", "bo"), turns=2, quick=True)
    assert seen == [(Journey(), Loud(goal=1)), (journey, Loud(loud=True, goal=7))]
    assert [name for name, _, _ in given_options(journey)] == ["table", "step_size", "names", "turns", "quick"]
    assert [name for name, _, _ in given_options(Journey())] == ["table", "turns"]
    assert to_arguments(Journey, {"names": ("ann", "bo"), "quick": True}) == [
        "--with",
        "ann",
        "--with",
        "bo",
        "--quick",
    ]
    assert flag(Journey, "names") == "--with"
    assert with_value(journey, "names") == "--with is 'ann, bo'"
    assert with_value(journey, "step_size") == "--step-size is 0.5"
    assert with_value(journey, "quick") == "--quick is given"
    help_text = invoke(commands(go), ["--help"], env={"COLUMNS": "120"}).output
    for words in ("[TABLE]", "--step-size", "NUMBER", "How far.", "(one)", "[default: 3]"):
        assert words in help_text
    assert invoke(commands(go), ["--goal", "1", "--turns", "1.5"]).exit_code == 2
    assert invoke(commands(go), []).exit_code == 2


def test_search_leaves_options_out():
    seen = []

    def search(journey: Journey) -> None:
        seen.append(journey)

    app = commands(search)
    help_text = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "120"}).output
    assert "(two)" in help_text
    assert "--turns" not in help_text
    assert CliRunner().invoke(app, ["--quick"]).exit_code == 0
    assert seen == [Journey(quick=True)]


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [({"step_size": 0.0}, "--step-size"), ({"names": ("ann", "cy")}, "--with .* 'cy'"), ({"turns": 0}, "--turns .* 0")],
)
def test_a_value_is_held_against_its_check(wrong, expected):
    with pytest.raises(ConfigurationError, match=expected):
        check_values(Journey(**wrong))
    check_values(Journey())


def test_hidden_sizes():
    assert parse_hidden("--hidden", "30") == (30,)
    assert parse_hidden("--hidden", "30, 20") == (30, 20)
    for text in ("", "0", "-3", "1.5", "abc", "30,,20", "²"):
        with pytest.raises(ConfigurationError, match="--hidden"):
            parse_hidden("--hidden", text)


def test_numbers_as_typed():
    real, whole = (PARSERS[kind]["parser"] for kind in (float, int))
    assert real("1e-3") == 0.001
    assert whole("12") == 12
    with pytest.raises(typer.BadParameter, match="'one'"):
        real("one")
    with pytest.raises(typer.BadParameter, match=r"'1\.5'"):
        whole("1.5")


def test_a_place_to_write_is_tried_and_left_as_it_was(tmp_path):
    path = tmp_path / "m.safetensors"
    assert require_writable("--out", path) == path
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ConfigurationError, match="no folder"):
        require_writable("--out", tmp_path / "missing" / "m")
    with pytest.raises(ConfigurationError, match="is a folder"):
        require_writable("--out", tmp_path)
    with pytest.raises(ConfigurationError, match=r"--out.*read"):
        require_writable("--out", path, None, tmp_path / "other", path)
