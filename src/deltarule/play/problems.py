"""The problems of the page: small generated ones in the plane and on the line, and the form of the user's own data."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from deltarule.errors import ConfigurationError
from deltarule.network.backprop import Params
from deltarule.network.network import Network

SEED = 1  # of the generated points
COUNT = 200  # points of a generated problem
MOST_POINTS = 500  # that a user may set


@dataclass(frozen=True, eq=False)
class Problem:
    """Examples, with their names and the way they are drawn.

    Args:
        name: the name on the page and the command line.
        title: one line for the reader.
        X: inputs of the training examples, (N, n_1), or of any shape for a training that `Watch` shows.
        Y: targets of the training examples, (N, k).
        inputs: the name of each input, (n_1,).
        outputs: the name of each output, (k,).
        classes: the names of the classes; None for a regression. Two classes may share one output, 0 or 1.
        rows: the number of each example in its source, (N,).
        validation: (Xv, Yv) of the validation examples, or None.
        image: (height, width) if the inputs are the pixels of an image.
        hidden: the initial sizes of the hidden layers.
        start: initial settings of `deltarule.play.choices.Choices`.
        notes: notes about a table for the user.
        given: a trained network and its parameters, or None.
    """

    name: str
    title: str
    X: np.ndarray
    Y: np.ndarray
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    classes: tuple[str, ...] | None
    rows: np.ndarray
    validation: tuple[np.ndarray, np.ndarray] | None = None
    image: tuple[int, int] | None = None
    hidden: tuple[int, ...] = (8, 8)
    start: dict[str, Any] | None = None
    notes: tuple[str, ...] = ()
    given: tuple[Network, Params] | None = None

    @property
    def width(self) -> int:
        """The number of inputs of an example."""
        return int(np.prod(self.X.shape[1:]))

    @property
    def view(self) -> str:
        """How the page draws the problem: "plane", "line", "image" or "table"."""
        if self.image is not None:
            return "image"
        flat, one_output = self.X.ndim == 2, self.Y.shape[1] == 1
        if flat and self.width == 2 and (one_output or self.classes is not None):
            return "plane"
        return "line" if flat and self.width == 1 and one_output and self.classes is None else "table"

    @property
    def labels(self) -> np.ndarray:
        """The class of each example, (N,) whole numbers; all 0 for a regression."""
        if self.classes is None:
            return np.zeros(len(self.X), int)
        return (self.Y[:, 0] > 0.5).astype(int) if self.Y.shape[1] == 1 else self.Y.argmax(axis=1)


def higham() -> Problem:
    """The ten points in the plane of [HH], with two outputs, and its 2-2-3-2 network."""
    X = np.array(
        [[0.1, 0.3, 0.1, 0.6, 0.4, 0.6, 0.5, 0.9, 0.4, 0.7], [0.1, 0.4, 0.5, 0.9, 0.2, 0.3, 0.6, 0.2, 0.4, 0.6]]
    ).T
    Y = np.array(5 * [[1.0, 0.0]] + 5 * [[0.0, 1.0]])
    start = {"activation": "sigmoid", "cost": "quadratic", "trainer": "sgd", "eta": 1.0, "batch_size": 1}
    return Problem(
        "higham", "Higham's ten points, two kinds of oil wells", X, Y,
        ("x₁", "x₂"), ("A", "B"), ("A", "B"), np.arange(10), hidden=(2, 3), start=start,
    )  # fmt: skip


def circles() -> Problem:
    """A disc within a ring."""
    random = np.random.default_rng(SEED)
    inner = np.arange(COUNT) % 2 == 0
    radius = np.where(inner, random.uniform(0, 0.45, COUNT), random.uniform(0.65, 1, COUNT))
    angle = random.uniform(0, 2 * np.pi, COUNT)
    X = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    return _two_classes("circles", "A disc within a ring", X, inner, (8,))


def spirals() -> Problem:
    """Two arms wound around each other."""
    random = np.random.default_rng(SEED)
    arm = np.arange(COUNT) % 2 == 0
    turn = np.sqrt(random.uniform(0.02, 1, COUNT))
    angle = 3.2 * np.pi * turn + np.where(arm, 0, np.pi)
    X = turn[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1) + random.normal(0, 0.015, (COUNT, 2))
    return _two_classes("spirals", "Two spirals", X, arm, (8, 8))


def xor() -> Problem:
    """Exclusive or: opposite quarters of the plane have the same class."""
    X = np.random.default_rng(SEED).uniform(-1, 1, (COUNT, 2))
    X += 0.08 * np.sign(X)
    return _two_classes("xor", "Exclusive or: opposite quarters are alike", X, X[:, 0] * X[:, 1] > 0, (4,))


def curve() -> Problem:
    """Noisy measurements of a curve with a gap, to show error bars."""
    random = np.random.default_rng(SEED)
    x = np.sort(np.concatenate([random.uniform(-1, -0.2, 25), random.uniform(0.25, 1, 25)]))
    y = np.sin(5 * x) * np.exp(-0.5 * x) + random.normal(0, 0.12, len(x))
    start = {"activation": "tanh", "cost": "quadratic", "trainer": "lm"}
    return Problem(
        "curve", "A curve measured with noise, with a gap", x[:, None], y[:, None],
        ("x",), ("y",), None, np.arange(len(x)), hidden=(8,), start=start,
    )  # fmt: skip


def points_problem(points: Any) -> Problem:
    """The problem of points that a user set, each (x, y, class 0 or 1).

    Raises:
        ConfigurationError: they are not such points.
    """
    error = ConfigurationError(
        f"points must be 1 to {MOST_POINTS} triples (x, y, class) with x and y from -1.5 to 1.5 and class 0 or 1: set "
        "some with the mouse."
    )
    if not isinstance(points, Sequence) or not 1 <= len(points) <= MOST_POINTS:
        raise error
    if not all(isinstance(p, list) and len(p) == 3 and all(type(v) in (int, float) for v in p) for p in points):
        raise error
    table = np.array(points, dtype=np.float64)
    if not (np.abs(table[:, :2]) <= 1.5).all() or not np.isin(table[:, 2], (0, 1)).all():
        raise error
    return _two_classes("points", "Your own points", table[:, :2], table[:, 2] > 0, (6,))


GENERATED: dict[str, Callable[[], Problem]] = {
    "higham": higham,
    "circles": circles,
    "spirals": spirals,
    "xor": xor,
    "curve": curve,
}


def _two_classes(name: str, title: str, X: np.ndarray, second: np.ndarray, hidden: tuple[int, ...]) -> Problem:
    """A problem with one output, 1 for the second class."""
    start = {"activation": "tanh", "cost": "cross-entropy", "trainer": "adam", "eta": 0.03, "batch_size": 10}
    return Problem(
        name, title, X, second[:, None].astype(np.float64),
        ("x₁", "x₂"), ("B",), ("A", "B"), np.arange(len(X)), hidden=hidden, start=start,
    )  # fmt: skip
