"""A schema encodes, decodes, and survives JSON; what cannot be encoded is named."""

import copy
import json
import math

import numpy as np
import pandas as pd
import pytest

from deltarule.data import CategoricalColumn, NumericColumn, Pixels, Schema
from deltarule.errors import DataError

REGRESSION = Schema(
    source="table",
    task="regression",
    inputs=(NumericColumn("a", 2.0, 0.5), CategoricalColumn("c", ("x", "y"))),
    targets=(NumericColumn("t", 10.0, 2.0), NumericColumn("u", 0.0, 1.0)),
    classes=None,
    target_names=("t", "u"),
)
CLASSES = Schema(
    source="table",
    task="classification",
    inputs=(NumericColumn("a", 0.0, 1.0),),
    targets=(),
    classes=("no", "yes"),
    target_names=("t",),
)
IMAGES = Schema(
    source="digits",
    task="classification",
    inputs=(Pixels(4, 16.0, (2, 2)),),
    targets=(),
    classes=(0, 1, 2),
    target_names=("digit",),
)
FRAME = pd.DataFrame({"c": ["y", "x"], "extra": [0, 0], "a": [3, 2], "u": [5, 6], "t": [12, 8]})


def test_a_table_encoded_by_hand():
    # a: (3 - 2) / 0.5 = 2, (2 - 2) / 0.5 = 0; c: y = (0, 1), x = (1, 0); the frame's own order does not matter
    assert REGRESSION.encode_inputs(FRAME).tolist() == [[2, 0, 1], [0, 1, 0]]
    # t: (12 - 10) / 2 = 1, (8 - 10) / 2 = -1; u stays
    assert REGRESSION.encode_targets(FRAME).tolist() == [[1, 5], [-1, 6]]
    assert REGRESSION.decode([[1, 5], [-1, 6]]).tolist() == [[12, 5], [8, 6]]


def test_the_widths_and_names():
    assert (REGRESSION.input_width, REGRESSION.output_width) == (3, 2)
    assert REGRESSION.input_names == ("a", "c=x", "c=y")
    assert (REGRESSION.output_names, CLASSES.output_names) == (("t", "u"), ("no", "yes"))
    assert (REGRESSION.image_shape, IMAGES.image_shape) == (None, (2, 2))


def test_classes_encoded_and_decoded():
    frame = pd.DataFrame({"t": ["yes", "no"]})
    assert CLASSES.encode_targets(frame).tolist() == [[0, 1], [1, 0]]
    assert CLASSES.encode_targets(np.array(["yes", "no"])).tolist() == [[0, 1], [1, 0]]
    assert CLASSES.decode(np.array([[0.2, 0.3], [0.9, 0.1]])).tolist() == ["yes", "no"]
    assert IMAGES.decode(np.eye(3)).tolist() == [0, 1, 2]


def test_targets_can_be_an_array():
    assert REGRESSION.encode_targets(np.array([[12, 5]])).tolist() == [[1, 5]]
    with pytest.raises(DataError, match=r"shape \(3,\).*\(N, 2\)"):
        REGRESSION.encode_targets(np.zeros(3))


def test_images_are_scaled():
    assert IMAGES.encode_inputs(np.array([[[0, 4], [8, 16]]])).tolist() == [[0, 0.25, 0.5, 1]]


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (FRAME.drop(columns="a"), "new.csv lacks .*'a'.* 'c', 'extra'"),
        (FRAME.assign(a=["1", "x"]), "new.csv: column 'a', .*row 1 .*'x'"),
        (FRAME.assign(a=[1, np.nan]), "column 'a', data row 1 .* is empty"),
        (FRAME.assign(a=[np.inf, 1]), "column 'a', data row 0 .* holds inf"),
        (FRAME.assign(c=["x", "z"]), "'c', data row 1 .* holds 'z'"),
        (pd.concat([FRAME, FRAME[["a"]]], axis=1), "column 'a' 2 times"),
        (np.zeros((2, 3)), "is a ndarray"),
    ],
)
def test_rows_that_cannot_be_encoded_are_named(raw, message):
    with pytest.raises(DataError, match=message):
        REGRESSION.encode_inputs(raw, "new.csv")


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        (np.zeros((2, 3)), r"shape \(2, 3\), but must be \(N, 2\)"),
        (np.zeros(2), r"shape \(2,\)"),
        ([[0, 0], [0, math.nan]], "row 1 .*not finite"),
    ],
)
def test_outputs_that_cannot_be_decoded_are_refused(outputs, message):
    with pytest.raises(DataError, match=message):
        REGRESSION.decode(outputs)


@pytest.mark.parametrize("schema", [REGRESSION, CLASSES, IMAGES], ids=["regression", "classes", "images"])
def test_json_brings_back_an_equal_schema(schema):
    assert Schema.from_json(json.loads(json.dumps(schema.to_json(), allow_nan=False))) == schema


@pytest.mark.parametrize("classes", [(False, True), (-1, 5), (0.5, 1.5), ("a", "b")])
def test_json_keeps_the_type_of_the_classes(classes):
    schema = Schema("table", "classification", CLASSES.inputs, (), classes, ("t",))
    read = Schema.from_json(json.loads(json.dumps(schema.to_json())))
    assert read.classes is not None
    assert [type(label) for label in read.classes] == [type(label) for label in classes]
    assert read.decode(np.eye(2)).tolist() == list(classes)


NUMBER = NumericColumn("a", 2.0, 0.5)
PIXELS = Pixels(4, 16.0, (2, 2)).to_json()
WRITTEN = Schema("table", "regression", (NUMBER, CategoricalColumn("c", ("x", "y"))), (NUMBER,), None, ("a",))
WRITTEN_CLASSES = Schema("table", "classification", (NUMBER,), (), ("no", "yes"), ("t",))


def damaged(*path_and_value):
    """A regression's JSON with the entry at a path replaced, or removed where the value is `...`."""
    *path, last, value = path_and_value
    description = copy.deepcopy(WRITTEN.to_json())
    target = description
    for key in path:
        target = target[key]
    if value is ...:
        del target[last]
    else:
        target[last] = value
    return description


def test_json_brings_back_a_range():
    ranged = NumericColumn("a", 2.0, 0.5, 1.0, 4.0)
    schema = Schema("table", "regression", (ranged, NUMBER), (NUMBER,), None, ("a",))
    assert Schema.from_json(schema.to_json()).inputs == (ranged, NUMBER)


@pytest.mark.parametrize(
    ("description", "message"),
    [
        (None, "must be an object"),
        ([], "must be an object"),
        ({}, "'targets' holds None"),
        (damaged("source", ...), "'source' holds None"),
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
        (damaged("inputs", 0, "mean", 10**400), "a finite number"),
        (damaged("inputs", 0, "std", 0), "the std above 0"),
        (damaged("inputs", 1, "categories", [1]), "'categories' holds 1"),
        (damaged("inputs", 0, PIXELS), "a table has .*columns"),
        (damaged("targets", []), "needs target columns"),
        (damaged("targets", 0, {"kind": "categorical", "name": "a", "categories": ["a"]}), "kind numeric"),
        (damaged("classes", ["a", "b"]), "no classes"),
        (damaged("target_names", ["b"]), "not those .*target columns"),
        ({**WRITTEN_CLASSES.to_json(), "classes": ["a", 1]}, "cannot be used"),
        ({**WRITTEN_CLASSES.to_json(), "classes": [[1], [2]]}, "'classes' holds"),
        ({**WRITTEN_CLASSES.to_json(), "target_names": []}, "one target name"),
        (damaged("inputs", [{**PIXELS, "shape": [2, 3]}]), "product of the shape"),
        (damaged("inputs", [{**PIXELS, "count": 4.0}]), "'count' holds 4.0"),
        (damaged("inputs", [{**PIXELS, "shape": [2, "2"]}]), "'shape' holds '2'"),
        ({**WRITTEN_CLASSES.to_json(), "source": "digits"}, "one block of pixels"),
    ],
)
def test_a_damaged_description_is_refused(description, message):
    with pytest.raises(DataError, match=message):
        Schema.from_json(description)
