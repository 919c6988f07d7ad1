"""The memory of the machine or its container, and the error if more is needed."""

import pytest

from deltarule.engine import machine
from deltarule.errors import TooLargeError


@pytest.fixture
def asked_again():
    """Clear the cached size of the memory."""
    yield machine.total_memory.cache_clear
    machine.total_memory.cache_clear()


def test_there_is_memory_and_some_of_it_is_free():
    assert 2**28 < machine.free_memory() < 2**50
    assert 2**28 < machine.total_memory() < 2**50


def test_the_limit_of_a_container_counts(tmp_path, monkeypatch, asked_again):
    (tmp_path / "max").write_text("1000000000\n")
    (tmp_path / "current").write_text("400000000\n")
    monkeypatch.setattr(machine, "LIMIT_FILES", (str(tmp_path / "missing"), str(tmp_path / "max")))
    monkeypatch.setattr(machine, "USAGE_FILES", (str(tmp_path / "current"),))
    asked_again()
    assert machine.total_memory() == 1e9
    assert machine.free_memory() == 6e8
    (tmp_path / "max").write_text("max\n")
    assert machine.total_memory() == 1e9  # a container's limit does not change while it runs
    asked_again()
    assert machine.total_memory() > 1e9


def test_what_does_not_fit_is_refused_with_both_numbers():
    machine.require_free_memory("two arrays", 100.0, "take one", free=100.0)
    with pytest.raises(TooLargeError, match=r"two arrays .*3 GiB .*2 MiB"):
        machine.require_free_memory("two arrays", 3 * 2**30, "take one", free=2 * 2**20)


@pytest.mark.parametrize(("size", "words"), [(0, "0 bytes"), (1536, "1.5 KiB"), (2**52, "4 PiB")])
def test_units(size, words):
    assert machine.format_bytes(size) == words
