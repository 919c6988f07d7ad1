"""The data of the benchmark problems: each function returns X (N, d) and Y (N, k) in float64, without noise.

Every input is scaled to [-1, 1], and so is every target of a network with a linear output, but for the peaks:
their mean squared error is a share of the variance.
"""

import itertools

import numpy as np

HIGHAM_X = np.array(
    [
        [0.1, 0.3, 0.1, 0.6, 0.4, 0.6, 0.5, 0.9, 0.4, 0.7],
        [0.1, 0.4, 0.5, 0.9, 0.2, 0.3, 0.6, 0.2, 0.4, 0.6],
    ]
).T
EXP4_Q = np.array(
    [
        [1.0, 0.5, 0.0, -0.3],
        [0.5, 0.8, -0.4, 0.0],
        [0.0, -0.4, 1.2, 0.2],
        [-0.3, 0.0, 0.2, 0.6],
    ]
)


def scaled(values: np.ndarray) -> np.ndarray:
    """Columns of ``values`` (N, d) mapped linearly so that each spans [-1, 1] exactly."""
    low, high = values.min(axis=0), values.max(axis=0)
    return 2.0 * (values - low) / (high - low) - 1.0


def cube(seed: int, count: int, inputs: int) -> np.ndarray:
    """``count`` points drawn uniformly from [-1, 1]^inputs, (count, inputs) float64."""
    return np.random.default_rng(seed).uniform(-1.0, 1.0, (count, inputs))


def waves(X: np.ndarray) -> np.ndarray:
    """sin(3 x1) cos(2 x2) of the rows of X (N, 2), as (N, 1)."""
    return (np.sin(3.0 * X[:, 0]) * np.cos(2.0 * X[:, 1]))[:, None]


def waves1000() -> tuple[np.ndarray, np.ndarray]:
    """y = sin(3 x1) cos(2 x2) on 1,000 points of [-1, 1]²."""
    X = cube(1, 1000, 2)
    return X, waves(X)


def waves500() -> tuple[np.ndarray, np.ndarray]:
    """y = sin(3 x1) cos(2 x2) on 500 points of [-1, 1]²."""
    X = cube(2, 500, 2)
    return X, waves(X)


def friedman1() -> tuple[np.ndarray, np.ndarray]:
    """10 sin(π u1 u2) + 20 (u3 - 1/2)² + 10 u4 + 5 u5, u = (x + 1)/2 in ten dimensions, scaled to [-1, 1]."""
    X = cube(3, 2000, 10)
    u = (X + 1.0) / 2.0
    y = 10.0 * np.sin(np.pi * u[:, 0] * u[:, 1]) + 20.0 * (u[:, 2] - 0.5) ** 2 + 10.0 * u[:, 3] + 5.0 * u[:, 4]
    return X, scaled(y[:, None])


def exp4() -> tuple[np.ndarray, np.ndarray]:
    """y = exp(-xᵀQx) on 500 points of [-1, 1]^4, Q = EXP4_Q positive definite, scaled to [-1, 1]."""
    X = cube(4, 500, 4)
    return X, scaled(np.exp(-np.einsum("ni,ij,nj->n", X, EXP4_Q, X))[:, None])


def peaks() -> tuple[np.ndarray, np.ndarray]:
    """MATLAB's peaks surface on a 25 by 25 grid, [-3, 3]² scaled to [-1, 1]², y to mean 0 and variance 1."""
    axis = np.linspace(-3.0, 3.0, 25)
    u, v = (grid.ravel() for grid in np.meshgrid(axis, axis))
    z = (
        3.0 * (1.0 - u) ** 2 * np.exp(-(u**2) - (v + 1.0) ** 2)
        - 10.0 * (u / 5.0 - u**3 - v**5) * np.exp(-(u**2) - v**2)
        - np.exp(-((u + 1.0) ** 2) - v**2) / 3.0
    )
    return np.stack([u, v], axis=1) / 3.0, ((z - z.mean()) / z.std())[:, None]


def parity6() -> tuple[np.ndarray, np.ndarray]:
    """The 64 corners of [-1, 1]^6; y is the product of the six signs."""
    X = np.array(list(itertools.product([-1.0, 1.0], repeat=6)))
    return X, X.prod(axis=1, keepdims=True)


def sinc() -> tuple[np.ndarray, np.ndarray]:
    """y = sin(10 x)/(10 x) on 1,000 equally spaced points of [-1, 1]."""
    X = np.linspace(-1.0, 1.0, 1000)[:, None]
    return X, np.sinc(10.0 * X / np.pi)


def higham10() -> tuple[np.ndarray, np.ndarray]:
    """The ten points of Higham & Higham, "Deep learning: an introduction" (2019); five of each class."""
    return HIGHAM_X, np.repeat([[1.0, 0.0], [0.0, 1.0]], 5, axis=0)
