"""Results: ratios, goals, and JSON that comes back as it was."""

import json
import math

from benchmarks.record import Case, Entry, Goal, Result, read, write

CASE = Case(
    "m = 10",
    "µs",
    "peer",
    [Entry("deltarule", [2.0, 4.0, 3.0]), Entry("peer", [6.0]), Entry("gone", absent="not installed: it")],
)


def test_ratios_are_of_medians():
    assert CASE.ratio("deltarule") == 0.5
    assert CASE.ratio("peer", "deltarule") == 2.0
    assert math.isnan(CASE.ratio("gone"))
    assert math.isnan(CASE.ratio("nobody"))


def test_goals():
    assert Goal("", 2.0, 1.9).met is True
    assert Goal("", 2.0, 2.1).met is False
    assert Goal("", 0.85, 0.9, least=True).met is True
    assert Goal("", 2.0, None).met is None
    assert Goal("", 2.0, math.nan).met is None


def test_json_and_back(tmp_path):
    result = Result(
        "one", "One", "Text.", [CASE], [Goal("g", 1.0, math.nan)], ["note"], {"threads": 2}, "2026-01-01", 3.0, 9
    )
    path = tmp_path / "deep" / "one.json"
    write(result, path)
    again = read(path)
    assert again.cases == [CASE]
    assert again.goals[0].found is None
    assert (again.name, again.machine, again.repeats) == ("one", {"threads": 2}, 9)
    assert "NaN" not in path.read_text()
    assert json.loads(path.read_text())["cases"][0]["entries"][0]["laps"] == [2.0, 4.0, 3.0]
    assert [file.name for file in path.parent.iterdir()] == ["one.json"]
