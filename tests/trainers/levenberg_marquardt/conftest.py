"""A small problem with J and r written out and differentiated automatically, to hold the forms of a step against."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

import deltarule as dr
from deltarule.network import Network
from deltarule.rows import Rows, pad_rows


class Small(NamedTuple):
    """A 2-4-2 network, tanh and linear, at a point p of 22 parameters; m weighted examples; J (2 m, 22), r (2 m,)."""

    net: Network
    params: list
    rows: Rows
    p: np.ndarray
    unravel: Callable
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


def small(m: int) -> Small:
    draw = np.random.default_rng(m)
    x, y, weight = draw.uniform(-1, 1, (m, 2)), draw.normal(size=(m, 2)), draw.uniform(0.3, 2, m)
    root = np.sqrt(weight)[:, None]

    def residual(p):
        hidden, last = unravel(p)
        return root * (jnp.tanh(x @ hidden["W"].T + hidden["b"]) @ last["W"].T + last["b"] - y)

    @jax.jit
    def second(v):
        return jax.jvp(lambda t: jax.jvp(lambda t: residual(p + t * v), (t,), (1.0,))[1], (0.0,), (1.0,))[1].reshape(-1)

    def acceleration(v):
        with jax.enable_x64(True):
            return np.asarray(second(v))

    with jax.enable_x64(True):
        params = [
            {"W": jnp.asarray(draw.normal(size=(4, 2))), "b": jnp.asarray(draw.normal(size=4))},
            {"W": jnp.asarray(draw.normal(size=(2, 4))), "b": jnp.asarray(draw.normal(size=2))},
        ]
        p, unravel = ravel_pytree(params)
        J, r = map(
            np.asarray, jax.jit(lambda p: (jax.jacrev(residual)(p).reshape(2 * m, -1), residual(p).reshape(-1)))(p)
        )
        net = dr.Network([dr.Dense(4, "tanh"), dr.Dense(2, "linear")])
        is_weight = np.r_[np.ones(8), np.zeros(4), np.ones(8), np.zeros(2)]
        rows = pad_rows(x, y, weight)
        return Small(net, params, rows, np.asarray(p), unravel, J, r, 0.5 * r @ r, acceleration, is_weight)


@pytest.fixture(scope="session")
def few() -> Small:
    """14 residuals, fewer than the 22 parameters."""
    return small(7)


@pytest.fixture(scope="session")
def many() -> Small:
    """60 residuals, more than the 22 parameters."""
    return small(30)
