"""The guard: what has grown is told apart from what is the same, and another jaxlib is not judged."""

from benchmarks.guard import compare


def told(found, standard, version="1"):
    lines: list[str] = []
    return compare(found, standard, version, lines.append), lines


def test_grown_same_better_new():
    standard = {"jaxlib": "1", "counts": {"a": 100.0, "b": 100.0, "c": 100.0}}
    good, lines = told({"a": 106.0, "b": 104.0, "c": 90.0, "d": 1.0}, standard)
    assert not good
    assert [line.split()[0] for line in lines] == ["GROWN", "same", "better", "new"]
    assert told({"b": 104.0, "c": 90.0, "d": 1.0}, standard)[0]


def test_a_count_of_nothing_may_not_grow():
    assert not told({"a": 1.0}, {"jaxlib": "1", "counts": {"a": 0.0}})[0]


def test_another_jaxlib_is_shown_not_judged():
    good, lines = told({"a": 200.0}, {"jaxlib": "2", "counts": {"a": 100.0}})
    assert good
    assert "not judged" in lines[0]
