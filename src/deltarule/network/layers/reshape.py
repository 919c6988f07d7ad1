"""Layers that move numbers as they are: Reshape makes images of rows, Flatten rows of images, Dropout drops some."""

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
    """a^l = z^l = a^{l-1} in another shape; whatever is linear goes through alike."""

    unit_tangents: ClassVar[bool] = True

    def stage(self, params: LayerParams, input_shape: Shape) -> None:
        """Nothing is done to a flat row."""

    def forward_map(self, values: Pass, v: Array) -> Array:
        return self._reshaped(v)

    def _reshaped(self, array: Array) -> Array:
        return array.reshape(len(array), *self.output_shape(array.shape[1:]))

    def forward(self, params: LayerParams, a_prev: Array, key: Array | None = None) -> Pass:
        a = self._reshaped(a_prev)
        return Pass(params, a_prev, a, a)

    def propagate(self, values: Pass, delta: Array) -> Array:
        """delta in the shape of a^{l-1}, behind the axes that stand in front."""
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
    """Each example in another shape: Reshape((28, 28, 1)) makes images of rows of 784 pixels.

    A network that begins with it takes plain rows of numbers, as files and scikit-learn hold them.

    Args:
        shape: of one example, such as (height, width, channels).

    Raises:
        ConfigurationError: the shape is not one of positive whole numbers.
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
                f"{self.label} makes {prod(self.shape)} values of its input, which has shape {input_shape} and "
                f"{prod(input_shape)} values: give the size of the images."
            )
        return self.shape


@dataclass(frozen=True)
class Dropout(LinearLayer):
    """a^l = a^{l-1} ⊙ mask / (1 - p), where each entry of the mask is 0 with probability p, else 1 ([N] ch. 3).

    The mask is drawn afresh for every example of every step, from the key that the training loop hands down. Without a
    key (prediction, validation, the trace, the gradient check) the layer is the identity: scaling in training makes
    E[a^l] = a^{l-1}, so prediction is one plain forward pass. Nothing here has parameters, and z^l is a^{l-1}.

    Args:
        p: the probability of dropping, from 0 to below 1; [N] takes 1/2. Another p is another network, which compiles.

    Raises:
        ConfigurationError: p lies outside its range.

    Source: Hinton et al. 2012, arXiv 1207.0580.
    """

    p: float

    is_random: ClassVar[bool] = True
    keeps_shape: ClassVar[bool] = True
    handles_sequences: ClassVar[bool] = True
    forward_words: ClassVar[str] = "a^{below}"
    activation_words: ClassVar[str | None] = "a^{l} = z^{l}: Dropout drops nothing outside training   (3)"

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
        kept = bits >= np.uint32(min(round(self.p * 2**32), 2**32 - 1))
        scaled_mask = kept.astype(a_prev.dtype) * (1 / (1 - self.p))
        return Pass(params, a_prev, a_prev, a_prev * scaled_mask, scaled_mask)

    def stage(self, params: LayerParams, input_shape: Shape) -> None:
        """Nothing is dropped where a network predicts."""

    def forward_map(self, values: Pass, v: Array) -> Array:
        return v

    def times_slope(self, values: Pass, v: Array) -> Array:
        """v ⊙ mask / (1 - p), forwards and back: what was dropped moves nothing and learns nothing."""
        return v if values.memory is None else v * values.memory

    def propagate(self, values: Pass, delta: Array) -> Array:
        """dC/da^{l-1} = delta^l, because z^l = a^{l-1}."""
        return delta
