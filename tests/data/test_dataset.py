"""The containers: their length, their task, and that they cannot be changed by accident."""

import dataclasses

import numpy as np
import pytest

from deltarule.data import DataSet, Examples, NumericColumn, Schema

X = NumericColumn("x", 0.0, 1.0)
EXAMPLES = Examples(np.zeros((3, 1)), np.zeros((3, 1)), np.arange(3))


def test_the_length_is_the_number_of_examples():
    assert len(EXAMPLES) == 3


@pytest.mark.parametrize(
    "schema",
    [
        Schema("table", "regression", (X,), (X,), None, ("x",)),
        Schema("table", "classification", (X,), (), (0, 1), ("y",)),
    ],
)
def test_the_task_is_the_schemas(schema):
    assert DataSet("t", schema, EXAMPLES, EXAMPLES, EXAMPLES).task == schema.task


def test_the_containers_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        EXAMPLES.X = np.zeros((1, 1))  # pyright: ignore[reportAttributeAccessIssue]
