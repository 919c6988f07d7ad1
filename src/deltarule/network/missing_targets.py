"""Missing targets, written as NaN: each output is learnt from the rows in which its target was measured.

The steps that a shorter sequence does not have are missing targets as well. If there are any, a training uses its cost
wrapped in `OfMeasured`: value, slope, delta^L and r are 0 at missing targets, and so are the columns of S and the rows
of J, which then add nothing to J^T J, to J J^T or to ln |H~|.
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
    """A cost summed over the measured targets only."""

    cost: Cost
    whole: bool = False  # whether all k targets of a row are missing together, because the cost mixes them
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
        without = missing.all(axis=tuple(range(1, y.ndim)))
        if without.any():
            raise DataError(f"{name} row {int(without.argmax())} has no target at all: leave such rows out.")
        y, missing = (array.reshape(-1, y.shape[-1]) for array in (y, missing))
        if not self.whole:
            self.cost.check_targets(name, np.where(missing, 1.0, y))
            return
        if (missing.any(axis=1) != missing.all(axis=1)).any():
            raise DataError(
                f"{name} lacks some targets of a step, and the cost {self.name} needs all or none: fill in the others."
            )
        self.cost.check_targets(name, y[~missing[:, 0]])

    def target_weight(self, y: Array, weight: Array) -> Array:
        return (weight[:, None] * self._measured(y)).sum(axis=0)

    def value(self, activation: Activation, z: Array, a: Array, y: Array) -> Array:
        value = self.cost.value(activation, z, a, self._filled(a, y))
        return self._measured(y)[..., 0] * value if self.whole else value

    def slope(self, a: Array, y: Array) -> Array:
        return self._measured(y) * self.cost.slope(a, self._filled(a, y))

    def output_error(self, activation: Activation, z: Array, a: Array, y: Array) -> Array:
        return self._measured(y) * self.cost.output_error(activation, z, a, self._filled(a, y))

    def output_error_tangent(self, activation: Activation, z: Array, a: Array, y: Array, dz: Array) -> Array:
        return self._measured(y) * self.cost.output_error_tangent(activation, z, a, self._filled(a, y), dz)

    def gauss_newton(self, activation: Activation, z: Array, a: Array, y: Array) -> tuple[Array, Array]:
        S, r = self.cost.gauss_newton(activation, z, a, self._filled(a, y))
        measured = self._measured(y)
        return measured[..., None, :] * S, measured * r

    def residual_acceleration(
        self, activation: Activation, z: Array, a: Array, y: Array, dz: Array, ddz: Array
    ) -> Array:
        return self._measured(y) * self.cost.residual_acceleration(activation, z, a, self._filled(a, y), dz, ddz)

    def _measured(self, y: Array) -> Array:
        """1 for measured targets and 0 for missing ones, in the shape of y."""
        return (y == y).astype(y.dtype)

    def _filled(self, a: Array, y: Array) -> Array:
        """y, with a in place of missing targets."""
        return y.__array_namespace__().where(y == y, y, a)


def mask_missing_targets(net: "Network", *targets: Any, inputs: Sequence[Any] = ()) -> "Network":
    """The network with its cost wrapped in `OfMeasured` if targets are missing, otherwise unchanged.

    `targets` are those of training and validation, (N, k) or (N, T, k) each, or None; `inputs` their X. A
    ConfigurationError if single targets are missing and the cost is one of classes or the outputs depend on each other;
    whole steps of sequences may always be missing.
    """
    if net.cost.ignores_missing or (net.outputs == 1 and not net.is_recurrent):
        return net
    if not any(map(has_missing, targets)) and not (net.is_recurrent and any(map(lengths_differ, inputs))):
        return net
    whole = net.cost.for_classes or not net.output_activation.elementwise
    if whole and not net.is_recurrent:
        raise ConfigurationError(
            f"some targets are NaN, and the cost {net.cost.name} with {net.output_activation.name} outputs allows no "
            "missing targets: drop or fill those rows first."
        )
    return type(net)(net.layers, OfMeasured(net.cost, whole))


def unmasked(net: "Network") -> "Network":
    """The network with its own cost, not wrapped in `OfMeasured`."""
    return type(net)(net.layers, net.cost.cost) if isinstance(net.cost, OfMeasured) else net


def has_missing(Y: Any) -> bool:
    """Whether an array of targets has NaN. For lists of sequences use `lengths_differ`."""
    if Y is None or is_traced(Y) or is_ragged(Y):
        return False
    Y = np.asarray(Y)
    return Y.dtype.kind == "f" and Y.ndim > 1 and bool(np.isnan(Y).any())
