"""The benchmark problems: data, network, starting parameters and the mean squared errors to reach."""

import itertools
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmarks.lm import surfaces

Data = tuple[np.ndarray, np.ndarray]
Start = list[tuple[np.ndarray, np.ndarray]]  # one (W (n_l, n_{l-1}), b (n_l,)) for each layer, float64

TANH_ACTIVE = 2.0  # tanh is taken as active for net inputs in [-2, 2], as MATLAB takes its tansig
OUTPUT_SPAN = 0.5  # the linear output layer is uniform on [-0.5, 0.5]
HIGHAM_SPREAD = 0.5  # Higham & Higham draw every weight and bias as 0.5 randn


@dataclass(frozen=True, eq=False)
class Problem:
    """One network, one table of examples and the levels of mean squared error to reach.

    The mean squared error is the mean of (y - a)² over all N k residuals.
    """

    name: str
    sizes: tuple[int, ...]  # neurons of each layer, the inputs first
    hidden: str  # activation of the hidden layers: "tanh" or "sigmoid"
    output: str  # activation of the last layer: "linear" or "sigmoid"
    X: np.ndarray  # (N, sizes[0])
    Y: np.ndarray  # (N, sizes[-1])
    targets: tuple[float, ...]  # mean squared errors, falling
    seconds: float  # time budget of one run from one start
    source: str  # the formula of the data, with its scaling
    init: str = "nguyen-widrow"  # or "higham"
    cost: str = "quadratic"

    @property
    def parameters(self) -> int:
        """The number of weights and biases n."""
        return sum(rows * (columns + 1) for columns, rows in itertools.pairwise(self.sizes))

    @property
    def residuals(self) -> int:
        """The number of residuals N k."""
        return self.Y.size


def regression(
    name: str, sizes: tuple[int, ...], data: Callable[[], Data], targets: tuple[float, ...], seconds: float
) -> Problem:
    """A problem for tanh hidden layers and a linear output."""
    X, Y = data()
    return Problem(name, sizes, "tanh", "linear", X, Y, targets, seconds, source=data.__doc__ or "")


def higham10() -> Problem:
    """The ten points of Higham & Higham for their network: sigmoid in all three layers."""
    X, Y = surfaces.higham10()
    source = surfaces.higham10.__doc__ or ""
    return Problem("higham10", (2, 2, 3, 2), "sigmoid", "sigmoid", X, Y, (1e-4, 1e-10), 5.0, source, init="higham")


def every_problem() -> dict[str, Problem]:
    """Every problem under its name, in the order of the report."""
    problems = [
        regression("s2020", (2, 20, 20, 1), surfaces.waves1000, (1e-4, 1e-6, 1e-8, 1e-10), 15.0),
        regression("wide60", (2, 60, 60, 1), surfaces.waves500, (1e-4, 1e-6, 1e-8), 30.0),
        regression("friedman1", (10, 30, 1), surfaces.friedman1, (1e-4, 1e-5, 1e-6), 15.0),
        regression("exp4", (4, 15, 15, 1), surfaces.exp4, (1e-3, 1e-4, 1e-6), 8.0),
        regression("peaks", (2, 25, 1), surfaces.peaks, (1e-2, 2e-3, 1e-3), 8.0),
        regression("parity6", (6, 10, 10, 1), surfaces.parity6, (1e-4, 1e-10), 5.0),
        regression("sinc", (1, 20, 1), surfaces.sinc, (1e-4, 1e-6, 1e-8), 8.0),
        higham10(),
    ]
    return {problem.name: problem for problem in problems}


def nguyen_widrow(random: np.random.Generator, rows: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """Spread the active regions of ``rows`` tanh neurons evenly over inputs in [-1, 1]^columns.

    Each row of W has length beta = 0.7 rows^(1/columns) and a random direction; the biases are equally spaced
    on [-beta, beta] with the sign of the first weight; both are stretched to tanh's active range [-2, 2].
    This is what MATLAB's initnw computes (Nguyen & Widrow, IJCNN 1990).

    Returns W (rows, columns) and b (rows,).
    """
    beta = 0.7 * rows ** (1.0 / columns)
    direction = random.uniform(-1.0, 1.0, (rows, columns))
    W = beta * direction / np.linalg.norm(direction, axis=1, keepdims=True)
    spread = np.linspace(-1.0, 1.0, rows) if rows > 1 else np.zeros(1)
    b = beta * spread * np.sign(W[:, 0])
    return TANH_ACTIVE * W, TANH_ACTIVE * b


def starts(problem: Problem, count: int) -> list[Start]:
    """The first ``count`` starts of a problem; start i is the same whatever ``count`` is."""
    return [_start(problem, index) for index in range(count)]


def _start(problem: Problem, index: int) -> Start:
    random = np.random.default_rng([zlib.crc32(problem.name.encode()), index])
    layers = []
    for columns, rows in itertools.pairwise(problem.sizes):
        is_output = len(layers) == len(problem.sizes) - 2
        if problem.init == "higham":
            W = HIGHAM_SPREAD * random.standard_normal((rows, columns))
            b = HIGHAM_SPREAD * random.standard_normal(rows)
        elif is_output:
            W = random.uniform(-OUTPUT_SPAN, OUTPUT_SPAN, (rows, columns))
            b = random.uniform(-OUTPUT_SPAN, OUTPUT_SPAN, rows)
        else:
            W, b = nguyen_widrow(random, rows, columns)
        layers.append((W, b))
    return layers
