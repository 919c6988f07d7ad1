"""The network as a float64 torch.nn.Sequential that starts where everyone starts."""

import itertools

import torch

from benchmarks.lm.problems import Problem, Start

ACTIVATIONS = {"tanh": torch.nn.Tanh, "sigmoid": torch.nn.Sigmoid}


def torch_network(problem: Problem, start: Start) -> torch.nn.Sequential:
    """The network of ``problem`` with copies of the parameters of ``start``."""
    modules: list[torch.nn.Module] = []
    for (columns, rows), (W, b) in zip(itertools.pairwise(problem.sizes), start, strict=True):
        linear = torch.nn.Linear(columns, rows, dtype=torch.float64)
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(W))
            linear.bias.copy_(torch.from_numpy(b))
        is_output = len(modules) == 2 * (len(problem.sizes) - 2)
        activation = problem.output if is_output else problem.hidden
        modules += [linear] if activation == "linear" else [linear, ACTIVATIONS[activation]()]
    return torch.nn.Sequential(*modules)


def torch_data(problem: Problem) -> tuple[torch.Tensor, torch.Tensor]:
    """(X, Y) as float64 tensors."""
    return torch.from_numpy(problem.X), torch.from_numpy(problem.Y)
