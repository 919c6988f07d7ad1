"""`TRAINERS`: the trainers that a user may name, with their options and defaults, for estimators and command line."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from deltarule.errors import ConfigurationError
from deltarule.models.recipe import Recipe
from deltarule.trainers import BayesianRegularization, GradientDescent, LevenbergMarquardt, NewtonCG

FIRST_ORDER = ("eta", "l2", "l1", "max_norm", "dropout", "halve_after")
TRAINER_OPTIONS = (*FIRST_ORDER, "batch_size", "momentum")
SHARED_EPOCHS = 10  # of a named network's few starts; a start of the many candidates that goes wrong gets no weight


@dataclass(frozen=True)
class NamedTrainer:
    """A trainer that a user may name.

    Args:
        build: makes the trainer from a recipe with the defaults filled in.
        options: the names in `TRAINER_OPTIONS` that it takes.
        eta: its default learning rate by kind of problem; empty if it has none.
        epochs: the default largest number of epochs on a table in memory.
        patience: there the training ends after this many epochs without a better score, unless the user says otherwise.
        batch_size: the default m; None takes all examples in a step.
        momentum: the default mu.
        streamed: whether it can train on examples that stay on disk.
        hidden: the default hidden layer (tanh) if validation rows stop the training; None takes the problem's. A
            trainer that uses the curvature of all examples overfits larger networks sooner, and takes long on images.
    """

    build: Callable[[Recipe], Any]
    options: tuple[str, ...]
    eta: Mapping[str, float]
    epochs: int = 300
    patience: int = 20
    batch_size: int | None = 10
    momentum: float | None = None
    streamed: bool = False
    hidden: tuple[int, ...] | None = None

    @property
    def first_order(self) -> bool:
        """Whether it takes small batches, so that training can go on with new examples."""
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


# Learning rates were chosen by validation on digits, MNIST, iris, wine, breast cancer, diabetes and Friedman's
# function; those for a stack are the ones of rectified units in [N] ch. 6.
TRAINERS: dict[str, NamedTrainer] = {
    "sgd": NamedTrainer(
        _with_momentum,
        TRAINER_OPTIONS,
        {"images": 0.5, "stack": 0.03, "classification": 0.1, "regression": 0.05},
        streamed=True,
    ),
    "gd": NamedTrainer(
        _with_momentum,
        (*FIRST_ORDER, "momentum"),
        {"images": 0.5, "stack": 0.1, "classification": 0.5, "regression": 0.1},
        epochs=1000,
        patience=50,
        batch_size=None,
    ),
    "momentum": NamedTrainer(
        _with_momentum,
        TRAINER_OPTIONS,
        {"images": 0.05, "stack": 0.003, "classification": 0.02, "regression": 0.01},
        momentum=0.9,
        streamed=True,
    ),
    "adam": NamedTrainer(
        lambda settings: _gradient_descent(settings, rule="adam"),
        (*FIRST_ORDER, "batch_size"),
        {"images": 0.001, "stack": 0.001, "classification": 0.005, "regression": 0.005},
        batch_size=32,
        streamed=True,
    ),
    "lm": NamedTrainer(
        lambda settings: LevenbergMarquardt(batch_size=settings.batch_size, l2=settings.l2),
        ("batch_size", "l2"),
        {},
        epochs=200,
        patience=6,
        batch_size=None,
        streamed=True,
        hidden=(10,),
    ),
    "bayesian": NamedTrainer(
        lambda settings: BayesianRegularization(
            max_fail=settings.patience or 10, shared_epochs=0 if settings.hidden is None else SHARED_EPOCHS
        ),
        (),
        {},
        epochs=200,
        patience=10,
        batch_size=None,
    ),
    "newton-cg": NamedTrainer(
        lambda settings: NewtonCG(batch_size=settings.batch_size, l2=settings.l2),
        ("batch_size", "l2"),
        {},
        epochs=200,
        patience=6,
        batch_size=None,
        hidden=(10,),
    ),
}


def given_options(recipe: Any) -> dict[str, Any]:
    """The values of `TRAINER_OPTIONS` that the user gives, by name."""
    return {name: value for name in TRAINER_OPTIONS if (value := getattr(recipe, name)) is not None}


def check_options(recipe: Any, trainer: str) -> None:
    """Refuse an option that the trainer of this name does not take, rather than ignore it.

    Raises:
        ConfigurationError: there is such an option.
    """
    for name, value in given_options(recipe).items():
        if name not in TRAINERS[trainer].options:
            others = " or ".join(f"trainer={other!r}" for other, row in TRAINERS.items() if name in row.options)
            raise ConfigurationError(
                f"{name} is {value}, but trainer={trainer!r} takes no {name}: leave it out, or choose {others}"
            )
    if recipe.nesterov and recipe.momentum is None and TRAINERS[trainer].momentum is None:
        raise ConfigurationError(
            f"nesterov is True, but trainer={trainer!r} has no momentum here: give momentum=0.9 with sgd or gd, choose "
            "trainer='momentum', or leave nesterov out"
        )
