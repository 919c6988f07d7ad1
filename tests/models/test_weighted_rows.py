import numpy as np
import pytest

from deltarule.models.weighted_rows import MIN_ROWS, hold_out, merge_duplicates


@pytest.fixture
def table():
    random = np.random.default_rng(0)
    return random.normal(size=(40, 3)), random.normal(size=(40, 1))


def test_equal_rows_are_merged_and_their_weights_added():
    X = np.array([[1.0, 2.0], [3.0, 4.0], [1.0, 2.0], [1.0, 2.0]])
    Y = np.array([[0.0], [0.0], [0.0], [5.0]])
    rows = merge_duplicates(X, Y, np.array([1.0, 1.0, 2.5, 1.0]))
    found = {(*x, *y): w for x, y, w in zip(rows.X.tolist(), rows.Y.tolist(), rows.weight.tolist(), strict=True)}
    assert found == {(1.0, 2.0, 0.0): 3.5, (3.0, 4.0, 0.0): 1.0, (1.0, 2.0, 5.0): 1.0}


def test_zero_and_minus_zero_are_the_same_value():
    rows = merge_duplicates(np.array([[0.0], [-0.0]]), np.zeros((2, 1)), None)
    assert rows.weight.tolist() == [2.0]


def test_a_whole_weight_equals_copies_in_any_order(table):
    X, Y = table
    weight = np.random.default_rng(1).integers(0, 4, len(X))
    order = np.random.default_rng(2).permutation(int(weight.sum()))
    weighted = merge_duplicates(X, Y, weight.astype(float))
    repeated = merge_duplicates(np.repeat(X, weight, axis=0)[order], np.repeat(Y, weight, axis=0)[order], None)
    for one, other in zip(weighted, repeated, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_row_of_weight_zero_is_dropped(table):
    X, Y = table
    weight = np.ones(len(X))
    weight[3] = 0
    rows = merge_duplicates(X, Y, weight)
    assert len(rows.X) == len(X) - 1
    assert not (X[3] == rows.X).all(axis=1).any()


def test_weights_of_one_are_omitted(table):
    X, Y = table
    assert merge_duplicates(X, Y, None).as_examples().weights is None
    assert merge_duplicates(X, Y, np.full(len(X), 2.0)).as_examples().weights is not None


def test_the_share_held_out_is_close_and_every_row_is_on_one_side():
    X = np.random.default_rng(0).normal(size=(1000, 2))
    rows = merge_duplicates(X, X[:, :1], None)
    training, validation = hold_out(rows, 0.15, seed=3)
    assert validation is not None
    assert len(validation.X) == 150
    assert sorted([*training.code.tolist(), *validation.code.tolist()]) == sorted(rows.code.tolist())


def test_another_seed_holds_out_other_rows_and_the_same_seed_the_same():
    X = np.random.default_rng(0).normal(size=(200, 2))
    rows = merge_duplicates(X, X[:, :1], None)
    held = [set(hold_out(rows, 0.15, seed)[1].code.tolist()) for seed in (0, 0, 1)]
    assert held[0] == held[1]
    assert held[0] != held[2]


def test_each_class_is_split_and_a_class_of_one_row_trains():
    X = np.random.default_rng(0).normal(size=(61, 2))
    classes = np.array([0] * 40 + [1] * 20 + [2])
    rows = merge_duplicates(X, classes[:, None].astype(float), None)
    training, validation = hold_out(rows, 0.15, 0, rows.Y[:, 0].astype(int))
    assert np.bincount(validation.Y[:, 0].astype(int), minlength=3).tolist() == [6, 3, 0]
    assert np.bincount(training.Y[:, 0].astype(int)).tolist() == [34, 17, 1]


def test_too_few_rows_all_train():
    X = np.arange(MIN_ROWS - 1.0)[:, None]
    training, validation = hold_out(merge_duplicates(X, X, None), 0.15, 0)
    assert validation is None
    assert len(training.X) == MIN_ROWS - 1


def repeated(N, seed):
    """Three columns of zeros and ones, and a label, drawn from a distribution of its own for each of the eight."""
    random = np.random.default_rng(seed)
    pattern = random.integers(0, 8, N)
    X = (pattern[:, None] >> np.arange(3) & 1).astype(float)
    y = (random.uniform(size=N) < np.linspace(0.1, 0.9, 8)[pattern]).astype(float)[:, None]
    return X, y


@pytest.mark.parametrize("weight", [1.0, 1 / 5000])
def test_repeated_inputs_are_split_by_copies(weight):
    X, y = repeated(5000, 0)
    rows = merge_duplicates(X, y, np.full(5000, weight))
    training, validation = hold_out(rows, 0.15, 0, rows.Y[:, 0].astype(int))
    assert validation.weight.sum() == pytest.approx(0.15 * rows.weight.sum(), rel=0.01)
    assert training.weight.sum() + validation.weight.sum() == pytest.approx(rows.weight.sum())
    whole = dict(zip(rows.code.tolist(), rows.weight.tolist(), strict=True))
    for code, held in zip(validation.code.tolist(), validation.weight.tolist(), strict=True):
        assert held == pytest.approx(0.15 * whole[code], abs=1.01 * weight)
        assert held / weight == pytest.approx(round(held / weight))  # whole copies


def test_the_split_treats_weights_like_copies():
    X, y = repeated(300, 1)
    rows = merge_duplicates(X, y, None)
    again = merge_duplicates(rows.X, rows.Y, rows.weight)
    for one, other in zip(hold_out(rows, 0.2, 5), hold_out(again, 0.2, 5), strict=True):
        for a, b in zip(one, other, strict=True):
            np.testing.assert_array_equal(a, b)


def test_copies_of_a_row_stay_together_unless_its_inputs_have_another_target():
    X = np.arange(100.0)[:, None]
    X, y = np.repeat(X, 4, axis=0), np.repeat(X, 4, axis=0)
    _, validation = hold_out(merge_duplicates(X, y, None), 0.15, 0)
    assert set(validation.weight.tolist()) == {4.0}
    y[::4] += 0.5  # one copy of four was measured otherwise
    training, validation = hold_out(merge_duplicates(X, y, None), 0.15, 0)
    assert validation.weight.sum() == 60
    assert set(validation.X[:, 0]) & set(training.X[:, 0])
