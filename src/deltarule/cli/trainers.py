"""The trainers that `--trainer` can name: one row for each, with its options and its defaults."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

BATCH_SIZE = 10
BAYESIAN_PATIENCE = 10  # epochs without a larger evidence


@dataclass(frozen=True)
class Settings:
    """The trainer's options, defaults filled in; a batch_size of None is all the training examples."""

    eta: float | None
    batch_size: int | None
    momentum: float | None
    l2: float | None
    l1: float | None = None
    max_norm: float | None = None
    halve_after: int | None = None
    nesterov: bool = False
    patience: int | None = None


@dataclass(frozen=True)
class TrainerChoice:
    """A trainer on the command line.

    Args:
        build: makes the trainer of the library from its settings.
        takes: the options it understands besides --epochs.
        eta: its learning rate where --eta is not given, for each kind of problem and for --model; empty if it has none.
        epochs: its number of epochs where --epochs is not given; None takes the problem's.
        batch_size: m where --batch-size is not given; None takes all examples in a step.
        momentum: mu where --momentum is not given.
        hidden: the hidden layers where --hidden is not given; None takes the problem's.
        activation: theirs where --activation is not given; None takes the problem's.
        restarts: how many starts it trains.
        validated: whether the best epoch is that of the validation part; if not, that part is only scored, at the end.
        network: what a network must be for it, in words; None if any will do.
        streamed: whether it trains on examples that stay on disk.
    """

    build: Callable[[Settings], Any]
    takes: tuple[str, ...]
    eta: Mapping[str, float]
    epochs: int | None = None
    batch_size: int | None = BATCH_SIZE
    momentum: float | None = None
    hidden: tuple[int, ...] | None = None
    activation: str | None = None
    restarts: int = 1
    validated: bool = True
    network: str | None = None
    streamed: bool = False


def _gradient_descent(settings: Settings) -> Any:
    import deltarule as dr

    return dr.GradientDescent(
        eta=settings.eta, momentum=settings.momentum, nesterov=settings.nesterov, **_common(settings)
    )


def _adam(settings: Settings) -> Any:
    import deltarule as dr

    return dr.GradientDescent(rule="adam", eta=settings.eta, **_common(settings))


def _common(settings: Settings) -> dict[str, Any]:
    """What every rule of gradient descent takes."""
    return {
        "batch_size": settings.batch_size,
        "l2": settings.l2,
        "l1": settings.l1,
        "max_norm": settings.max_norm,
        "no_improvement": settings.halve_after,
    }


def _levenberg_marquardt(settings: Settings) -> Any:
    import deltarule as dr

    return dr.LevenbergMarquardt(batch_size=settings.batch_size, l2=settings.l2)


def _bayesian(settings: Settings) -> Any:
    import deltarule as dr

    return dr.BayesianRegularization(max_fail=settings.patience or BAYESIAN_PATIENCE)


def _newton_cg(settings: Settings) -> Any:
    import deltarule as dr

    return dr.NewtonCG(batch_size=settings.batch_size, l2=settings.l2)


FIRST_ORDER = ("--eta", "--l2", "--l1", "--max-norm", "--dropout", "--halve-after")
EVERY = (*FIRST_ORDER, "--batch-size", "--momentum")

# Learning rates chosen by validation on digits, MNIST, iris, wine, breast cancer, diabetes and Friedman's function;
# those of a stack are [N] ch. 6's of rectified units.
TRAINERS: dict[str, TrainerChoice] = {
    "sgd": TrainerChoice(
        _gradient_descent,
        EVERY,
        {"images": 0.5, "stack": 0.03, "classification": 0.1, "regression": 0.05},
        streamed=True,
    ),
    "gd": TrainerChoice(
        _gradient_descent,
        (*FIRST_ORDER, "--momentum"),
        {"images": 0.5, "stack": 0.1, "classification": 0.5, "regression": 0.1},
        epochs=1000,
        batch_size=None,
    ),
    "momentum": TrainerChoice(
        _gradient_descent,
        EVERY,
        {"images": 0.05, "stack": 0.003, "classification": 0.02, "regression": 0.01},
        momentum=0.9,
        streamed=True,
    ),
    "adam": TrainerChoice(
        _adam,
        (*FIRST_ORDER, "--batch-size"),
        {"images": 0.001, "stack": 0.001, "classification": 0.003, "regression": 0.01},
        streamed=True,
    ),
    "lm": TrainerChoice(
        _levenberg_marquardt,
        ("--batch-size", "--l2"),
        {},
        epochs=100,
        batch_size=None,
        hidden=(10,),
        activation="tanh",
        streamed=True,
    ),
    "bayesian": TrainerChoice(
        _bayesian,
        (),
        {},
        epochs=200,
        batch_size=None,
        hidden=(20,),
        activation="tanh",
        restarts=2,
        validated=False,
        network="a regression",
    ),
    "newton-cg": TrainerChoice(
        _newton_cg,
        ("--batch-size", "--l2"),
        {},
        epochs=100,
        batch_size=None,
        hidden=(10,),
        activation="tanh",
    ),
}
