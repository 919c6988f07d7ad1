"""A network that another program trained, as its parts, and the model that they make.

Its dense layers are stacked: z^1 = W^1 p + b^1 (2), with p the inputs after that program's scaling, and the outputs are
scaled back by what was done to the targets. A step of MATLAB's scaling, or of scikit-learn's, maps each row that it
keeps by a straight line; steps in turn are one line:

    p = gain (x - offset) + shift

mapminmax has shift = ymin, mapstd shift = ymean, and removeconstantrows keeps some rows as they are. A column of
deltarule is read as (x - mean) / std. With std = 1/gain and mean = offset - shift/gain, rounded, what rounding leaves,
gain (mean - offset) + shift, goes to the bias of the first layer, so that a narrow range far from 0 keeps its digits.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from deltarule.data.columns import NumericColumn
from deltarule.data.schema import Schema
from deltarule.errors import ConfigurationError, ModelFileError, pluralized
from deltarule.models.model import Model
from deltarule.network.layers import Dense
from deltarule.network.network import Network

Layers = list[tuple[np.ndarray, np.ndarray, str]]
Settings = Mapping[str, Any]


def raw_rows(steps: Sequence[Settings], read: int, declared: int = 0) -> int:
    """How many raw rows go into these steps: as the first one says, else as many as the network reads."""
    first = steps[0] if steps else {}
    if "xrows" in first:
        return int(np.ravel(first["xrows"])[0])
    if "keep" in first:
        return max(declared, int(np.max(first["keep"], initial=0)))
    return next((int(np.size(first[entry])) for entry in ("xoffset", "xmean") if entry in first), read)


@dataclass(frozen=True, eq=False)
class Lines:
    """What is done to each of some raw rows: those kept become gain (x - offset) + shift, the others are constant."""

    kept: np.ndarray  # the numbers of the rows kept, from 0, (n,)
    offset: np.ndarray  # of the rows kept, (n,) float64, as are gain and shift
    gain: np.ndarray
    shift: np.ndarray
    constant: np.ndarray  # the value of each raw row that is not kept, (count,); it has no meaning for the others
    reach: float | None = None  # how far p goes from shift, ymax - ymin; None where no range was kept

    @classmethod
    def of(cls, steps: Sequence[Settings], count: int, where: str) -> "Lines":
        """The steps of `count` raw rows, in the order in which MATLAB applies them; `where` begins messages.

        The settings of a step are xoffset, gain, ymin of mapminmax; xoffset, gain, ymean, or xmean, xstd, ymean, ystd
        of mapstd; keep (from 1) and constants of removeconstantrows.
        """
        lines = cls(np.arange(count), np.zeros(count), np.ones(count), np.zeros(count), np.zeros(count))
        for step in steps:
            lines = lines._then(step, where)
        return lines

    def _then(self, step: Settings, where: str) -> "Lines":
        n = len(self.kept)
        if "keep" in step:
            kept = np.ravel(step["keep"]).astype(int) - 1
            if not np.isin(kept, np.arange(n)).all():
                raise ModelFileError(f"{where} keeps row {kept.max() + 1} of {n}: the file is damaged.")
            gone = np.setdiff1d(np.arange(n), kept)
            constant = self.constant.copy()
            given = np.ravel(step.get("constants", step.get("value", 0.0))).astype(np.float64)
            constant[self.kept[gone]] = given if len(given) == len(gone) else 0.0
            offset, gain, shift = self.offset[kept], self.gain[kept], self.shift[kept]
            return Lines(self.kept[kept], offset, gain, shift, constant, self.reach)
        offset, gain, shift, reach = _line(step, where)
        try:
            offset, gain, shift = (np.broadcast_to(np.ravel(part), (n,)) for part in (offset, gain, shift))
        except ValueError:
            raise ModelFileError(f"{where} has {n} rows and scales {np.size(gain)}: the file is damaged.") from None
        if not (np.isfinite([offset, gain, shift]).all() and (gain > 0).all()):
            raise ModelFileError(f"{where} has a gain of {gain.min():g}, and rows are scaled by numbers above 0.")
        return Lines(
            self.kept, self.offset + (offset - self.shift) / self.gain, self.gain * gain, shift, self.constant, reach
        )

    @property
    def mean(self) -> np.ndarray:
        """The x that becomes 0, rounded, (n,)."""
        return self.offset - self.shift / self.gain

    @property
    def rest(self) -> np.ndarray:
        """What p still is there, (n,)."""
        return self.gain * (self.mean - self.offset) + self.shift

    def columns(self, names: Sequence[str], at_zero: float = 0.0) -> tuple[NumericColumn, ...]:
        """Every raw row as a column; of one that is not kept `at_zero` stands for its constant."""
        columns = [
            NumericColumn(name, float(value) - at_zero, 1.0) for name, value in zip(names, self.constant, strict=True)
        ]
        for j, mean, offset, gain in zip(self.kept, self.mean, self.offset, self.gain, strict=True):
            low, high = (None, None) if self.reach is None else (float(offset), float(offset + self.reach / gain))
            columns[j] = NumericColumn(str(names[j]), float(mean), float(1 / gain), low, high)
        return tuple(columns)


def _line(step: Settings, where: str) -> tuple[Any, Any, Any, float | None]:
    """xoffset, gain, the value that is added, and ymax - ymin, 2 where only ymin = -1 is known."""
    if {"xoffset", "gain"} <= step.keys() and "ymin" in step:
        ymin = float(np.ravel(step["ymin"])[0])
        ymax = float(np.ravel(step["ymax"])[0]) if "ymax" in step else 1.0
        return step["xoffset"], step["gain"], ymin, ymax - ymin
    if {"xoffset", "gain", "ymean"} <= step.keys():
        return step["xoffset"], step["gain"], step["ymean"], None
    if {"xmean", "xstd"} <= step.keys():
        gain = np.asarray(step.get("ystd", 1.0)) / np.asarray(step["xstd"])
        return step["xmean"], gain, step.get("ymean", 0.0), None
    raise ModelFileError(
        f"{where} has a processing step with the settings {', '.join(sorted(step)) or 'none'}: mapminmax, mapstd and "
        "removeconstantrows can be read."
    )


@dataclass(frozen=True, eq=False)
class Foreign:
    """The parts of a network."""

    where: str  # the file or the object, for messages
    layers: Layers  # W (n_l, n_{l-1}) from the scaled inputs on, b (n_l,), and the activation by its name
    inputs: Sequence[tuple[int, Sequence[Settings]]]  # of each block the columns and the steps, see `Lines.of`
    outputs: Sequence[Settings] = ()  # the steps that targets went through

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
        lines = Lines.of(self.outputs, raw_rows(self.outputs, len(b)), f"{self.where}: the output")
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
        found = "one text" if isinstance(given, str) else pluralized(len(given), "name")
        raise ConfigurationError(
            f"{argument} has {found} ({words}), and the network has {count} of them: give {pluralized(count, 'name')}."
        )
