"""Bratu's equation in the unit cube, Δu + e^u = 0 and u = 0 on all faces: how its edges limit the accuracy.

    python -m benchmarks.equations.bratu [--limit 40] [--who NAME ...]

On an edge u and its second derivatives along both faces are 0, and yet Δu = -1 there: near it u behaves as r² log r,
which no smooth network can follow. The solution w of Δw = -1 has the same edges, and is known by quadrature. What is
left, v = u - w with Δv = 1 - e^(w + v), is smooth enough. Errors are relative L² errors of u on a grid of 19³ points,
beside a sine series of v with 119³ terms; u is on the lower of its two branches, whose maximum is 0.058.
"""

import argparse
import time
from collections.abc import Callable

import numpy as np
from scipy.fft import dstn
from scipy.special import erf

import deltarule as dr
from benchmarks.equations.problems import grid, spread

MODES = 120  # intervals of an edge of the reference's grid; every sixth of its points is one of the error's


def torsion(*axes: np.ndarray, product: str) -> np.ndarray:
    """w with Δw = -1 and 0 on all faces: the integral over t of what is left of 1 after heat has flowed out until t.

    In three dimensions that is a product of s(x, t) for each, a sum of images; log t is taken in equal steps.
    """
    log_t, h = np.linspace(-46, 1.2, 400, retstep=True)
    t = np.exp(log_t)

    def left(x: np.ndarray) -> np.ndarray:
        """s(x, t), (points, times)."""
        x, root = x[:, None], 2 * np.sqrt(t)[None, :]
        early = -1 + sum((-1) ** k * (erf((x + k) / root) + erf((1 - x + k) / root)) for k in range(7))
        late = sum(4 / (k * np.pi) * np.sin(k * np.pi * x) * np.exp(-((k * np.pi) ** 2) * t) for k in (1, 3, 5, 7, 9))
        return np.where(t < 0.1, early, late)

    return np.einsum(product, h * t, *map(left, axes), optimize=True)


def reference() -> tuple[np.ndarray, np.ndarray]:
    """The points of a grid inside (N, 3) and u there, by iteration of Δv = 1 - e^(w + v) in sines."""
    axis = np.arange(1, MODES) / MODES
    w = torsion(axis, axis, axis, product="q,iq,jq,kq->ijk")
    k = (np.pi * np.arange(1, MODES)) ** 2
    laplacian = k[:, None, None] + k[None, :, None] + k[None, None, :]
    v = np.zeros_like(w)
    for _ in range(12):
        v = dstn(dstn(np.exp(w + v) - 1, type=1) / laplacian, type=1) / (2 * MODES) ** 3
    every = slice(5, None, 6)
    return grid(*[axis[every]] * 3), (w + v)[every, every, every].reshape(-1, 1)


class Known:
    """w at given points, which are looked up by their first coordinate."""

    def __init__(self, points: np.ndarray):
        order = np.argsort(points[:, 0])
        self.keys = points[order, 0]
        self.values = torsion(*points[order].T, product="q,nq,nq,nq->n")

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """w, (m, 1)."""
        return self.values[np.searchsorted(self.keys, x[:, 0])][:, None]


def as_it_is(x, u, p):
    """The residual of the equation."""
    return (u.d(0, 0) + u.d(1, 1) + u.d(2, 2) + np.exp(u.value)) / 3


def zero(x, u, p):
    """The condition on the faces."""
    return u.value


def bubble(x, v):
    """A function that is 0 on the faces."""
    return 64 * x[:, :1] * (1 - x[:, :1]) * x[:, 1:2] * (1 - x[:, 1:2]) * x[:, 2:] * (1 - x[:, 2:]) * v


INSIDE = spread(2000, [0, 0, 0], [1, 1, 1], 0)


def faces(seed: int = 1) -> np.ndarray:
    """Draw points on all six faces."""
    square = spread(120, [0, 0], [1, 1], seed)
    return np.vstack([np.insert(square, axis, end, axis=1) for axis in range(3) for end in (0.0, 1.0)])


def ways() -> dict[str, tuple[list[dr.Equation], Callable | None, bool]]:
    """Return the equations, a hard condition or None, and whether w is split off."""
    w = Known(INSIDE)

    def split(x, v, p):
        return (v.d(0, 0) + v.d(1, 1) + v.d(2, 2) + np.exp(w(x) + v.value) - 1) / 3

    conditions = dr.Equation(faces(), zero, weight=10)
    return {
        "as it is": ([dr.Equation(INSIDE, as_it_is), conditions], None, False),
        "hard": ([dr.Equation(INSIDE, as_it_is)], bubble, False),
        "split": ([dr.Equation(INSIDE, split), conditions], None, True),
        "split, hard": ([dr.Equation(INSIDE, split)], bubble, True),
    }


def main() -> None:
    """Run each formulation in turn, and print the error after every further tenth of the time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--limit", type=float, default=40.0, help="seconds of processor time")
    parser.add_argument("--who", nargs="*", default=None)
    options = parser.parse_args()
    X, u = reference()
    w = torsion(*X.T, product="q,nq,nq,nq->n")[:, None]
    print(f"largest u {u.max():.6f}; without v the error is {np.linalg.norm(w - u) / np.linalg.norm(u):.1e}")
    net = dr.Network([dr.Dense(20, "tanh"), dr.Dense(20, "tanh"), dr.Dense(1, "linear")])
    for name, (equations, hard, with_w) in ways().items():
        if options.who and name not in options.who:
            continue
        began = time.process_time()
        done = dr.solve(
            net, equations, hard=hard, trainer=dr.LevenbergMarquardt(), epochs=10**5,
            callbacks=[lambda _, began=began: time.process_time() - began > options.limit],
        )  # fmt: skip
        error = np.linalg.norm(done(X) + with_w * w - u) / np.linalg.norm(u)
        seconds = time.process_time() - began
        rms = ", ".join(f"{r:.1e}" for r in done.residual_rms)
        print(f"{name:12} error {error:.1e} after {seconds:.0f} s, {done.epochs} steps; residuals {rms}", flush=True)


if __name__ == "__main__":
    main()
