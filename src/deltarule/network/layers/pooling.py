"""Pooling: the maximum, mean or Euclidean norm of each window of an image, channel by channel ([N] ch. 6).

a[i,j,c] is a function of the h w pixels a_k of its window, with the tangent da = sum_k w_k da_k. The shares w_k are all
that the backward pass needs, because the error of a window goes to its pixels in these shares:

    MaxPool     w_k = 1 for the largest pixel, else 0; of equal pixels the first is taken, row by row
    MeanPool    w_k = 1/(the number of pixels)
    L2Pool      w_k = a_k/a with a = √(sum a_k²), or 0 if a = 0
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import ClassVar

import numpy as np

from deltarule.arrays import Array
from deltarule.checks import require_choice
from deltarule.network.layers.base import LayerParams, LinearLayer, Pass, Shape, Tangents
from deltarule.network.layers.stages import Stage, View
from deltarule.network.layers.window import PADDINGS, Window, as_pair


@dataclass(frozen=True)
class Pool(LinearLayer):
    """The base class of pooling layers.

    Args:
        size: the window in pixels, (h, w), or one number for both.
        stride: by how many pixels it moves, (s_h, s_w); None moves it by its size, so that windows do not overlap.
        padding: "valid": windows stay inside the image, and pixels left over below and right are ignored; or "same":
            windows cover the image, and pixels outside are ignored.

    Raises:
        ConfigurationError: a size is not a positive whole number, or the padding is not known.
    """

    size: tuple[int, int] | int
    stride: tuple[int, int] | int | None = None
    padding: str = "valid"

    input_axes: ClassVar[int | None] = 3
    condensed_by: ClassVar[str]  # "max", "mean" or "l2"

    def __post_init__(self):
        name = self.kind
        object.__setattr__(self, "size", as_pair(f"{name}: the window's size", self.size))
        stride = self.size if self.stride is None else self.stride
        object.__setattr__(self, "stride", as_pair(f"{name}: stride", stride))
        require_choice(f"{name}: padding", self.padding, PADDINGS)

    @property
    def window(self) -> Window:
        """The window that slides over the image."""
        return Window(self.size, self.stride, self.padding)  # pyright: ignore[reportArgumentType]

    @property
    def label(self) -> str:
        return f"{self.kind}({self.window.size[0]}x{self.window.size[1]})"

    def output_shape(self, input_shape: Shape) -> Shape:
        return (*self.window.stops(self.label, input_shape), input_shape[-1])

    def stage(self, params: LayerParams, input_shape: Shape) -> Stage:
        n_out = prod(self.output_shape(input_shape))
        return Stage(self.condensed_by, prod(input_shape), n_out, view=View(self.window, input_shape))

    def pooled(self, a_prev: Array) -> Array:
        raise NotImplementedError

    def shares(self, a_prev: Array, a: Array) -> list[Array]:
        """w_k, for each piece."""
        raise NotImplementedError

    def share_tangents(self, a_prev: Array, a: Array, da_prev: Array, da: Array) -> Sequence[Array | float]:
        """The tangents of w_k as the image moves by da_prev and a by da; 0 for piecewise linear pooling."""
        return [0.0] * len(self.shares(a_prev, a))

    def forward(self, params: LayerParams, a_prev: Array, key: Array | None = None) -> Pass:
        a = self.pooled(a_prev)
        return Pass(params, a_prev, a, a)

    def propagate(self, values: Pass, delta: Array) -> Array:
        """dC/da^{l-1}: the delta of each window goes to its pixels in the shares w_k."""
        return self._put_back(values, [w * delta for w in self.shares(values.a_prev, values.a)])

    def forward_map(self, values: Pass, v: Array) -> Array:
        """dz = da = sum_k w_k da_k."""
        return self._sum_of(self.shares(values.a_prev, values.a), v)

    def second_tangent(self, values: Pass, tangents: Tangents, dda_prev: Array | None) -> tuple[Array, Array]:
        """dda = sum_k w_k dda_k + dw_k da_k."""
        _, dda = super().second_tangent(values, tangents, dda_prev)
        if tangents.da_prev is not None:
            dda = dda + self._sum_of(
                self.share_tangents(values.a_prev, values.a, tangents.da_prev, tangents.da), tangents.da_prev
            )
        return dda, dda

    def propagate_tangent(self, values: Pass, tangents: Tangents, delta: Array, ddelta: Array) -> Array:
        """w_k ddelta + dw_k delta, put back."""
        shares = self.shares(values.a_prev, values.a)
        dshares = self.share_tangents(values.a_prev, values.a, tangents.da_prev, tangents.da)
        return self._put_back(values, [w * ddelta + dw * delta for w, dw in zip(shares, dshares, strict=True)])

    def _sum_of(self, shares: Sequence[Array | float], image: Array) -> Array:
        return _sum(w * piece for w, piece in zip(shares, self.window.pieces(image), strict=True))

    def _put_back(self, values: Pass, parts: Sequence[Array]) -> Array:
        return self.window.put_back(parts, *values.a_prev.shape[1:3])


class MaxPool(Pool):
    """a = max_k a_k: whether a feature is anywhere in the window. Its arguments are those of `Pool`.

    >>> MaxPool((2, 2)).output_shape((24, 24, 20))
    (12, 12, 20)
    """

    condensed_by: ClassVar[str] = "max"
    forward_words: ClassVar[str] = "the largest a^{below} of each window"
    backward_words: ClassVar[str] = "delta^{l} at the largest pixel of its window"

    def pooled(self, a_prev: Array) -> Array:
        first, *others = self.window.pieces(a_prev, -np.inf)
        for piece in others:
            first = a_prev.__array_namespace__().maximum(first, piece)
        return first

    def shares(self, a_prev: Array, a: Array) -> list[Array]:
        """1 for the first pixel that equals the maximum."""
        pieces, xp = self.window.pieces(a_prev, -np.inf), a.__array_namespace__()
        winner = xp.full(a.shape, len(pieces), dtype="int32")
        for k, piece in reversed(list(enumerate(pieces))):
            winner = xp.where(piece == a, k, winner)
        return [(winner == k).astype(a.dtype) for k in range(len(pieces))]


class MeanPool(Pool):
    """a = mean_k a_k over the image's pixels in the window. Its arguments are those of `Pool`."""

    condensed_by: ClassVar[str] = "mean"
    forward_words: ClassVar[str] = "the mean a^{below} of each window"
    backward_words: ClassVar[str] = "delta^{l} spread evenly over its window"

    def pooled(self, a_prev: Array) -> Array:
        return self._share(a_prev) * _sum(self.window.pieces(a_prev))

    def shares(self, a_prev: Array, a: Array) -> list[Array]:
        return [self._share(a_prev)] * (self.window.size[0] * self.window.size[1])

    def _share(self, a_prev: Array) -> Array:
        counts = self.window.counts(*a_prev.shape[1:3])
        return a_prev.__array_namespace__().asarray(1 / counts, dtype=a_prev.dtype)


class L2Pool(Pool):
    """a = √(sum_k a_k²), the Euclidean norm of the pixels in the window. Its arguments are those of `Pool`."""

    condensed_by: ClassVar[str] = "l2"
    forward_words: ClassVar[str] = "√(sum of (a^{below})²) over each window"
    backward_words: ClassVar[str] = "delta^{l} spread over its window by a/‖a‖"

    def pooled(self, a_prev: Array) -> Array:
        return a_prev.__array_namespace__().sqrt(_sum(piece * piece for piece in self.window.pieces(a_prev)))

    def shares(self, a_prev: Array, a: Array) -> list[Array]:
        """a_k/a, and 0 if a = 0, where 0 is a subgradient of the norm."""
        return [piece * _inverse(a) for piece in self.window.pieces(a_prev)]

    def share_tangents(self, a_prev: Array, a: Array, da_prev: Array, da: Array) -> Sequence[Array]:
        """(da_k - w_k da)/a."""
        pieces = zip(self.window.pieces(da_prev), self.shares(a_prev, a), strict=True)
        return [(da_k - share * da) * _inverse(a) for da_k, share in pieces]


def _inverse(a: Array) -> Array:
    xp = a.__array_namespace__()
    return xp.where(a > 0, 1 / xp.where(a > 0, a, 1), 0)


def _sum(arrays) -> Array:
    total = None
    for array in arrays:
        total = array if total is None else total + array
    assert total is not None
    return total
