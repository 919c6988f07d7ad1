"""The trainers that an estimator knows by name, with the settings of each, and which one "auto" takes."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from deltarule.checks import require_count
from deltarule.errors import ConfigurationError
from deltarule.network.network import Network
from deltarule.trainers import GradientDescent, LevenbergMarquardt
from deltarule.trainers.automatic import exact_steps_are_cheap
from deltarule.trainers.base import Trainer
from deltarule.trainers.bayesian import BayesianRegularization


@dataclass(frozen=True)
class Named:
    """A trainer that has a name.

    Args:
        build: makes it from eta, batch_size and l2.
        eta: the learning rate where none is given; None if it takes none.
        batch_size: the examples of a step where none is given; None takes all of them.
        epochs: at most so many where none is given.
        max_fail: the epochs without a better validation score before training stops, where none is given.
    """

    build: Callable[[Any, Any, Any], Trainer]
    eta: float | None
    batch_size: int | None
    epochs: int
    max_fail: int


def _lm(eta: Any, batch_size: Any, l2: Any) -> Trainer:
    if eta is not None:
        raise ConfigurationError(f"eta is {eta!r}, but Levenberg-Marquardt has no learning rate: leave it out.")
    return LevenbergMarquardt(batch_size=batch_size, l2=l2)


def _sgd(eta: Any, batch_size: Any, l2: Any) -> Trainer:
    return GradientDescent(eta=eta, batch_size=batch_size, l2=l2)


def _momentum(eta: Any, batch_size: Any, l2: Any) -> Trainer:
    return GradientDescent(eta=eta, batch_size=batch_size, l2=l2, momentum=0.9)


def _adam(eta: Any, batch_size: Any, l2: Any) -> Trainer:
    return GradientDescent(rule="adam", eta=eta, batch_size=batch_size, l2=l2)


NAMED: dict[str, Named] = {
    "lm": Named(_lm, None, None, epochs=200, max_fail=6),
    "gd": Named(_sgd, 0.2, None, epochs=1000, max_fail=50),
    "sgd": Named(_sgd, 0.05, 10, epochs=300, max_fail=20),
    "momentum": Named(_momentum, 0.01, 10, epochs=300, max_fail=20),
    "adam": Named(_adam, 0.005, 32, epochs=300, max_fail=20),
}


@dataclass(frozen=True)
class Chosen:
    """The trainer of one fit, what it is called, and the numbers that end it."""

    trainer: Trainer
    name: str
    epochs: int
    max_fail: int


def choose(trainer: str | Trainer, net: Network, inputs: int, count: int, eta: Any, batch_size: Any, l2: Any) -> Chosen:
    """The trainer by its name, by its object, or by the size of the problem ("auto").

    Args:
        trainer: "auto", a name in `NAMED`, or a trainer.
        net: the network to train.
        inputs: n_1.
        count: N, the distinct training examples.
        eta: the learning rate; None is the name's own.
        batch_size: None is the name's own; all N examples where there are fewer.
        l2: lambda of (lambda/2N) sum w²; None leaves a trainer object as it is.

    Raises:
        ConfigurationError: the name is not known, or an option contradicts the trainer.
    """
    if not isinstance(trainer, str):
        return _object(trainer, eta, batch_size, l2)
    name = automatic(net, inputs, count) if trainer == "auto" else trainer
    if name not in NAMED:
        raise ConfigurationError(
            f"trainer {name!r} is not known: choose one of auto, {', '.join(NAMED)}, or give a trainer such as "
            "deltarule.LevenbergMarquardt()."
        )
    named = NAMED[name]
    eta = named.eta if eta is None else eta
    batch_size = named.batch_size if batch_size is None else require_count("batch_size", batch_size)
    if batch_size is not None:
        batch_size = min(batch_size, count)
    return Chosen(named.build(eta, batch_size, l2), name, named.epochs, named.max_fail)


def automatic(net: Network, inputs: int, count: int) -> str:
    """The name for "auto": lm for a regression whose exact steps are cheap, else adam.

    A classifier has to stop early, long before a minimum, and there Adam's small steps find the better place: on noisy
    classes Levenberg-Marquardt was behind it in accuracy and in likelihood on every set that was measured.
    """
    numbers = net.cost.has_residual and not net.cost.for_classes
    return "lm" if numbers and exact_steps_are_cheap(net, (count, inputs)) else "adam"


def is_first_order(trainer: str | Trainer) -> bool:
    """Whether the trainer takes one small batch after another, so that new examples can go on where the last ended."""
    return trainer in ("sgd", "momentum", "adam") if isinstance(trainer, str) else isinstance(trainer, GradientDescent)


def _object(trainer: Trainer, eta: Any, batch_size: Any, l2: Any) -> Chosen:
    """A trainer that the user built: its own numbers stand."""
    if not isinstance(trainer, Trainer):
        raise ConfigurationError(
            f"trainer is {trainer!r}: give a name ({', '.join(['auto', *NAMED])}) or a trainer such as "
            "deltarule.LevenbergMarquardt()."
        )
    if isinstance(trainer, BayesianRegularization):
        raise ConfigurationError(
            f"trainer is {trainer!r}, which an estimator takes by its regularization: give "
            "NetworkRegressor(regularization='bayesian'), and max_fail there."
        )
    for name, value in (("eta", eta), ("batch_size", batch_size)):
        if value is not None:
            raise ConfigurationError(
                f"{name} is {value!r}, but the trainer is an object with a {name} of its own: set it there."
            )
    if l2 is not None:
        own = getattr(trainer, "l2", None)
        if own is not None:
            raise ConfigurationError(
                f"l2 is {l2!r}, but the trainer has an l2 of its own, {own:g}: give one of the two."
            )
        trainer = replace(trainer, l2=l2)  # pyright: ignore[reportArgumentType, reportCallIssue]
    likely = NAMED["adam" if isinstance(trainer, GradientDescent) else "lm"]
    return Chosen(trainer, type(trainer).__name__, likely.epochs, likely.max_fail)
