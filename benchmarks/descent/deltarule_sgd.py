"""deltarule: the epoch that `dr.train` runs, which the JAX engine compiles."""

from typing import Any

import numpy as np

import deltarule as dr
from benchmarks.descent.task import Start, Task
from deltarule import engine as engines
from deltarule import trees
from deltarule.loop import Course
from deltarule.rows import Rows


class Deltarule:
    """`Course.advance`, one epoch a call, on the JAX engine one compiled function."""

    def __init__(self, task: Task, steps: int | None = None, engine: str = "jax"):
        """`steps` of an epoch, where every step draws anew."""
        self.E, self.net = engines.get(engine), network(task)
        uniform = {"sampling": "uniform", "steps": steps} if task.sampling == "uniform" else {}
        self.trainer = dr.GradientDescent(eta=task.eta, batch_size=task.batch, **uniform)
        self.steps = task.steps(steps or 0)
        rows = Rows(*self.E.laid_out(task.X, task.Y, None))
        self.course = Course(self.net, self.trainer, rows, None, (0,), dr.Stopping(), "cost", ())
        self.carry = self.course.start(trees.mapped(self.E.put, parameters(self.net, task.start)))
        self.epochs = 0

    def epoch(self) -> None:
        """One epoch."""
        self.epochs += 1
        self.carry = self.E.wait(self.course.advance(self.carry, self.epochs).carry)

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


def parameters(net: dr.Network, start: Start) -> list[dict[str, np.ndarray]]:
    """The start as deltarule keeps it: {} for layers without parameters."""
    pairs = iter(start)
    return [dict(zip("Wb", next(pairs), strict=True)) if hasattr(layer, "activation") else {} for layer in net.layers]
