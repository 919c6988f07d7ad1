"""A small problem with J and r written out and differentiated by complex steps, to hold the forms of a step against."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

import deltarule as dr
from complex_step import jacobian, second_along
from deltarule import engine as engines
from deltarule import trees
from deltarule.network.network import Network
from deltarule.objective import Objective
from engines import off, on


class Small(NamedTuple):
    """A 2-4-2 network, tanh and linear, at a point p of 22 parameters; m weighted examples; J (2 m, 22), r (2 m,)."""

    net: Network
    params: list
    x: np.ndarray
    y: np.ndarray
    weight: np.ndarray
    p: np.ndarray
    J: np.ndarray
    r: np.ndarray
    cost: float  # sum_i w_i C_i
    acceleration: Callable  # v -> d²r/dt² along p + t v
    is_weight: np.ndarray  # 1 for the entries of p that are weights, 0 for biases

    def step(self, lam: float, l2: float | None = None) -> tuple[np.ndarray, np.ndarray]:
        """The s and a of (LM), by NumPy on the explicit J."""
        A = (l2 or 0.0) * self.is_weight
        M = self.J.T @ self.J + np.diag(A + lam)
        s = np.linalg.solve(M, -(self.J.T @ self.r + A * self.p))
        return s, np.linalg.solve(M, -0.5 * self.J.T @ self.acceleration(s))

    def corrected_step(self, lam: float, l2: float | None = None) -> np.ndarray:
        """s + a, with a clipped to three eighths of the length of s."""
        s, a = self.step(lam, l2)
        return s + min(1.0, 0.375 * np.linalg.norm(s) / np.linalg.norm(a)) * a

    def on(self, engine: str, l2: float | None = None, block: int | None = None) -> tuple[Objective, list]:
        """The objective and the parameters on an engine; all examples in one block unless another size is given."""
        rows = engines.get(engine).make_rows(*on(engine, (self.x, self.y, self.weight)))
        return Objective(self.net, rows, block or rows.x.shape[0], l2), on(engine, self.params)


def flat(tree: Any) -> np.ndarray:
    """The leaves one after another."""
    return trees.ravel(off(tree))


def close(found: Any, expected: Any, tolerance: float) -> None:
    """Two vectors that differ by less than `tolerance` of the length of the second."""
    assert np.linalg.norm(found - expected) < tolerance * np.linalg.norm(expected)


def small(m: int) -> Small:
    draw = np.random.default_rng(m)
    x, y, weight = draw.uniform(-1, 1, (m, 2)), draw.normal(size=(m, 2)), draw.uniform(0.3, 2, m)
    root = np.sqrt(weight)[:, None]
    params = [
        {"W": draw.normal(size=(4, 2)), "b": draw.normal(size=4)},
        {"W": draw.normal(size=(2, 4)), "b": draw.normal(size=2)},
    ]
    p = trees.ravel(params)

    def residual(p: np.ndarray) -> np.ndarray:
        hidden, last = trees.unravel(p, params)
        return root * (np.tanh(x @ hidden["W"].T + hidden["b"]) @ last["W"].T + last["b"] - y)

    def acceleration(v: np.ndarray) -> np.ndarray:
        return second_along(residual, p, v)

    r = residual(p).reshape(-1)
    net = dr.Network([dr.Dense(4, "tanh"), dr.Dense(2, "linear")])
    is_weight = np.r_[np.ones(8), np.zeros(4), np.ones(8), np.zeros(2)]
    return Small(net, params, x, y, weight, p, jacobian(residual, p), r, 0.5 * r @ r, acceleration, is_weight)


@pytest.fixture(scope="session")
def few() -> Small:
    """14 residuals, fewer than the 22 parameters."""
    return small(7)


@pytest.fixture(scope="session")
def many() -> Small:
    """60 residuals, more than the 22 parameters."""
    return small(30)
