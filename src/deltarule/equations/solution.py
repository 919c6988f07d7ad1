"""What `solve` returns: a trained network that satisfies equations, its unknowns, and how well."""

import os
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from deltarule.files import model_file
from deltarule.equations.equation import Equation, as_points
from deltarule.equations.evaluation import derivatives_of, residuals_of, values_of
from deltarule.equations.problem import Problem
from deltarule.network.derivatives import Derivatives
from deltarule.network.layers.jet import lifted_params
from deltarule.training.session import TrainingResult


@dataclass(frozen=True, eq=False, repr=False)
class Solution(TrainingResult):
    """A training's result, and u.

    Attributes:
        params: of the network, for inputs as the user gives them: `net(result.params, X)`.
        unknowns: the estimate of each unknown, by name.
        standard_errors: of the unknowns, by name, where there are data; {} otherwise. See
            `deltarule.equations.uncertainty` for what they hold and what not.
        noise: the standard deviation of the data about u, as estimated; None without data.
        residual_rms: the root mean square of each equation's residual over its points, and of the data's misfit.
    """

    unknowns: dict[str, float] = field(default_factory=dict)
    standard_errors: dict[str, float] = field(default_factory=dict)
    noise: float | None = None
    residual_rms: tuple[float, ...] = ()
    problem: Problem = None  # pyright: ignore[reportAssignmentType]

    def __call__(self, X: Any) -> np.ndarray:
        """u at these points, (N, k), hard conditions included."""
        return values_of(self.problem, self.lifted(), as_points("X", X))

    def derivatives(self, X: Any) -> Derivatives:
        """u, ∂u and ∂²u at these points as `Network.derivatives` gives them, hard conditions included."""
        return derivatives_of(self.problem, self.lifted(), as_points("X", X))

    def residuals(self, X: Any, equation: int | Equation = 0) -> np.ndarray:
        """R of an equation at any points, (N, q): of the one of that number, or of one that was not fitted."""
        chosen = equation if isinstance(equation, Equation) else self.problem.equations[equation]
        return residuals_of(self.problem, self.lifted(), as_points("X", X), chosen)

    def lifted(self) -> Any:
        """The parameters inside: of scaled inputs, the unknowns behind them."""
        theta = np.array([self.unknowns[name] for name in self.problem.names], self.problem.dtype)
        return lifted_params(self.problem.to_inside(self.params), theta)

    def save(self, path: str | os.PathLike) -> None:
        """Write network and parameters to a model file, with unknowns and their errors in the record of the training.

        A hard condition is a function of the user's, which no file holds: the file has the network's own output v.
        """
        record = {
            "stop_reason": self.stop_reason,
            "epochs": self.epochs,
            "unknowns": self.unknowns,
            "standard_errors": self.standard_errors,
            "residual_rms": list(self.residual_rms),
        }
        model_file.save(path, self.problem.net, self.params, training=record)
