"""What layers with weights share: z = W ∗ a + b with a product ∗ that is linear in W and in a, then a = sigma(z).

`Dense` has the matrix product, `Convolution` the correlation of images with kernels. Of its product a layer gives
three maps, and everything first order and second order follows from them, because the product is bilinear:

    product       W ∗ a                      forward (2), and every tangent of it
    transposed    the a-slot turned around   sum_j W_jk delta_j (BP2')
    outer         the W-slot turned around   sum over the batch of delta_j a_k (BP4)
"""

from collections.abc import Mapping
from typing import ClassVar

from deltarule.arrays import Array
from deltarule.network.activation import Activation
from deltarule.network.activations import ACTIVATIONS, get_activation
from deltarule.network.initializers import INITIALIZERS, Initializer, get_initializer
from deltarule.network.layers.base import Layer, LayerParams, Motion, Pass


class AffineLayer(Layer):
    """A layer with weights W, biases b and an activation; W and b are its parameters."""

    activation: str
    initializer: str | None
    forward_words: ClassVar[str] = "W^{l} a^{below} + b^{l}"
    backward_words: ClassVar[str] = "(W^{l})^T delta^{l}"
    gradient_words: ClassVar[Mapping[str, str]] = {
        "b": "dC/db^{l} = delta^{l}   (BP3)",
        "W": "dC/dW^{l}_jk = a^{below}_k delta^{l}_j   (BP4)",
    }

    def product(self, W: Array, a: Array) -> Array:
        """W ∗ a, one z^l without its bias for each example."""
        raise NotImplementedError

    def transposed(self, W: Array, delta: Array, a_prev: Array) -> Array:
        """dC/da^{l-1} where dC/dz^l is delta (BP2'); of a_prev only the shape matters."""
        raise NotImplementedError

    def outer(self, delta: Array, a_prev: Array) -> Array:
        """dC/dW summed over the batch (BP4)."""
        raise NotImplementedError

    def check_names(self) -> None:
        """Raise a ConfigurationError unless activation and initializer are known."""
        get_activation(self.activation)
        if self.initializer is not None:
            get_initializer(self.initializer)

    @property
    def sigma(self) -> Activation:
        """The activation by its name."""
        return ACTIVATIONS[self.activation]

    def scheme(self, defaults: Mapping[str, str]) -> Initializer:
        """The layer's initializer, or that of its activation: in `defaults`, or its own."""
        return INITIALIZERS[self.initializer or defaults.get(self.activation, self.sigma.initializer)]

    def forward(self, params: LayerParams, a_prev: Array, key: Array | None = None) -> Pass:
        """z^l = W^l ∗ a^{l-1} + b^l (2), a^l = sigma(z^l) (3)."""
        z = self.product(params["W"], a_prev) + params["b"]
        return Pass(params, a_prev, z, self.sigma.sigma(z))

    def slope(self, here: Pass) -> Array:
        """sigma'(z^l); for softmax the diagonal of its matrix."""
        return self.sigma.slope(here.z, here.a)

    def error(self, here: Pass, dC_da: Array) -> Array:
        """delta^l = dC/da^l ⊙ sigma'(z^l)."""
        return self.sigma.times_slope(here.z, here.a, dC_da)

    def propagate(self, here: Pass, delta: Array) -> Array:
        """dC/da^{l-1}_k = sum_j W_jk delta_j (BP2')."""
        return self.transposed(here.params["W"], delta, here.a_prev)

    def gradient(self, here: Pass, delta: Array) -> LayerParams:
        """dC/dW = sum over the batch of delta_j a_k (BP4), dC/db_j = sum of delta_j (BP3)."""
        return {"W": self.outer(delta, here.a_prev), "b": _over_examples(delta)}

    def tangent(self, here: Pass, dparams: LayerParams, da_prev: Array | None) -> Motion:
        """dz = dW ∗ a + db + W ∗ da_prev, da = sigma'(z) ⊙ dz."""
        dz = self.product(dparams["W"], here.a_prev) + dparams["b"]
        if da_prev is not None:
            dz = dz + self.product(here.params["W"], da_prev)
        return Motion(dparams, da_prev, dz, self.sigma.times_slope(here.z, here.a, dz))

    def second_tangent(self, here: Pass, moved: Motion, dda_prev: Array | None) -> tuple[Array, Array]:
        """ddz = 2 dW ∗ da_prev + W ∗ dda_prev, dda = sigma'(z) ⊙ ddz + sigma''(z) ⊙ dz²."""
        ddz = here.z.__array_namespace__().zeros_like(here.z)
        if moved.da_prev is not None:
            ddz = 2 * self.moved_product(here, moved)
        if dda_prev is not None:
            ddz = ddz + self.product(here.params["W"], dda_prev)
        return ddz, self.sigma.second_tangent(here.z, here.a, moved.dz, ddz)

    def moved_product(self, here: Pass, moved: Motion) -> Array:
        """dW ∗ da_prev."""
        assert moved.dparams is not None
        return self.product(moved.dparams["W"], moved.da_prev)

    def error_tangent(self, here: Pass, moved: Motion, dC_da: Array, ddC_da: Array) -> Array:
        """ddelta = sigma'(z) ⊙ ddC/da + sigma''(z) ⊙ dz ⊙ dC/da."""
        return self.sigma.slope_tangent(here.z, here.a, moved.dz, dC_da, ddC_da)

    def propagate_tangent(self, here: Pass, moved: Motion, delta: Array, ddelta: Array) -> Array:
        """ddC/da^{l-1} is that of W with ddelta and of dW with delta."""
        assert moved.dparams is not None
        return self.propagate(here, ddelta) + self.transposed(moved.dparams["W"], delta, here.a_prev)

    def gradient_tangent(self, here: Pass, moved: Motion, delta: Array, ddelta: Array) -> LayerParams:
        """The derivative of BP4, ddelta_j a_k + delta_j da_k, and of BP3, ddelta_j, summed over the batch."""
        still = self.gradient(here, ddelta)
        return still if moved.da_prev is None else still | {"W": still["W"] + self.outer(delta, moved.da_prev)}


def _over_examples(delta: Array) -> Array:
    """The sum over everything but the neurons or filters, which are the last axis."""
    return delta.sum(axis=tuple(range(delta.ndim - 1)))
