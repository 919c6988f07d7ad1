"""The trainers that have a name, with what each takes and its defaults: one table for estimators, tables and images."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from deltarule.errors import ConfigurationError
from deltarule.models.recipe import Recipe
from deltarule.trainers import BayesianRegularization, GradientDescent, LevenbergMarquardt, NewtonCG

FIRST_ORDER = ("eta", "l2", "l1", "max_norm", "dropout", "halve_after")
EVERY = (*FIRST_ORDER, "batch_size", "momentum")


@dataclass(frozen=True)
class TrainerChoice:
    """A trainer that has a name.

    Args:
        build: makes it from a recipe with the defaults filled in.
        takes: the options that it understands and not every trainer does.
        eta: its learning rate where none is given, by the kind of problem; empty if it has none.
        epochs: at most so many on a table that is in memory, where no number is given.
        patience: the epochs without a better score that end it there, where no number is given.
        batch_size: m where none is given; None takes all examples in a step.
        momentum: mu where none is given.
        streamed: whether it trains on examples that stay on disk.
        hidden: the hidden layer, of tanh, where none is given and rows that are held out stop the training; None takes
            the problem's. With the curvature of all examples in every step larger networks learn a table by heart
            sooner, and for images they take long.
    """

    build: Callable[[Recipe], Any]
    takes: tuple[str, ...]
    eta: Mapping[str, float]
    epochs: int = 300
    patience: int = 20
    batch_size: int | None = 10
    momentum: float | None = None
    streamed: bool = False
    hidden: tuple[int, ...] | None = None

    @property
    def first_order(self) -> bool:
        """Whether it takes one small batch after another, so that new examples can go on where the last ended."""
        return self.batch_size is not None


def _gradient_descent(settings: Recipe, **rule: Any) -> Any:
    return GradientDescent(
        **rule,
        eta=settings.eta,
        batch_size=settings.batch_size,
        l2=settings.l2,
        l1=settings.l1,
        max_norm=settings.max_norm,
        no_improvement=settings.halve_after,
    )


def _with_momentum(settings: Recipe) -> Any:
    return _gradient_descent(settings, momentum=settings.momentum, nesterov=settings.nesterov)


# Learning rates chosen by validation on digits, MNIST, iris, wine, breast cancer, diabetes and Friedman's function;
# those of a stack are [N] ch. 6's of rectified units.
TRAINERS: dict[str, TrainerChoice] = {
    "sgd": TrainerChoice(
        _with_momentum,
        EVERY,
        {"images": 0.5, "stack": 0.03, "classification": 0.1, "regression": 0.05},
        streamed=True,
    ),
    "gd": TrainerChoice(
        _with_momentum,
        (*FIRST_ORDER, "momentum"),
        {"images": 0.5, "stack": 0.1, "classification": 0.5, "regression": 0.1},
        epochs=1000,
        patience=50,
        batch_size=None,
    ),
    "momentum": TrainerChoice(
        _with_momentum,
        EVERY,
        {"images": 0.05, "stack": 0.003, "classification": 0.02, "regression": 0.01},
        momentum=0.9,
        streamed=True,
    ),
    "adam": TrainerChoice(
        lambda settings: _gradient_descent(settings, rule="adam"),
        (*FIRST_ORDER, "batch_size"),
        {"images": 0.001, "stack": 0.001, "classification": 0.005, "regression": 0.005},
        batch_size=32,
        streamed=True,
    ),
    "lm": TrainerChoice(
        lambda settings: LevenbergMarquardt(batch_size=settings.batch_size, l2=settings.l2),
        ("batch_size", "l2"),
        {},
        epochs=200,
        patience=6,
        batch_size=None,
        streamed=True,
        hidden=(10,),
    ),
    "bayesian": TrainerChoice(
        lambda settings: BayesianRegularization(max_fail=settings.patience or 10),
        (),
        {},
        epochs=200,
        patience=10,
        batch_size=None,
    ),
    "newton-cg": TrainerChoice(
        lambda settings: NewtonCG(batch_size=settings.batch_size, l2=settings.l2),
        ("batch_size", "l2"),
        {},
        epochs=200,
        patience=6,
        batch_size=None,
        hidden=(10,),
    ),
}


def special(recipe: Any) -> dict[str, Any]:
    """The options given that not every trainer takes, by name."""
    return {name: value for name in EVERY if (value := getattr(recipe, name)) is not None}


def check_options(recipe: Any, trainer: str) -> None:
    """Refuse an option that the trainer of this name does not understand, rather than ignore it.

    Raises:
        ConfigurationError: there is one.
    """
    for name, value in special(recipe).items():
        if name not in TRAINERS[trainer].takes:
            others = " or ".join(f"trainer={other!r}" for other, row in TRAINERS.items() if name in row.takes)
            raise ConfigurationError(
                f"{name} is {value}, but trainer={trainer!r} takes no {name}: leave it out, or choose {others}"
            )
    if recipe.nesterov and recipe.momentum is None and TRAINERS[trainer].momentum is None:
        raise ConfigurationError(
            f"nesterov is a kind of momentum, and trainer={trainer!r} has none here: give momentum=0.9 with sgd or gd, "
            "choose trainer='momentum', or leave it out"
        )
