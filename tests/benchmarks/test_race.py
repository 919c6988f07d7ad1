"""Races: every contestant once for each seed, in a process of its own, and what goes wrong there is written down."""

import json

from benchmarks.race import race

MODULE = """
import sys
from benchmarks.race import lap
name, seed = sys.argv[sys.argv.index("--only") + 1], int(sys.argv[-1])
lap(name, lambda: {"rms": seed / (name != "breaks")})
"""


def test_a_race(tmp_path, monkeypatch):
    (tmp_path / "contest.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=":")
    race(["contest"], ["runs", "breaks"], 2, tmp_path / "found.json")
    found = json.loads((tmp_path / "found.json").read_text())
    assert [one["rms"] for one in found["runs"]] == [0, 1]
    assert all({"seconds", "processor_seconds"} < set(one) for one in found["runs"])
    assert [one["error"] for one in found["breaks"]] == ["ZeroDivisionError: division by zero"] * 2
