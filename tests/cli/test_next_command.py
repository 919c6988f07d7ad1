"""Every command ends with a command to run next, which runs."""

import shlex

import pytest


@pytest.mark.parametrize(
    "words",
    [
        ("predict", "MODEL", "TABLE"),
        ("predict", "MODEL", "TABLE", "--out", "p.csv"),
        ("report", "MODEL", "TABLE"),
        ("evaluate", "MODEL", "TABLE", "--decimal", "."),
        ("trace", "MODEL", "TABLE", "--row", "0"),
        ("check", "MODEL", "TABLE"),
        ("plan", "TABLE", "--target", "price", "--epochs", "2", "--trainer", "adam"),
        ("train", "TABLE", "--target", "price", "--epochs", "2", "--trainer", "adam"),
    ],
    ids=" ".join,
)
def test_the_last_line_is_a_command_that_runs(words, run, shelf, houses, tmp_path):
    places = {"MODEL": houses, "TABLE": shelf / "houses.csv"}
    done = run(*(places.get(word, word) for word in words))
    assert done.code == 0
    last = shlex.split(done.out.strip().splitlines()[-1])
    assert last[0] == "deltarule"
    assert run(*last[1:]).code == 0
