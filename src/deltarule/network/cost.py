"""The interface of a cost C_x, and the quadratic cost: delta^L = dC/dz^L (BP1), curvature and Gauss-Newton factor.

The cost computes the output error, because sigma' cancels in the natural pairs (sigmoid with cross-entropy, softmax
with log-likelihood, exponential with Poisson's): delta^L = a - y. Cost and error are then computed from z, so that
nothing overflows. `Cost.pairs` has these pairs and others that are computed from z, see `saturating_pairs`; all other
pairs of activation and cost use BP1 as it is written, delta^L = ∇_a C ⊙ sigma'(z^L).

There are two curvatures of C_x. Newton-CG uses the exact one, C''(a): `curvature`. Levenberg-Marquardt needs one that
is never negative and has a root, d²C_x/dz² ≈ S S^T, and residuals r with S r = delta^L; the gradient is then J^T r with
the Jacobian J seeded by the columns of S. `residual` gives the root and r in a, and S = sigma' root. For costs that
are convex in a the root can be √C''; S S^T is then sigma'^T C''(a) sigma', which for the natural pairs and for the
quadratic cost of a linear output is the exact second derivative. If √C'' can be 0, another root is used: Huber's
reweights the errors, Poisson's replaces the targets by their expectation (Fisher scoring).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from deltarule.arrays import Array
from deltarule.checks import require_number
from deltarule.errors import ConfigurationError
from deltarule.network.activation import Activation


class Cost:
    """C_x as a function of the output: its value, BP1, its curvature, and S and r. Shapes: z, a, y are (m, k).

    A subclass defines `value` and `slope`, and `residual` for Levenberg-Marquardt and `curvature` for Newton-CG.
    """

    name: str
    natural_output: ClassVar[str | None] = None  # the activation with which delta^L = a - y
    pairs: ClassVar[Mapping[str, Any]] = {}  # by output activation, the forms in z: `saturating_pairs`
    for_classes: ClassVar[bool] = False  # whether targets are classes or their probabilities
    ignores_missing: ClassVar[bool] = False  # whether a target may be NaN, for missing
    is_square: ClassVar[bool] = False  # whether multiplying targets and outputs by w multiplies the cost by w²
    is_gaussian: bool = False  # whether it is the negative log likelihood of Gaussian noise of variance 1
    is_likelihood: ClassVar[bool] = False  # whether with its natural output it is a negative log likelihood
    expects_outliers: ClassVar[bool] = False  # whether its slope is bounded, so that outliers pull no harder
    shifts_targets: ClassVar[bool] = True  # whether targets may be standardised; else they are divided by their mean

    def describe(self, unit: str) -> str:
        """The name of the cost and its settings, in the unit of the targets."""
        return self.name

    def noise_variance(self, scale: float) -> float | None:
        """The variance of targets about outputs that the cost assumes, for targets divided by scale; or None."""
        return None

    def has_known_noise(self, activation: Activation) -> bool:
        """Whether it is the negative log likelihood of the targets with no variance of noise to estimate."""
        return self.is_likelihood and activation.name == self.natural_output

    @property
    def has_residual(self) -> bool:
        """Whether Levenberg-Marquardt can train with it."""
        return type(self).residual is not Cost.residual

    def value(self, activation: Activation, z: Array, a: Array, y: Array) -> Array:
        """C_x of each example, (m,)."""
        raise NotImplementedError

    def slope(self, a: Array, y: Array) -> Array:
        """∇_a C, (m, k)."""
        raise NotImplementedError

    def check_targets(self, name: str, y: np.ndarray) -> None:
        """Raise a DataError if the cost is not defined for these targets, (N, k)."""

    def target_weight(self, y: Array, weight: Array) -> Array:
        """The sum of the weights, (m,), of the examples that have a target: (), or (k,) if the outputs differ."""
        return weight.sum()

    def output_error(self, activation: Activation, z: Array, a: Array, y: Array) -> Array:
        """delta^L = ∇_a C ⊙ sigma'(z^L) (BP1), (m, k)."""
        if pair := self.pairs.get(activation.name):
            return pair.output_error(z, a, y)
        return activation.times_slope(z, a, self.slope(a, y))

    def output_error_tangent(self, activation: Activation, z: Array, a: Array, y: Array, dz: Array) -> Array:
        """The tangent of delta^L as z^L moves by dz: d²C_x/dz² dz, (m, k), with the exact curvature."""
        if pair := self.pairs.get(activation.name):
            return pair.output_error_tangent(z, a, y, dz)
        dslope = self.slope_tangent(a, y, activation.times_slope(z, a, dz))
        return activation.slope_tangent(z, a, dz, self.slope(a, y), dslope)

    def slope_tangent(self, a: Array, y: Array, da: Array) -> Array:
        """The tangent of ∇_a C as a moves by da: C''(a) ⊙ da, (m, k)."""
        return self.curvature(a, y) * da

    def curvature(self, a: Array, y: Array) -> Array:
        """C''(a) of each output, (m, k): ∇²_a C is diagonal."""
        raise ConfigurationError(
            f"the cost {type(self).__name__} defines no curvature, and Newton-CG needs it: define it, or choose "
            "another trainer."
        )

    def residual(self, a: Array, y: Array) -> tuple[Array, Array]:
        """A root above 0 and r = C'(a) / root, each (m, k); root² replaces C''(a) in Levenberg-Marquardt's model."""
        raise ConfigurationError(
            f"the cost {type(self).__name__} defines no residual, and Levenberg-Marquardt needs it: define it, or "
            "choose another trainer."
        )

    def gauss_newton(self, activation: Activation, z: Array, a: Array, y: Array) -> tuple[Array, Array]:
        """S (m, k, k), whose column o seeds the backward pass for residual o, and r (m, k): S r = delta^L."""
        if pair := self.pairs.get(activation.name):
            return pair.gauss_newton(z, a, y)
        root, r = self.residual(a, y)
        if activation.elementwise:
            return diagonal(activation.times_slope(z, a, root)), r
        units = a.__array_namespace__().eye(a.shape[-1], dtype=a.dtype)
        columns = [activation.times_slope(z, a, root * unit) for unit in units]
        return a.__array_namespace__().stack(columns, axis=-1), r

    def residual_acceleration(
        self, activation: Activation, z: Array, a: Array, y: Array, dz: Array, ddz: Array
    ) -> Array:
        """The second derivative of r along a curve whose z^L has velocity dz and acceleration ddz, (m, k).

        Unless r is a difference of outputs and targets, it is approximated by S^T ddz.
        """
        S, _ = self.gauss_newton(activation, z, a, y)
        return (S * ddz[..., None]).sum(axis=-2)


def diagonal(entries: Array) -> Array:
    """The diagonal matrices (m, k, k) with these entries (m, k)."""
    return entries[..., None] * entries.__array_namespace__().eye(entries.shape[-1], dtype=entries.dtype)


@dataclass(frozen=True)
class Quadratic(Cost):
    """C_x = scale ‖y - a‖²: scale 1/2 in [N] and [HH] (the default), 1 in [3B1B]."""

    scale: float = 0.5
    name = "quadratic"
    is_square = True

    @property
    def is_gaussian(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.scale == 0.5

    def __post_init__(self):
        object.__setattr__(self, "scale", require_number("scale", self.scale, above=0))

    def value(self, activation: Activation, z: Array, a: Array, y: Array) -> Array:
        return self.scale * ((a - y) ** 2).sum(axis=-1)

    def slope(self, a: Array, y: Array) -> Array:
        return (2 * self.scale) * (a - y)

    def curvature(self, a: Array, y: Array) -> Array:
        return a.__array_namespace__().full_like(a, 2 * self.scale)

    def residual(self, a: Array, y: Array) -> tuple[Array, Array]:
        root = (2 * self.scale) ** 0.5
        return a.__array_namespace__().full_like(a, root), root * (a - y)

    def residual_acceleration(
        self, activation: Activation, z: Array, a: Array, y: Array, dz: Array, ddz: Array
    ) -> Array:
        return (2 * self.scale) ** 0.5 * activation.second_tangent(z, a, dz, ddz)
