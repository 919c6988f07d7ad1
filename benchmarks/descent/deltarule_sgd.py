"""deltarule: the epoch that `dr.train` runs, compiled on the JAX engine or as it stands on the NumPy engine."""

from typing import Any

import numpy as np

import deltarule as dr
from benchmarks.descent.task import Start, Task
from benchmarks.epochs import Epochs


class Deltarule:
    """One epoch a call; what JAX compiles for it is compiled once."""

    def __init__(self, task: Task, steps: int | None = None, engine: str = "jax"):
        """`steps` of an epoch, where every step draws anew."""
        net = network(task)
        uniform = {"sampling": "uniform", "steps": steps} if task.sampling == "uniform" else {}
        trainer = dr.GradientDescent(eta=task.eta, batch_size=task.batch, **uniform)
        self.steps = task.steps(steps or 0)
        self.epochs = Epochs(engine, net, trainer, task.X, task.Y, parameters(net, task.start))

    def epoch(self) -> None:
        """One epoch."""
        self.epochs.run()

    def params(self) -> Start:
        """W and b of the layers that have them."""
        return [(np.asarray(p["W"]), np.asarray(p["b"])) for p in self.epochs.params if p]


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
    return [
        dict(zip("Wb", map(np.array, next(pairs)), strict=True)) if hasattr(layer, "activation") else {}
        for layer in net.layers
    ]
