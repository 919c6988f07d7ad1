"""deltarule: the epoch that `dr.train` runs, on the JAX engine (compiled) or on the NumPy engine."""

from typing import Any

import numpy as np

import deltarule as dr
from benchmarks.descent.task import Start, Task
from benchmarks.epochs import Epochs


class Deltarule:
    """One epoch for each call; JAX compiles once."""

    def __init__(self, task: Task, steps: int | None = None, engine: str = "jax"):
        """`steps`: the steps of an epoch if every step draws anew."""
        net = network(task)
        uniform = {"sampling": "uniform", "steps": steps} if task.sampling == "uniform" else {}
        trainer = dr.GradientDescent(eta=task.eta, batch_size=task.batch, **uniform)
        self.steps = task.steps(steps or 0)
        self.epochs = Epochs(engine, net, trainer, task.X, task.Y, parameters(net, task.start))

    def epoch(self) -> None:
        """Run one epoch."""
        self.epochs.run()

    def params(self) -> Start:
        """Return W and b of the layers that have them."""
        return [(np.asarray(p["W"]), np.asarray(p["b"])) for p in self.epochs.params if p]


def network(task: Task) -> dr.Network:
    """Return the task's layers as deltarule's layers."""
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
    """Return the start as deltarule's parameters: {} for layers without any."""
    pairs = iter(start)
    return [
        dict(zip("Wb", map(np.array, next(pairs)), strict=True)) if hasattr(layer, "activation") else {}
        for layer in net.layers
    ]
