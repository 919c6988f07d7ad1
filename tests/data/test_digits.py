"""The digits of scikit-learn: real images, a fair split, and the held-out rows found again."""

import numpy as np
import pytest

from deltarule.data import Pixels, Schema, digits, load, load_raw
from deltarule.errors import DataError


def test_the_parts():
    digits = load("digits", seed=1)
    sizes = [len(part) for part in (digits.train, digits.validation, digits.test)]
    assert sum(sizes) == 1797
    assert sizes[1] == sizes[2] == pytest.approx(0.15 * 1797, abs=5)
    assert digits.task == "classification"
    assert digits.train.X.shape[1:] == (64,)
    assert digits.train.Y.shape[1:] == (10,)
    assert digits.train.X.min() == 0
    assert digits.train.X.max() == 1
    assert np.array_equal(digits.train.Y.sum(axis=1), np.ones(sizes[0]))
    for part in (digits.validation, digits.test):
        assert part.Y.mean(axis=0) == pytest.approx(digits.train.Y.mean(axis=0), abs=0.01)


def test_raw_rows_know_which_were_held_out():
    digits = load("digits", seed=3)
    raw = load_raw("digits", digits.schema, seed=3)
    assert raw.test_rows is not None
    assert raw.Y is not None
    assert set(raw.test_rows) == set(digits.test.rows)
    assert np.array_equal(raw.X[digits.test.rows], digits.test.X)
    assert np.array_equal(raw.Y[digits.test.rows], digits.test.Y)
    assert np.array_equal(digits.schema.decode(raw.Y), raw.targets)


def test_a_model_of_other_images_is_refused():
    schema = Schema("mnist", "classification", (Pixels(784, 255.0, (28, 28)),), (), tuple(range(10)), ("digit",))
    with pytest.raises(DataError, match="784 pixels"):
        load_raw("digits", schema)


def test_they_are_those_of_scikit_learn_whichever_way_they_are_read(monkeypatch):
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    read = digits.read_digits()
    assert np.array_equal(read[0], images)
    assert np.array_equal(read[1], labels)
    monkeypatch.setattr(digits, "_table", lambda: None)
    again = digits.read_digits()
    assert np.array_equal(again[0], images)
    assert np.array_equal(again[1], labels)
    assert [part.dtype for part in read] == [part.dtype for part in again] == [np.float64, np.int64]
