"""A regression with a category and a column of noise, and two classifiers, with rows whose targets are known."""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest

import deltarule as dr
from deltarule.data import CategoricalColumn, NumericColumn, Schema


class Known(NamedTuple):
    """A trained network, its schema and the rows it is judged on."""

    net: dr.Network
    params: Any
    schema: Schema
    X: np.ndarray
    Y: np.ndarray
    history: dict[str, np.ndarray]


@pytest.fixture(scope="session")
def plant() -> Known:
    """yield = 3 temperature + 10 if the kind is b; the column `noise` says nothing."""
    random = np.random.default_rng(0)
    kind = np.array(["a", "b"])[random.integers(0, 2, 80)]
    table = pd.DataFrame({"temperature": random.normal(20, 5, 80), "kind": kind, "noise": random.normal(size=80)})
    target = 3 * table["temperature"].to_numpy() + np.where(kind == "b", 10, 0)
    inputs = (
        NumericColumn.from_values("temperature", table["temperature"].to_numpy()),
        CategoricalColumn("kind", ("a", "b")),
        NumericColumn.from_values("noise", table["noise"].to_numpy()),
    )
    schema = Schema("table", "regression", inputs, (NumericColumn.from_values("yield", target),), None, ("yield",))
    X, Y = schema.encode_inputs(table), schema.encode_targets(target)
    net = dr.Network([dr.Dense(1, "linear")])
    result = dr.train(net, X, Y, trainer=dr.LevenbergMarquardt(), epochs=12)
    return Known(net, result.params, schema, X, Y, result.history)


@pytest.fixture(scope="session")
def clouds() -> Known:
    """Two classes apart in x, alike in y."""
    random = np.random.default_rng(0)
    labels = np.repeat([0, 1], 40)
    columns = {"x": random.normal(size=80) + 4 * labels, "y": random.normal(size=80)}
    inputs = tuple(NumericColumn.from_values(name, values) for name, values in columns.items())
    schema = Schema("table", "classification", inputs, (), ("<left>", "right"), ("side",))
    X = schema.encode_inputs(pd.DataFrame(columns))
    net = dr.Network([dr.Dense(2, "softmax")], "log-likelihood")
    result = dr.train(net, X, labels, trainer=dr.GradientDescent(eta=1.0), epochs=60)
    return Known(net, result.params, schema, X, np.eye(2)[labels], result.history)


@pytest.fixture(scope="session")
def seven() -> Known:
    """Seven classes, as many as there are colours, that one column tells apart; the network knows the line of each."""
    labels = np.repeat(np.arange(7), 12)
    values = labels + np.random.default_rng(0).normal(0, 0.3, len(labels))
    column = NumericColumn.from_values("x", values)
    schema = Schema("table", "classification", (column,), (), ("<left>", *"bcdefg"), ("letter",))
    X, centres = schema.encode_inputs(pd.DataFrame({"x": values})), (np.arange(7) - column.mean) / column.std
    net = dr.Network([dr.Dense(7, "softmax")], "log-likelihood")
    params = [{"W": 20 * centres[:, None], "b": -10 * centres**2}]
    return Known(net, params, schema, X, np.eye(7)[labels], {"cost": np.array([2.0, 1.0, 0.5])})
