"""The metrics by hand: three houses, predicted 1, 2 and 4 where 1, 3 and 5 stand (in units of std 10 around 100)."""

import numpy as np
import pytest

import deltarule as dr
from deltarule.data import NumericColumn, Schema
from deltarule.models.metrics import class_lines, describe_scores, measure


def identity(k):
    """A network whose outputs are its inputs."""
    return dr.Network([dr.Dense(k, "linear")]), [{"W": np.eye(k, dtype="float32"), "b": np.zeros(k, "float32")}]


def schema(*targets, classes=None):
    columns = tuple(NumericColumn(name, 100.0, 10.0) for name in targets)
    return Schema(
        "table", "regression" if classes is None else "classification", (NumericColumn("x", 0.0, 1.0),),
        columns if classes is None else (), classes, targets,
    )  # fmt: skip


def test_rmse_has_the_unit_and_r2_has_none():
    net, params = identity(1)
    scores = measure(net, params, schema("price"), np.array([[1.0], [2.0], [4.0]]), np.array([[1.0], [3.0], [5.0]]))
    # errors 0, 10, 10: rmse = √(200/3); targets 110, 130, 150 around 130: r2 = 1 - 200/800
    assert scores["rmse"] == pytest.approx((200 / 3) ** 0.5)
    assert scores["r2"] == pytest.approx(0.75)
    assert describe_scores(scores) == "RMSE 8.165, R² 0.75"


@pytest.mark.parametrize("std", [1e200, 1e-200])
def test_scores_of_very_small_and_large_targets(std):
    net, params = identity(1)
    column = NumericColumn("price", 0.0, std)
    described = Schema("table", "regression", (NumericColumn("x", 0.0, 1.0),), (column,), None, ("price",))
    scores = measure(net, params, described, np.array([[1.0], [2.0], [4.0]]), np.array([[1.0], [3.0], [5.0]]))
    assert scores == {"rmse": pytest.approx((2 / 3) ** 0.5 * std, rel=1e-12, abs=0), "r2": pytest.approx(0.75)}


def test_r2_of_a_constant_target_is_none():
    net, params = identity(1)
    scores = measure(net, params, schema("price"), np.ones((1, 1)), np.zeros((1, 1)))
    assert scores == {"rmse": pytest.approx(10.0), "r2": None}


def test_scores_of_several_targets():
    net, params = identity(2)
    X, Y = np.array([[0.0, 0.0], [1.0, 2.0]]), np.array([[0.0, 0.0], [1.0, 1.0]])
    scores = measure(net, params, schema("a", "b"), X, Y)
    # b is wrong by 10 in one of two rows: rmse √50; its targets 100, 110 around 105: r2 = 1 - 100/50
    assert scores["rmse_by_target"] == {"a": 0.0, "b": pytest.approx(50**0.5)}
    assert scores["r2_by_target"] == {"a": 1.0, "b": pytest.approx(-1.0)}
    assert "rmse" not in scores  # the targets may have different units
    assert scores["r2"] == pytest.approx(0.0)


def test_accuracy_counts_the_largest_output():
    net, params = identity(2)
    X, Y = np.array([[0.9, 0.1], [0.2, 0.3], [0.6, 0.5], [0.1, 0.0]]), np.eye(2)[[0, 1, 1, 0]]
    scores = measure(net, params, schema("kind", classes=("a", "b")), X, Y)
    # p(b) is 0.6 and 0.45 for the rows of b, 0.1 and 0 for those of a: every pair is in order
    assert scores == {
        "accuracy": 0.75,
        "recall_by_class": {"a": 1.0, "b": 0.5},
        "auc_by_class": {"a": pytest.approx(1.0), "b": pytest.approx(1.0)},
    }
    assert describe_scores(scores) == "accuracy 75.00 %"


def test_a_class_without_rows_has_no_recall():
    net, params = identity(3)
    X, Y = np.array([[0.9, 0.1, 0.0], [0.8, 0.2, 0.0], [0.0, 0.7, 0.0]]), np.eye(3)[[0, 1, 1]]
    scores = measure(net, params, schema("kind", classes=("a", "b", "c")), X, Y)
    assert scores["recall_by_class"] == {"a": 1.0, "b": 0.5, "c": None}
    assert scores["auc_by_class"]["c"] is None
    assert class_lines(scores)["recall"].startswith("'b' 50.00 %, 'a' 100.00 % (")


def test_only_the_lowest_of_many_classes_are_shown():
    names = tuple("abcdefgh")
    scores = {"recall_by_class": {n: i / 10 for i, n in enumerate(names)}, "auc_by_class": dict.fromkeys(names, 0.5)}
    assert class_lines(scores)["recall"].startswith("'a' 0.00 %, 'b' 10.00 %")
    assert "'f' 50.00 % and 2 more" in class_lines(scores)["recall"]
