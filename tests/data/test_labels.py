"""Labels keep their type, however a file stores them."""

import numpy as np
import pytest

from deltarule.data.labels import as_label, check_classes, one_hot, probabilities
from deltarule.errors import DataError


@pytest.mark.parametrize(
    ("value", "kind", "label"),
    [
        (3.0, int, 3),
        ("3", int, 3),
        (3.5, int, None),
        ("x", int, None),
        (float("nan"), int, None),
        (2**60 + 1, int, 2**60 + 1),
        (3, str, "3"),
        (1.0, bool, True),
        ("False", bool, False),
        (2, bool, None),
        (3, float, 3.0),
    ],
)
def test_a_label_is_read_as_its_type(value, kind, label):
    found = as_label(value, kind)
    assert found == label
    assert label is None or type(found) is kind


def test_one_hot_by_hand():
    assert one_hot(["b", "a"], ("a", "b"), "t").tolist() == [[0, 1], [1, 0]]


@pytest.mark.parametrize(("value", "found"), [("c", "holds 'c'"), (None, "is empty")])
def test_an_unknown_label_is_named(value, found):
    with pytest.raises(DataError, match=f"t: target 'y', data row 9 .*{found}.*known classes .'a', 'b'"):
        one_hot(["a", value], ("a", "b"), "t: target 'y'", rows=[8, 9])


def test_probabilities_sum_to_one_and_none_is_below_zero():
    found = probabilities(np.array([[0.2, 0.8], [0.3, 0.1], [0.5, -1.0], [0.0, 0.0]], "float32"))
    np.testing.assert_allclose(found, [[0.2, 0.8], [0.75, 0.25], [1, 0], [0.5, 0.5]], atol=1e-7)


@pytest.mark.parametrize("classes", [(), (1,), (2, 1), (1, 1), (1, "a"), (0, True), (None, None)])
def test_classes_that_cannot_be_used_are_refused(classes):
    with pytest.raises(DataError, match="cannot be used"):
        check_classes(classes)
