"""What a layer is in plain arrays, from a flat row to a flat row, for whoever writes networks in another language.

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
    """A window on images of shape `image`, (H, W, c): the layer's own, so that it stops and sees as the layer does."""

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
        """h w c, how many numbers the window sees at once."""
        return prod(self.window.size) * self.image[2]


@dataclass(frozen=True, eq=False)
class Stage:
    """A layer as the exports write it.

    Attributes:
        kind: "dense"; "convolution", a dense layer at every stop of a window; "max", "mean" or "l2", a pool; or
            "recurrent", "gru" or "lstm", one step of a layer with a memory.
        n_in: the numbers that come in: of an image H W c, of a sequence those of a step.
        n_out: the numbers that go out.
        activation: the name of sigma; "gru" and "lstm" have their own.
        arrays: float64: W (n_l, n_{l-1}) and b (n_l,), of a convolution (f, h w c) and (f,); with a memory of g gates
            W (g n, n_in), V (g n, n) and b (g n,); none of a pool.
        view: the window of a convolution or a pool.
        states: the names of what goes from step to step, n_out numbers each.
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
        """The weights of the state."""
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
