"""u, its derivatives and residuals of a solution, at any points, in blocks of bounded memory."""

from typing import Any

import numpy as np

from deltarule.equations.equation import Equation
from deltarule.equations.problem import Problem, lift
from deltarule.equations.residual import Residual
from deltarule.network import backprop
from deltarule.network.derivatives import Derivatives, arranged
from deltarule.network.layers.jet import Components

BLOCK = 4096  # points that go through the network together


def derivatives_of(problem: Problem, params: Any, X: np.ndarray) -> Derivatives:
    """u, ∂u and ∂²u, hard conditions included."""
    d = X.shape[1]
    components = Components.covering([(i, j) for i in range(d) for j in range(i, d)])
    return arranged(_jet(problem, params, X, components), components, d)


def values_of(problem: Problem, params: Any, X: np.ndarray) -> np.ndarray:
    """u, (N, k)."""
    return _jet(problem, params, X, Components((), ()))[:, 0]


def residuals_of(problem: Problem, params: Any, X: np.ndarray, equation: Equation) -> np.ndarray:
    """R, (N, q)."""
    cost = problem.residual_of(equation, X)
    return np.concatenate([cost.residuals(_slots(problem, params, cost, x), x) for x in _blocks(X)])


def _blocks(X: np.ndarray) -> list[np.ndarray]:
    return [X[i : i + BLOCK] for i in range(0, len(X), BLOCK)]


def _slots(problem: Problem, params: Any, cost: Residual, x: np.ndarray) -> Any:
    """The outputs of the lifted network, by NumPy."""
    jets = cost.components.seed(x, problem.centre, problem.half)
    return backprop.forward(lift(problem.net, cost), params, jets)[-1].a  # pyright: ignore[reportArgumentType]


def _jet(problem: Problem, params: Any, X: np.ndarray, components: Components) -> np.ndarray:
    """u and the components, (N, C, k)."""
    shape = (X.shape[1], problem.net.outputs)
    cost = Residual(lambda x, u, p: u.value, components, *shape, problem.names, problem.transform)

    def of_block(x: np.ndarray) -> np.ndarray:
        u = cost.field(_slots(problem, params, cost, x), x)
        arrays = [u.d(*key) if key else u.value for key in components.keys]
        return np.stack([np.broadcast_to(array, (len(x), cost.outputs)) for array in arrays], axis=1)

    return np.concatenate([of_block(x) for x in _blocks(X)])
