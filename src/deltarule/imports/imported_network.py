"""The parts of a network that another program trained, and the `Model` that is built from them.

Its layers are dense: z^1 = W^1 p + b^1 (2), with p the inputs after the other program's scaling; the outputs are scaled
back in the way the targets were scaled. MATLAB's processing steps and scikit-learn's scalers are linear in each input
("row" in MATLAB's words), and so are several of them in turn:

    p = gain (x - offset) + shift

mapminmax has shift = ymin, mapstd shift = ymean, and removeconstantrows drops rows. deltarule reads a column as
(x - mean) / std, with std = 1/gain and mean = offset - shift/gain, rounded. The rounding error,
gain (mean - offset) + shift, is added to the bias of the first layer, so that a narrow range far from 0 keeps its
digits.
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


def raw_row_count(steps: Sequence[Settings], read: int, declared: int = 0) -> int:
    """The number of raw rows before these steps: as the first step says, else as many as the network reads."""
    first = steps[0] if steps else {}
    if "xrows" in first:
        return int(np.ravel(first["xrows"])[0])
    if "keep" in first:
        return max(declared, int(np.max(first["keep"], initial=0)))
    return next((int(np.size(first[entry])) for entry in ("xoffset", "xmean") if entry in first), read)


@dataclass(frozen=True, eq=False)
class RowScaling:
    """The scaling of raw rows: the kept rows become gain (x - offset) + shift, the others are constant."""

    kept: np.ndarray  # the numbers of the kept rows, from 0, (n,)
    offset: np.ndarray  # of each kept row, (n,) float64, like gain and shift
    gain: np.ndarray
    shift: np.ndarray
    constant: np.ndarray  # (count,), the value of each dropped row; it has no meaning for kept rows
    span: float | None = None  # ymax - ymin, the range of p in training; None if it is not known

    @classmethod
    def of(cls, steps: Sequence[Settings], count: int, where: str) -> "RowScaling":
        """Combine the steps of `count` raw rows, in the order in which MATLAB applies them; `where` begins messages.

        The settings of a step are xoffset, gain, ymin of mapminmax; xoffset, gain, ymean, or xmean, xstd, ymean, ystd
        of mapstd; keep (from 1) and constants of removeconstantrows.
        """
        scaling = cls(np.arange(count), np.zeros(count), np.ones(count), np.zeros(count), np.zeros(count))
        for step in steps:
            scaling = scaling._then(step, where)
        return scaling

    def _then(self, step: Settings, where: str) -> "RowScaling":
        n = len(self.kept)
        if "keep" in step:
            kept = np.ravel(step["keep"]).astype(int) - 1
            if not np.isin(kept, np.arange(n)).all():
                raise ModelFileError(f"{where} keeps row {kept.max() + 1} of {n}: the file is damaged.")
            dropped = np.setdiff1d(np.arange(n), kept)
            constant = self.constant.copy()
            values = np.ravel(step.get("constants", step.get("value", 0.0))).astype(np.float64)
            constant[self.kept[dropped]] = values if len(values) == len(dropped) else 0.0
            offset, gain, shift = self.offset[kept], self.gain[kept], self.shift[kept]
            return RowScaling(self.kept[kept], offset, gain, shift, constant, self.span)
        offset, gain, shift, reach = _read_step(step, where)
        try:
            offset, gain, shift = (np.broadcast_to(np.ravel(part), (n,)) for part in (offset, gain, shift))
        except ValueError:
            raise ModelFileError(f"{where} has {n} rows and scales {np.size(gain)}: the file is damaged.") from None
        if not (np.isfinite([offset, gain, shift]).all() and (gain > 0).all()):
            raise ModelFileError(f"{where} has a gain of {gain.min():g}, and a gain must be finite and above 0.")
        return RowScaling(
            self.kept, self.offset + (offset - self.shift) / self.gain, self.gain * gain, shift, self.constant, reach
        )

    @property
    def mean(self) -> np.ndarray:
        """The rounded x of each kept row that becomes 0, (n,)."""
        return self.offset - self.shift / self.gain

    @property
    def remainder(self) -> np.ndarray:
        """p at the rounded `mean`, which differs from 0 by rounding, (n,)."""
        return self.gain * (self.mean - self.offset) + self.shift

    def columns(self, names: Sequence[str], at_zero: float = 0.0) -> tuple[NumericColumn, ...]:
        """Every raw row as a column; in a dropped row the scaled value `at_zero` means its constant."""
        constants = zip(names, self.constant.tolist(), strict=True)
        columns = [NumericColumn(name, value - at_zero, 1.0) for name, value in constants]
        for j, mean, offset, gain in zip(self.kept, self.mean, self.offset, self.gain, strict=True):
            low, high = (None, None) if self.span is None else (float(offset), float(offset + self.span / gain))
            columns[j] = NumericColumn(str(names[j]), float(mean), float(1 / gain), low, high)
        return tuple(columns)


def _read_step(step: Settings, where: str) -> tuple[Any, Any, Any, float | None]:
    """Read offset, gain, shift and ymax - ymin from a step's settings; ymax is 1 if only ymin is stored."""
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
        f"{where} has a processing step with the settings {', '.join(sorted(step)) or 'none'}: only mapminmax, mapstd "
        "and removeconstantrows can be read."
    )


@dataclass(frozen=True, eq=False)
class ImportedNetwork:
    """The parts of a network that another program trained."""

    where: str  # the file or the object, for messages
    layers: Layers  # W (n_l, n_{l-1}), first for the scaled inputs; b (n_l,); the name of the activation
    inputs: Sequence[tuple[int, Sequence[Settings]]]  # the columns and steps of each input, see `RowScaling.of`
    outputs: Sequence[Settings] = ()  # the steps by which the targets were scaled

    def model(
        self,
        record: dict[str, Any],
        inputs: Sequence[str] | None = None,
        targets: Sequence[str] | None = None,
        classes: Sequence[Any] | None = None,
        first: int = 1,
    ) -> Model:
        """Build the model: the network with its scaling.

        Args:
            record: stored in the model, says where it comes from.
            inputs: the names of the columns; x1, x2, ... if None.
            targets: the names of the outputs; y, or y1, y2, ... if None.
            classes: the labels of softmax outputs, in their order; 1, 2, ... if None. The model sorts them.
            first: the number from which the other program counts.
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
            order = sorted(range(k), key=lambda j: labels[j])
            W, b, _ = layers[-1]
            layers[-1], labels = (W[order], b[order], output), tuple(labels[j] for j in order)
            names = _column_names("targets", targets, ["class"])
            schema, cost = Schema("table", "classification", columns, (), labels, names), "log-likelihood"
        elif classes is not None:
            raise ConfigurationError(
                f"classes is {classes!r}, and {self.where} does not end in a softmax without scaling: leave it out."
            )
        else:
            layers[-1], target_columns = self._last(layers[-1], targets, first)
            names = tuple(column.name for column in target_columns)
            schema, cost = Schema("table", "regression", columns, target_columns, None, names), "quadratic"
        net = Network([Dense(len(b), activation) for _, b, activation in layers], cost)
        params = [{"W": np.array(W, np.float64, order="C"), "b": np.array(b, np.float64)} for W, b, _ in layers]
        return Model(net, params, schema, record)

    def _first(self, names: Sequence[str] | None, first: int) -> tuple[Any, tuple[NumericColumn, ...]]:
        """The first layer, for columns as deltarule standardises them, and these columns."""
        W, b, activation = self.layers[0]
        total = sum(count for count, _ in self.inputs)
        names = _column_names("inputs", names, [f"x{j}" for j in range(first, first + total)])
        columns, blocks, read = [], [], 0
        for number, (count, steps) in enumerate(self.inputs, 1):
            scaling = RowScaling.of(steps, count, f"{self.where}: input {number}")
            weights = W[:, read : read + len(scaling.kept)]
            if weights.shape[1] == len(scaling.kept):
                b = b + weights @ scaling.remainder
                blocks.append(np.zeros((len(b), count)))
                blocks[-1][:, scaling.kept] = weights
            read += len(scaling.kept)
            columns += scaling.columns(names[len(columns) : len(columns) + count])
        if read != W.shape[1]:
            raise ModelFileError(
                f"{self.where}: the first layer reads {W.shape[1]} inputs, and the scaling gives {read}: "
                "the network has delays, or the file is damaged."
            )
        return (np.concatenate(blocks, axis=1), b, activation), tuple(columns)

    def _last(
        self, layer: tuple[np.ndarray, np.ndarray, str], names: Sequence[str] | None, first: int
    ) -> tuple[Any, tuple[NumericColumn, ...]]:
        """The last layer with a neuron for every target, and the targets; constant ones have weights and bias 0."""
        W, b, activation = layer
        scaling = RowScaling.of(self.outputs, raw_row_count(self.outputs, len(b)), f"{self.where}: the output")
        count = len(scaling.constant)
        if len(scaling.kept) != len(b):
            raise ModelFileError(f"{self.where} scales {len(scaling.kept)} outputs, and the last layer has {len(b)}.")
        if count > len(b) and activation == "softmax":
            raise ModelFileError(f"{self.where} is a softmax with constant outputs, which cannot be read.")
        names = _column_names("targets", names, ["y"] if count == 1 else [f"y{j}" for j in range(first, first + count)])
        weights, biases = np.zeros((count, W.shape[1])), np.zeros(count)
        weights[scaling.kept], biases[scaling.kept] = W, b
        at_zero = 0.5 if activation == "sigmoid" else 0.0  # sigma(0), the output of a neuron without weights
        return (weights, biases, activation), scaling.columns(names, at_zero)


def _column_names(argument: str, given: Sequence[str] | None, default: list[str]) -> tuple[str, ...]:
    """The given names, checked, or the default ones."""
    if given is None:
        return tuple(default)
    _require_count(argument, given, len(default))
    names = tuple(map(str, given))
    if len(set(names)) < len(names):
        raise ConfigurationError(f"{argument} is {given!r}: give each column a name of its own.")
    return names


def _require_count(argument: str, given: Sequence[Any], count: int) -> None:
    if isinstance(given, str) or len(given) != count:
        names = given if isinstance(given, str) else ", ".join(map(str, given))
        found = "one text" if isinstance(given, str) else pluralized(len(given), "name")
        raise ConfigurationError(
            f"{argument} has {found} ({names}), and the network has {count} {argument}: give a list of {count} names."
        )
