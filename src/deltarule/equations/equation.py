"""One equation of a system: its points, its residual and its weight."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from deltarule.checks import as_numbers
from deltarule.errors import ConfigurationError, DataError, ShapeError


@dataclass(frozen=True, eq=False)
class Equation:
    """R(x, u, p) = 0 at some points: a differential equation, a boundary condition or an initial condition.

    Args:
        points: the points at which it must hold, (m, d); or a function of a `numpy.random.Generator` that draws such
            points, which `solve(resample_every=...)` calls again.
        residual: (x, u, p) ↦ R, (m,), (m, q) or a tuple of such, for x (m, d); u.value (m, k), u.d(i) and u.d(i, j) are
            u and its derivatives by input, p["name"] the unknowns. If it uses only arithmetic and NumPy's functions, it
            is differentiated exactly.
        weight: of its mean square in the cost; one number, or one for each point, (m,).
        derivatives: ∂R by hand, for any other residual: (x, u, p) ↦ {"u": ∂R/∂u, (0,): ∂R/∂u_0, (0, 1): ∂R/∂u_01,
            "nu": ∂R/∂nu}, entries (m, k) or (m,); for several residuals a tuple of such dicts.
        validation: points that are not fitted, (m', d), and that select the best epoch.

    Raises:
        ConfigurationError: the residual cannot be called, or a weight is negative.
        DataError: the points are not finite numbers.
        ShapeError: the points are not (m, d).
    """

    points: Any
    residual: Callable[..., Any]
    weight: Any = 1.0
    derivatives: Callable[..., Any] | None = None
    validation: Any = None

    def __post_init__(self):
        for name in ("residual", "derivatives"):
            if not callable(getattr(self, name)) and (name == "residual" or self.derivatives is not None):
                raise ConfigurationError(
                    f"{name} of an equation is {getattr(self, name)!r}: give a function of x, u and p."
                )
        weight = as_numbers("weight of an equation", self.weight, np.dtype("float64"), "one number or (m,)")
        if not np.isfinite(weight).all() or weight.min(initial=0) < 0:
            raise ConfigurationError(
                f"weight of an equation holds {weight.min():g}: give finite numbers of at least 0."
            )
        object.__setattr__(self, "weight", weight if weight.ndim else float(weight))
        if not callable(self.points):
            object.__setattr__(self, "points", as_points("points of an equation", self.points))
        if self.validation is not None:
            object.__setattr__(self, "validation", as_points("validation points of an equation", self.validation))

    @property
    def name(self) -> str:
        """The name of the residual's function."""
        return getattr(self.residual, "__name__", type(self.residual).__name__)

    @property
    def is_drawn(self) -> bool:
        """Whether its points can be drawn anew."""
        return callable(self.points)

    def at(self, random: np.random.Generator) -> np.ndarray:
        """Its points, drawn from `random` if they are a function."""
        return as_points("points that an equation draws", self.points(random)) if self.is_drawn else self.points


def as_points(name: str, points: Any) -> np.ndarray:
    """Check points and return them as floats, (m, d)."""
    array = as_numbers(name, points, np.dtype("float64"), "(m, d)")
    if array.ndim != 2 or 0 in array.shape:
        raise ShapeError(f"{name} have shape {array.shape}: give one row for each point, (m, d).")
    if not np.isfinite(array).all():
        raise DataError(f"{name} hold {array[~np.isfinite(array)][0]}: leave out the points that are not finite.")
    return array
