"""The referee: float64, automatic differentiation, none of the contestants' code.

It says how far each contestant's first step is from p - eta ∇C(p), and what its network reads after all its laps.
"""

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from benchmarks.descent.task import Start, Task, read

BLOCK = 500  # test examples at once


def z_of(task: Task, params: list[tuple[Array, Array]], x: Array) -> Array:
    """Return z^L of a batch."""
    x = x.reshape(-1, *task.image) if task.image else x
    pairs = iter(params)
    for kind, *numbers in task.layers:
        if kind == "pool":
            window = (1, numbers[0], numbers[0], 1)
            x = lax.reduce_window(x, -jnp.inf, lax.max, window, window, "VALID")
            continue
        W, b = next(pairs)
        if kind == "convolution":
            shapes = ("NHWC", "OHWI", "NHWC")
            x = lax.conv_general_dilated(x, W, (1, 1), "VALID", dimension_numbers=shapes) + b
        else:
            x = x.reshape(x.shape[0], -1) @ W.T + b
        x = {"sigmoid": jax.nn.sigmoid, "relu": jax.nn.relu, "softmax": lambda z: z}[numbers[-1]](x)
    return x


def cost(params: list[tuple[Array, Array]], task: Task, x: Array, y: Array) -> Array:
    """Return the mean cost."""
    z = z_of(task, params, x)
    if task.cost == "log-likelihood":
        return -jnp.mean(jnp.sum(y * jax.nn.log_softmax(z), axis=1))
    return jnp.mean(0.5 * jnp.sum((z - y) ** 2, axis=1))


def step(task: Task) -> list[np.ndarray]:
    """-eta ∇C of the first batch at the start, W and b in turn."""
    with jax.enable_x64(True):
        x, y = (jnp.asarray(part[: task.batch], jnp.float64) for part in (task.X, task.Y))
        start = [(jnp.asarray(W, jnp.float64), jnp.asarray(b, jnp.float64)) for W, b in task.start]
        gradient = jax.grad(cost)(start, task, x, y)
        return [-task.eta * np.asarray(g) for pair in gradient for g in pair]


def step_error(task: Task, after: Start, expected: list[np.ndarray]) -> float:
    """The largest difference between a contestant's step and the true one, relative to its largest component."""
    moved = [
        np.float64(new) - old
        for one, two in zip(after, task.start, strict=True)
        for new, old in zip(one, two, strict=True)
    ]
    largest = max(np.abs(part).max() for part in expected)
    return max(float(np.abs(a - b).max()) for a, b in zip(moved, expected, strict=True)) / largest


def reached(task: Task, after: Start) -> dict[str, float]:
    """Accuracy on the test examples in percent, or the cost if the task has no classes."""
    params = [(jnp.asarray(W), jnp.asarray(b)) for W, b in after]
    X, Y = task.arrays["Xt"], task.arrays["Yt"]
    if task.cost != "log-likelihood":
        return {"cost": float(cost(params, task, jnp.asarray(X), jnp.asarray(Y)))}
    found = [
        np.asarray(z_of(task, params, jnp.asarray(X[i : i + BLOCK]))).argmax(axis=1) for i in range(0, len(X), BLOCK)
    ]
    return {"accuracy %": 100 * float(np.mean(np.concatenate(found) == Y.argmax(axis=1)))}


def saved(path: Path) -> Start:
    """The pairs in a file of `contestant.save`."""
    with np.load(path) as arrays:
        flat = [arrays[f"arr_{i}"] for i in range(len(arrays.files))]
    return list(zip(flat[::2], flat[1::2], strict=True))


class Referee:
    """Judge what the contestants saved in the task's folder, by the worker's protocol."""

    def __init__(self, folder: str):
        """`folder`: the task's folder."""
        self.folder, self.task = Path(folder), read(folder)

    def finish(self) -> dict[str, dict[str, Any]]:
        """Return the error of its step and what it reached, for each contestant that saved its parameters."""
        expected, found = step(self.task), {}
        for path in sorted(self.folder.glob("*.after.npz")):
            name = path.name.removesuffix(".after.npz")
            first = saved(self.folder / f"{name}.step.npz")
            found[name] = {"step error": step_error(self.task, first, expected)} | reached(self.task, saved(path))
        return found
