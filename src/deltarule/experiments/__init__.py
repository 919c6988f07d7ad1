"""The experiments of the textbooks, with the books' own numbers beside ours: what `deltarule reproduce` runs.

Each is a short module that uses deltarule as anyone would, by its public names, and has one function
`run(settings) -> Report`. A new one is a module and a row of EXPERIMENTS.
"""

from importlib import import_module
from typing import NamedTuple

from deltarule.errors import ConfigurationError
from deltarule.experiments.report import Report, Row, Settings

__all__ = ["EXPERIMENTS", "Experiment", "Report", "Row", "Settings", "choose", "run"]


class Experiment(NamedTuple):
    """One row of the registry: where the code is, and what it reproduces."""

    module: str
    source: str
    needs_mnist: bool


EXPERIMENTS: dict[str, Experiment] = {
    "higham": Experiment("higham", "[HH] section 6: ten points, a network of 23 parameters", False),
    "3b1b": Experiment("chain", "[3B1B]: every partial derivative of the lecture, by name", False),
    "perceptron": Experiment(
        "perceptron", "[N] ch. 1: NAND, the adder of two bits, sigmoid neurons that learn it", False
    ),
    "nielsen-1": Experiment("nielsen_1", "[N] ch. 1: handwritten digits with the quadratic cost", True),
    "nielsen-2": Experiment("nielsen_2", "[N] ch. 2: backpropagation against numerical differentiation, timed", False),
    "nielsen-3": Experiment("nielsen_3", "[N] ch. 3: cross-entropy, overfitting, regularisation, initialisation", True),
    "nielsen-5": Experiment("nielsen_5", "[N] ch. 5: deeper networks and the vanishing gradient", True),
    "nielsen-6": Experiment("nielsen_6", "[N] ch. 6: convolution, pooling, dropout and a vote of five", True),
    "mackey-glass": Experiment("series.mackey_glass", "a delay equation, 84 steps ahead in a free run", False),
    "sunspots": Experiment("series.sunspots", "the yearly sunspot numbers, one year ahead", False),
    "narendra": Experiment("series.narendra", "a nonlinear plant, learnt at random and tried on a sine", False),
    "memory": Experiment("memory", "past [N] ch. 6: recurrent networks, on a sine that needs a memory", False),
    "beyond": Experiment("beyond", "past [N] ch. 6: a recipe of our own for MNIST", True),
}


def choose(name: str) -> tuple[str, ...]:
    """The experiments that a name stands for: itself, or every one of them for "all".

    Raises:
        ConfigurationError: there is no such experiment.
    """
    if name == "all":
        return tuple(EXPERIMENTS)
    if name not in EXPERIMENTS:
        raise ConfigurationError(f"experiment {name!r} is not known: choose one of {', '.join(EXPERIMENTS)}, or all.")
    return (name,)


def run(name: str, settings: Settings) -> Report:
    """Run the experiment of that name; a quick run has no numbers of the book, for none of its own stands beside them.

    Raises:
        ConfigurationError: there is no such experiment.
        DataError: it needs MNIST, which is not to be had.
    """
    (name,) = choose(name)
    report = import_module(f"{__name__}.{EXPERIMENTS[name].module}").run(settings)
    return report.without_reference() if settings.quick else report
