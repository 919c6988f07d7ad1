"""Networks of every activation and depth with rows of their own, and what deltarule says about each row."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest

import deltarule as dr
from deltarule.data import CategoricalColumn, NumericColumn, Schema
from deltarule.export.program import Program, build_program
from deltarule.models.model import Model


def dense(activation, *sizes):
    """Hidden layers of so many neurons."""
    return tuple(dr.Dense(n, activation) for n in sizes)


# hidden layers, the output's activation, what the schema says of the targets (a count) or the classes, and how many
# columns are numbers, where it is not 2; one more is a category of three, the network's inputs 1 to 3
KINDS: dict[str, tuple] = {
    "tanh": (dense("tanh", 20), "linear", 1),
    "two targets": (dense("relu", 6, 5), "linear", 2),
    "sigmoid": (dense("sigmoid", 5, 4, 3), "sigmoid", 1),
    "softplus": (dense("softplus", 7), "softplus", 1),
    "step": (dense("step", 4, 5), "linear", 1),
    "exponential": (dense("tanh", 5), "exponential", 1),
    "no hidden layer": ((), "softmax", ("no", "yes")),
    "softmax": (dense("tanh", 8), "softmax", ('a "quoted" \\ name', "größer", "it's", "what??/")),
    "sigmoid classes": (dense("softplus", 5, 4), "sigmoid", (1, 2, 30)),
    "relu classes": (dense("linear", 5), "relu", (False, True)),
    "tanh classes": (dense("relu", 5), "tanh", (-0.5, 2.0)),
    "valid, max": (
        (dr.Reshape((6, 7, 2)), dr.Convolution(3, (3, 2), "tanh"), dr.MaxPool(2), dr.Flatten(), *dense("tanh", 4)),
        "linear",
        1,
        6 * 7 * 2 - 3,
    ),
    "same, overlapping max": (
        (
            dr.Reshape((7, 5, 1)),
            dr.Convolution(4, (4, 3), "relu", stride=(2, 1), padding="same"),
            dr.MaxPool((3, 2), stride=(2, 1), padding="same"),
            dr.Dropout(0.5),
            dr.Convolution(2, (1, 2), "tanh"),
            dr.Flatten(),
        ),
        "softmax",
        ("a", "b", "c"),
        7 * 5 - 3,
    ),
    "stride, overlapping mean": (
        (
            dr.Reshape((8, 9, 2)),
            dr.Convolution(2, (2, 3), "softplus", stride=(1, 2)),
            dr.MeanPool((3, 2), stride=(2, 1), padding="same"),
            dr.Flatten(),
        ),
        "linear",
        2,
        8 * 9 * 2 - 3,
    ),
    "overlapping l2": (
        (
            dr.Reshape((4, 5, 3)),
            dr.Convolution(4, 3, "linear", padding="same"),
            dr.L2Pool((2, 4), stride=(2, 1), padding="same"),
            dr.Convolution(3, (2, 1), "sigmoid", stride=2),
            dr.Flatten(),
            *dense("relu", 6),
        ),
        "sigmoid",
        (1, 2, 3),
        4 * 5 * 3 - 3,
    ),
    "imputed": (dense("tanh", 6), "linear", 2),  # with missing cells
    "a memory": (
        (
            dr.Reshape((4, 2)),
            dr.Recurrent(3, "softplus"),
            dr.Dense(2, "tanh"),
            dr.GRU(4, sequences=False),
            *dense("sigmoid", 3),
        ),
        "linear",
        2,
        4 * 2 - 3,
    ),
    "a memory of classes": (
        (dr.Reshape((3, 3)), dr.GRU(2), dr.Dropout(0.5), dr.LSTM(3), dr.Recurrent(4, "linear", sequences=False)),
        "softmax",
        ("a", "b", "c"),
        3 * 3 - 3,
    ),
    "max below zero": (
        (
            dr.Dropout(0.2),
            dr.Dense(24, "linear"),
            dr.Reshape((3, 4, 2)),
            dr.Convolution(2, 1, "softplus"),
            dr.Convolution(2, 1, "linear"),
            dr.MaxPool(3, stride=2, padding="same"),
            dr.MeanPool(1),
            dr.Flatten(),
        ),
        "linear",
        1,
    ),
}


@dataclass(frozen=True)
class Case:
    """A model, rows for it as a table and as numbers, and its predictions."""

    model: Model
    program: Program
    table: pd.DataFrame
    rows: np.ndarray
    expected: np.ndarray  # (N, k): units or probabilities
    labels: np.ndarray | None

    @property
    def decided(self) -> np.ndarray:
        """The rows whose two most active outputs differ by more than rounding, (N,) booleans."""
        best = np.sort(self.expected, axis=1)
        return best[:, -1] - best[:, -2] > 1e-9

    @property
    def scale(self) -> np.ndarray:
        """How large each output is."""
        return np.maximum(np.abs(self.expected).max(axis=0), 1e-300)


def make_case(hidden, output, target, numbers=2, categories=True, seed=0, imputed=False) -> Case:
    """A random network and random rows, some of them far outside what the scaling was measured on.

    `imputed`: the first number and the category have missing cells, in every third and every fourth row.
    """
    random = np.random.default_rng(seed)
    inputs: list[Any] = [
        NumericColumn("speed */ km/h", 812.5, 33.3, imputed=imputed),
        NumericColumn("gap", -2e-5, 1.7e-6),
    ]
    inputs += [NumericColumn(f"x{i}", float(i), 1 + i / 10) for i in range(2, numbers)]
    if categories:
        inputs.insert(1, CategoricalColumn("colour", ("blue", "it's", "red"), imputed))
    classes = target if isinstance(target, tuple) else None
    k = len(target) if classes else target
    columns = () if classes else tuple(NumericColumn(f"y{j}", 1000.0 * (j + 1), 10.0**j) for j in range(k))
    names = ("class",) if classes else tuple(c.name for c in columns)
    task = "classification" if classes else "regression"
    schema = Schema("table", task, tuple(inputs), columns, classes, names)
    net = dr.Network([*hidden, dr.Dense(k, output)])
    with_biases = [
        p | {"b": random.normal(size=p["b"].shape)} if p else {}
        for p in net.init(seed, (schema.input_width,), "float64")
    ]
    spread = np.concatenate([random.normal(size=30), 50 * random.normal(size=10)])
    cells = {c.name: c.mean + c.std * random.permutation(spread) for c in inputs if isinstance(c, NumericColumn)}
    place = random.integers(0, 3, len(spread))
    table = pd.DataFrame(cells)
    rows = table.to_numpy().copy()
    if categories:
        table.insert(1, "colour", np.array(inputs[1].categories, object)[place])
        rows = np.insert(rows, 1, place, axis=1)
    if imputed:
        rows[::3, 0] = np.nan
        table.iloc[::3, 0] = np.nan
    if imputed and categories:
        rows[::4, 1] = np.nan
        table.loc[table.index[::4], "colour"] = None
    params = [{name: np.asarray(array) for name, array in p.items()} for p in with_biases]
    model = Model(net, params, schema)
    outputs = np.asarray(net(params, schema.encode_inputs(table)))
    labels = schema.decode(outputs) if classes else None
    expected = schema.decode(outputs) if classes is None else np.maximum(outputs, np.finfo(float).tiny)
    if classes:
        expected = expected / expected.sum(axis=1, keepdims=True)
    return Case(model, build_program(model), table, rows, expected, labels)


@pytest.fixture(params=KINDS)
def case(request, make) -> Case:
    """Every kind in turn."""
    return make(request.param)


@pytest.fixture
def plain() -> Case:
    """10-20-1 without categories, nor rows far away."""
    return make_case(dense("tanh", 20), "linear", 1, categories=False)


@pytest.fixture
def make():
    """A case by the name of its kind."""
    return lambda kind, **options: make_case(*KINDS[kind], **options, imputed=kind == "imputed")
