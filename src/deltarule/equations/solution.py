"""What `solve` returns: a trained network that satisfies equations, its unknowns, and how well."""

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
    """A training's result, and u.

    Attributes:
        params: of the network, for inputs as the user gives them: `net(result.params, X)`.
        unknowns: the estimate of each unknown, by name.
        standard_errors: of the unknowns, by name, where there are data and the matrix of n parameters or of all
            residuals, whichever are fewer, fits half of the memory; {} otherwise, and where it does not fit `remark`
            says so. See `deltarule.equations.uncertainty` for what they hold and what not.
        noise: the standard deviation of the data about u, as estimated with the standard errors; else None.
        residual_rms: the root of the mean of ‖R‖² over the points of each equation, and of ‖u - y‖² over the data,
            last; weights do not enter. Of points that are drawn anew, those of the epoch that the parameters come from,
            on which the standard errors stand too.
        fitted: these points, (m, d), and R there, (m, q), of each equation, and u - y of the data, last.
    """

    unknowns: dict[str, float] = field(default_factory=dict)
    standard_errors: dict[str, float] = field(default_factory=dict)
    noise: float | None = None
    residual_rms: tuple[float, ...] = ()
    fitted: tuple[tuple[np.ndarray, np.ndarray], ...] = ()
    problem: Problem = None  # pyright: ignore[reportAssignmentType]

    def __call__(self, X: Any) -> np.ndarray:
        """u at these points, (N, k), hard conditions included."""
        return self.problem.values(self.lifted(), self._points(X))

    def derivatives(self, X: Any) -> Derivatives:
        """u, ∂u and ∂²u at these points as `Network.derivatives` gives them, hard conditions included."""
        return self.problem.derivatives(self.lifted(), self._points(X))

    def residuals(self, X: Any, equation: int | Equation = 0) -> np.ndarray:
        """R of an equation at any points, (N, q): of the one of that number, or of one that was not fitted.

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
        """X as points with as many inputs as were fitted."""
        x, d = as_points("X", X), len(self.problem.centre)
        if x.shape[1] != d:
            raise ShapeError(f"X has {x.shape[1]} inputs, and the solution is a function of {d}: give (N, {d}).")
        return x

    def lifted(self) -> Any:
        """The parameters inside: of scaled inputs, the unknowns behind them."""
        theta = np.array([self.unknowns[name] for name in self.problem.names], self.problem.dtype)
        return lifted_params(self.problem.to_inside(self.params), theta)

    def model(self, inputs: Sequence[str] = (), outputs: Sequence[str] = ()) -> Model:
        """The same network as `load_model` gives any other: predict, summary, report, save; and to be exported.

        A hard condition is a function of the user's, which no file holds: what this predicts is then the network's own
        output v of u = T(x, v), and named so.

        Args:
            inputs: names of the inputs, as columns of a table; x1, x2, ... by default.
            outputs: names of the outputs; u1, u2, ... by default, v1, v2, ... with a hard condition.

        Raises:
            ConfigurationError: too few or too many names, or one twice.
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
        """For the report: the size of a residual at some of its points."""
        equations, (X, R) = self.problem.equations, self.fitted[i]
        some = np.sort(np.random.default_rng(0).permutation(len(X))[:MAPPED])
        name = equations[i].name if i < len(equations) else "data"
        name = f"equation {i}" if name == "<lambda>" else name
        points = [[float(f"{x:.4g}") for x in row] for row in X[some]]
        sizes = np.sqrt((R[some] ** 2).sum(axis=1))
        return {"name": name, "points": points, "residuals": [float(f"{r:.3g}") for r in sizes]}

    def save(self, path: str | os.PathLike, inputs: Sequence[str] = (), outputs: Sequence[str] = ()) -> None:
        """Write `model(inputs, outputs)` to a file, with the unknowns and their errors in the record of the training.

        Raises:
            ModelFileError: the file cannot be written.
        """
        self.model(inputs, outputs).save(path)


def _names(what: str, given: Any, letter: str, count: int) -> tuple[str, ...]:
    """The names that are given, or x1, x2, ..."""
    names = (given,) if isinstance(given, str) else tuple(given) if isinstance(given, Sequence) else None
    if names == ():
        return tuple(f"{letter}{i + 1}" for i in range(count))
    if names is None or len(names) != count or len(set(names)) < count:
        raise ConfigurationError(
            f"{what} is {given!r}, and the solution has {pluralized(count, what[:-1])}: give that many different names."
        )
    return names
