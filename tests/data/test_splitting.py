"""The split: disjoint, complete, 70/15/15, and fair to every class that is large enough."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deltarule.data import split
from deltarule.data.splitting import split_in_order
from deltarule.errors import ConfigurationError, DataError


@given(count=st.integers(3, 300), seed=st.integers(0, 2**32))
def test_parts_are_a_partition_and_never_empty(count, seed):
    parts = split(count, seed)
    assert np.array_equal(np.sort(np.concatenate(parts)), np.arange(count))
    assert min(map(len, parts)) >= 1
    assert len(parts[1]) == len(parts[2]) == max(1, round(0.15 * count))


@given(labels=st.lists(st.integers(0, 4), min_size=3, max_size=80), seed=st.integers(0, 99))
def test_a_stratified_split_is_a_partition_with_each_large_class_in_each_part(labels, seed):
    parts = split(len(labels), seed, labels)
    assert np.array_equal(np.sort(np.concatenate(parts)), np.arange(len(labels)))
    assert min(map(len, parts)) >= 1
    for label in set(labels):
        if labels.count(label) >= 3:
            assert all(label in np.array(labels)[part] for part in parts)


def test_a_stratified_split_keeps_the_proportions():
    labels = np.repeat(["rare", "common"], [20, 180])
    train, validation, test = split(200, 0, labels)
    # 15% of 20 is 3, of 180 is 27
    assert [np.sum(labels[part] == "rare") for part in (train, validation, test)] == [14, 3, 3]
    assert [len(part) for part in (train, validation, test)] == [140, 30, 30]


def test_a_class_of_two_rows_trains():
    labels = ["a"] * 10 + ["b"] * 2
    train, _, _ = split(12, 0, labels)
    assert {10, 11} <= set(train)


def test_classes_that_are_all_small_are_split_plainly():
    assert [len(part) for part in split(4, 0, ["a", "b", "c", "d"])] == [2, 1, 1]


def test_the_seed_decides():
    assert np.array_equal(split(50, 3)[0], split(50, 3)[0])
    assert not np.array_equal(split(50, 3)[0], split(50, 4)[0])


def test_two_rows_are_too_few():
    with pytest.raises(DataError, match=r"2 rows.*at least 3"):
        split(2)


def test_labels_must_match_the_rows():
    with pytest.raises(DataError, match="2 labels for 5 rows"):
        split(5, 0, ["a", "b"])


@pytest.mark.parametrize("seed", [-1, 1.5, True, "0"])
def test_the_seed_is_a_whole_number(seed):
    with pytest.raises(ConfigurationError, match="seed must be"):
        split(10, seed)


@given(count=st.integers(3, 300))
def test_a_split_in_order(count):
    train, validation, test = split_in_order(count)
    assert np.array_equal(np.concatenate([train, validation, test]), np.arange(count))
    assert [len(part) for part in (train, validation, test)] == [len(part) for part in split(count)]


def test_a_split_in_order_of_too_few_rows():
    with pytest.raises(DataError, match="there are 2 rows"):
        split_in_order(2)
