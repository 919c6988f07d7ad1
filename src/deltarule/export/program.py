"""What an exported model computes, in plain arrays: raw columns in, layers, and units or probabilities out.

Every exporter writes this down in its own language:

    a^1 = the columns, numbers as (x - mean) / std, categories as ones and zeros,
          of an imputed column zeros where the cell is missing, and one more number, which is 1 then
    z^l = W^l a^{l-1} + b^l (2),  a^l = sigma(z^l) (3)
    a convolution: the same at every stop of its window, of the pixels that it sees there, zeros beyond the image
    a pool: the maximum, mean or norm of what its window sees of each channel, the mean of pixels of the image only
    a regression: mean + std a^L, in the targets' units
    a classification: the probabilities a^L / sum a^L and the class of the largest (softmax sums to one already)

An image is H W c numbers of a flat row, in this order, so that Reshape and Flatten are nothing here.
"""

import os
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np

from deltarule.data.columns import CategoricalColumn
from deltarule.data.pixels import Pixels
from deltarule.data.schema import Schema
from deltarule.errors import ConfigurationError, DataError, ModelFileError
from deltarule.export.stages import ConvolutionStage, DenseStage, PoolStage, Recursion, Stage, View
from deltarule.files.model_file import Model, load_model
from deltarule.network.layers import (
    Convolution,
    Dense,
    Dropout,
    Flatten,
    L2Pool,
    LayerParams,
    MaxPool,
    MeanPool,
    Reshape,
    Shape,
)
from deltarule.network.network import Network

NOTHING = (Dropout, Flatten, Reshape)  # what these do to a flat row when a network predicts
POOLS = {MaxPool: "max", MeanPool: "mean", L2Pool: "l2"}
PATCHES = 2**20  # how many numbers windows may see at once, over all their stops: 8 MiB


@dataclass(frozen=True)
class Column:
    """A raw column: a number that becomes (x - mean) / std, or a category, given by its number from 0.

    Where it is imputed it may be NaN: all its inputs are 0 then, but one more, its last, which is 1.
    """

    name: str
    mean: float = 0.0
    std: float = 1.0
    categories: tuple[str, ...] | None = None
    imputed: bool = False

    @property
    def width(self) -> int:
        """The network inputs it becomes."""
        return (1 if self.categories is None else len(self.categories)) + self.imputed


@dataclass(frozen=True, eq=False)
class Program:
    """A trained network as raw columns, stages and outputs.

    Args:
        columns: the raw columns, in the order of a row.
        stages: layers 2..L, without those that do nothing to a flat row.
        targets: the columns a regression gives, in their units; the plain outputs where the model has no schema.
        classes: the labels of a classification, else None.
        recursion: of a time series, whose columns are those of the lags; None of rows that stand for themselves.
    """

    columns: tuple[Column, ...]
    stages: tuple[Stage, ...]
    targets: tuple[Column, ...]
    classes: tuple[Any, ...] | None
    recursion: Recursion | None = None

    @property
    def scales_inputs(self) -> bool:
        """Whether any number has to be standardised."""
        return any(c.mean != 0 or c.std != 1 for c in self.columns if c.categories is None)

    @property
    def has_categories(self) -> bool:
        """Whether any column is categorical."""
        return any(c.categories is not None for c in self.columns)

    @property
    def has_imputed(self) -> bool:
        """Whether any column may be missing."""
        return any(c.imputed for c in self.columns)

    @property
    def scales_outputs(self) -> bool:
        """Whether the outputs have to be brought into units."""
        return any(c.mean != 0 or c.std != 1 for c in self.targets)

    @property
    def sums_to_one(self) -> bool:
        """Whether the outputs are probabilities as they are."""
        return self.stages[-1].activation == "softmax"

    @property
    def outputs(self) -> int:
        """k, the number of outputs."""
        return self.stages[-1].n_out

    @property
    def inputs(self) -> int:
        """n_1, how many numbers a^1 has."""
        return self.stages[0].n_in

    @property
    def widest(self) -> int:
        """The most neurons, or inputs, of any layer."""
        return max(self.inputs, *(stage.n_out for stage in self.stages))

    @property
    def views(self) -> tuple[View, ...]:
        """Of the convolutions and pools."""
        return tuple(stage.view for stage in self.stages if not isinstance(stage, DenseStage))

    @property
    def rows_at_once(self) -> int:
        """How many rows a language without loops of its own may take at once, so that what windows see is bounded."""
        return max(1, PATCHES // max(view.seen * prod(view.stops) for view in self.views))


def program_of(model: Any) -> Program:
    """The program of a model file's path, of what `load_model` or `load` returned, or of a fitted estimator.

    A program is returned as it is.

    Raises:
        ModelFileError: the file cannot be used.
        ConfigurationError: it is none of these, a layer is the user's own, or the inputs may have any size.
        ShapeError: the parameters are those of another network.
    """
    if isinstance(model, Program):
        return model
    model = _content(model)
    if isinstance(model, Model) and isinstance(model.schema, dict) and model.schema.get("source") == "series":
        return _recursive(model)
    net, params, schema = _parts(model)
    taken = net.input_shape(params)
    if taken is None:
        raise ConfigurationError(
            f"the network begins with {net.layers[0].label} and takes inputs of any size, which a program has to know: "
            "begin with Reshape((height, width, channels))."
        )
    stages = []
    for i, (layer, p, shape) in enumerate(zip(net.layers, params, net.shapes(taken)[:-1], strict=True)):
        if type(layer) not in (Dense, Convolution, *POOLS, *NOTHING):
            raise ConfigurationError(
                f"layer {i} is {type(layer).__name__}, which cannot be exported: only deltarule's own layers can."
            )
        layer.check(p, shape, i)
        if not isinstance(layer, NOTHING):
            stages.append(_stage(layer, p, shape))
    n_in, n_out = stages[0].n_in, stages[-1].n_out
    if schema is None:
        columns = tuple(Column(f"x{i}") for i in range(n_in))
        return Program(columns, tuple(stages), tuple(Column(f"a{j}") for j in range(n_out)), None)
    if (n_in, n_out) != (schema.input_width, schema.output_width):
        raise ModelFileError(
            f"the network has {n_in} inputs and {n_out} outputs, its schema {schema.input_width} and "
            f"{schema.output_width}: they do not belong together."
        )
    targets = tuple(Column(c.name, c.mean, c.std) for c in schema.targets)
    return Program(_columns(schema), tuple(stages), targets, schema.classes)


def require_floats(program: Program) -> None:
    """Raise a ConfigurationError if a number lies beyond a float, or a std is too small a float to divide by."""
    largest, smallest = (float(end) for end in (np.finfo(np.float32).max, np.finfo(np.float32).tiny))
    cure = "outside the range of a float: export in precision 'double'."
    for column in (*program.columns, *program.targets):
        if abs(column.mean) > largest or not smallest <= column.std <= largest:
            raise ConfigurationError(f"column {column.name!r} has mean {column.mean:g} and std {column.std:g}, {cure}")
    for i, stage in enumerate(program.stages):
        if isinstance(stage, PoolStage):
            continue
        highest = max(float(np.abs(array).max()) for array in (stage.W, stage.b))
        if highest > largest:
            raise ConfigurationError(f"stage {i}, {stage.kind}, has a parameter of magnitude {highest:g}, {cure}")


def _stage(layer: Any, p: LayerParams, shape: Shape) -> Stage:
    """A layer for inputs of this shape."""
    if type(layer) in POOLS:
        return PoolStage(POOLS[type(layer)], View(layer.window, shape))
    W, b = (np.asarray(p[name], np.float64) for name in ("W", "b"))
    if isinstance(layer, Dense):
        return DenseStage(W, b, layer.activation)
    return ConvolutionStage(W.reshape(len(b), -1), b, layer.activation, View(layer.window, shape))


def _content(model: Any) -> Any:
    """A model file's content of its path, and of a fitted time-series model; anything else as it is."""
    if isinstance(model, str | os.PathLike):
        return load_model(model)
    return model.content() if callable(getattr(model, "content", None)) else model


def _recursive(model: Model) -> Program:
    """A time series: one step from the columns of its lags, and how steps follow each other."""
    schema, arrays = model.schema or {}, model.error_bars or {}
    inputs, targets = ([Column(c["name"], c["mean"], c["std"]) for c in schema[part]] for part in ("inputs", "targets"))
    each = [target for _ in arrays["weights"] for target in targets]
    columns = [replace(c, name=f"{c.name}, {lag} before") for lag in schema["output_lags"] for c in each]
    columns += [replace(c, name=f"{c.name}, {lag} before") for lag in schema["input_lags"] for c in inputs]
    changes = bool(arrays["line"].any())  # B is either nothing or y_{t-1}
    stages = [_stage(layer, p, ()) for layer, p in zip(model.net.layers, model.params, strict=True)]
    moved = tuple(replace(c, mean=0.0) if changes else c for c in each)
    lags = (tuple(schema["output_lags"]), tuple(schema["input_lags"]), len(inputs))
    recursion = Recursion(*lags, changes, tuple(arrays["weights"].tolist()))
    return Program(tuple(columns), tuple(stages), moved, None, recursion)


def _parts(model: Any) -> tuple[Network, Any, Schema | None]:
    if isinstance(model, Model):
        try:
            return model.net, model.params, None if model.schema is None else Schema.from_json(model.schema)
        except DataError as error:
            raise ModelFileError(f"the model's schema cannot be used ({error}): train it again.") from None
    if isinstance(model, tuple) and len(model) == 2 and isinstance(model[0], Network):
        return model[0], model[1], None
    estimator: Any = model
    if callable(getattr(estimator, "schema", None)):
        return estimator.net_, estimator.params_, estimator.schema()
    raise ConfigurationError(
        f"model is {model!r}: give the path of a model file, a fitted estimator, or (net, params)."
    )


def _columns(schema: Schema) -> tuple[Column, ...]:
    columns: list[Column] = []
    for column in schema.inputs:
        if isinstance(column, Pixels):
            columns += [Column(name, 0.0, column.scale) for name in column.input_names]
        elif isinstance(column, CategoricalColumn):
            columns.append(Column(column.name, categories=column.categories, imputed=column.imputed))
        else:
            columns.append(Column(column.name, column.mean, column.std, imputed=column.imputed))
    return tuple(columns)
