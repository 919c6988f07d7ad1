"""The trainers that `--trainer` can name: one row for each, with its options and its defaults."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

BATCH_SIZE = 10


@dataclass(frozen=True)
class Settings:
    """The trainer's options, defaults filled in; a batch_size of None is all the training examples."""

    eta: float | None
    batch_size: int | None
    momentum: float | None
    l2: float | None


@dataclass(frozen=True)
class TrainerChoice:
    """A trainer on the command line.

    Args:
        build: makes the trainer of the library from its settings.
        takes: the options it understands besides --epochs.
        eta: its learning rate where --eta is not given, for each kind of problem; empty if it has none.
        epochs: its number of epochs where --epochs is not given; None takes the problem's.
        batch_size: m where --batch-size is not given; None takes all examples in a step.
        momentum: mu where --momentum is not given.
        hidden: the hidden layers where --hidden is not given; None takes the problem's.
        activation: theirs where --activation is not given; None takes the problem's.
    """

    build: Callable[[Settings], Any]
    takes: tuple[str, ...]
    eta: Mapping[str, float]
    epochs: int | None = None
    batch_size: int | None = BATCH_SIZE
    momentum: float | None = None
    hidden: tuple[int, ...] | None = None
    activation: str | None = None


def _gradient_descent(settings: Settings) -> Any:
    import deltarule as dr

    return dr.GradientDescent(
        eta=settings.eta, batch_size=settings.batch_size, momentum=settings.momentum, l2=settings.l2
    )


def _adam(settings: Settings) -> Any:
    import optax

    import deltarule as dr

    return dr.GradientDescent(rule=optax.adam(1.0), eta=settings.eta, batch_size=settings.batch_size, l2=settings.l2)


def _levenberg_marquardt(settings: Settings) -> Any:
    import deltarule as dr

    return dr.LevenbergMarquardt(batch_size=settings.batch_size, l2=settings.l2)


EVERY = ("--eta", "--batch-size", "--momentum", "--l2")

# Learning rates chosen by validation on digits, MNIST, iris, wine, breast cancer, diabetes and Friedman's function.
TRAINERS: dict[str, TrainerChoice] = {
    "sgd": TrainerChoice(_gradient_descent, EVERY, {"images": 0.5, "classification": 0.1, "regression": 0.05}),
    "gd": TrainerChoice(
        _gradient_descent,
        ("--eta", "--momentum", "--l2"),
        {"images": 0.5, "classification": 0.5, "regression": 0.1},
        epochs=1000,
        batch_size=None,
    ),
    "momentum": TrainerChoice(
        _gradient_descent, EVERY, {"images": 0.05, "classification": 0.02, "regression": 0.01}, momentum=0.9
    ),
    "adam": TrainerChoice(
        _adam,
        ("--eta", "--batch-size", "--l2"),
        {"images": 0.001, "classification": 0.003, "regression": 0.01},
    ),
    "lm": TrainerChoice(
        _levenberg_marquardt,
        ("--batch-size", "--l2"),
        {},
        epochs=100,
        batch_size=None,
        hidden=(10,),
        activation="tanh",
    ),
}
