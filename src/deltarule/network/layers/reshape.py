"""Layers that only give the same numbers another shape: Reshape makes images of rows, Flatten makes rows of images."""

from dataclasses import dataclass
from math import prod
from typing import ClassVar

from deltarule.arrays import Array
from deltarule.errors import ConfigurationError, ShapeError
from deltarule.network.layers.base import LayerParams, LinearLayer, Pass, Shape


class Reshaping(LinearLayer):
    """a^l = z^l = a^{l-1} in another shape; whatever is linear goes through alike."""

    unit_tangents: ClassVar[bool] = True

    def stage(self, params: LayerParams, input_shape: Shape) -> None:
        """Nothing is done to a flat row."""

    def carried(self, here: Pass, v: Array) -> Array:
        """The numbers as they are."""
        return self._reshaped(v)

    def _reshaped(self, array: Array) -> Array:
        return array.reshape(len(array), *self.output_shape(array.shape[1:]))

    def forward(self, params: LayerParams, a_prev: Array, key: Array | None = None) -> Pass:
        """The numbers as they are."""
        a = self._reshaped(a_prev)
        return Pass(params, a_prev, a, a)

    def propagate(self, here: Pass, delta: Array) -> Array:
        """delta in the shape of a^{l-1}, behind the axes that stand in front."""
        return delta.reshape(*delta.shape[: delta.ndim - here.a.ndim], *here.a_prev.shape)


@dataclass(frozen=True)
class Flatten(Reshaping):
    """Each example as one row: (m, H, W, c) becomes (m, H W c), for the Dense layers that follow."""

    forward_words: ClassVar[str] = "a^{below} as a row"

    @property
    def label(self) -> str:
        """Its name."""
        return "Flatten"

    def output_shape(self, input_shape: Shape) -> Shape:
        """(the number of values,)."""
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
        """Check the description once, where the mistake was made."""
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
        """Such as "Reshape(28x28x1)"."""
        return f"Reshape({'x'.join(map(str, self.shape))})"

    def input_shape(self, params: LayerParams) -> Shape | None:
        """A row of as many values."""
        return (prod(self.shape),)

    def output_shape(self, input_shape: Shape) -> Shape:
        """The shape asked for."""
        if prod(input_shape) != prod(self.shape):
            raise ShapeError(
                f"{self.label} makes {prod(self.shape)} values of its input, which has shape {input_shape} and "
                f"{prod(input_shape)} values: give the size of the images."
            )
        return self.shape
