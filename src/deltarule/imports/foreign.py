"""A network that another program trained, as its parts, and the model that they make.

Its dense layers are stacked: z^1 = W^1 p + b^1 (2), with p the inputs after that program's scaling, and the outputs are
scaled back by what was done to the targets.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from deltarule.data.columns import NumericColumn
from deltarule.data.schema import Schema
from deltarule.errors import ConfigurationError, ModelFileError, counted
from deltarule.imports.scaling import Lines, Settings
from deltarule.models.model import Model
from deltarule.network.layers import Dense
from deltarule.network.network import Network

Layers = list[tuple[np.ndarray, np.ndarray, str]]


@dataclass(frozen=True, eq=False)
class Foreign:
    """The parts of a network.

    Args:
        where: the file or the object, for messages.
        layers: W (n_l, n_{l-1}) from the scaled inputs on, b (n_l,), and the activation of each layer by its name.
        inputs: for each block of inputs the number of its columns and the settings of its steps, in the order in which
            they are applied, see `deltarule.imports.scaling.Lines`.
        outputs: the settings of the steps that targets went through, in that order.
    """

    where: str
    layers: Layers
    inputs: Sequence[tuple[int, Sequence[Settings]]]
    outputs: Sequence[Settings] = ()

    def model(
        self,
        record: dict[str, Any],
        inputs: Sequence[str] | None = None,
        targets: Sequence[str] | None = None,
        classes: Sequence[Any] | None = None,
        first: int = 1,
    ) -> Model:
        """The network and its scaling.

        Args:
            record: says where it is from.
            inputs: the names of the columns; x1, x2, ... if None.
            targets: those of the outputs; y, or y1, y2, ... if None.
            classes: the labels of softmax outputs, in their order; 1, 2, ... if None. The model has them sorted.
            first: the number that this program counts from.

        Raises:
            ModelFileError: the parts do not fit together.
            ConfigurationError: names are not as many as columns, or there are classes and no softmax.
        """
        for i, (W, b, _) in enumerate(self.layers):
            below = W.shape[-1] if i == 0 else len(self.layers[i - 1][1])
            if W.shape != (len(b), below) or not W.size:
                raise ModelFileError(
                    f"{self.where}: the weights of layer {i + 1} are {W.shape}, and {len(b)} neurons above {below} "
                    f"need ({len(b)}, {below})."
                )
        layer, columns = self._first(inputs, first)
        layers = [layer, *self.layers[1:]]
        k, output = len(layers[-1][1]), layers[-1][2]
        if output == "softmax" and not self.outputs and k > 1:
            labels = tuple(range(first, first + k)) if classes is None else tuple(classes)
            _require_count("classes", labels, k)
            order = sorted(range(k), key=lambda j: labels[j])  # as all models have them
            W, b, _ = layers[-1]
            layers[-1], labels = (W[order], b[order], output), tuple(labels[j] for j in order)
            names = _names("targets", targets, ["class"])
            schema, cost = Schema("table", "classification", columns, (), labels, names), "log-likelihood"
        elif classes is not None:
            raise ConfigurationError(
                f"classes is {classes!r}, and {self.where} does not end in a softmax without scaling: leave it out."
            )
        else:
            layers[-1], found = self._last(layers[-1], targets, first)
            names = tuple(column.name for column in found)
            schema, cost = Schema("table", "regression", columns, found, None, names), "quadratic"
        net = Network([Dense(len(b), activation) for _, b, activation in layers], cost)
        params = [{"W": np.array(W, np.float64, order="C"), "b": np.array(b, np.float64)} for W, b, _ in layers]
        return Model(net, params, schema, record)

    def _first(self, names: Sequence[str] | None, first: int) -> tuple[Any, tuple[NumericColumn, ...]]:
        """The first layer for raw columns as deltarule reads them, and the columns."""
        W, b, activation = self.layers[0]
        total = sum(count for count, _ in self.inputs)
        names = _names("inputs", names, [f"x{j}" for j in range(first, first + total)])
        columns, blocks, read = [], [], 0
        for number, (count, steps) in enumerate(self.inputs, 1):
            lines = Lines.of(steps, count, f"{self.where}: input {number}")
            some = W[:, read : read + len(lines.kept)]
            if some.shape[1] == len(lines.kept):
                b = b + some @ lines.rest
                blocks.append(np.zeros((len(b), count)))
                blocks[-1][:, lines.kept] = some
            read += len(lines.kept)
            columns += lines.columns(names[len(columns) : len(columns) + count])
        if read != W.shape[1]:
            raise ModelFileError(
                f"{self.where}: the first layer reads {W.shape[1]} inputs, and {read} come out of their scaling: "
                "it has delays, or the file is damaged."
            )
        return (np.concatenate(blocks, axis=1), b, activation), tuple(columns)

    def _last(
        self, layer: tuple[np.ndarray, np.ndarray, str], names: Sequence[str] | None, first: int
    ) -> tuple[Any, tuple[NumericColumn, ...]]:
        """The last layer with a neuron for every target, and the targets; a constant one has weights and bias 0."""
        W, b, activation = layer
        rows = [int(np.ravel(step["xrows"])[0]) for step in self.outputs[:1] if "xrows" in step]
        lines = Lines.of(self.outputs, (rows or [len(b)])[0], f"{self.where}: the output")
        count = len(lines.constant)
        if len(lines.kept) != len(b):
            raise ModelFileError(f"{self.where} scales {len(lines.kept)} outputs, and the last layer has {len(b)}.")
        if count > len(b) and activation == "softmax":
            raise ModelFileError(f"{self.where} is a softmax with constant outputs, which no softmax here can have.")
        names = _names("targets", names, ["y"] if count == 1 else [f"y{j}" for j in range(first, first + count)])
        without = 0.5 if activation == "sigmoid" else 0.0  # sigma(0), what a neuron without weights gives
        full, biases = np.zeros((count, W.shape[1])), np.zeros(count)
        full[lines.kept], biases[lines.kept] = W, b
        return (full, biases, activation), lines.columns(names, without)


def _names(argument: str, given: Sequence[str] | None, default: list[str]) -> tuple[str, ...]:
    """The names given, as many as there are columns, or those that stand for them."""
    if given is None:
        return tuple(default)
    _require_count(argument, given, len(default))
    names = tuple(map(str, given))
    if len(set(names)) < len(names):
        raise ConfigurationError(f"{argument} is {given!r}: give each column a name of its own.")
    return names


def _require_count(argument: str, given: Sequence[Any], count: int) -> None:
    if isinstance(given, str) or len(given) != count:
        words = given if isinstance(given, str) else ", ".join(map(str, given))
        found = "one text" if isinstance(given, str) else counted(len(given), "name")
        raise ConfigurationError(
            f"{argument} has {found} ({words}), and the network has {count} of them: give {counted(count, 'name')}."
        )
