"""Layers in plain arrays, from a flat row to a flat row, for the exports to other languages.

An image is H W c numbers of a flat row, in this order.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod

import numpy as np

from deltarule.network.layers.base import LayerParams, Shape
from deltarule.network.layers.window import Window


@dataclass(frozen=True)
class View:
    """The window of a layer on images of shape `image`, (H, W, c)."""

    window: Window
    image: Shape

    @property
    def stops(self) -> tuple[int, int]:
        """(H', W')."""
        return self.window.stops("", self.image)

    @property
    def margins(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """The pixels of padding above and below, left and right."""
        return self.window.margins(*self.image[:2])

    @property
    def seen(self) -> int:
        """h w c, how many numbers the window sees at one stop."""
        return prod(self.window.size) * self.image[2]


@dataclass(frozen=True, eq=False)
class Stage:
    """A layer as the exports write it.

    Attributes:
        kind: "dense"; "convolution", a dense layer at every stop of a window; "max", "mean" or "l2" for pooling; or
            "recurrent", "gru" or "lstm", one step of a recurrent layer.
        n_in: how many numbers the input has: H W c for an image, those of one step for a sequence.
        n_out: how many numbers the output has.
        activation: the name of sigma; "gru" and "lstm" have their own.
        arrays: float64: W (n_l, n_{l-1}) and b (n_l,), for a convolution (f, h w c) and (f,), for a recurrent layer of
            g gates W (g n, n_in), V (g n, n) and b (g n,); empty for pooling.
        view: the window of a convolution or of pooling.
        states: the names of the states, n_out numbers each.
    """

    kind: str
    n_in: int
    n_out: int
    activation: str = "linear"
    arrays: Mapping[str, np.ndarray] = field(default_factory=dict)
    view: View | None = None
    states: tuple[str, ...] = ()

    @property
    def W(self) -> np.ndarray:
        """The weights."""
        return self.arrays["W"]

    @property
    def V(self) -> np.ndarray:
        """The recurrent weights."""
        return self.arrays["V"]

    @property
    def b(self) -> np.ndarray:
        """The biases."""
        return self.arrays["b"]


def dense_stage(W: np.ndarray, b: np.ndarray, activation: str) -> Stage:
    """z = W a + b, a = sigma(z)."""
    return Stage("dense", W.shape[1], len(b), activation, as_doubles({"W": W, "b": b}))


def as_doubles(params: LayerParams) -> dict[str, np.ndarray]:
    """The parameters in double precision."""
    return {name: np.asarray(array, np.float64) for name, array in sorted(params.items())}
