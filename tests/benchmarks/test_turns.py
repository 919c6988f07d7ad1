"""The measuring core: turns, medians' raw material, and contestants that fail without taking the others with them."""

from pathlib import Path

import pytest
from benchmarks.turns import Contestant, Failed, Worker, take_turns

from benchmarks import turns

FOLDER = str(Path(__file__).parent)


def steady(contestant, **options):
    return Contestant(contestant, "laps:Steady", options=options, environment={"PYTHONPATH": FOLDER})


@pytest.fixture(autouse=True)
def no_pause(monkeypatch):
    monkeypatch.setattr(turns, "PAUSE", 0.0)


def test_laps_are_kept_and_each_round_begins_with_another(tmp_path):
    log = tmp_path / "log"
    who = [steady(name, seconds=[9.0, 1.0, 2.0, 3.0], name=name, log=str(log), units=2.0) for name in "ab"]
    entries = take_turns(who, repeats=3, seconds=60, per_unit=10.0)
    # The first lap warms up and is not kept; 10 / 2 times 1, 2, 3.
    assert [entry.laps for entry in entries] == [[5.0, 10.0, 15.0]] * 2
    assert [entry.median for entry in entries] == [10.0, 10.0]
    assert [entry.extra["laps"] for entry in entries] == [4, 4]
    assert log.read_text() == "ab" + "ab" + "ba" + "ab"


def test_the_absent_are_listed_with_the_reason():
    who = [
        Contestant("nobody has it", "laps:Steady", needs=("a_module_that_is_not_there",)),
        Contestant("no images", "laps:Steady", cannot="cannot: it has no convolution"),
        Contestant("not to be built", "laps:Nothing", environment={"PYTHONPATH": FOLDER}),
    ]
    absent = [entry.absent for entry in take_turns(who, repeats=1, seconds=60)]
    assert absent[0] == "not installed: a_module_that_is_not_there"
    assert absent[1] == "cannot: it has no convolution"
    assert absent[2].startswith("failed: AttributeError")


def test_one_that_fails_does_not_take_the_others_with_it():
    environment = {"PYTHONPATH": FOLDER}
    who = [Contestant(how, "laps:Faulty", options={"how": how}, environment=environment) for how in ("raises", "dies")]
    raised, died, well = take_turns([*who, steady("well", seconds=[1.0])], repeats=2, seconds=60)
    assert raised.absent.startswith("failed: ValueError: ")
    assert died.absent == "failed: ended with code 3"
    assert raised.laps == died.laps == []
    assert well.laps == [1.0, 1.0]


def test_no_answer_in_time():
    worker = Worker(Contestant("hangs", "laps:Faulty", options={"how": "hangs"}, environment={"PYTHONPATH": FOLDER}))
    worker.ask("prepare", 60)
    worker.ask("lap", 60)
    with pytest.raises(Failed, match="no answer within 0 s"):
        worker.ask("lap", 0.2)
    assert worker.process.poll() is not None
    worker.end()


def test_no_round_begins_after_the_time_but_the_least(monkeypatch):
    monkeypatch.setattr(turns, "LEAST_ROUNDS", 2)
    told: list[str] = []
    entries = take_turns([steady("slow", seconds=[1.0])], repeats=50, seconds=0.0, tell=told.append)
    assert len(entries[0].laps) == 2
    assert any("2 of 50 rounds" in line for line in told)
