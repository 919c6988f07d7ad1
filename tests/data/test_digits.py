"""The digits of scikit-learn: real images, a fair split, and the held-out rows found again."""

import numpy as np
import pytest

from deltarule.data import Pixels, Schema, load, load_raw
from deltarule.data import digits as module
from deltarule.data.digits import digits
from deltarule.errors import DataError


def test_the_parts():
    data = load("digits", seed=1)
    sizes = [len(part) for part in (data.train, data.validation, data.test)]
    assert sum(sizes) == 1797
    assert sizes[1] == sizes[2] == pytest.approx(0.15 * 1797, abs=5)
    assert data.task == "classification"
    assert data.train.X.shape[1:] == (64,)
    assert data.train.Y.shape[1:] == (10,)
    assert data.train.X.min() == 0
    assert data.train.X.max() == 1
    assert np.array_equal(data.train.Y.sum(axis=1), np.ones(sizes[0]))
    for part in (data.validation, data.test):
        assert part.Y.mean(axis=0) == pytest.approx(data.train.Y.mean(axis=0), abs=0.01)


def test_raw_rows_know_which_were_held_out():
    data = load("digits", seed=3)
    raw = load_raw("digits", data.schema, seed=3)
    assert raw.test_rows is not None
    assert raw.Y is not None
    assert set(raw.test_rows) == set(data.test.rows)
    assert np.array_equal(raw.X[data.test.rows], data.test.X)
    assert np.array_equal(raw.Y[data.test.rows], data.test.Y)
    assert np.array_equal(data.schema.decode(raw.Y), raw.targets)


def test_a_model_of_other_images_is_refused():
    schema = Schema("mnist", "classification", (Pixels(784, 255.0, (28, 28)),), (), tuple(range(10)), ("digit",))
    with pytest.raises(DataError, match="784 pixels"):
        load_raw("digits", schema)


def test_they_are_those_of_scikit_learn_whichever_way_they_are_read(monkeypatch):
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    for table in (module._table, lambda: None):
        monkeypatch.setattr(module, "_table", table)
        read = digits()
        assert np.array_equal(read.images, images)
        assert np.array_equal(read.labels, labels)
        assert (read.images.dtype, read.labels.dtype) == (np.float64, np.int64)
