"""Targets of which some are missing: NaN means "do not care".

A network of several outputs learns each from the rows in which its target was measured. The cost of such a training is
the given one around, whose y is a where y is missing: its value and slope are 0 there, and with them delta^L and r. The
columns of S that belong to a missing target are 0, and so are its rows of J, which then add nothing to J^T J, to J J^T
or to ln |H~|. A training without missing targets keeps the cost that it was given.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from deltarule.arrays import Array
from deltarule.errors import ConfigurationError, DataError
from deltarule.network.activation import Activation
from deltarule.network.cost import Cost

if TYPE_CHECKING:
    from deltarule.network.network import Network


@dataclass(frozen=True)
class OfMeasured(Cost):
    """sum over the measured targets of what `cost` is of each."""

    cost: Cost
    ignores_missing = True

    def __post_init__(self):
        """It goes by the name of the cost."""
        object.__setattr__(self, "name", self.cost.name)

    @property
    def has_residual(self) -> bool:
        return self.cost.has_residual

    def noise_variance(self, scale: float) -> float | None:
        return self.cost.noise_variance(scale)

    def check_targets(self, name: str, y: np.ndarray) -> None:
        lacking = np.isnan(y).all(axis=1)
        if lacking.any():
            raise DataError(f"{name} row {int(lacking.argmax())} has no target at all: leave such rows out.")
        self.cost.check_targets(name, np.where(np.isnan(y), 1.0, y))

    def measured(self, y: Array, weight: Array) -> Array:
        return (weight[:, None] * self._known(y)).sum(axis=0)

    def value(self, activation: Activation, z: Array, a: Array, y: Array) -> Array:
        return self.cost.value(activation, z, a, self._filled(a, y))

    def output_error(self, activation: Activation, z: Array, a: Array, y: Array) -> Array:
        return self._known(y) * self.cost.output_error(activation, z, a, self._filled(a, y))

    def output_error_tangent(self, activation: Activation, z: Array, a: Array, y: Array, dz: Array) -> Array:
        return self._known(y) * self.cost.output_error_tangent(activation, z, a, self._filled(a, y), dz)

    def gauss_newton(self, activation: Activation, z: Array, a: Array, y: Array) -> tuple[Array, Array]:
        S, r = self.cost.gauss_newton(activation, z, a, self._filled(a, y))
        known = self._known(y)
        return known[:, None] * S, known * r

    def residual_acceleration(
        self, activation: Activation, z: Array, a: Array, y: Array, dz: Array, ddz: Array
    ) -> Array:
        return self._known(y) * self.cost.residual_acceleration(activation, z, a, self._filled(a, y), dz, ddz)

    def _known(self, y: Array) -> Array:
        """1 where a target was measured, 0 where it is missing, (m, k)."""
        return (y == y).astype(y.dtype)

    def _filled(self, a: Array, y: Array) -> Array:
        """y, and a where it is missing."""
        return y.__array_namespace__().where(y == y, y, a)


def for_targets(net: "Network", *targets: Any) -> "Network":
    """The network as it is, or with a cost of the measured targets where some are missing.

    Args:
        net: the network.
        targets: of training and validation, (N, k) each, or None.

    Raises:
        ConfigurationError: some are missing, and the cost is one of classes, or its outputs depend on each other.
    """
    if net.outputs == 1 or not any(has_missing(Y) for Y in targets):
        return net
    if net.cost.for_classes or not net.output_activation.elementwise:
        raise ConfigurationError(
            f"some targets are NaN, and with the cost {net.cost.name} and {net.output_activation.name} outputs no "
            "target can be missing: drop or fill those rows first."
        )
    return type(net)(net.layers, OfMeasured(net.cost))


def as_given(net: "Network") -> "Network":
    """The network with the cost that it was given."""
    return type(net)(net.layers, net.cost.cost) if isinstance(net.cost, OfMeasured) else net


def has_missing(Y: Any) -> bool:
    """Whether an array of targets holds NaN."""
    Y = None if Y is None else np.asarray(Y)
    return Y is not None and Y.dtype.kind == "f" and Y.ndim == 2 and bool(np.isnan(Y).any())
