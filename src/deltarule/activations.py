"""The activation functions sigma, their derivatives sigma' and sigma'', as one table.

An activation acts on the weighted input of a layer, a = sigma(z) (3). Backpropagation needs sigma'(z) (BP1, BP2), the
curvature sigma''(z). All are written with `a` at hand, because the forward pass has it already. Softmax is the one
activation that mixes the neurons of a layer: its sigma' is a matrix, diag(a) - a a^T, which is symmetric, so the same
product serves the backward pass (sigma'^T v) and the forward tangent (sigma' v).
"""

from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jax import Array, lax

from deltarule.errors import ConfigurationError


@dataclass(frozen=True)
class Activation:
    """An elementwise activation: sigma, sigma' and sigma'' as functions of z and a = sigma(z)."""

    name: str
    sigma: Callable[[Array], Array]
    slope: Callable[[Array, Array], Array]
    curvature: Callable[[Array, Array], Array]
    elementwise: bool = True
    trainable: bool = True

    def times_slope(self, z: Array, a: Array, v: Array) -> Array:
        """sigma'(z) ⊙ v: backwards it turns dC/da into delta (BP2), forwards dz into da."""
        return self.slope(z, a) * v

    def slope_tangent(self, z: Array, a: Array, dz: Array, v: Array, dv: Array) -> Array:
        """How sigma'(z) v moves, where z moves by dz and v by dv: sigma'(z) ⊙ dv + sigma''(z) ⊙ dz ⊙ v."""
        return self.slope(z, a) * dv + self.curvature(z, a) * dz * v

    def second_tangent(self, z: Array, a: Array, dz: Array, ddz: Array) -> Array:
        """The second derivative of a along a curve with velocity dz and acceleration ddz.

        d²a/dt² = sigma'(z) ⊙ ddz + sigma''(z) ⊙ dz ⊙ dz
        """
        return self.slope_tangent(z, a, dz, dz, ddz)


class Softmax(Activation):
    """a_j = e^{z_j} / sum_k e^{z_k}, over the last axis: a probability for each class."""

    def times_slope(self, z: Array, a: Array, v: Array) -> Array:
        """(diag(a) - a a^T) v, without forming the matrix."""
        return a * (v - jnp.sum(a * v, axis=-1, keepdims=True))

    def slope_tangent(self, z: Array, a: Array, dz: Array, v: Array, dv: Array) -> Array:
        """The derivative of a ⊙ (v - <a, v>) along the line."""
        da = self.times_slope(z, a, dz)
        mean = jnp.sum(a * v, axis=-1, keepdims=True)
        mean_change = jnp.sum(da * v, axis=-1, keepdims=True)
        return self.times_slope(z, a, dv) + da * (v - mean) - a * mean_change


def softplus(z: Array) -> Array:
    """ln(1 + e^z), which neither overflows for large z nor loses e^z for small z."""
    return jnp.maximum(z, 0) + jnp.log1p(jnp.exp(-jnp.abs(z)))


def step(z: Array) -> Array:
    """The perceptron of [N] ch. 1: 1 where z > 0, else 0."""
    return jnp.where(z > 0, 1, 0).astype(z.dtype)


def softplus_curvature(z: Array, a: Array) -> Array:
    """The derivative of the sigmoid, which is the slope of softplus."""
    s = lax.logistic(z)
    return s * (1 - s)


ACTIVATIONS: dict[str, Activation] = {
    activation.name: activation
    for activation in (
        #          name        a = sigma(z)    sigma'(z)                          sigma''(z)
        Activation("sigmoid", lax.logistic, lambda z, a: a * (1 - a), lambda z, a: a * (1 - a) * (1 - 2 * a)),
        Activation("tanh", jnp.tanh, lambda z, a: 1 - a * a, lambda z, a: -2 * a * (1 - a * a)),
        Activation("relu", jax.nn.relu, lambda z, a: step(z), lambda z, a: jnp.zeros_like(z)),
        Activation("softplus", softplus, lambda z, a: lax.logistic(z), softplus_curvature),
        Activation("linear", lambda z: z, lambda z, a: jnp.ones_like(z), lambda z, a: jnp.zeros_like(z)),
        Activation("step", step, lambda z, a: jnp.zeros_like(z), lambda z, a: jnp.zeros_like(z), trainable=False),
        Softmax("softmax", jax.nn.softmax, lambda z, a: a * (1 - a), lambda z, a: a, elementwise=False),
    )
}


def get_activation(name: str) -> Activation:
    """The activation of that name.

    Raises:
        ConfigurationError: the name is not in `ACTIVATIONS`.
    """
    if not isinstance(name, str) or name not in ACTIVATIONS:
        known = ", ".join(ACTIVATIONS)
        raise ConfigurationError(f"activation {name!r} is not known: choose one of {known}.")
    return ACTIVATIONS[name]
