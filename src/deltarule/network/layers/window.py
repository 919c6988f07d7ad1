"""A window that slides over images: where it stops, and which pixels it sees there.

Images are (m, H, W, c). A window of (h, w) pixels moves by its stride over the image, with "same" padding inside a
margin, and stops at (H', W') places. Convolution and pooling use h w *pieces* of an image: piece (u, v) has the pixels
u down and v right of the window's corner at every stop, (m, H', W', c).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from deltarule import engine
from deltarule.arrays import Array
from deltarule.errors import ConfigurationError, ShapeError
from deltarule.network.layers.base import Shape

PADDINGS = ("valid", "same")


@dataclass(frozen=True)
class Window:
    """(h, w) pixels, moved by (s_h, s_w).

    With "valid" padding it stays inside the image: H' = (H - h) // s_h + 1. With "same", H' = ceil(H / s_h); the margin
    for this is split between both sides, with an odd pixel below and right.
    """

    size: tuple[int, int]
    stride: tuple[int, int]
    padding: str

    def stops(self, layer: str, input_shape: Shape) -> tuple[int, int]:
        """(H', W') for images (H, W, c); a ShapeError if the input is not an image or smaller than the window."""
        if len(input_shape) != 3:
            raise ShapeError(
                f"{layer} takes images (height, width, channels), and its input has shape {input_shape}: put "
                "Reshape((height, width, channels)) before it."
            )
        inside = input_shape[:2]
        if self.padding == "same":
            return -(-inside[0] // self.stride[0]), -(-inside[1] // self.stride[1])
        if inside[0] < self.size[0] or inside[1] < self.size[1]:
            raise ShapeError(
                f"{layer} needs images of at least {self.size[0]}x{self.size[1]} pixels, and its input has shape "
                f"{input_shape}: use a smaller window, fewer layers before it, or padding='same'."
            )
        return (inside[0] - self.size[0]) // self.stride[0] + 1, (inside[1] - self.size[1]) // self.stride[1] + 1

    def margins(self, H: int, W: int) -> tuple[tuple[int, int], tuple[int, int]]:
        """The pixels of padding above and below, left and right."""
        if self.padding == "valid":
            return (0, 0), (0, 0)
        missing = [max((-(-n // s) - 1) * s + k - n, 0) for n, k, s in zip((H, W), self.size, self.stride, strict=True)]
        return (missing[0] // 2, -(-missing[0] // 2)), (missing[1] // 2, -(-missing[1] // 2))

    def pieces(self, images: Array, margin: float = 0) -> list[Array]:
        """The h w pieces, row by row; pixels outside the image are `margin`."""
        _, H, W, c = images.shape
        images = self._inside_margin(images, margin)
        (s, t), (high, wide) = self.stride, self.stops("", (H, W, c))
        return [
            images[:, u : u + (high - 1) * s + 1 : s, v : v + (wide - 1) * t + 1 : t]
            for u, v in product(range(self.size[0]), range(self.size[1]))
        ]

    def patches(self, images: Array) -> Array:
        """The patch that the window sees at each stop, (m, H', W', h w c), in the order of a kernel's weights."""
        return images.__array_namespace__().concatenate(self.pieces(images), axis=-1)

    def put_back(self, pieces: Sequence[Array], H: int, W: int) -> Array:
        """The transpose of `pieces`: each is added to the pixels from which it came, (m, H, W, c)."""
        (s, t), (m, high, wide, c) = self.stride, pieces[0].shape
        xp, pad = pieces[0].__array_namespace__(), engine.of(pieces[0]).pad
        if self.stride == self.size and self.padding == "valid":  # no two windows see the same pixel
            rows = [xp.stack(pieces[i : i + t], axis=3) for i in range(0, len(pieces), t)]
            seen = xp.stack(rows, axis=2).reshape(m, high * s, wide * t, c)
            return pad(seen, 0, ((0, 0, 0), (0, H - high * s, 0), (0, W - wide * t, 0), (0, 0, 0)))
        (top, _), (left, _) = self.margins(H, W)
        total = None
        for (u, v), piece in zip(product(range(self.size[0]), range(self.size[1])), pieces, strict=True):
            above, before = u - top, v - left
            rows = (above, H - above - (high - 1) * s - 1, s - 1)
            columns = (before, W - before - (wide - 1) * t - 1, t - 1)
            placed = pad(piece, 0, ((0, 0, 0), rows, columns, (0, 0, 0)))
            total = placed if total is None else total + placed
        assert total is not None
        return total

    def _inside_margin(self, images: Array, margin: float) -> Array:
        """The images with their margin."""
        (top, bottom), (left, right) = self.margins(*images.shape[1:3])
        if not any((top, bottom, left, right)):
            return images
        return engine.of(images).pad(images, margin, ((0, 0, 0), (top, bottom, 0), (left, right, 0), (0, 0, 0)))

    def counts(self, H: int, W: int) -> np.ndarray:
        """How many pixels of the image, without the margin, the window sees at each stop, (H', W', 1)."""
        seen = []
        for n, k, s, stops, (before, _) in zip(
            (H, W), self.size, self.stride, self.stops("", (H, W, 1)), self.margins(H, W), strict=True
        ):
            first = np.arange(stops) * s - before
            seen.append(np.minimum(first + k, n) - np.maximum(first, 0))
        return np.multiply.outer(*seen)[..., None]


def as_pair(what: str, value: int | Sequence[int] | np.ndarray) -> tuple[int, int]:
    """A size or stride as (down, right), from one number for both or two; else a ConfigurationError."""
    numbers = value.tolist() if isinstance(value, np.ndarray) else value
    pair = tuple(numbers) if isinstance(numbers, Sequence) else (numbers, numbers)
    if len(pair) != 2 or any(isinstance(n, bool) or not hasattr(n, "__index__") or n < 1 for n in pair):
        raise ConfigurationError(f"{what} is {value!r}: give one whole number of at least 1, or two, (down, right).")
    return int(pair[0]), int(pair[1])
