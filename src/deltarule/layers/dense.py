"""The fully connected layer: z = W a + b, a = sigma(z)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
from jax import Array, lax

from deltarule.errors import ConfigurationError, ShapeError
from deltarule.layers.affine import AffineLayer
from deltarule.layers.base import LayerParams, Pass, Shape

# Whether delta^T is written out before dW = delta^T a. A product that contracts the first axis of both factors
# reaches half of a CPU's peak in float64 (46 against 92 GFLOP/s for 512 rows of 1,000, one core) and in float32
# between 64 and 512 rows (75 against 120 for 100 rows of 260); of more rows in float32 it is the faster one (153
# against 105 for 10,000 of 260). So it is in small batches, but for few neurons: 10 rows take 9.0 against 7.3 µs for 30
# x 784, and 21 against 24 for 100 x 784.
TRANSPOSE_ROWS = 64
TRANSPOSE_ROWS_SINGLE = 512
TRANSPOSE_NEURONS = 32
# Products of up to so many terms are written as sums. XLA compiles a loop to one piece of machine code if its
# body touches little memory and calls no matrix product: a stochastic step of 2-2-3-2 takes 0.10 against 0.86 µs.
FEW_TERMS = 64


@dataclass(frozen=True)
class Dense(AffineLayer):
    """n neurons, each joined to all the activations below. Parameters: {"W": (n_l, n_{l-1}), "b": (n_l,)}.

    Args:
        n: the number of neurons, n_l, at least 1.
        activation: a name in `deltarule.activations.ACTIVATIONS`.
        initializer: a name in `deltarule.initializers.INITIALIZERS`; None takes the activation's default.

    Raises:
        ConfigurationError: n is not a positive whole number, or a name is not known.
    """

    n: int
    activation: str = "sigmoid"
    initializer: str | None = None

    def __post_init__(self):
        """Check the description once, where the mistake was made."""
        if isinstance(self.n, bool) or not hasattr(self.n, "__index__") or self.n < 1:
            raise ConfigurationError(
                f"a Dense layer needs a whole number of neurons, at least 1; n is {self.n!r}: give a positive size."
            )
        object.__setattr__(self, "n", int(self.n))
        self.check_names()
        if self.activation == "softmax" and self.n == 1:
            raise ConfigurationError(
                "softmax over n = 1 neuron is always 1 and learns nothing: use sigmoid, or one neuron a class."
            )

    @property
    def label(self) -> str:
        """Such as "Dense(30)"."""
        return f"Dense({self.n})"

    def output_shape(self, input_shape: Shape) -> Shape:
        """(n,), from a flat input."""
        if len(input_shape) != 1:
            raise ShapeError(
                f"Dense({self.n}) takes a flat input, and its input has shape {input_shape}: flatten each example."
            )
        return (self.n,)

    def init(self, key: Array, input_shape: Shape, dtype: Any, defaults: Mapping[str, str]) -> LayerParams:
        """W and b by the layer's initializer, or by the default of its activation."""
        W, b = self.scheme(defaults)(key, self.n, input_shape[0], dtype)
        return {"W": W, "b": b}

    def input_shape(self, params: LayerParams) -> Shape | None:
        """(n_{l-1},)."""
        return params["W"].shape[1:] if "W" in params and params["W"].ndim == 2 else None

    def parameter_shapes(self, input_shape: Shape) -> dict[str, Shape]:
        """W is (n_l, n_{l-1}), b is (n_l,)."""
        return {"W": (self.n, input_shape[0]), "b": (self.n,)}

    def product(self, W: Array, a: Array) -> Array:
        """W a of every example, a W^T."""
        if _few_terms(a, self.n):
            return jnp.sum(a[:, None, :] * W, axis=-1)
        return a @ W.T

    def transposed(self, W: Array, delta: Array, a_prev: Array) -> Array:
        """W^T delta of every example."""
        if _few_terms(a_prev, self.n):
            return jnp.sum(delta[:, :, None] * W, axis=1)
        return delta @ W

    def outer(self, delta: Array, a_prev: Array) -> Array:
        """sum over the batch of delta a^T."""
        if _few_terms(a_prev, self.n):
            return jnp.sum(delta[:, :, None] * a_prev[:, None, :], axis=0)
        across = delta.T
        if _written_out(delta):
            across = lax.optimization_barrier(across)  # keeps XLA from folding the transpose into the product
        return across @ a_prev

    def tangent_along_gradient(
        self, params: LayerParams, delta: Array, a_prev: Array, here: Pass, da_prev: Array | None
    ) -> tuple[Array, Array]:
        """dW a_i = sum_j delta_j ⟨a_j, a_i⟩: for few examples cheaper than dW = delta^T a, and dW is not written."""
        if not self._few(delta, a_prev):
            return super().tangent_along_gradient(params, delta, a_prev, here, da_prev)
        dz = (a_prev @ a_prev.T) @ delta + jnp.sum(delta, axis=0)
        if da_prev is not None:
            dz = dz + da_prev @ params["W"].T
        return dz, self.sigma.times_slope(here.z, here.a, dz)

    def second_tangent_along_gradient(
        self,
        params: LayerParams,
        delta: Array,
        a_prev: Array,
        here: Pass,
        dz: Array,
        da_prev: Array | None,
        dda_prev: Array | None,
    ) -> tuple[Array, Array]:
        """dW da_i = sum_j delta_j ⟨a_j, da_i⟩."""
        if not self._few(delta, a_prev):
            return super().second_tangent_along_gradient(params, delta, a_prev, here, dz, da_prev, dda_prev)
        ddz = jnp.zeros_like(here.z)
        if da_prev is not None:
            ddz = 2 * ((da_prev @ a_prev.T) @ delta)
        if dda_prev is not None:
            ddz = ddz + dda_prev @ params["W"].T
        return ddz, self.sigma.second_tangent(here.z, here.a, dz, ddz)

    def _few(self, delta: Array, a_prev: Array) -> bool:
        """Whether the examples' inner products cost less than dW: m (n_l + n_{l-1}) < n_l n_{l-1}."""
        return a_prev.shape[0] * (self.n + a_prev.shape[1]) < self.n * a_prev.shape[1]

    def jacobian_transpose(self, a_prev: Array, delta: Array) -> Array:
        """Column (i, o) is [delta_io ⊗ a_i, delta_io]: BP4 and BP3 of one residual, in the parameters' order W, b."""
        m, k, n = delta.shape
        errors = delta.transpose(2, 0, 1)
        dW = errors[:, None] * a_prev.T[None, :, :, None]
        return jnp.concatenate([dW.reshape(-1, m * k), errors.reshape(n, m * k)])

    def squared_jacobian(self, a_prev: Array, delta: Array) -> LayerParams:
        """sum_{i,o} delta_ioj² a_ik²: BP4 and BP3 on squares."""
        squares = jnp.sum(delta * delta, axis=1)
        return {"W": squares.T @ (a_prev * a_prev), "b": jnp.sum(squares, axis=0)}

    def gram(self, a_prev: tuple[Array, Array], delta: tuple[Array, Array]) -> LayerParams:
        """⟨delta_io, delta_jq⟩ ⟨a_i, a_j⟩ for W and ⟨delta_io, delta_jq⟩ for b: rows of J are outer products (BP4)."""
        (m, k, n), (m2, k2, _) = delta[0].shape, delta[1].shape
        errors = (delta[0].reshape(m * k, n) @ delta[1].reshape(m2 * k2, n).T).reshape(m, k, m2, k2)
        return {"W": errors * (a_prev[0] @ a_prev[1].T)[:, None, :, None], "b": errors}

    def gram_trace(self, a_prev: Array, delta: Array, M: Array) -> LayerParams:
        """sum_ij Q_ij a_ik a_jk for the weights from input k and sum Q for b, with Q = M ⊙ (delta delta^T)."""
        m, k, n = delta.shape
        errors = delta.reshape(m * k, n)
        Q = jnp.sum((M * (errors @ errors.T)).reshape(m, k, m, k), axis=(1, 3))
        return {"W": jnp.sum(a_prev * (Q @ a_prev), axis=0), "b": jnp.sum(Q)}


def _few_terms(a_prev: Array, n: int) -> bool:
    """Whether the product of a layer of n neurons has so few terms, m n_l n_{l-1}, that a sum is quicker."""
    return a_prev.shape[0] * a_prev.shape[1] * n <= FEW_TERMS


def _written_out(delta: Array) -> bool:
    """Whether the product delta^T a is faster from a delta^T of its own."""
    m, n = delta.shape
    if m < TRANSPOSE_ROWS:
        return n <= TRANSPOSE_NEURONS
    return delta.dtype == jnp.float64 or m < TRANSPOSE_ROWS_SINGLE
