"""What an exported model computes, in plain arrays: from raw columns through the layers to units or probabilities.

Every exporter writes the same program in its own language:

    a^1 = the columns: numbers as (x - mean) / std, categories one-hot; an imputed column is zero where its cell is
          missing, and has one more input, which is 1 there
    z^l = W^l a^{l-1} + b^l (2),  a^l = sigma(z^l) (3)
    a convolution: the same at every stop of its window, for the pixels in the window, zeros beyond the image
    a pool: the maximum, mean or norm of each channel in its window; the mean counts pixels of the image only
    a regression: mean + std a^L, in the targets' units
    a classification: the probabilities a^L / sum a^L and the most probable class (softmax outputs sum to one already)

An image is H W c numbers of a flat row, in this order, so Reshape and Flatten have nothing to do.

A recurrent network is written as one step, from the columns of a step and a state. It goes through sequences of any
length, or through rows that hold a fixed number of steps one after the other (a network that begins with Reshape).
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
from deltarule.export.members import Member, NoiseModel, read_members
from deltarule.models.model import load_model
from deltarule.network.activation import Activation
from deltarule.network.activations import get_activation
from deltarule.network.layers import LAYER_KINDS, Shape
from deltarule.network.layers.stages import Stage, View
from deltarule.network.network import Network

MAX_SEEN_NUMBERS = 2**20  # in all windows of the rows that are computed at once: 8 MiB


@dataclass(frozen=True)
class SequenceMode:
    """How a program goes through sequences.

    Args:
        steps: the number of steps in a row; None for sequences of any length.
        every_step: whether the network gives outputs at every step, or only at the last.
    """

    steps: int | None
    every_step: bool


class Recursion(NamedTuple):
    """How the outputs of a NARX model come back as inputs.

    Attributes:
        outputs: the output lags.
        inputs: the input lags.
        width: m, the number of inputs of a step.
        adds_previous: whether the stages compute changes, which are added to the outputs of the step before.
        weights: the weight of each member in the model's output; the outputs of the members lie side by side.
    """

    outputs: tuple[int, ...]
    inputs: tuple[int, ...]
    width: int
    adds_previous: bool
    weights: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Program:
    """A trained network as raw columns, stages and outputs.

    Args:
        columns: the raw columns, in the order of a row.
        stages: layers 2..L, without those that leave a flat row as it is.
        targets: the columns that a regression predicts, in their units; the plain outputs of a model without a schema.
        classes: the labels of a classification, else None.
        series: for a recurrent network, whose stages compute one step.
        recursion: for a NARX model, whose columns are its lagged outputs and inputs.
        members: the networks of the ensemble, if error bars are exported.
        noise: the noise of new measurements, if error bars are exported.
        coverage_factor: half the width of the 95 % prediction interval in standard deviations.
    """

    columns: tuple[RawColumn, ...]
    stages: tuple[Stage, ...]
    targets: tuple[RawColumn, ...]
    classes: tuple[Any, ...] | None
    series: SequenceMode | None = None
    recursion: Recursion | None = None
    members: tuple[Member, ...] = ()
    noise: NoiseModel | None = None
    coverage_factor: float = 0.0

    @property
    def is_step(self) -> bool:
        """Whether the program computes one step of a sequence of any length."""
        return self.series is not None and self.series.steps is None

    @cached_property
    def constants(self) -> dict[str, list]:
        """The scaling of columns and targets, each column's number of categories, and 1 for each imputed column.

        A list is empty if no column needs it.
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
        """Whether the outputs are probabilities without further scaling."""
        return self.stages[-1].activation == "softmax"

    @property
    def outputs(self) -> int:
        """k, the number of outputs."""
        return self.stages[-1].n_out

    @property
    def inputs(self) -> int:
        """n_1, the size of a^1; for sequences that of one step."""
        return self.stages[0].n_in

    @property
    def kinds(self) -> set[str]:
        """The kinds of stages that occur."""
        return {stage.kind for stage in self.stages}

    @property
    def states(self) -> dict[str, int]:
        """The size of each state vector that is kept from step to step, by its letter and the number of its layer."""
        return {f"{state}{i}": stage.n_out for i, stage in enumerate(self.stages, 2) for state in stage.states}

    @property
    def activations(self) -> tuple[Activation, ...]:
        """The activations that occur, the one of gates first."""
        gates = ("sigmoid",) if self.kinds & {"gru", "lstm"} else ()
        return tuple(map(get_activation, dict.fromkeys((*gates, *(stage.activation for stage in self.stages)))))

    @property
    def widest(self) -> int:
        """The most neurons, inputs or gates of any layer."""
        gates = (len(stage.b) for stage in self.stages if stage.states)
        return max(self.inputs, *gates, *(stage.n_out for stage in self.stages))

    @property
    def views(self) -> tuple[View, ...]:
        """The views of the convolutions and pools."""
        return tuple(stage.view for stage in self.stages if stage.view is not None)

    @property
    def rows_at_once(self) -> int:
        """The rows that array languages compute at once, so that their windows stay within `MAX_SEEN_NUMBERS`."""
        return max(1, MAX_SEEN_NUMBERS // max(view.seen * prod(view.stops) for view in self.views))


def build_program(model: Any) -> Program:
    """Build the program of a model: a file's path, a `Model`, (net, params), a fitted estimator, or a program already.

    Raises:
        ModelFileError: the file cannot be used.
        ConfigurationError: it is none of these, a layer is the user's own, or the inputs may have any size.
        ShapeError: the parameters do not fit the network.
    """
    if isinstance(model, Program):
        return model
    model = load_model(model) if isinstance(model, str | os.PathLike) else model
    if callable(getattr(model, "content", None)):
        return _narx_program(model.content())
    net, params, schema = _network_of(model)
    shape, series = net.input_shape(params), None
    if net.is_recurrent:
        shape, series = _single_step(net, params, shape)
    if shape is None:
        raise ConfigurationError(
            f"the network begins with {net.layers[0].label} and takes inputs of any size, and exported code has one "
            "size: begin with Reshape((height, width, channels))."
        )
    net.check(params, shape)
    for i, layer in enumerate(net.layers):
        if LAYER_KINDS.get(layer.kind) is not type(layer):  # it may compute anything
            raise ConfigurationError(f"layer {i} is {layer.kind}, which cannot be exported: it is not in LAYER_KINDS.")
    layers = zip(net.layers, params, net.shapes(shape)[:-1], strict=True)
    stages = [stage for layer, p, below in layers if (stage := layer.stage(p, below)) is not None]
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


def _single_step(net: Network, params: Any, input_shape: Shape | None) -> tuple[Shape, SequenceMode]:
    """The input shape of a recurrent network, and how a program that computes one step goes through a sequence."""
    first = net.layers[0]
    shape = (1, next(p["W"].shape[-1] for p in params if p)) if input_shape is None else first.output_shape(input_shape)
    for i, layer in enumerate(net.layers):
        if not layer.handles_sequences and (i > 0 or input_shape is None):
            raise ConfigurationError(
                f"layer {i} is {layer.label}, and a recurrent network is exported step by step: use only Dense layers "
                "beside the recurrent ones, and sequences=False in the last recurrent layer for one answer a sequence."
            )
    every_step = all(layer.sequences for layer in net.layers)
    if input_shape is None:
        return shape, SequenceMode(None, every_step)
    if every_step:
        raise ConfigurationError(
            f"the network gives outputs at each of the {shape[0]} steps of a row: export it without Reshape, for "
            "sequences of any length, or give sequences=False to its last recurrent layer."
        )
    return input_shape, SequenceMode(shape[0], False)


def with_error_bars(program: Program, model: Any) -> Program:
    """The program with the ensemble from which the error bars of its model are computed.

    Raises:
        ConfigurationError: the model has no error bars, or they are too large for a source file.
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
    members, noise = read_members(ensemble), NoiseModel.of(ensemble)
    return replace(program, members=members, noise=noise, coverage_factor=ensemble.reach(0.95))


def require_floats(program: Program) -> None:
    """Raise a ConfigurationError if a number is beyond the range of a float, or a std too small to divide by."""
    largest, smallest = (float(end) for end in (np.finfo(np.float32).max, np.finfo(np.float32).tiny))
    advice = "outside the range of a float: export in precision 'double'."
    for column in (*program.columns, *program.targets):
        if abs(column.mean) > largest or not smallest <= column.std <= largest:
            found = f"column {column.name!r} has mean {column.mean:g} and std {column.std:g}"
            raise ConfigurationError(f"{found}, {advice}")
    for i, stage in enumerate(program.stages):
        highest = max((float(np.abs(array).max()) for array in stage.arrays.values()), default=0.0)
        if highest > largest:
            raise ConfigurationError(f"stage {i}, {stage.kind}, has a parameter of magnitude {highest:g}, {advice}")


def require_dense(program: Program, language: str) -> None:
    """Raise a ConfigurationError if the network takes images or sequences, for which the language has no template."""
    if program.views or program.series is not None:
        inputs = "images" if program.views else "sequences"
        raise ConfigurationError(
            f"the network takes {inputs}, and {language} is written for dense layers only: export to c, python, octave "
            "or onnx."
        )


def _narx_program(content: Any) -> Program:
    """The program of a NARX model: one step from the columns of its lags, and how its outputs come back."""
    schema, arrays = content.schema, content.error_bars
    sides = (schema["inputs"], schema["targets"])
    inputs, targets = ([RawColumn(c["name"], c["mean"], c["std"]) for c in side] for side in sides)
    member_targets = [target for _ in arrays["weights"] for target in targets]
    output_lags, input_lags = tuple(schema["output_lags"]), tuple(schema["input_lags"])
    lagged = [(lag, c) for lag in output_lags for c in member_targets]
    lagged += [(lag, c) for lag in input_lags for c in inputs]
    adds_previous = bool(arrays["line"].any())  # B is either zero or picks y_{t-1}
    recursion = Recursion(output_lags, input_lags, len(inputs), adds_previous, tuple(arrays["weights"].tolist()))
    return Program(
        tuple(replace(c, name=f"{c.name}, {lag} before") for lag, c in lagged),
        tuple(layer.stage(p, ()) for layer, p in zip(content.net.layers, content.params, strict=True)),
        tuple(replace(c, mean=0.0) if adds_previous else c for c in member_targets),
        None,
        recursion=recursion,
    )


def _network_of(model: Any) -> tuple[Network, Any, Schema | None]:
    if isinstance(model, tuple) and len(model) == 2 and isinstance(model[0], Network):
        return model[0], model[1], None
    trained: Any = model
    if callable(getattr(trained, "schema", None)):  # an estimator
        return trained.net_, trained.params_, trained.schema()
    if hasattr(trained, "schema"):  # a Model
        return trained.net, trained.params, trained.schema
    advice = "give the path of a model file, a Model, a fitted estimator, or (net, params)"
    raise ConfigurationError(f"model is {model!r}: {advice}.")
