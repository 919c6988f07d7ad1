"""The task of every contestant: layers, a start, data, batches, a learning rate. Its arrays are in one file."""

import json
import os
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

Start = list[tuple[np.ndarray, np.ndarray]]  # one (W, b) for each layer that has them, float32

EXAMPLES, TEST = 50_000, 2_000
HIGHAM_X = [[0.1, 0.3, 0.1, 0.6, 0.4, 0.6, 0.5, 0.9, 0.4, 0.7], [0.1, 0.4, 0.5, 0.9, 0.2, 0.3, 0.6, 0.2, 0.4, 0.6]]


@dataclass(frozen=True)
class Task:
    """One benchmark of gradient descent, without its arrays.

    A layer is ["dense", n, activation], ["convolution", filters, width, activation] or ["pool", width]. Parameters are
    those of deltarule: Dense W (n_l, n_{l-1}), Convolution W (filters, height, width, channels), and images are
    flattened row by row with the channels last.
    """

    name: str
    layers: list[list[Any]]
    batch: int
    eta: float
    cost: str = "log-likelihood"  # softmax outputs; or "quadratic", 1/2 ‖y - a‖², sigmoid outputs
    sampling: str = "permutation"  # of the examples once an epoch; or "uniform", every step draws anew
    examples: int = EXAMPLES
    image: tuple[int, int, int] | None = None
    arrays: dict[str, np.ndarray] = field(default_factory=dict, repr=False)

    @property
    def X(self) -> np.ndarray:
        """Inputs, (N, n_1) float32."""
        return self.arrays["X"]

    @property
    def Y(self) -> np.ndarray:
        """Targets, (N, k) float32, one-hot for classes."""
        return self.arrays["Y"]

    @property
    def labels(self) -> np.ndarray:
        """The classes, (N,) int32."""
        return self.Y.argmax(axis=1).astype(np.int32)

    @property
    def start(self) -> Start:
        """The parameters from which everyone starts."""
        count = sum(name.startswith("W") for name in self.arrays)
        return [(self.arrays[f"W{i}"], self.arrays[f"b{i}"]) for i in range(count)]

    def steps(self, least: int = 0) -> int:
        """The steps of an epoch: one pass, or `least` if every step draws anew."""
        return least if self.sampling == "uniform" else -(-len(self.X) // self.batch)

    def first_batch(self) -> "Task":
        """Return the task with its first m examples only: an epoch is then the same single step in any order."""
        return replace(self, arrays=self.arrays | {"X": self.X[: self.batch], "Y": self.Y[: self.batch]})


def write(task: Task, folder: Path) -> None:
    """Write the task to folder/task.json and folder/task.npz."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "task.json").write_text(json.dumps(asdict(replace(task, arrays={}))))
    np.savez(folder / "task.npz", **task.arrays)


def read(folder: str | Path) -> Task:
    """Read the task that `write` wrote."""
    with np.load(Path(folder) / "task.npz") as arrays:
        return Task(**(json.loads((Path(folder) / "task.json").read_text()) | {"arrays": dict(arrays)}))


def complete(task: Task, seed: int = 0) -> Task:
    """Return the task with its data and a start: weights N(0, 2/n_in) before a relu, else N(0, 1/n_in), biases 0."""
    arrays = higham() if task.sampling == "uniform" else digits(task.examples)
    random = np.random.default_rng(seed)
    shape = task.image or arrays["X"].shape[1:]
    number = 0
    for kind, *numbers in task.layers:
        if kind == "pool":
            shape = (shape[0] // numbers[0], shape[1] // numbers[0], shape[2])
            continue
        size, activation = numbers[0], numbers[-1]
        inputs = (numbers[1], numbers[1], shape[2]) if kind == "convolution" else (int(np.prod(shape)),)
        spread = ((2 if activation == "relu" else 1) / np.prod(inputs)) ** 0.5
        arrays[f"W{number}"] = (spread * random.standard_normal((size, *inputs))).astype(np.float32)
        arrays[f"b{number}"] = np.zeros(size, np.float32)
        number += 1
        shape = (shape[0] - numbers[1] + 1, shape[1] - numbers[1] + 1, size) if kind == "convolution" else (size,)
    return replace(task, arrays=arrays)


def higham() -> dict[str, np.ndarray]:
    """The ten points of [HH], of two classes; the test points are the same."""
    X = np.array(HIGHAM_X, np.float32).T
    Y = np.repeat([[1.0, 0.0], [0.0, 1.0]], 5, axis=0).astype(np.float32)
    return {"X": X, "Y": Y, "Xt": X, "Yt": Y}


def digits(examples: int) -> dict[str, np.ndarray]:
    """Return MNIST from $DELTARULE_DATA or ../shared/data/mnist, else ten classes of noisy patterns of its size."""
    X, labels = mnist() or patterns(EXAMPLES + TEST)
    Y = np.eye(10, dtype=np.float32)[labels]
    return {"X": X[:examples], "Y": Y[:examples], "Xt": X[-TEST:], "Yt": Y[-TEST:]}


def mnist() -> tuple[np.ndarray, np.ndarray] | None:
    """Return 50,000 training images in the file's order and 2,000 test images, or None without MNIST."""
    from deltarule import data
    from deltarule.errors import DataError

    for place in (os.environ.get("DELTARULE_DATA"), Path(__file__).resolve().parents[3] / "shared" / "data" / "mnist"):
        if place and Path(place).is_dir():
            try:
                parts = data.load("mnist", data_dir=place)
            except DataError:
                continue
            X = np.concatenate([parts.train.X, parts.test.X[:TEST]]).astype(np.float32)
            Y = np.concatenate([np.asarray(parts.train.Y), np.asarray(parts.test.Y)[:TEST]])
            return X, Y.argmax(axis=1)
    return None


def patterns(count: int) -> tuple[np.ndarray, np.ndarray]:
    """(count, 784) in [0, 1] and classes: one of ten random patterns each, under noise that hides some."""
    random = np.random.default_rng(1)
    labels = random.integers(0, 10, count)
    means = 0.5 + 0.08 * random.standard_normal((10, 784))
    X = means[labels] + 0.3 * random.standard_normal((count, 784))
    return np.clip(X, 0, 1).astype(np.float32), labels
