"""What one pass finds out: the scale of training rows alone, classes in all rows, and those that no row trains."""

from pathlib import Path

import numpy as np
import pytest

from deltarule.data import NumericColumn
from deltarule.data.measured import Measured
from deltarule.errors import DataError

PATH = Path("rows")
X = np.random.default_rng(0).normal(3, 2, (60, 2))
TRAINING = np.arange(60) % 3 > 0


def measured(y, task=None):
    found = Measured(("a", "b"), ("y",), task)
    for i, part in enumerate(np.split(np.arange(60), [7, 40])):
        found.add(PATH, i, X[part], y[part, None], TRAINING[part])
    return found


def test_columns_are_measured_on_the_rows_that_train():
    y = np.arange(60) / 7
    schema, notes = measured(y).schema(PATH)
    assert (schema.task, notes) == ("regression", ())
    for column, values in zip((*schema.inputs, *schema.targets), (*X.T, y), strict=True):
        whole = NumericColumn.measured(column.name, values[TRAINING])
        np.testing.assert_allclose((column.mean, column.std), (whole.mean, whole.std), rtol=1e-12)


def test_whole_numbers_are_classes_unless_there_are_too_many():
    schema, notes = measured(np.arange(60) % 20).schema(PATH)
    assert schema.classes == tuple(range(20))
    assert "read as classes" in notes[0]
    assert measured(np.arange(60) % 21).schema(PATH)[0].task == "regression"
    assert measured(np.arange(60) % 21, "classification").schema(PATH)[0].classes == tuple(range(21))
    assert measured(np.arange(60) % 20, "regression").schema(PATH)[0].task == "regression"


def test_classes_without_a_row_that_trains_are_noted():
    y = np.where(np.arange(60) < 2, [5] * 60, np.arange(60) % 2)
    assert measured(y).untrained(y[[0, 2, 3]]) == ()
    (note,) = measured(y).untrained(y[[0, 1, 2, 3]])
    assert "so few rows of the classes 5 that" in note
    assert measured(np.arange(60) / 7).untrained(np.arange(60) / 7) == ()  # numbers are no classes


@pytest.mark.parametrize(
    ("y", "task", "said"),
    [
        (np.full(60, 4), None, "holds 4 in every row"),
        (np.arange(60) / 7, "classification", "numbers that are not whole"),
        (np.where(np.arange(60) == 9, np.nan, 1.0), None, "column 'y' of rows holds nan"),
        (np.where(np.arange(60) == 9, -np.inf, 1.0), None, "column 'y' of rows holds -inf"),
    ],
)
def test_targets_that_cannot_be_used_are_refused(y, task, said):
    with pytest.raises(DataError, match=said):
        measured(y, task).schema(PATH)
