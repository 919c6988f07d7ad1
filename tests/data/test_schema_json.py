"""A schema read from JSON that is damaged, foreign or hostile is refused in one sentence."""

import copy
import math

import pytest

from deltarule.data import CategoricalColumn, NumericColumn, Pixels, Schema
from deltarule.errors import DataError

NUMBER = NumericColumn("a", 2.0, 0.5)
PIXELS = Pixels(4, 16.0, (2, 2)).to_json()
REGRESSION = Schema("table", "regression", (NUMBER, CategoricalColumn("c", ("x", "y"))), (NUMBER,), None, ("a",))
CLASSES = Schema("table", "classification", (NUMBER,), (), ("no", "yes"), ("t",))


def damaged(*path_and_value):
    """A regression's JSON with the entry at a path replaced, or removed where the value is `...`."""
    *path, last, value = path_and_value
    description = copy.deepcopy(REGRESSION.to_json())
    target = description
    for key in path:
        target = target[key]
    if value is ...:
        del target[last]
    else:
        target[last] = value
    return description


def test_a_range_comes_back_where_there_is_one():
    ranged = NumericColumn("a", 2.0, 0.5, 1.0, 4.0)
    schema = Schema("table", "regression", (ranged, NUMBER), (NUMBER,), None, ("a",))
    assert Schema.from_json(schema.to_json()).inputs == (ranged, NUMBER)


@pytest.mark.parametrize(
    ("description", "message"),
    [
        (None, "must be an object"),
        ([], "must be an object"),
        ({}, "lacks the entry"),
        (damaged("source", ...), "lacks the entry 'source'"),
        (damaged("source", "web"), "source 'web'"),
        (damaged("task", "ranking"), "task is 'ranking'"),
        (damaged("task", "classification"), "needs classes"),
        (damaged("inputs", []), "has 0 inputs"),
        (damaged("inputs", "a"), "'inputs' holds 'a'"),
        (damaged("inputs", [3]), "'inputs' holds 3"),
        (damaged("inputs", 0, "kind", "spline"), "kind 'spline'"),
        (damaged("inputs", 0, "mean", "2"), "'mean' holds '2'"),
        (damaged("inputs", 0, "mean", True), "'mean' holds True"),
        (damaged("inputs", 0, "mean", math.nan), "'mean' holds nan"),
        (damaged("inputs", 0, "mean", 10**400), "must be finite"),
        (damaged("inputs", 0, "std", 0), "the std above 0"),
        (damaged("inputs", 1, "categories", [1]), "'categories' holds 1"),
        (damaged("inputs", 0, PIXELS), "a table has .*columns"),
        (damaged("targets", []), "needs target columns"),
        (damaged("targets", 0, {"kind": "categorical", "name": "a", "categories": ["a"]}), "kind numeric"),
        (damaged("classes", ["a", "b"]), "no classes"),
        (damaged("target_names", ["b"]), "not those .*target columns"),
        ({**CLASSES.to_json(), "classes": ["a", 1]}, "cannot be used"),
        ({**CLASSES.to_json(), "classes": [[1], [2]]}, "'classes' holds"),
        ({**CLASSES.to_json(), "target_names": []}, "one target name"),
        (damaged("inputs", [{**PIXELS, "shape": [2, 3]}]), "product of the shape"),
        (damaged("inputs", [{**PIXELS, "count": 4.0}]), "'count' holds 4.0"),
        (damaged("inputs", [{**PIXELS, "shape": [2, "2"]}]), "'shape' holds '2'"),
        ({**CLASSES.to_json(), "source": "digits"}, "one block of pixels"),
    ],
)
def test_a_damaged_description_is_refused(description, message):
    with pytest.raises(DataError, match=message):
        Schema.from_json(description)
