"""deltarule: the compiled epoch that `dr.train` runs."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import deltarule as dr
from benchmarks.descent.task import Start, Task
from deltarule import loop
from deltarule.rows import pad_rows


class Deltarule:
    """`loop.advance`, one epoch a call, on one compiled function."""

    def __init__(self, task: Task, steps: int | None = None):
        """`steps` of an epoch, where every step draws anew."""
        self.net = network(task)
        uniform = {"sampling": "uniform", "steps": steps} if task.sampling == "uniform" else {}
        self.trainer = dr.GradientDescent(eta=task.eta, batch_size=task.batch, **uniform)
        self.steps = task.steps(steps or 0)
        self.rows, self.key = pad_rows(task.X, task.Y), jax.random.key(0)
        self.carry = loop.start(self.net, self.trainer, parameters(self.net, task.start), self.rows)
        self.epochs = 0

    def epoch(self) -> None:
        """One epoch."""
        self.epochs += 1
        until, rules = jnp.asarray(self.epochs, jnp.int32), dr.Stopping()
        self.carry, _ = loop.advance(
            self.net, self.trainer, rules, "cost", self.carry, self.rows, None, self.key, until
        )
        jax.block_until_ready(self.carry)

    def params(self) -> Start:
        """W and b of the layers that have them."""
        return [(np.asarray(p["W"]), np.asarray(p["b"])) for p in self.carry.state.params if p]


def network(task: Task) -> dr.Network:
    """The task's layers as deltarule's."""
    layers: list[Any] = [dr.Reshape(task.image)] if task.image else []
    flat = not task.image
    for kind, *numbers in task.layers:
        if kind == "convolution":
            layers.append(dr.Convolution(numbers[0], (numbers[1], numbers[1]), numbers[2]))
        elif kind == "pool":
            layers.append(dr.MaxPool((numbers[0], numbers[0])))
        else:
            layers += [] if flat else [dr.Flatten()]
            flat = True
            layers.append(dr.Dense(*numbers))
    return dr.Network(layers, task.cost)


def parameters(net: dr.Network, start: Start) -> list[dict[str, jax.Array]]:
    """The start as deltarule keeps it: {} for layers without parameters."""
    pairs = iter(start)
    return [
        dict(zip("Wb", map(jnp.asarray, next(pairs)), strict=True)) if hasattr(layer, "activation") else {}
        for layer in net.layers
    ]
