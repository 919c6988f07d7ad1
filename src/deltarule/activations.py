"""The activation functions sigma, their derivatives sigma' and sigma'', as one table.

An activation acts on the weighted input of a layer, a = sigma(z) (3). Backpropagation needs sigma'(z) (BP1, BP2), the
curvature sigma''(z). All are written with `a` at hand, because the forward pass has it already. Softmax is the one
activation that mixes the neurons of a layer: its sigma' is a matrix, diag(a) - a a^T, which is symmetric, so the same
product serves the backward pass (sigma'^T v) and the forward tangent (sigma' v).
"""

from collections.abc import Callable
from dataclasses import dataclass

from deltarule import engine
from deltarule.engine.kind import Array
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
        return a * (v - _mean(a, v))

    def slope_tangent(self, z: Array, a: Array, dz: Array, v: Array, dv: Array) -> Array:
        """The derivative of a ⊙ (v - <a, v>) along the line."""
        da = self.times_slope(z, a, dz)
        return self.times_slope(z, a, dv) + da * (v - _mean(a, v)) - a * _mean(da, v)


def _mean(a: Array, v: Array) -> Array:
    """sum_k a_k v_k of each row."""
    return (a * v).sum(axis=-1, keepdims=True)


def sigmoid(z: Array) -> Array:
    """1/(1 + e^-z)."""
    return engine.of(z).sigmoid(z)


def tanh(z: Array) -> Array:
    """The hyperbolic tangent."""
    return z.__array_namespace__().tanh(z)


def relu(z: Array) -> Array:
    """max(z, 0)."""
    return z.__array_namespace__().maximum(z, 0)


def softmax(z: Array) -> Array:
    """e^{z_j} / sum_k e^{z_k}."""
    return engine.of(z).softmax(z)


def softplus(z: Array) -> Array:
    """ln(1 + e^z), which neither overflows for large z nor loses e^z for small z."""
    xp = z.__array_namespace__()
    return xp.maximum(z, 0) + xp.log1p(xp.exp(-xp.abs(z)))


def step(z: Array) -> Array:
    """The perceptron of [N] ch. 1: 1 where z > 0, else 0."""
    return (z > 0).astype(z.dtype)


def softplus_curvature(z: Array, a: Array) -> Array:
    """The derivative of the sigmoid, which is the slope of softplus."""
    s = sigmoid(z)
    return s * (1 - s)


def zeros(z: Array, a: Array) -> Array:
    """0 everywhere."""
    return z.__array_namespace__().zeros_like(z)


def ones(z: Array, a: Array) -> Array:
    """1 everywhere."""
    return z.__array_namespace__().ones_like(z)


ACTIVATIONS: dict[str, Activation] = {
    activation.name: activation
    for activation in (
        #          name        a = sigma(z)    sigma'(z)                          sigma''(z)
        Activation("sigmoid", sigmoid, lambda z, a: a * (1 - a), lambda z, a: a * (1 - a) * (1 - 2 * a)),
        Activation("tanh", tanh, lambda z, a: 1 - a * a, lambda z, a: -2 * a * (1 - a * a)),
        Activation("relu", relu, lambda z, a: step(z), zeros),
        Activation("softplus", softplus, lambda z, a: sigmoid(z), softplus_curvature),
        Activation("linear", lambda z: z, ones, zeros),
        Activation("step", step, zeros, zeros, trainable=False),
        Softmax("softmax", softmax, lambda z, a: a * (1 - a), lambda z, a: a, elementwise=False),
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
