"""The split: disjoint, complete, 70/15/15, fair to every large class; of a stream a fixed share of each block."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deltarule.data import ArrayStream, NumericColumn, Schema, split, splitting
from deltarule.data.columns import standardise
from deltarule.data.splitting import TEST, TRAINING, VALIDATION, PartAssignment, TrainingStream, split_in_order
from deltarule.errors import ConfigurationError, DataError

N = 1003
X = np.arange(2.0 * N).reshape(N, 2)
Y = np.arange(N) % 3
COLUMNS = (NumericColumn("a", 10.0, 2.0), NumericColumn("b", 0.0, 1.0))
SCHEMA = Schema("table", "classification", COLUMNS, (), (0, 1, 2), ("y",))


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


def stream(rows=N, block=64):
    return ArrayStream(X[:rows], Y[:rows], block_rows=block)


@pytest.mark.parametrize(("rows", "block"), [(3, 1), (3, 64), (20, 7), (N, 64), (N, 1)])
def test_every_block_gives_its_share_to_every_part(rows, block):
    source = stream(rows, block)
    parts = PartAssignment(source, seed=1)
    found = [parts.of_block(i, each.rows) for i, each in enumerate(source.blocks)]
    counts = np.bincount(np.concatenate(found), minlength=3)
    held = max(1, round(0.15 * rows))
    assert counts.tolist() == [rows - 2 * held, held, held]
    for i, part in enumerate(found):
        assert np.count_nonzero(part) == parts.count(i)
        assert abs(np.count_nonzero(part) - 2 * held * len(part) / rows) < 1
        np.testing.assert_array_equal(part, parts.of_block(i, len(part)))  # and every pass draws the same


def test_another_seed_holds_out_other_rows():
    drawn = [PartAssignment(stream(), seed).of_block(0, 64) for seed in (1, 2)]
    assert (drawn[0] != drawn[1]).any()


def test_parts_stay_within_the_memory_limit(monkeypatch):
    monkeypatch.setattr(splitting, "MAX_PART_BYTES", 8 * 3 * 20)
    source = stream()
    parts = PartAssignment(source, seed=0)
    whole = np.concatenate([parts.of_block(i, block.rows) for i, block in enumerate(source.blocks)])
    assert [np.count_nonzero(whole == part) for part in (VALIDATION, TEST)] == [20, 20]


@pytest.mark.parametrize("room", [1, 7, 20, 75, 149, 150])
def test_fewer_rows_are_held_out_if_rows_have_more_targets(monkeypatch, room):
    monkeypatch.setattr(splitting, "MAX_PART_BYTES", 8 * (2 + 1) * 150)
    source = stream()
    parts = PartAssignment(source, seed=0)
    monkeypatch.setattr(splitting, "MAX_PART_BYTES", 8 * (2 + 10) * room)
    fewer = parts.limited_to(10)
    whole, left = (
        np.concatenate([each.of_block(i, block.rows) for i, block in enumerate(source.blocks)])
        for each in (parts, fewer)
    )
    assert [np.count_nonzero(left == part) for part in (VALIDATION, TEST)] == [room, room]
    assert (left == whole)[left != TRAINING].all()  # no row that was measured for training is held out afterwards
    assert [fewer.count(i) for i in range(len(source.blocks))] == [
        np.count_nonzero(fewer.of_block(i, block.rows)) for i, block in enumerate(source.blocks)
    ]
    np.testing.assert_array_equal(fewer.row_numbers(source, TEST), np.flatnonzero(left == TEST))


def test_a_number_too_far_from_the_mean_is_named():
    schema = Schema("table", "classification", (NumericColumn("a", 0.0, 1e-300), COLUMNS[1]), (), (0, 1), ("y",))
    with pytest.raises(DataError, match=r"'a' holds 1e\+100.* mean 0"):
        standardise(schema.inputs, np.array([[0.0, 1.0], [1e100, 1.0]]))


def test_the_training_stream_has_the_other_rows_encoded():
    source = stream()
    parts = PartAssignment(source, seed=1)
    training = TrainingStream(source, parts, SCHEMA)
    pieces = [piece for block in training.blocks for piece in training.pieces(block)]
    whole = np.concatenate([parts.of_block(i, block.rows) for i, block in enumerate(source.blocks)]) == TRAINING
    np.testing.assert_array_equal(np.concatenate([x for x, _ in pieces]), (X[whole] - [10, 0]) / [2, 1])
    np.testing.assert_array_equal(np.concatenate([y for _, y in pieces])[:, 0], Y[whole])
    assert len(training) == whole.sum()
    assert [block.rows for block in training.blocks] == [len(x) for x, _ in pieces]


def test_shards_of_processes_are_disjoint_and_complete():
    source = stream()
    training = TrainingStream(source, PartAssignment(source, seed=1), SCHEMA)
    shares = [training.shard(i, 3) for i in range(3)]
    assert sum((share.blocks for share in shares), ()) == training.blocks
    assert sum(len(share) for share in shares) == len(training)


def test_two_rows_are_too_few_of_a_stream():
    with pytest.raises(DataError, match=r"2 rows.* 3"):
        PartAssignment(stream(2), seed=0)
