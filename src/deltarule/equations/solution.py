"""The result of `solve`: the trained network, the unknowns and the residuals."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from deltarule.data.columns import NumericColumn
from deltarule.data.schema import Schema
from deltarule.equations.equation import Equation, as_points
from deltarule.equations.problem import Problem
from deltarule.errors import ConfigurationError, ShapeError, pluralized
from deltarule.models.formatting import to_json_types
from deltarule.models.model import Model
from deltarule.network.derivatives import Derivatives
from deltarule.network.layers.jet import lifted_params
from deltarule.training.session import TrainingResult

MAPPED = 400  # points of an equation whose residuals a model file keeps


@dataclass(frozen=True, eq=False, repr=False)
class Solution(TrainingResult):
    """The result of a training on equations; calling it evaluates u.

    Attributes:
        params: the network's parameters, for inputs in the user's units: `net(result.params, X)`.
        unknowns: the estimate of each unknown, by name.
        standard_errors: the standard error of each unknown, by name, if there are data and the matrix of n parameters
            or of all residuals, whichever is smaller, fits half of the memory; else {}, and if it does not fit `remark`
            says so. See `deltarule.equations.uncertainty`.
        noise: the estimated standard deviation of the data about u, if there are standard errors; else None.
        residual_rms: the root of the mean of ‖R‖² over the points of each equation, and of ‖u - y‖² over the data,
            last, without weights. Points that are drawn are those of the best epoch, also for the standard errors.
        fitted: these points, (m, d), and R there, (m, q), of each equation, and u - y of the data, last.
    """

    unknowns: dict[str, float] = field(default_factory=dict)
    standard_errors: dict[str, float] = field(default_factory=dict)
    noise: float | None = None
    residual_rms: tuple[float, ...] = ()
    fitted: tuple[tuple[np.ndarray, np.ndarray], ...] = ()
    problem: Problem = None  # pyright: ignore[reportAssignmentType]

    def __call__(self, X: Any) -> np.ndarray:
        """Evaluate u at points, (N, k), with the hard condition."""
        return self.problem.values(self.lifted(), self._points(X))

    def derivatives(self, X: Any) -> Derivatives:
        """Evaluate u, ∂u and ∂²u at points, with the hard condition."""
        return self.problem.derivatives(self.lifted(), self._points(X))

    def residuals(self, X: Any, equation: int | Equation = 0) -> np.ndarray:
        """Evaluate R of an equation, by its number or an Equation, at any points, (N, q).

        Raises:
            ConfigurationError: there is no equation of that number.
        """
        if not isinstance(equation, Equation):
            equations = self.problem.equations
            if equation not in range(len(equations)):
                raise ConfigurationError(
                    f"equation is {equation!r}, and there are {pluralized(len(equations), 'equation')}: give a number, "
                    "counted from 0, or an Equation."
                )
            equation = equations[equation]
        return self.problem.residuals(self.lifted(), self._points(X), equation)

    def _points(self, X: Any) -> np.ndarray:
        """Check points, which must have as many inputs as the fitted ones."""
        x, d = as_points("X", X), len(self.problem.centre)
        if x.shape[1] != d:
            raise ShapeError(f"X has {x.shape[1]} inputs, and the solution is a function of {d}: give (N, {d}).")
        return x

    def lifted(self) -> Any:
        """The parameters of the lifted network: for scaled inputs, followed by the unknowns."""
        theta = np.array([self.unknowns[name] for name in self.problem.names], self.problem.dtype)
        return lifted_params(self.problem.to_scaled(self.params), theta)

    def model(self, inputs: Sequence[str] = (), outputs: Sequence[str] = ()) -> Model:
        """Return a `Model` of the network, with predict, summary, report, save and export.

        A model file cannot hold the user's hard condition u = T(x, v): the model then predicts v, under that name.

        Args:
            inputs: names of the inputs, as columns of a table; x1, x2, ... by default.
            outputs: names of the outputs; u1, u2, ... by default, v1, v2, ... with a hard condition.

        Raises:
            ConfigurationError: the number of names is wrong, or a name occurs twice.
        """
        problem, letter = self.problem, "u" if self.problem.transform is None else "v"
        low, high = problem.centre - problem.half, problem.centre + problem.half
        inputs = _names("inputs", inputs, "x", len(low))
        outputs = _names("outputs", outputs, letter, problem.net.outputs)
        if set(inputs) & set(outputs):
            raise ConfigurationError(f"inputs {inputs} and outputs {outputs} share a name: give each its own.")
        ranges = zip(inputs, low.tolist(), high.tolist(), strict=True)
        columns = [NumericColumn(name, 0.0, 1.0, *ends) for name, *ends in ranges]
        targets = [NumericColumn(name, 0.0, 1.0) for name in outputs]
        schema = Schema("table", "regression", tuple(columns), tuple(targets), None, outputs)
        names = ("stop_reason", "message", "epochs", "best_epoch", "history", "engine", "unknowns", "standard_errors")
        record = {name: getattr(self, name) for name in names}
        record |= {"residual_rms": list(self.residual_rms), "training_seconds": round(self.seconds, 3)}
        record |= {"noise_std": None if self.noise is None else [self.noise] * len(outputs)}
        record |= {"residual_maps": [self._map(i) for i in range(len(self.fitted))]}
        return Model(problem.net, self.params, schema, to_json_types(record))

    def _map(self, i: int) -> dict[str, Any]:
        """The size of a residual at some of its points, for the report."""
        equations, (X, R) = self.problem.equations, self.fitted[i]
        sample = np.sort(np.random.default_rng(0).permutation(len(X))[:MAPPED])
        name = equations[i].name if i < len(equations) else "data"
        name = f"equation {i}" if name == "<lambda>" else name
        points = [[float(f"{x:.4g}") for x in row] for row in X[sample]]
        sizes = np.sqrt((R[sample] ** 2).sum(axis=1))
        return {"name": name, "points": points, "residuals": [float(f"{r:.3g}") for r in sizes]}

    def save(self, path: str | os.PathLike, inputs: Sequence[str] = (), outputs: Sequence[str] = ()) -> None:
        """Save `model(inputs, outputs)`, with the unknowns and their standard errors in the record of the training.

        Raises:
            ModelFileError: the file cannot be written.
        """
        self.model(inputs, outputs).save(path)


def _names(what: str, given: Any, letter: str, count: int) -> tuple[str, ...]:
    """Check the given names; without any return x1, x2, ..."""
    names = (given,) if isinstance(given, str) else tuple(given) if isinstance(given, Sequence) else None
    if names == ():
        return tuple(f"{letter}{i + 1}" for i in range(count))
    if names is None or len(names) != count or len(set(names)) < count:
        raise ConfigurationError(
            f"{what} is {given!r}, and the solution has {pluralized(count, what[:-1])}: give that many different names."
        )
    return names
