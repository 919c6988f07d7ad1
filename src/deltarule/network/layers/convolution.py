"""The convolutional layer: local receptive fields with shared weights ([N] ch. 6)."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar

import numpy as np

from deltarule import engine
from deltarule.arrays import Array
from deltarule.checks import require_choice, require_count
from deltarule.errors import ConfigurationError
from deltarule.network.layers import places
from deltarule.network.layers.base import LayerParams, Pass, Shape
from deltarule.network.layers.dense import AffineLayer
from deltarule.network.layers.stages import Stage, View, as_doubles
from deltarule.network.layers.window import PADDINGS, Window, as_pair


@dataclass(frozen=True)
class Convolution(AffineLayer):
    """Kernels that slide over images (m, H, W, c). Parameters: {"W": (f, h, w, c), "b": (f,)}.

    z[i,j,f] = b_f + sum_{u,v,c} W[f,u,v,c] a[s i + u, s j + v, c], and a^l = sigma(z).

    Args:
        filters: f, the number of kernels; each gives one channel (feature map) of the result.
        kernel: the size of the kernels in pixels, (h, w), or one number for both.
        activation: a name in `deltarule.network.activations.ACTIVATIONS`, but not softmax.
        stride: by how many pixels a kernel moves, (s_h, s_w), or one number for both.
        padding: "valid", the kernel stays inside the image, H' = (H - h) // s_h + 1; or "same", zeros around the
            image, H' = ceil(H / s_h).
        initializer: a name in `deltarule.network.initializers.INITIALIZERS`; None takes the activation's default. n_in
            is h w c.

    Raises:
        ConfigurationError: a size is not a positive whole number, or a name is not known.

    >>> Convolution(20, (5, 5)).output_shape((28, 28, 1))
    (24, 24, 20)
    """

    filters: int
    kernel: tuple[int, int] | int
    activation: str = "linear"
    stride: tuple[int, int] | int = 1
    padding: str = "valid"
    initializer: str | None = None

    input_axes: ClassVar[int | None] = 3
    forward_words: ClassVar[str] = (
        "b^{l} + W^{l} at every place of a^{below}: z_ijf = b_f + sum_uvc W_fuvc a_(s i + u)(s j + v)c"
    )
    backward_words: ClassVar[str] = "delta^{l} fully correlated with W^{l} turned by 180°"
    gradient_words: ClassVar[Mapping[str, str]] = {
        "b": "dC/db^{l}_f = sum_ij delta^{l}_ijf   (BP3)",
        "W": "dC/dW^{l}_fuvc = sum_ij delta^{l}_ijf a^{below}_(s i + u)(s j + v)c   (BP4)",
    }

    def __post_init__(self):
        object.__setattr__(self, "filters", require_count("Convolution: filters", self.filters))
        object.__setattr__(self, "kernel", as_pair("Convolution: the kernel's size", self.kernel))
        object.__setattr__(self, "stride", as_pair("Convolution: stride", self.stride))
        require_choice("Convolution: padding", self.padding, PADDINGS)
        self.check_names()
        if not self.sigma.elementwise:
            raise ConfigurationError(
                f"Convolution: activation is {self.activation!r}, which is for the last layer only: use another one."
            )

    @property
    def window(self) -> Window:
        """The window that each kernel sees."""
        return Window(self.kernel, self.stride, self.padding)  # pyright: ignore[reportArgumentType]

    @property
    def label(self) -> str:
        return f"Convolution({self.filters}, {self.window.size[0]}x{self.window.size[1]})"

    def output_shape(self, input_shape: Shape) -> Shape:
        return (*self.window.stops(self.label, input_shape), self.filters)

    def init(
        self, random: np.random.Generator, input_shape: Shape, dtype: Any, defaults: Mapping[str, str]
    ) -> LayerParams:
        W, b = self.choose_initializer(defaults)(random, self.filters, prod(self.window.size) * input_shape[-1], dtype)
        return {"W": W.reshape(self.filters, *self.window.size, input_shape[-1]), "b": b}

    def parameter_shapes(self, input_shape: Shape) -> dict[str, Shape]:
        return {"W": (self.filters, *self.window.size, input_shape[-1]), "b": (self.filters,)}

    def stage(self, params: LayerParams, input_shape: Shape) -> Stage:
        view, arrays = View(self.window, input_shape), as_doubles(params)
        arrays["W"] = arrays["W"].reshape(self.filters, -1)
        n_out = prod(self.output_shape(input_shape))
        return Stage("convolution", prod(input_shape), n_out, self.activation, arrays, view)

    def product(self, W: Array, a: Array) -> Array:
        return engine.of(a).correlate(W, a, self.window)

    def transposed(self, W: Array, delta: Array, a_prev: Array) -> Array:
        """The full correlation of delta with the kernels, turned by 180°."""
        return engine.of(delta).correlate_transposed(W, delta, self.window, *a_prev.shape[1:3])

    def outer(self, delta: Array, a_prev: Array) -> Array:
        """BP4, summed over the positions, which share W."""
        return engine.of(delta).kernel_gradient(delta, a_prev, self.window)

    def jacobian_transpose(self, values: Pass, delta: Array) -> list[tuple[Array, Array]]:
        """Column (i, o) is dW and db of residual (i, o), summed over the positions; delta is (m, k, H', W', f)."""
        delta, one = _flat(delta), delta.__array_namespace__().ones((1, 1), dtype=delta.dtype)
        return [(places.jacobian_rows(self._patches(values.a_prev), delta), one), (places.bias_rows(delta), one)]

    def squared_jacobian(self, values: Pass, delta: Array) -> LayerParams:
        """sum_{i,o} (sum over positions of delta_io a_i)²."""
        delta = _flat(delta)
        W = places.squares(self._patches(values.a_prev), delta)
        return {"W": W.reshape(self.filters, *self.window.size, -1), "b": places.bias_squares(delta)}

    def gram(self, a_prev: tuple[Array, Array], delta: tuple[Array, Array]) -> LayerParams:
        """(GRAM), summed over pairs of positions."""
        patches, errors = [self._patches(a) for a in a_prev], [_flat(d) for d in delta]
        return {"W": places.gram(patches, errors), "b": places.bias_gram(errors)}

    def _patches(self, a: Array) -> Array:
        """The patches of each example, (m, H' W', h w c)."""
        patches = self.window.patches(a)
        return patches.reshape(len(a), -1, patches.shape[-1])


def _flat(delta: Array) -> Array:
    """The errors with one axis for all positions, (m, k, H' W', f)."""
    return delta.reshape(*delta.shape[:2], -1, delta.shape[-1])
