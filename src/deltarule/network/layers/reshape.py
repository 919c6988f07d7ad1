"""Layers without weights: Reshape makes images from rows, Flatten rows from images, and Dropout drops activations."""

from dataclasses import dataclass
from math import prod
from typing import ClassVar

import numpy as np

from deltarule import engine
from deltarule.arrays import Array
from deltarule.checks import require_number
from deltarule.errors import ConfigurationError, ShapeError
from deltarule.network.layers.base import LayerParams, LinearLayer, Pass, Shape


class Reshaping(LinearLayer):
    """a^l = z^l = a^{l-1} in another shape; tangents and errors are reshaped too."""

    unit_tangents: ClassVar[bool] = True

    def stage(self, params: LayerParams, input_shape: Shape) -> None:
        """None: a flat row stays as it is."""

    def forward_map(self, values: Pass, v: Array) -> Array:
        return self._reshaped(v)

    def _reshaped(self, array: Array) -> Array:
        return array.reshape(len(array), *self.output_shape(array.shape[1:]))

    def forward(self, params: LayerParams, a_prev: Array, key: Array | None = None) -> Pass:
        a = self._reshaped(a_prev)
        return Pass(params, a_prev, a, a)

    def propagate(self, values: Pass, delta: Array) -> Array:
        """delta in the shape of a^{l-1}, after any further axes in front."""
        return delta.reshape(*delta.shape[: delta.ndim - values.a.ndim], *values.a_prev.shape)


@dataclass(frozen=True)
class Flatten(Reshaping):
    """Each example as one row: (m, H, W, c) becomes (m, H W c), for the Dense layers that follow."""

    forward_words: ClassVar[str] = "a^{below} as a row"

    @property
    def label(self) -> str:
        return "Flatten"

    def output_shape(self, input_shape: Shape) -> Shape:
        return (prod(input_shape),)


@dataclass(frozen=True)
class Reshape(Reshaping):
    """Each example in another shape: Reshape((28, 28, 1)) makes images from rows of 784 pixels.

    A network that begins with it takes rows of numbers, as from files and scikit-learn.

    Args:
        shape: of one example, such as (height, width, channels).

    Raises:
        ConfigurationError: the shape has other entries than positive whole numbers.
    """

    shape: tuple[int, ...]

    forward_words: ClassVar[str] = "a^{below} in another shape"

    def __post_init__(self):
        try:
            shape = tuple(n.__index__() for n in self.shape)
        except (TypeError, AttributeError):
            shape = ()
        if not shape or min(shape) < 1:
            raise ConfigurationError(
                f"Reshape: shape is {self.shape!r}: give positive whole numbers, such as (28, 28, 1)."
            )
        object.__setattr__(self, "shape", shape)

    @property
    def label(self) -> str:
        return f"Reshape({'x'.join(map(str, self.shape))})"

    def input_shape(self, params: LayerParams) -> Shape | None:
        return (prod(self.shape),)

    def output_shape(self, input_shape: Shape) -> Shape:
        if prod(input_shape) != prod(self.shape):
            raise ShapeError(
                f"{self.label} needs {prod(self.shape)} values, and its input has shape {input_shape} and "
                f"{prod(input_shape)} values: give the size of the images."
            )
        return self.shape


@dataclass(frozen=True)
class Dropout(LinearLayer):
    """a^l = a^{l-1} ⊙ mask / (1 - p), where each entry of the mask is 0 with probability p, else 1 ([N] ch. 3).

    Training draws a new mask for every example of every step. In prediction, validation, the trace and the gradient
    check there is no key, and the layer is the identity; because E[a^l] = a^{l-1} in training, nothing has to be
    rescaled. The layer has no parameters, and z^l is a^{l-1}.

    Args:
        p: the probability of dropping, from 0 to below 1; [N] uses 1/2. On JAX another p compiles anew.

    Raises:
        ConfigurationError: p is outside its range.

    Source: Hinton et al. 2012, arXiv 1207.0580.
    """

    p: float

    is_random: ClassVar[bool] = True
    keeps_shape: ClassVar[bool] = True
    handles_sequences: ClassVar[bool] = True
    forward_words: ClassVar[str] = "a^{below}"
    activation_words: ClassVar[str | None] = "a^{l} = z^{l}: Dropout acts in training only   (3)"

    def __post_init__(self):
        object.__setattr__(self, "p", require_number("p, the share that Dropout drops,", self.p, least=0, below=1))

    @property
    def label(self) -> str:
        return f"Dropout({self.p:g})"

    def output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def forward(self, params: LayerParams, a_prev: Array, key: Array | None = None) -> Pass:
        """z^l = a^{l-1}, a^l = z^l ⊙ mask / (1 - p); the memory holds mask / (1 - p), or None without a key."""
        if key is None or self.p == 0:
            return Pass(params, a_prev, a_prev, a_prev)
        # 32 random bits against a threshold: the same mask in float32 and float64.
        bits = engine.of(a_prev).bits(key, a_prev.shape)
        mask = bits >= np.uint32(min(round(self.p * 2**32), 2**32 - 1))
        scaled_mask = mask.astype(a_prev.dtype) * (1 / (1 - self.p))
        return Pass(params, a_prev, a_prev, a_prev * scaled_mask, scaled_mask)

    def stage(self, params: LayerParams, input_shape: Shape) -> None:
        """None: prediction drops nothing."""

    def forward_map(self, values: Pass, v: Array) -> Array:
        return v

    def times_slope(self, values: Pass, v: Array) -> Array:
        """v ⊙ mask / (1 - p), forward and back."""
        return v if values.memory is None else v * values.memory

    def propagate(self, values: Pass, delta: Array) -> Array:
        """dC/da^{l-1} = delta^l, because z^l = a^{l-1}."""
        return delta
