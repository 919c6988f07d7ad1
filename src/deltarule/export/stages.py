"""The stages of an exported program, from a flat row to a flat row: dense layers, convolutions, pools, memories."""

from dataclasses import dataclass
from math import prod
from typing import ClassVar

import numpy as np

from deltarule.network.layers import Shape
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
class DenseStage:
    """A dense layer: W (n_l, n_{l-1}), b (n_l,), both float64, and the name of sigma."""

    W: np.ndarray
    b: np.ndarray
    activation: str

    kind: ClassVar[str] = "dense"

    @property
    def n_in(self) -> int:
        """n_{l-1}."""
        return self.W.shape[1]

    @property
    def n_out(self) -> int:
        """n_l."""
        return len(self.b)


@dataclass(frozen=True, eq=False)
class ConvolutionStage:
    """A convolution: the dense layer W (f, h w c), b (f,), sigma at every stop of a window; out come (H', W', f)."""

    W: np.ndarray
    b: np.ndarray
    activation: str
    view: View

    kind: ClassVar[str] = "convolution"

    @property
    def n_in(self) -> int:
        """H W c."""
        return prod(self.view.image)

    @property
    def n_out(self) -> int:
        """H' W' f."""
        return prod(self.view.stops) * len(self.b)


@dataclass(frozen=True, eq=False)
class PoolStage:
    """Pooling, of kind "max", "mean" or "l2": (H', W', c) come out."""

    kind: str
    view: View

    activation: ClassVar[str] = "linear"

    @property
    def n_in(self) -> int:
        """H W c."""
        return prod(self.view.image)

    @property
    def n_out(self) -> int:
        """H' W' c."""
        return prod(self.view.stops) * self.view.image[2]


@dataclass(frozen=True, eq=False)
class MemoryStage:
    """One step of a layer with a memory, of kind "recurrent", "gru" or "lstm": W (g n, n_in), V (g n, n), b (g n,)."""

    kind: str
    W: np.ndarray
    V: np.ndarray
    b: np.ndarray
    activation: str  # of "recurrent"; the gates of the others have theirs

    @property
    def n_in(self) -> int:
        """The features of a step."""
        return self.W.shape[1]

    @property
    def n_out(self) -> int:
        """n."""
        return self.V.shape[1]

    @property
    def states(self) -> tuple[str, ...]:
        """The names of what goes from step to step, n numbers each."""
        return ("h", "c") if self.kind == "lstm" else ("h",)


Stage = DenseStage | ConvolutionStage | PoolStage | MemoryStage
