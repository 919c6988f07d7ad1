"""Networks of every activation and depth with rows of their own, and what deltarule says about each row."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest

import deltarule as dr
from deltarule.data import CategoricalColumn, NumericColumn, Schema
from deltarule.export.program import Program, program_of
from deltarule.model_file import Model

# hidden layers, their activation, the output's, and what the schema says of the targets (a count) or the classes
KINDS: dict[str, tuple[tuple[int, ...], str, str, Any]] = {
    "tanh": ((20,), "tanh", "linear", 1),
    "two targets": ((6, 5), "relu", "linear", 2),
    "sigmoid": ((5, 4, 3), "sigmoid", "sigmoid", 1),
    "softplus": ((7,), "softplus", "softplus", 1),
    "step": ((4, 5), "step", "linear", 1),
    "no hidden layer": ((), "linear", "softmax", ("no", "yes")),
    "softmax": ((8,), "tanh", "softmax", ('a "quoted" \\ name', "größer", "it's", "what??/")),
    "sigmoid classes": ((5, 4), "softplus", "sigmoid", (1, 2, 30)),
    "relu classes": ((5,), "linear", "relu", (False, True)),
    "tanh classes": ((5,), "relu", "tanh", (-0.5, 2.0)),
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


def make_case(hidden, sigma, output, target, categories=True, seed=0) -> Case:
    """A random network and random rows, some of them far outside what the scaling was measured on."""
    random = np.random.default_rng(seed)
    inputs: list[Any] = [NumericColumn("speed */ km/h", 812.5, 33.3), NumericColumn("gap", -2e-5, 1.7e-6)]
    if categories:
        inputs.insert(1, CategoricalColumn("colour", ("blue", "it's", "red")))
    classes = target if isinstance(target, tuple) else None
    k = len(target) if classes else target
    columns = () if classes else tuple(NumericColumn(f"y{j}", 1000.0 * (j + 1), 10.0**j) for j in range(k))
    names = ("class",) if classes else tuple(c.name for c in columns)
    task = "classification" if classes else "regression"
    schema = Schema("table", task, tuple(inputs), columns, classes, names)
    net = dr.Network([*(dr.Dense(n, sigma) for n in hidden), dr.Dense(k, output)])
    with_biases = [
        {"W": p["W"], "b": random.normal(size=p["b"].shape)} for p in net.init(seed, (schema.input_width,), "float64")
    ]
    spread = np.concatenate([random.normal(size=30), 50 * random.normal(size=10)])
    numbers = {c.name: c.mean + c.std * random.permutation(spread) for c in inputs if isinstance(c, NumericColumn)}
    place = random.integers(0, 3, len(spread))
    table = pd.DataFrame(numbers)
    rows = table.to_numpy()
    if categories:
        table.insert(1, "colour", np.array(inputs[1].categories, object)[place])
        rows = np.insert(rows, 1, place, axis=1)
    params = [{name: np.asarray(array) for name, array in p.items()} for p in with_biases]
    model = Model(net, params, schema.to_json(), None)
    outputs = np.asarray(net(params, schema.encode_inputs(table)))
    labels = schema.decode(outputs) if classes else None
    expected = schema.decode(outputs) if classes is None else np.maximum(outputs, np.finfo(float).tiny)
    if classes:
        expected = expected / expected.sum(axis=1, keepdims=True)
    return Case(model, program_of(model), table, rows, expected, labels)


@pytest.fixture(params=KINDS.values(), ids=KINDS)
def case(request) -> Case:
    """Every kind in turn."""
    return make_case(*request.param)


@pytest.fixture
def plain() -> Case:
    """10-20-1 without categories, nor rows far away."""
    return make_case((20,), "tanh", "linear", 1, categories=False)


@pytest.fixture
def make():
    """A case by the name of its kind."""
    return lambda kind, **options: make_case(*KINDS[kind], **options)
