"""The cost functions C_x, the output error delta^L = dC/dz^L (BP1) and the Gauss-Newton factor of their curvature.

The cost owns the output error, because the natural pairs (sigmoid with cross-entropy, softmax with log-likelihood)
lose their sigma' there: delta^L = a - y, and nothing overflows, since both the cost and the error are computed from z.
Two more pairs are computed from z for the same reason (`saturating_pairs`). Every other pair of activation and cost
goes through BP1 in full, delta^L = ∇_a C ⊙ sigma'(z^L).

For Levenberg-Marquardt the curvature of C_x at the output is factored, d²C_x/dz² ≈ S S^T, and the residuals r are
chosen so that S r = delta^L, which makes the gradient J^T r with J the Jacobian seeded by the columns of S. For the
natural pairs and for the quadratic cost of a linear output S S^T is the exact second derivative; for the others it is
the Gauss-Newton one, sigma'^T C''(a) sigma'.
"""

from dataclasses import dataclass

import numpy as np

from deltarule import engine
from deltarule.activations import Activation, sigmoid, softplus
from deltarule.domain import require_number
from deltarule.engine.kind import Array
from deltarule.errors import ConfigurationError, DataError
from deltarule.saturating_pairs import PAIRS

SMALLEST_SLOPE = 1e-8  # under which a saturated output's S is held, so that r = delta / S stays finite


class Cost:
    """C_x as a function of the output: its value, BP1, and the factors S and r. Shapes: z, a, y are (m, k).

    A cost of your own defines `value` and `slope`, and `residual` for trainers that use the curvature.
    """

    name: str

    def value(self, activation: Activation, z: Array, a: Array, y: Array) -> Array:
        """C_x of each example, (m,)."""
        raise NotImplementedError

    def slope(self, a: Array, y: Array) -> Array:
        """∇_a C, (m, k)."""
        raise NotImplementedError

    def check_targets(self, name: str, y: np.ndarray) -> None:
        """Raise a DataError if the cost is not made for these targets, (N, k)."""

    def output_error(self, activation: Activation, z: Array, a: Array, y: Array) -> Array:
        """delta^L = ∇_a C ⊙ sigma'(z^L) (BP1), (m, k)."""
        return activation.times_slope(z, a, self.slope(a, y))

    def output_error_tangent(self, activation: Activation, z: Array, a: Array, y: Array, dz: Array) -> Array:
        """How delta^L moves as z^L moves by dz: d²C_x/dz² dz, (m, k), exact and not Gauss-Newton's."""
        root, _ = self.residual(a, y)
        da = activation.times_slope(z, a, dz)
        bend = root * (root * da)  # from the right: √C'' may be too large to be squared where da is 0
        return activation.slope_tangent(z, a, dz, self.slope(a, y), bend)

    def residual(self, a: Array, y: Array) -> tuple[Array, Array]:
        """√C''(a) and r = C'(a) / √C''(a), each (m, k)."""
        raise ConfigurationError(
            f"the cost {type(self).__name__} defines no residual, and trainers that use the curvature need it: define "
            "it, or train by GradientDescent."
        )

    def gauss_newton(self, activation: Activation, z: Array, a: Array, y: Array) -> tuple[Array, Array]:
        """S (m, k, k), whose column o seeds the backward pass for residual o, and r (m, k): S r = delta^L."""
        root, r = self.residual(a, y)
        if activation.elementwise:
            return _diagonal(activation.times_slope(z, a, root)), r
        units = a.__array_namespace__().eye(a.shape[-1], dtype=a.dtype)
        columns = [activation.times_slope(z, a, root * unit) for unit in units]
        return a.__array_namespace__().stack(columns, axis=-1), r

    def residual_acceleration(
        self, activation: Activation, z: Array, a: Array, y: Array, dz: Array, ddz: Array
    ) -> Array:
        """The second derivative of r along a curve whose z^L has velocity dz and acceleration ddz, (m, k).

        Where r is not a difference of outputs and targets, the curve is bent in z alone: S^T ddz.
        """
        S, _ = self.gauss_newton(activation, z, a, y)
        return (S * ddz[..., None]).sum(axis=-2)


def _diagonal(entries: Array) -> Array:
    """The diagonal matrices (m, k, k) with these entries (m, k)."""
    return entries[..., None] * entries.__array_namespace__().eye(entries.shape[-1], dtype=entries.dtype)


@dataclass(frozen=True)
class Quadratic(Cost):
    """C_x = scale ‖y - a‖²: scale 1/2 in [N] and [HH] (the default), 1 in [3B1B]."""

    scale: float = 0.5
    name = "quadratic"

    def __post_init__(self):
        """The scale is a number above 0."""
        object.__setattr__(self, "scale", require_number("scale", self.scale, above=0))

    def value(self, activation: Activation, z: Array, a: Array, y: Array) -> Array:
        return self.scale * ((a - y) ** 2).sum(axis=-1)

    def slope(self, a: Array, y: Array) -> Array:
        return (2 * self.scale) * (a - y)

    def residual(self, a: Array, y: Array) -> tuple[Array, Array]:
        root = (2 * self.scale) ** 0.5
        return a.__array_namespace__().full_like(a, root), root * (a - y)

    def residual_acceleration(
        self, activation: Activation, z: Array, a: Array, y: Array, dz: Array, ddz: Array
    ) -> Array:
        return (2 * self.scale) ** 0.5 * activation.second_tangent(z, a, dz, ddz)


@dataclass(frozen=True)
class CrossEntropy(Cost):
    """C_x = -sum_j [y_j ln a_j + (1 - y_j) ln(1 - a_j)], for outputs and targets in [0, 1] ([N] ch. 3)."""

    name = "cross-entropy"

    def check_targets(self, name: str, y: np.ndarray) -> None:
        outside = (y < 0) | (y > 1)
        if outside.any():
            i, j = (int(n) for n in np.argwhere(outside)[0])
            raise DataError(
                f"{name} holds {y[i, j]:g} at index {(i, j)}, and the cross-entropy cost needs targets in [0, 1]: "
                "scale the targets, or use the quadratic cost."
            )

    def value(self, activation: Activation, z: Array, a: Array, y: Array) -> Array:
        if pair := PAIRS.get((activation.name, self.name)):
            return pair.value(z, y)
        if activation.name == "sigmoid":
            return (softplus(z) - y * z).sum(axis=-1)
        a, xp = _inside_unit_interval(a), a.__array_namespace__()
        return -(y * xp.log(a) + (1 - y) * xp.log1p(-a)).sum(axis=-1)

    def slope(self, a: Array, y: Array) -> Array:
        a = _inside_unit_interval(a)
        return (a - y) / (a * (1 - a))

    def output_error(self, activation: Activation, z: Array, a: Array, y: Array) -> Array:
        if pair := PAIRS.get((activation.name, self.name)):
            return pair.output_error(z, y)
        if activation.name == "sigmoid":
            return a - y
        return super().output_error(activation, z, a, y)

    def output_error_tangent(self, activation: Activation, z: Array, a: Array, y: Array, dz: Array) -> Array:
        if pair := PAIRS.get((activation.name, self.name)):
            return pair.output_error_tangent(z, y, dz)
        if activation.name == "sigmoid":
            return activation.times_slope(z, a, dz)
        return super().output_error_tangent(activation, z, a, y, dz)

    def residual(self, a: Array, y: Array) -> tuple[Array, Array]:
        a, xp = _inside_unit_interval(a), a.__array_namespace__()
        root = xp.hypot(xp.sqrt(y) / a, xp.sqrt(1 - y) / (1 - a))
        return root, (a - y) / (a * (1 - a)) / root

    def gauss_newton(self, activation: Activation, z: Array, a: Array, y: Array) -> tuple[Array, Array]:
        if pair := PAIRS.get((activation.name, self.name)):
            return pair.gauss_newton(z, y)
        if activation.name == "sigmoid":
            # a (1 - a), but from z: 1 - a loses every digit once a rounds to 1.
            xp = z.__array_namespace__()
            root = xp.maximum(xp.exp(-0.5 * (softplus(z) + softplus(-z))), SMALLEST_SLOPE)
            return _diagonal(root), (a - y) / root
        return super().gauss_newton(activation, z, a, y)


@dataclass(frozen=True)
class LogLikelihood(Cost):
    """C_x = -ln a_y = -sum_j y_j ln a_j, for targets y that are probabilities: they sum to one ([N] ch. 3)."""

    name = "log-likelihood"

    def check_targets(self, name: str, y: np.ndarray) -> None:
        sums = y.sum(axis=1)
        wrong = (np.abs(sums - 1) > 1e-3) | (y < 0).any(axis=1)
        if wrong.any():
            i = int(np.argmax(wrong))
            raise DataError(
                f"{name} row {i} sums to {sums[i]:g}, and the log-likelihood cost needs rows of probabilities, "
                "which sum to one: give class numbers or one-hot rows, or use the cross-entropy cost."
            )

    def value(self, activation: Activation, z: Array, a: Array, y: Array) -> Array:
        if pair := PAIRS.get((activation.name, self.name)):
            return pair.value(z, y)
        if activation.name == "softmax":
            return -(y * engine.of(z).log_softmax(z)).sum(axis=-1)
        if activation.name == "sigmoid":
            return (y * softplus(-z)).sum(axis=-1)
        return -(y * a.__array_namespace__().log(_positive(a))).sum(axis=-1)

    def slope(self, a: Array, y: Array) -> Array:
        return -y / _positive(a)

    def output_error(self, activation: Activation, z: Array, a: Array, y: Array) -> Array:
        if pair := PAIRS.get((activation.name, self.name)):
            return pair.output_error(z, y)
        if activation.name == "softmax":
            return a - y
        if activation.name == "sigmoid":
            return -y * sigmoid(-z)
        return super().output_error(activation, z, a, y)

    def output_error_tangent(self, activation: Activation, z: Array, a: Array, y: Array, dz: Array) -> Array:
        if pair := PAIRS.get((activation.name, self.name)):
            return pair.output_error_tangent(z, y, dz)
        if activation.name in ("softmax", "sigmoid"):
            da = activation.times_slope(z, a, dz)
            return da if activation.name == "softmax" else y * da
        return super().output_error_tangent(activation, z, a, y, dz)

    def residual(self, a: Array, y: Array) -> tuple[Array, Array]:
        root = a.__array_namespace__().sqrt(y)
        return root / _positive(a), -root

    def gauss_newton(self, activation: Activation, z: Array, a: Array, y: Array) -> tuple[Array, Array]:
        if pair := PAIRS.get((activation.name, self.name)):
            return pair.gauss_newton(z, y)
        if activation.name == "softmax":
            xp = a.__array_namespace__()
            root = xp.maximum(xp.sqrt(a), SMALLEST_SLOPE)
            eye = xp.eye(a.shape[-1], dtype=a.dtype)
            return root[..., :, None] * (eye - root[..., :, None] * root[..., None, :]), (a - y) / root
        if activation.name == "sigmoid":
            root = y.__array_namespace__().sqrt(y)
            return _diagonal(root * sigmoid(-z)), -root
        return super().gauss_newton(activation, z, a, y)


def _positive(a: Array) -> Array:
    """The output held where ln a is finite; only the pairs without a form in z need it."""
    return a.__array_namespace__().maximum(a, np.finfo(a.dtype).tiny)


def _inside_unit_interval(a: Array) -> Array:
    """The output held where ln a and ln(1 - a) are finite; only the pairs without a form in z need it."""
    return a.__array_namespace__().minimum(_positive(a), 1 - np.finfo(a.dtype).eps)


COSTS: dict[str, Cost] = {cost.name: cost for cost in (Quadratic(), CrossEntropy(), LogLikelihood())}


def get_cost(cost: str | Cost) -> Cost:
    """The cost of that name, or the cost itself.

    Raises:
        ConfigurationError: the name is not in `COSTS`.
    """
    if isinstance(cost, Cost):
        return cost
    if not isinstance(cost, str) or cost not in COSTS:
        raise ConfigurationError(f"cost {cost!r} is not known: choose one of {', '.join(COSTS)}.")
    return COSTS[cost]
