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

A network with a memory is written down as one step, which takes one step's columns and a state: of a series of any
length, or of a row that holds a number of steps one after the other (a network that begins with Reshape).
"""

import os
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod
from typing import Any, NamedTuple

import numpy as np

from deltarule.data.columns import RawColumn
from deltarule.data.schema import Schema
from deltarule.errors import ConfigurationError, ModelFileError
from deltarule.export.members import Member, Scatter, members_of
from deltarule.models.model import load_model
from deltarule.network.activation import Activation
from deltarule.network.activations import get_activation
from deltarule.network.layers import LAYER_KINDS, Shape
from deltarule.network.layers.stages import Stage, View
from deltarule.network.network import Network

PATCHES = 2**20  # how many numbers windows may see at once, over all their stops: 8 MiB


@dataclass(frozen=True)
class Series:
    """How a program goes through sequences.

    Args:
        steps: of a row that holds them one after the other; None for series of any length.
        every: whether the network gives the outputs of every step, or those of the last.
    """

    steps: int | None
    every: bool


class Recursion(NamedTuple):
    """How one step follows the other.

    Attributes:
        outputs: the output lags.
        inputs: the input lags.
        width: m, how many inputs a step has.
        changes: whether what the stages give is added to the outputs of one step before.
        weights: of the members, whose outputs lie one after the other, in the mean that is the model's output.
    """

    outputs: tuple[int, ...]
    inputs: tuple[int, ...]
    width: int
    changes: bool
    weights: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Program:
    """A trained network as raw columns, stages and outputs.

    Args:
        columns: the raw columns, in the order of a row.
        stages: layers 2..L, without those that do nothing to a flat row.
        targets: the columns a regression gives, in their units; the plain outputs where the model has no schema.
        classes: the labels of a classification, else None.
        series: of a network with a memory, whose stages are those of one step.
        recursion: of a NARX network, whose columns are those of its lags.
        members: the networks of an ensemble, where the error bars are to be written too.
        scatter: how new measurements scatter around them.
        reach: how many of their standard deviations hold 95 % of new measurements on either side.
    """

    columns: tuple[RawColumn, ...]
    stages: tuple[Stage, ...]
    targets: tuple[RawColumn, ...]
    classes: tuple[Any, ...] | None
    series: Series | None = None
    recursion: Recursion | None = None
    members: tuple[Member, ...] = ()
    scatter: Scatter | None = None
    reach: float = 0.0

    @property
    def is_step(self) -> bool:
        """Whether the program takes one step of a series of any length."""
        return self.series is not None and self.series.steps is None

    @cached_property
    def constants(self) -> dict[str, list]:
        """What scales columns and targets, how many categories a column has, and 1 where it may be missing.

        Empty lists stand for what no column needs.
        """

        def scaling(columns: tuple[RawColumn, ...]) -> tuple[list[float], list[float]]:
            scaled = any(c.mean != 0 or c.std != 1 for c in columns if c.categories is None)
            return ([float(c.mean) for c in columns], [float(c.std) for c in columns]) if scaled else ([], [])

        categories, imputed = [len(c.categories or ()) for c in self.columns], [int(c.imputed) for c in self.columns]
        (mean, std), (out_mean, out_std) = scaling(self.columns), scaling(self.targets)
        return {
            "mean": mean,
            "std": std,
            "categories": categories if any(c.categories is not None for c in self.columns) else [],
            "imputed": imputed if any(imputed) else [],
            "out_mean": out_mean,
            "out_std": out_std,
        }

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
        """n_1, how many numbers a^1 has; of sequences, of one step."""
        return self.stages[0].n_in

    @property
    def kinds(self) -> set[str]:
        """Those of the stages."""
        return {stage.kind for stage in self.stages}

    @property
    def states(self) -> dict[str, int]:
        """What a series remembers from step to step: the letter and the number of its layer, and how many numbers."""
        return {f"{state}{i}": stage.n_out for i, stage in enumerate(self.stages, 2) for state in stage.states}

    @property
    def activations(self) -> tuple[Activation, ...]:
        """The activations that occur, those of gates first."""
        gates = ("sigmoid",) if self.kinds & {"gru", "lstm"} else ()
        return tuple(map(get_activation, dict.fromkeys((*gates, *(stage.activation for stage in self.stages)))))

    @property
    def widest(self) -> int:
        """The most neurons, inputs or gates of any layer."""
        gates = (len(stage.b) for stage in self.stages if stage.states)
        return max(self.inputs, *gates, *(stage.n_out for stage in self.stages))

    @property
    def views(self) -> tuple[View, ...]:
        """Of the convolutions and pools."""
        return tuple(stage.view for stage in self.stages if stage.view is not None)

    @property
    def rows_at_once(self) -> int:
        """How many rows a language without loops of its own may take at once, so that what windows see is bounded."""
        return max(1, PATCHES // max(view.seen * prod(view.stops) for view in self.views))


def program_of(model: Any) -> Program:
    """The program of a model file's path, of a `Model` or what `load` returned, or of a fitted estimator.

    A program is returned as it is.

    Raises:
        ModelFileError: the file cannot be used.
        ConfigurationError: it is none of these, a layer is the user's own, or the inputs may have any size.
        ShapeError: the parameters are those of another network.
    """
    if isinstance(model, Program):
        return model
    model = load_model(model) if isinstance(model, str | os.PathLike) else model
    if callable(getattr(model, "content", None)):
        return _recursive(model.content())
    net, params, schema = _parts(model)
    taken, series = net.input_shape(params), None
    if net.is_recurrent:
        taken, series = _one_step(net, params, taken)
    if taken is None:
        raise ConfigurationError(
            f"the network begins with {net.layers[0].label} and takes inputs of any size, which a program has to know: "
            "begin with Reshape((height, width, channels))."
        )
    net.check(params, taken)
    for i, layer in enumerate(net.layers):
        if LAYER_KINDS.get(layer.kind) is not type(layer):  # it may compute anything
            raise ConfigurationError(f"layer {i} is {layer.kind}, which cannot be exported: it is not in LAYER_KINDS.")
    found = (layer.stage(p, below) for layer, p, below in zip(net.layers, params, net.shapes(taken)[:-1], strict=True))
    stages = [stage for stage in found if stage is not None]
    n_in, n_out = stages[0].n_in, stages[-1].n_out
    n_in = n_in if series is None or series.steps is None else n_in * series.steps
    if schema is None:
        columns = tuple(RawColumn(f"x{i}") for i in range(n_in))
        return Program(columns, tuple(stages), tuple(RawColumn(f"a{j}") for j in range(n_out)), None, series)
    if (n_in, n_out) != (schema.input_width, schema.output_width):
        raise ModelFileError(
            f"the network has {n_in} inputs and {n_out} outputs, its schema {schema.input_width} and "
            f"{schema.output_width}: they do not belong together."
        )
    columns, targets = (tuple(raw for c in given for raw in c.raw_columns) for given in (schema.inputs, schema.targets))
    return Program(columns, tuple(stages), targets, schema.classes, series)


def _one_step(net: Network, params: Any, taken: Shape | None) -> tuple[Shape, Series]:
    """The shape of a sequence that goes through the network, and how a program of one step goes through it.

    Raises:
        ConfigurationError: a layer needs several steps at once, or a row of a fixed number of steps gives all outputs.
    """
    first = net.layers[0]
    shape = (1, next(p["W"].shape[-1] for p in params if p)) if taken is None else first.output_shape(taken)
    for i, layer in enumerate(net.layers):
        if not layer.handles_sequences and (i > 0 or taken is None):
            raise ConfigurationError(
                f"layer {i} is {layer.label}, and a network with a memory is exported step by step: give it Dense "
                "layers besides, and sequences=False to the last layer with a memory where one answer is wanted."
            )
    every = all(layer.sequences for layer in net.layers)
    if taken is None:
        return shape, Series(None, every)
    if every:
        raise ConfigurationError(
            f"the network gives outputs at each of the {shape[0]} steps of a row: export it without Reshape, as one "
            "that takes series, or give sequences=False to its last layer with a memory."
        )
    return taken, Series(shape[0], False)


def with_error_bars(program: Program, model: Any) -> Program:
    """The program with what the error bars of its model take.

    Raises:
        ConfigurationError: the model has none, or they are too large for a source file.
    """
    if program.recursion is not None:
        raise ConfigurationError("error_bars is True, and those of a time series are not exported: leave it out.")
    if isinstance(model, str | os.PathLike):
        model = load_model(model)
    ensemble = getattr(model, "error_bars", None) or getattr(model, "ensemble_", None)
    if ensemble is None:
        raise ConfigurationError(
            "the model has no error bars: train a regression by Bayesian regularisation, or call calibrate of a model."
        )
    return replace(program, members=members_of(ensemble), scatter=Scatter.of(ensemble), reach=ensemble.reach(0.95))


def require_floats(program: Program) -> None:
    """Raise a ConfigurationError if a number lies beyond a float, or a std is too small a float to divide by."""
    largest, smallest = (float(end) for end in (np.finfo(np.float32).max, np.finfo(np.float32).tiny))
    cure = "outside the range of a float: export in precision 'double'."
    for column in (*program.columns, *program.targets):
        if abs(column.mean) > largest or not smallest <= column.std <= largest:
            raise ConfigurationError(f"column {column.name!r} has mean {column.mean:g} and std {column.std:g}, {cure}")
    for i, stage in enumerate(program.stages):
        highest = max((float(np.abs(array).max()) for array in stage.arrays.values()), default=0.0)
        if highest > largest:
            raise ConfigurationError(f"stage {i}, {stage.kind}, has a parameter of magnitude {highest:g}, {cure}")


def require_dense(program: Program, language: str) -> None:
    """Raise a ConfigurationError if the network has windows or a memory, which this language is not written for."""
    if program.views or program.series is not None:
        raise ConfigurationError(
            f"the network takes {'images' if program.views else 'series'}, and {language} is written for dense layers: "
            "export to c, python, octave or onnx."
        )


def _recursive(content: Any) -> Program:
    """A NARX network: one step from the columns of its lags, and how steps follow each other."""
    schema, arrays = content.schema, content.error_bars
    inputs, targets = (
        [RawColumn(c["name"], c["mean"], c["std"]) for c in schema[side]] for side in ("inputs", "targets")
    )
    each = [target for _ in arrays["weights"] for target in targets]
    lags = [(lag, c) for lag in schema["output_lags"] for c in each]
    lags += [(lag, c) for lag in schema["input_lags"] for c in inputs]
    changes = bool(arrays["line"].any())  # B is either nothing or y_{t-1}
    of_outputs, of_inputs = tuple(schema["output_lags"]), tuple(schema["input_lags"])
    recursion = Recursion(of_outputs, of_inputs, len(inputs), changes, tuple(arrays["weights"].tolist()))
    return Program(
        tuple(replace(c, name=f"{c.name}, {lag} before") for lag, c in lags),
        tuple(layer.stage(p, ()) for layer, p in zip(content.net.layers, content.params, strict=True)),
        tuple(replace(c, mean=0.0) if changes else c for c in each),
        None,
        recursion=recursion,
    )


def _parts(model: Any) -> tuple[Network, Any, Schema | None]:
    if isinstance(model, tuple) and len(model) == 2 and isinstance(model[0], Network):
        return model[0], model[1], None
    given: Any = model
    if callable(getattr(given, "schema", None)):  # an estimator
        return given.net_, given.params_, given.schema()
    if hasattr(given, "schema"):  # a Model
        return given.net, given.params, given.schema
    raise ConfigurationError(
        f"model is {model!r}: give the path of a model file, a Model, a fitted estimator, or (net, params)."
    )
