"""The page: tables from quickest to slowest, the absent at the end, goals told as they are, a chart for each result."""

from benchmarks.machine import describe
from benchmarks.record import Case, Entry, Goal, Result
from benchmarks.registry import BENCHMARKS

from benchmarks import page


def result(cases):
    goals = [Goal("a / b", 2.0, 1.5), Goal("b / a", 0.5, 0.67), Goal("c", 1.0, None)]
    machine = vars(describe(1, "float32"))
    return Result("sgd-small", "Small", "Text.", cases, goals, ["A note."], dict(machine), "2026-01-01", 5.0, 3)


def case(title="m = 1"):
    entries = [
        Entry("peer", [4.0, 5.0, 4.5], extra={"ready s": 1.0}, agrees=False),
        Entry("deltarule", [2.0, 1.5, 3.0], extra={"ready s": 2.0}, agrees=True),
        Entry("gone", absent="not installed: gone"),
    ]
    return Case(title, "µs", "peer", entries, ["ready s", "never there"])


def test_a_table():
    lines = page.table(case()).splitlines()
    assert lines[0] == "| contestant | µs | least to largest | / peer | ready s |"
    assert lines[2] == "| **deltarule** | 2.00 | 1.50 – 3.00 | 0.444 | 2.00 |"
    assert lines[3].startswith("| peer ✗ | 4.50 |")
    assert lines[4] == "| gone | not installed: gone |  |  |  |"
    assert {line.count("|") for line in lines} == {6}


def test_what_the_absent_did_reach_is_told():
    some = case()
    some.entries[2].extra = {"ready s": 7}
    assert page.table(some).splitlines()[4] == "| gone | not installed: gone |  |  | 7 |"


def test_the_page_and_its_charts(tmp_path):
    page.write([result([case()]), result([case(), case("m = 2")])], tmp_path / "benchmarks.md")
    text = (tmp_path / "benchmarks.md").read_text()
    assert "| [sgd-small](#sgd-small) | a / b | ≤ 2.00 | 1.50 | met |" in text
    assert "| 0.670 | **not met** |" in text
    assert "| – | not measured |" in text
    assert "### m = 2" in text
    assert "- A note." in text
    assert (tmp_path / "benchmarks" / "sgd-small.png").stat().st_size > 5_000


def test_numbers():
    found = [page.number(value) for value in (0.0123456, 1234.5, 3.14159, 0.00001, 0, None, float("nan"), "text")]
    assert found == ["0.0123", "1,234", "3.14", "1.0e-05", "0", "–", "–", "text"]


def test_every_benchmark_can_be_found():
    from importlib import import_module

    for benchmark in BENCHMARKS.values():
        module, _, function = benchmark.place.partition(":")
        assert callable(getattr(import_module(module), function))
    assert sum(benchmark.seconds for benchmark in BENCHMARKS.values()) <= 32 * 60
