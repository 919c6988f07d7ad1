"""Layers with weights, z = W ∗ a + b and a = sigma(z), and the fully connected layer, whose product is W a.

The product ∗ is linear in W and in a: a matrix product in `Dense`, the correlation of images with kernels in
`Convolution`. A layer defines three maps, from which all first and second derivatives follow:

    product       W ∗ a                              forward (2), and its tangents
    transposed    sum_j W_jk delta_j                 back to the input (BP2')
    outer         sum over the batch of delta_j a_k  back to the weights (BP4)
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from deltarule.arrays import Array
from deltarule.checks import require_count
from deltarule.engine import ENGINE_OF_TYPE
from deltarule.errors import ConfigurationError, ShapeError
from deltarule.network.activation import Activation
from deltarule.network.activations import ACTIVATIONS, get_activation
from deltarule.network.initializers import INITIALIZERS, Initializer, get_initializer
from deltarule.network.layers import places
from deltarule.network.layers.base import Layer, LayerParams, Pass, Shape, Tangents
from deltarule.network.layers.stages import Stage, dense_stage


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
        """dC/da^{l-1} from delta = dC/dz^l (BP2'); only the shape of a_prev is used."""
        raise NotImplementedError

    def outer(self, delta: Array, a_prev: Array) -> Array:
        """dC/dW summed over the batch (BP4)."""
        raise NotImplementedError

    def check_names(self) -> None:
        """Raise a ConfigurationError unless the activation and the initializer exist."""
        get_activation(self.activation)
        if self.initializer is not None:
            get_initializer(self.initializer)

    @property
    def sigma(self) -> Activation:
        return ACTIVATIONS[self.activation]

    def choose_initializer(self, defaults: Mapping[str, str]) -> Initializer:
        """The layer's initializer, or the default for its activation in `defaults`, or that of the activation."""
        return INITIALIZERS[self.initializer or defaults.get(self.activation, self.sigma.initializer)]

    def forward(self, params: LayerParams, a_prev: Array, key: Array | None = None) -> Pass:
        """z^l = W^l ∗ a^{l-1} + b^l (2), a^l = sigma(z^l) (3)."""
        z = self.product(params["W"], a_prev) + params["b"]
        return Pass(params, a_prev, z, self.sigma.sigma(z))

    def slope(self, values: Pass) -> Array:
        """sigma'(z^l); for softmax the diagonal of its matrix."""
        return self.sigma.slope(values.z, values.a)

    def error(self, values: Pass, dC_da: Array) -> Array:
        """delta^l = dC/da^l ⊙ sigma'(z^l)."""
        return self.sigma.times_slope(values.z, values.a, dC_da)

    def propagate(self, values: Pass, delta: Array) -> Array:
        """dC/da^{l-1}_k = sum_j W_jk delta_j (BP2')."""
        return self.transposed(values.params["W"], delta, values.a_prev)

    def gradient(self, values: Pass, delta: Array) -> LayerParams:
        """dC/dW = sum over the batch of delta_j a_k (BP4), dC/db_j = sum of delta_j (BP3)."""
        return {"W": self.outer(delta, values.a_prev), "b": _over_examples(delta)}

    def tangent(self, values: Pass, dparams: LayerParams, da_prev: Array | None) -> Tangents:
        """dz = dW ∗ a + db + W ∗ da_prev, da = sigma'(z) ⊙ dz."""
        dz = self.product(dparams["W"], values.a_prev) + dparams["b"]
        if da_prev is not None:
            dz = dz + self.product(values.params["W"], da_prev)
        return Tangents(dparams, da_prev, dz, self.sigma.times_slope(values.z, values.a, dz))

    def second_tangent(self, values: Pass, tangents: Tangents, dda_prev: Array | None) -> tuple[Array, Array]:
        """ddz = 2 dW ∗ da_prev + W ∗ dda_prev, dda = sigma'(z) ⊙ ddz + sigma''(z) ⊙ dz²."""
        ddz = values.z.__array_namespace__().zeros_like(values.z)
        if tangents.da_prev is not None:
            ddz = 2 * self.tangent_product(values, tangents)
        if dda_prev is not None:
            ddz = ddz + self.product(values.params["W"], dda_prev)
        return ddz, self.sigma.second_tangent(values.z, values.a, tangents.dz, ddz)

    def tangent_product(self, values: Pass, tangents: Tangents) -> Array:
        """dW ∗ da_prev."""
        assert tangents.dparams is not None
        return self.product(tangents.dparams["W"], tangents.da_prev)

    def error_tangent(self, values: Pass, tangents: Tangents, dC_da: Array, ddC_da: Array) -> Array:
        """ddelta = sigma'(z) ⊙ ddC/da + sigma''(z) ⊙ dz ⊙ dC/da."""
        return self.sigma.slope_tangent(values.z, values.a, tangents.dz, dC_da, ddC_da)

    def propagate_tangent(self, values: Pass, tangents: Tangents, delta: Array, ddelta: Array) -> Array:
        """W^T ddelta + dW^T delta."""
        assert tangents.dparams is not None
        return self.propagate(values, ddelta) + self.transposed(tangents.dparams["W"], delta, values.a_prev)

    def gradient_tangent(self, values: Pass, tangents: Tangents, delta: Array, ddelta: Array) -> LayerParams:
        """The derivative of BP4, ddelta_j a_k + delta_j da_k, and of BP3, ddelta_j, summed over the batch."""
        grads = self.gradient(values, ddelta)
        return grads if tangents.da_prev is None else grads | {"W": grads["W"] + self.outer(delta, tangents.da_prev)}


def _over_examples(delta: Array) -> Array:
    """The sum over everything but the neurons or filters, which are the last axis."""
    return delta.sum(axis=tuple(range(delta.ndim - 1)))


@dataclass(frozen=True)
class Dense(AffineLayer):
    """n neurons, each connected to all activations below. Parameters: {"W": (n_l, n_{l-1}), "b": (n_l,)}.

    Every step of a sequence, (m, T, n_{l-1}), goes through the same weights by itself; the result is (m, T, n_l).

    Args:
        n: the number of neurons, n_l, at least 1.
        activation: a name in `deltarule.network.activations.ACTIVATIONS`.
        initializer: a name in `deltarule.network.initializers.INITIALIZERS`; None takes the activation's default.

    Raises:
        ConfigurationError: n is not a positive whole number, or a name is not known.
    """

    n: int
    activation: str = "sigmoid"
    initializer: str | None = None

    input_axes: ClassVar[int | None] = 1
    can_be_last: ClassVar[bool] = True
    supports_input_precisions: ClassVar[bool] = True
    has_jets: ClassVar[bool] = True
    unit_tangents: ClassVar[bool] = True
    handles_sequences: ClassVar[bool] = True

    @property
    def is_linear(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.activation == "linear"

    def __post_init__(self):
        object.__setattr__(self, "n", require_count("Dense: n, the number of neurons,", self.n))
        self.check_names()
        if self.activation == "softmax" and self.n == 1:
            raise ConfigurationError(
                "softmax over n = 1 neuron is always 1 and learns nothing: use sigmoid, or one neuron for each class."
            )

    @property
    def label(self) -> str:
        return f"Dense({self.n})"

    def output_shape(self, input_shape: Shape) -> Shape:
        """(n,) for a flat input, (T, n) for a sequence."""
        if len(input_shape) not in (1, 2):
            raise ShapeError(
                f"Dense({self.n}) takes a flat input, and its input has shape {input_shape}: flatten each example."
            )
        return (*input_shape[:-1], self.n)

    def init(
        self, random: np.random.Generator, input_shape: Shape, dtype: Any, defaults: Mapping[str, str]
    ) -> LayerParams:
        W, b = self.choose_initializer(defaults)(random, self.n, input_shape[-1], dtype)
        return {"W": W, "b": b}

    def input_shape(self, params: LayerParams) -> Shape | None:
        return params["W"].shape[1:] if "W" in params and params["W"].ndim == 2 else None

    def parameter_shapes(self, input_shape: Shape) -> dict[str, Shape]:
        return {"W": (self.n, input_shape[-1]), "b": (self.n,)}

    def gram_width(self, shapes: Mapping[str, Shape], outputs: int) -> int:
        """n_l for the errors of a pair of residuals, and n_{l-1} / k² for the inputs, shared by k² pairs."""
        return self.n + -(-shapes["W"][1] // outputs**2)

    def stage(self, params: LayerParams, input_shape: Shape) -> Stage:
        return dense_stage(params["W"], params["b"], self.activation)

    def product(self, W: Array, a: Array) -> Array:
        """W a of every example, a W^T."""
        return ENGINE_OF_TYPE[type(a)].dense(W, a) if a.ndim == 2 else places.product(W, a)

    def transposed(self, W: Array, delta: Array, a_prev: Array) -> Array:
        """W^T delta of every example."""
        return (
            ENGINE_OF_TYPE[type(delta)].dense_transposed(W, delta) if delta.ndim == 2 else places.transposed(W, delta)
        )

    def outer(self, delta: Array, a_prev: Array) -> Array:
        """sum over the batch of delta a^T."""
        return (
            ENGINE_OF_TYPE[type(delta)].dense_outer(delta, a_prev) if delta.ndim == 2 else places.outer(a_prev, delta)
        )

    def tangent_along_gradient(self, values: Pass, delta: Array, da_prev: Array | None) -> Tangents:
        """dW a_i = sum_j delta_j ⟨a_j, a_i⟩, which for few examples costs less than forming dW = delta^T a."""
        a = values.a_prev
        if not self._few(a):
            return super().tangent_along_gradient(values, delta, da_prev)
        dz = (a @ a.T) @ delta + delta.sum(axis=0)
        if da_prev is not None:
            dz = dz + da_prev @ values.params["W"].T
        return Tangents(None, da_prev, dz, self.sigma.times_slope(values.z, values.a, dz), delta)

    def tangent_product(self, values: Pass, tangents: Tangents) -> Array:
        """dW da_i, or sum_j delta_j ⟨a_j, da_i⟩ if dW = delta^T a is not formed."""
        if tangents.dparams is not None:
            return super().tangent_product(values, tangents)
        return (tangents.da_prev @ values.a_prev.T) @ tangents.memory

    def _few(self, a_prev: Array) -> bool:
        """Whether the examples' inner products cost less than dW: m (n_l + n_{l-1}) < n_l n_{l-1}."""
        return a_prev.ndim == 2 and a_prev.shape[0] * (self.n + a_prev.shape[1]) < self.n * a_prev.shape[1]

    def jacobian_transpose(self, values: Pass, delta: Array) -> list[tuple[Array, Array]]:
        """Column (i, o) is [delta_io ⊗ a_i, delta_io]: BP4 and BP3 of one residual, in the parameters' order W, b.

        For sequences they are summed over the steps, see `places`.
        """
        if delta.ndim > 3:
            one = delta.__array_namespace__().ones((1, 1), dtype=delta.dtype)
            return [(places.jacobian_rows(values.a_prev, delta), one), (places.bias_rows(delta), one)]
        (m, k, n), xp = delta.shape, delta.__array_namespace__()
        errors = delta.reshape(m * k, n).T
        inputs = values.a_prev.T if k == 1 else xp.repeat(values.a_prev.T, k, axis=1)
        return [(errors, inputs), (errors, xp.ones((1, 1), dtype=delta.dtype))]

    def squared_jacobian(self, values: Pass, delta: Array) -> LayerParams:
        """sum_{i,o} delta_ioj² a_ik²: BP4 and BP3 on squares."""
        if delta.ndim > 3:
            return {"W": places.squares(values.a_prev, delta), "b": places.bias_squares(delta)}
        squares = (delta * delta).sum(axis=1)
        return {"W": squares.T @ (values.a_prev * values.a_prev), "b": squares.sum(axis=0)}

    def gram(self, a_prev: tuple[Array, Array], delta: tuple[Array, Array]) -> LayerParams:
        """⟨delta_io, delta_jq⟩ ⟨a_i, a_j⟩ for W and ⟨delta_io, delta_jq⟩ for b: rows of J are outer products (BP4)."""
        if delta[0].ndim > 3:
            return {"W": places.gram(a_prev, delta), "b": places.bias_gram(delta)}
        (m, k, n), (m2, k2, _) = delta[0].shape, delta[1].shape
        errors = (delta[0].reshape(m * k, n) @ delta[1].reshape(m2 * k2, n).T).reshape(m, k, m2, k2)
        return {"W": errors * (a_prev[0] @ a_prev[1].T)[:, None, :, None], "b": errors}

    def unit_tangent(self, values: Pass, da_prev: Array | None) -> tuple[Array, Array]:
        """dz = W da_prev for the layers below, e_j a_k for the weight (j, k), e_j for the bias j."""
        xp = values.z.__array_namespace__()
        e = xp.eye(self.n, dtype=values.z.dtype)
        biases = xp.broadcast_to(e.reshape(self.n, *[1] * (values.z.ndim - 1), self.n), (self.n, *values.z.shape))
        below = () if da_prev is None else (self.product(values.params["W"], da_prev),)
        dz = xp.concatenate([*below, places.units(values.a_prev, e), biases])
        return dz, self.sigma.times_slope(values.z, values.a, dz)

    def gram_diagonal(self, values: Pass, delta: Array, covariance: LayerParams) -> Array:
        """‖delta_io‖² (sum_k a_ik² D^-1_k + D^-1_b)."""
        variance = (values.a_prev * values.a_prev) @ covariance["W"] + covariance["b"]
        return (delta * delta).sum(axis=-1) * variance[:, None]

    def gram_trace(self, values: Pass, delta: Array, M: Array) -> LayerParams:
        """sum_ij Q_ij a_ik a_jk for the weights from input k and sum Q for b, with Q = M ⊙ (delta delta^T)."""
        m, k, n = delta.shape
        errors = delta.reshape(m * k, n)
        Q = (M * (errors @ errors.T)).reshape(m, k, m, k).sum(axis=(1, 3))
        return {"W": (values.a_prev * (Q @ values.a_prev)).sum(axis=0), "b": Q.sum()}
