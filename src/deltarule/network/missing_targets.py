"""Targets of which some are missing: NaN means "do not care". So are those of steps that a sequence does not have.

A network of several outputs learns each from the rows in which its target was measured. The cost of such a training is
the given one around, whose y is a where y is missing: its value and slope are 0 there, and with them delta^L and r. The
columns of S that belong to a missing target are 0, and so are its rows of J, which then add nothing to J^T J, to J J^T
or to ln |H~|. A training without missing targets keeps the cost that it was given.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from deltarule.arrays import Array, is_traced
from deltarule.errors import ConfigurationError, DataError
from deltarule.network.activation import Activation
from deltarule.network.cost import Cost
from deltarule.network.sequences import is_ragged, lengths_differ

if TYPE_CHECKING:
    from deltarule.network.network import Network


@dataclass(frozen=True)
class OfMeasured(Cost):
    """sum over the measured targets of what `cost` is of each."""

    cost: Cost
    whole: bool = False  # whether the k targets of a row, which depend on each other, are missing together
    ignores_missing = True

    def __post_init__(self):
        object.__setattr__(self, "name", self.cost.name)

    @property
    def has_residual(self) -> bool:
        return self.cost.has_residual

    def has_known_noise(self, activation: Activation) -> bool:
        return self.cost.has_known_noise(activation)

    def noise_variance(self, scale: float) -> float | None:
        return self.cost.noise_variance(scale)

    def check_targets(self, name: str, y: np.ndarray) -> None:
        missing = np.isnan(y)
        lacking = missing.all(axis=tuple(range(1, y.ndim)))
        if lacking.any():
            raise DataError(f"{name} row {int(lacking.argmax())} has no target at all: leave such rows out.")
        y, missing = (array.reshape(-1, y.shape[-1]) for array in (y, missing))
        if not self.whole:
            self.cost.check_targets(name, np.where(missing, 1.0, y))
            return
        if (missing.any(axis=1) != missing.all(axis=1)).any():
            raise DataError(f"{name} lacks some targets of a step, and the cost {self.name} needs all or none of them.")
        self.cost.check_targets(name, y[~missing[:, 0]])

    def target_weight(self, y: Array, weight: Array) -> Array:
        return (weight[:, None] * self._known(y)).sum(axis=0)

    def value(self, activation: Activation, z: Array, a: Array, y: Array) -> Array:
        value = self.cost.value(activation, z, a, self._filled(a, y))
        return self._known(y)[..., 0] * value if self.whole else value

    def slope(self, a: Array, y: Array) -> Array:
        return self._known(y) * self.cost.slope(a, self._filled(a, y))

    def output_error(self, activation: Activation, z: Array, a: Array, y: Array) -> Array:
        return self._known(y) * self.cost.output_error(activation, z, a, self._filled(a, y))

    def output_error_tangent(self, activation: Activation, z: Array, a: Array, y: Array, dz: Array) -> Array:
        return self._known(y) * self.cost.output_error_tangent(activation, z, a, self._filled(a, y), dz)

    def gauss_newton(self, activation: Activation, z: Array, a: Array, y: Array) -> tuple[Array, Array]:
        S, r = self.cost.gauss_newton(activation, z, a, self._filled(a, y))
        known = self._known(y)
        return known[..., None, :] * S, known * r

    def residual_acceleration(
        self, activation: Activation, z: Array, a: Array, y: Array, dz: Array, ddz: Array
    ) -> Array:
        return self._known(y) * self.cost.residual_acceleration(activation, z, a, self._filled(a, y), dz, ddz)

    def _known(self, y: Array) -> Array:
        """1 where a target was measured, 0 where it is missing, in the shape of y."""
        return (y == y).astype(y.dtype)

    def _filled(self, a: Array, y: Array) -> Array:
        """y, and a where it is missing."""
        return y.__array_namespace__().where(y == y, y, a)


def mask_missing_targets(net: "Network", *targets: Any, inputs: Sequence[Any] = ()) -> "Network":
    """The network as it is, or with a cost of the measured targets where some are missing: of training and validation,
    (N, k) or (N, T, k) each, or None; `inputs` are X of each, which sequences that end early have NaN in. A
    ConfigurationError where the cost is one of classes, or its outputs depend on each other; but whole steps of
    sequences may be missing.
    """
    if net.cost.ignores_missing or (net.outputs == 1 and not net.is_recurrent):
        return net
    if not any(map(has_missing, targets)) and not (net.is_recurrent and any(map(lengths_differ, inputs))):
        return net
    together = net.cost.for_classes or not net.output_activation.elementwise
    if together and not net.is_recurrent:
        raise ConfigurationError(
            f"some targets are NaN, and with the cost {net.cost.name} and {net.output_activation.name} outputs no "
            "target can be missing: drop or fill those rows first."
        )
    return type(net)(net.layers, OfMeasured(net.cost, together))


def unmasked(net: "Network") -> "Network":
    """The network with the cost that it was given."""
    return type(net)(net.layers, net.cost.cost) if isinstance(net.cost, OfMeasured) else net


def has_missing(Y: Any) -> bool:
    """Whether an array of targets holds NaN; of lists of sequences `lengths_differ` says it."""
    if Y is None or is_traced(Y) or is_ragged(Y):
        return False
    Y = np.asarray(Y)
    return Y.dtype.kind == "f" and Y.ndim > 1 and bool(np.isnan(Y).any())
