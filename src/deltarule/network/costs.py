"""The registry of costs by name, and all costs but the quadratic one, which is in `deltarule.network.cost`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from deltarule.arrays import Array
from deltarule.checks import require_number
from deltarule.errors import ConfigurationError, DataError
from deltarule.network.activation import Activation
from deltarule.network.cost import Cost, Quadratic
from deltarule.network.saturating_pairs import (
    ExponentialPoisson,
    SigmoidCrossEntropy,
    SigmoidLogLikelihood,
    SoftmaxCrossEntropy,
    SoftmaxLogLikelihood,
    SoftplusLogLikelihood,
    SoftplusPoisson,
    y_ln_a_over_y,
)

EFFICIENT = 1.345  # Huber's delta in standard deviations of Gaussian noise, for 95 % efficiency


@dataclass(frozen=True)
class CrossEntropy(Cost):
    """C_x = -sum_j [y_j ln a_j + (1 - y_j) ln(1 - a_j)], for outputs and targets in [0, 1] ([N] ch. 3)."""

    name = "cross-entropy"
    natural_output = "sigmoid"
    pairs: ClassVar[Mapping[str, Any]] = {"sigmoid": SigmoidCrossEntropy(), "softmax": SoftmaxCrossEntropy()}
    for_classes = True
    is_likelihood = True

    def check_targets(self, name: str, y: np.ndarray) -> None:
        rule = "the cross-entropy cost needs targets in [0, 1]: scale them, or use the quadratic cost"
        _refuse((y < 0) | (y > 1), name, y, rule)

    def value(self, activation: Activation, z: Array, a: Array, y: Array) -> Array:
        if pair := self.pairs.get(activation.name):
            return pair.value(z, a, y)
        a, xp = _inside_unit_interval(a), a.__array_namespace__()
        return -(y * xp.log(a) + (1 - y) * xp.log1p(-a)).sum(axis=-1)

    def slope(self, a: Array, y: Array) -> Array:
        a = _inside_unit_interval(a)
        return (a - y) / (a * (1 - a))

    def curvature(self, a: Array, y: Array) -> Array:
        a = _inside_unit_interval(a)
        return y / a**2 + (1 - y) / (1 - a) ** 2

    def slope_tangent(self, a: Array, y: Array, da: Array) -> Array:
        return _of_root(self.residual(a, y)[0], da)

    def residual(self, a: Array, y: Array) -> tuple[Array, Array]:
        a, xp = _inside_unit_interval(a), a.__array_namespace__()
        root = xp.hypot(xp.sqrt(y) / a, xp.sqrt(1 - y) / (1 - a))
        return root, (a - y) / (a * (1 - a)) / root


@dataclass(frozen=True)
class LogLikelihood(Cost):
    """C_x = -ln a_y = -sum_j y_j ln a_j, for targets y that are probabilities: they sum to one ([N] ch. 3)."""

    name = "log-likelihood"
    natural_output = "softmax"
    pairs: ClassVar[Mapping[str, Any]] = {
        "softmax": SoftmaxLogLikelihood(),
        "sigmoid": SigmoidLogLikelihood(),
        "softplus": SoftplusLogLikelihood(),
    }
    for_classes = True
    is_likelihood = True

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
        if pair := self.pairs.get(activation.name):
            return pair.value(z, a, y)
        return -(y * a.__array_namespace__().log(_positive(a))).sum(axis=-1)

    def slope(self, a: Array, y: Array) -> Array:
        return -y / _positive(a)

    def curvature(self, a: Array, y: Array) -> Array:
        return y / _positive(a) ** 2

    def slope_tangent(self, a: Array, y: Array, da: Array) -> Array:
        return _of_root(self.residual(a, y)[0], da)

    def residual(self, a: Array, y: Array) -> tuple[Array, Array]:
        root = a.__array_namespace__().sqrt(y)
        return root / _positive(a), -root


@dataclass(frozen=True)
class Huber(Cost):
    """C_x = sum_j h(a_j - y_j), h(e) = e²/2 where |e| <= delta and delta (|e| - delta/2) beyond (Huber 1964).

    Small errors count by their square and large ones by their size, so that an outlier has a bounded slope,
    |C'| <= delta. C'' is 1 for small errors and 0 for large ones, which would give Levenberg-Marquardt no model of an
    outlier. Its root reweights errors instead, root² = min(1, delta/|e|) and r = root e: root r is C' everywhere, and
    the model lies above the cost and touches it at the current point (iteratively reweighted least squares).

    Args:
        delta: the error at which the square ends, in the unit of the network's targets. 1.345 standard deviations of
            Gaussian noise keep 95 % of the quadratic cost's efficiency.
    """

    delta: float = 1.0
    name = "huber"
    expects_outliers = True

    def __post_init__(self):
        object.__setattr__(self, "delta", require_number("delta", self.delta, above=0))

    def value(self, activation: Activation, z: Array, a: Array, y: Array) -> Array:
        xp = a.__array_namespace__()
        size = xp.abs(a - y)
        inside = xp.minimum(size, self.delta)
        return (inside * (size - 0.5 * inside)).sum(axis=-1)

    def slope(self, a: Array, y: Array) -> Array:
        return a.__array_namespace__().clip(a - y, -self.delta, self.delta)

    def curvature(self, a: Array, y: Array) -> Array:
        return (a.__array_namespace__().abs(a - y) <= self.delta).astype(a.dtype)

    def residual(self, a: Array, y: Array) -> tuple[Array, Array]:
        root = self._root(a, y)
        return root, root * (a - y)

    def residual_acceleration(
        self, activation: Activation, z: Array, a: Array, y: Array, dz: Array, ddz: Array
    ) -> Array:
        """That of root (a - y) with the root held fixed."""
        return self._root(a, y) * activation.second_tangent(z, a, dz, ddz)

    def describe(self, unit: str) -> str:
        return f"{self.name}, delta {self.delta:.3g} {unit}"

    def noise_variance(self, scale: float) -> float | None:
        """The variance of Gaussian noise for which delta keeps 95 % of the efficiency."""
        return (self.delta / EFFICIENT) ** 2

    def _root(self, a: Array, y: Array) -> Array:
        """√min(1, delta/|a - y|)."""
        xp = a.__array_namespace__()
        return xp.sqrt(self.delta / xp.maximum(xp.abs(a - y), self.delta))


@dataclass(frozen=True)
class Poisson(Cost):
    """C_x = sum_j [a_j - y_j - y_j ln(a_j / y_j)], for targets that are counts or rates, and outputs above 0.

    It is the negative log likelihood of the Poisson distribution with mean a_j, minus a constant that makes it 0 for
    a = y: half the deviance (McCullagh & Nelder 1989). With exponential outputs delta^L = a - y and S = diag(√a), both
    from z. The exact curvature y/a² is 0 for a target of 0; the root takes the expectation a of y instead, root² = 1/a
    (Fisher scoring), and r = (a - y)/√a.
    """

    name = "poisson"
    natural_output = "exponential"
    pairs: ClassVar[Mapping[str, Any]] = {"exponential": ExponentialPoisson(), "softplus": SoftplusPoisson()}
    shifts_targets = False

    def check_targets(self, name: str, y: np.ndarray) -> None:
        rule = "the Poisson cost needs counts or rates of at least 0: correct it, or use the quadratic or Huber cost"
        _refuse(y < 0, name, y, rule)

    def noise_variance(self, scale: float) -> float | None:
        """The variance of counts is their mean; here that of counts / scale whose mean is 1."""
        return 1 / scale

    def value(self, activation: Activation, z: Array, a: Array, y: Array) -> Array:
        if pair := self.pairs.get(activation.name):
            return pair.value(z, a, y)
        return (a - y_ln_a_over_y(a.__array_namespace__().log(_positive(a)), y) - y).sum(axis=-1)

    def slope(self, a: Array, y: Array) -> Array:
        return 1 - y / _positive(a)

    def curvature(self, a: Array, y: Array) -> Array:
        return y / _positive(a) ** 2

    def slope_tangent(self, a: Array, y: Array, da: Array) -> Array:
        return _of_root(a.__array_namespace__().sqrt(y) / _positive(a), da)

    def residual(self, a: Array, y: Array) -> tuple[Array, Array]:
        a = _positive(a)
        spread = a.__array_namespace__().sqrt(a)
        return 1 / spread, (a - y) / spread


def _refuse(wrong: np.ndarray, name: str, y: np.ndarray, rule: str) -> None:
    """Raise a DataError that names the first target that is wrong, if there is one."""
    if wrong.any():
        i, j = (int(n) for n in np.argwhere(wrong)[0])
        raise DataError(f"{name} holds {y[i, j]:g} at index {(i, j)}, and {rule}.")


def _of_root(root: Array, da: Array) -> Array:
    """root² da, multiplied from the right, because root² may overflow where da is 0."""
    return root * (root * da)


def _positive(a: Array) -> Array:
    """The output, at least the smallest normal number; for pairs without a form in z."""
    return a.__array_namespace__().maximum(a, np.finfo(a.dtype).tiny)


def _inside_unit_interval(a: Array) -> Array:
    """The output within (0, 1), so that ln a and ln(1 - a) are finite; for pairs without a form in z."""
    return a.__array_namespace__().minimum(_positive(a), 1 - np.finfo(a.dtype).eps)


COSTS: dict[str, Cost] = {
    cost.name: cost for cost in (Quadratic(), CrossEntropy(), LogLikelihood(), Huber(), Poisson())
}


def get_cost(cost: str | Cost) -> Cost:
    """The cost of that name, or the cost itself; a ConfigurationError if the name is not in `COSTS`."""
    if isinstance(cost, Cost):
        return cost
    if not isinstance(cost, str) or cost not in COSTS:
        raise ConfigurationError(f"cost {cost!r} is not known: choose one of {', '.join(COSTS)}.")
    return COSTS[cost]
