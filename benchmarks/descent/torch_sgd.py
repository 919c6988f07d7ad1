"""PyTorch on the CPU: tensors in memory, shuffled once an epoch, SGD(fused=True), gradients set to None.

Compiled, the loss of a batch is one graph under torch.compile; backward is compiled with it.
"""

import numpy as np
import torch
from torch import nn

from benchmarks.descent.task import Start, Task

ACTIVATIONS = {"sigmoid": nn.Sigmoid, "relu": nn.ReLU, "softmax": None}  # CrossEntropyLoss takes z


class Torch:
    """nn.Sequential with SGD."""

    def __init__(self, task: Task, compiled: bool = False, steps: int | None = None):
        """`steps`: the steps of an epoch if every step draws anew."""
        self.task, self.steps = task, task.steps(steps or 0)
        torch.manual_seed(0)
        self.model, self.layers = network(task)
        self.X = torch.from_numpy(task.X.reshape(len(task.X), *task.image) if task.image else task.X)
        if task.image:
            self.X = self.X.permute(0, 3, 1, 2).contiguous()
        classes = task.cost == "log-likelihood"
        self.Y = torch.from_numpy(task.labels.astype(np.int64) if classes else task.Y)
        criterion = nn.CrossEntropyLoss() if classes else half_squares

        def loss(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
            return criterion(self.model(x), y)

        self.loss = torch.compile(loss, dynamic=False) if compiled else loss
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=task.eta, fused=True)

    def epoch(self) -> None:
        """Run one pass over a new permutation, or `steps` draws."""
        N, m = len(self.X), self.task.batch
        uniform = self.task.sampling == "uniform"
        order = torch.randint(N, (self.steps * m,)) if uniform else torch.randperm(N)
        optimizer, loss = self.optimizer, self.loss
        for x, y in zip(self.X[order].split(m), self.Y[order].split(m), strict=True):
            optimizer.zero_grad(set_to_none=True)
            loss(x, y).backward()
            optimizer.step()

    def params(self) -> Start:
        """Return copies of W and b in the task's layout."""
        found = []
        for layer, shape in self.layers:
            W, b = layer.weight.detach().numpy(), layer.bias.detach().numpy()
            if W.ndim == 4:
                W = W.transpose(0, 2, 3, 1)
            elif shape is not None:
                height, width, channels = shape
                W = W.reshape(len(W), channels, height, width).transpose(0, 2, 3, 1).reshape(len(W), -1)
            found.append((W.copy(), b.copy()))
        return found


def half_squares(a: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """The mean of 1/2 ‖y - a‖²."""
    return 0.5 * (a - y).square().sum(dim=1).mean()


def network(task: Task) -> tuple[nn.Sequential, list[tuple[nn.Module, tuple[int, ...] | None]]]:
    """The model, and its layers with parameters, each with the image shape that it was flattened from, if any.

    PyTorch keeps the channels first and flattens them so: the weights after Flatten are in another order than ours.
    """
    modules: list[nn.Module] = []
    layers: list[tuple[nn.Module, tuple[int, ...] | None]] = []
    shape, pairs = task.image or task.X.shape[1:], iter(task.start)
    for kind, *numbers in task.layers:
        if kind == "pool":
            modules.append(nn.MaxPool2d(numbers[0]))
            shape = (shape[0] // numbers[0], shape[1] // numbers[0], shape[2])
            continue
        W, b = next(pairs)
        image = shape if len(shape) == 3 else None
        if kind == "convolution":
            layer, W = nn.Conv2d(shape[2], numbers[0], numbers[1]), W.transpose(0, 3, 1, 2)
            shape, image = (shape[0] - numbers[1] + 1, shape[1] - numbers[1] + 1, numbers[0]), None
        else:
            layer = nn.Linear(W.shape[1], numbers[0])
            if image is not None:
                modules.append(nn.Flatten())
                W = W.reshape(len(W), *image).transpose(0, 3, 1, 2).reshape(len(W), -1)
            shape = (numbers[0],)
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(W.copy()))
            layer.bias.copy_(torch.from_numpy(b))
        layers.append((layer, image))
        activation = ACTIVATIONS[numbers[-1]]
        modules += [layer] if activation is None else [layer, activation()]
    return nn.Sequential(*modules), layers
