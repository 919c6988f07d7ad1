"""The settings that a user chooses on the page: check them, and build the network and the trainers."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from itertools import pairwise
from typing import Any, Self

from deltarule.checks import require_choice, require_count, require_number
from deltarule.errors import ConfigurationError
from deltarule.models.recipe import Recipe
from deltarule.models.trainers import TRAINERS
from deltarule.network.activations import ACTIVATIONS
from deltarule.network.layers import Dense
from deltarule.network.network import Network
from deltarule.play.problems import Problem
from deltarule.trainers.base import Trainer

MOST_LAYERS, MOST_NEURONS, MOST_PARAMETERS = 6, 256, 500_000
SPEEDS = (1, 5, 20, 60, 0)  # epochs a second; 0 is as fast as possible
COSTS = {True: ("quadratic", "cross-entropy", "log-likelihood"), False: ("quadratic", "huber")}
OUTPUTS = {"cross-entropy": "sigmoid", "log-likelihood": "softmax", "quadratic": "sigmoid"}

BATCH_TRAINERS = tuple(name for name, row in TRAINERS.items() if row.first_order)
ETA_TRAINERS = tuple(name for name, row in TRAINERS.items() if row.eta)

# The formula of each trainer's update, as the page prints it.
UPDATES = {
    "gd": "w ← w - eta dC/dw, the mean over all examples",
    "sgd": "w ← w - eta dC/dw, the mean over the batch",
    "momentum": "v ← mu v - eta dC/dw,   w ← w + v,   mu = 0.9",
    "adam": "w ← w - eta m / (√v + eps), m and v running means of dC/dw and its square",
    "lm": "(J^T J + lambda) s = -J^T r,   w ← w + s   (LM)",
    "bayesian": "(beta J^T J + A + mu A) s = -(beta J^T r + A p),   w ← w + s",
    "newton-cg": "min g^T s + ½ s^T H s, ‖s‖ <= radius,   w ← w + s",
}


@dataclass(frozen=True)
class Choices:
    """The settings of a lesson.

    The output activation follows from the cost. `versus` is a second trainer, which starts from the same parameters, or
    None; its learning rate is `versus_eta`. `l2` is lambda of (lambda/2N) sum w².

    Raises:
        ConfigurationError: a value is outside its domain.
    """

    hidden: tuple[int, ...] = (8, 8)
    activation: str = "tanh"
    cost: str = "quadratic"
    trainer: str = "adam"
    versus: str | None = None
    eta: float = 0.03
    versus_eta: float = 0.03
    batch_size: int = 10
    l2: float = 0.0
    seed: int = 0

    def __post_init__(self):
        if not isinstance(self.hidden, list | tuple) or len(self.hidden) > MOST_LAYERS:
            raise ConfigurationError(f"hidden is {self.hidden!r}: give at most {MOST_LAYERS} sizes, such as 8,8.")
        sizes = tuple(require_count("a hidden layer", n, most=MOST_NEURONS) for n in self.hidden)
        object.__setattr__(self, "hidden", sizes)
        require_choice("activation", self.activation, hidden_activations())
        require_choice("cost", self.cost, tuple(dict.fromkeys(COSTS[True] + COSTS[False])))
        require_choice("trainer", self.trainer, tuple(TRAINERS))
        if self.versus is not None:
            require_choice("versus", self.versus, tuple(TRAINERS))
        for name in ("eta", "versus_eta"):
            object.__setattr__(self, name, require_number(name, getattr(self, name), above=0))
        object.__setattr__(self, "batch_size", require_count("batch_size", self.batch_size))
        object.__setattr__(self, "l2", require_number("l2", self.l2, least=0))
        require_count("seed", self.seed, least=0, most=2**32 - 1)

    @classmethod
    def of(cls, problem: Problem) -> Self:
        """The settings with which a problem starts."""
        return cls(hidden=problem.hidden, **(problem.start or {}))

    def with_changes(self, changes: Mapping[str, Any]) -> Self:
        """The settings after changes on the page.

        Raises:
            ConfigurationError: a setting does not exist, or a value is outside its domain.
        """
        names = {field.name for field in fields(self)}
        for name in changes:
            if name not in names:
                raise ConfigurationError(f"there is no setting {str(name)[:40]!r}, only {', '.join(sorted(names))}.")
        return replace(self, **changes)

    def trainers(self, count: int) -> list[tuple[str, Trainer]]:
        """Names and trainers, one or two, for `count` examples."""
        named = [(self.trainer, self.eta)] + ([(self.versus, self.versus_eta)] if self.versus is not None else [])
        return [(name, self._trainer(name, eta, count)) for name, eta in named]

    def _trainer(self, name: str, eta: float, count: int) -> Trainer:
        """Build a trainer with these settings, and the library's defaults for all others."""
        row = TRAINERS[name]
        return row.build(
            Recipe(
                eta=eta,
                batch_size=min(self.batch_size, count) if row.first_order else None,
                momentum=row.momentum,
                l2=self.l2 or None,
                patience=row.patience,
            )
        )

    def network(self, problem: Problem) -> Network:
        """The network of these settings for a problem, or the problem's own trained network.

        Raises:
            ConfigurationError: the cost does not fit the problem, or the network is too large for the page.
        """
        if problem.given is not None:
            return problem.given[0]
        classes, k = problem.classes is not None, problem.Y.shape[1]
        require_choice("cost", self.cost, costs_for(problem))
        widths = [problem.X.shape[1], *self.hidden, k]
        count = sum((below + 1) * n for below, n in pairwise(widths))
        if count > MOST_PARAMETERS:
            raise ConfigurationError(
                f"this network has {count:,} parameters, and the page shows at most {MOST_PARAMETERS:,}: use fewer "
                "neurons."
            )
        linear = not classes or any(name == "bayesian" for name in (self.trainer, self.versus))
        output = "linear" if linear and self.cost == "quadratic" else OUTPUTS.get(self.cost, "linear")
        return Network([*(Dense(n, self.activation) for n in self.hidden), Dense(k, output)], self.cost)


def default_eta(trainer: Any, problem: Problem) -> float | None:
    """The default learning rate of a trainer, from the problem or the table of trainers; None for none.

    Raises:
        ConfigurationError: there is no such trainer.
    """
    require_choice("trainer", trainer, tuple(TRAINERS))
    start = problem.start or {}
    kind = "images" if problem.image is not None else "regression" if problem.classes is None else "classification"
    etas = {kind: start["eta"]} if start.get("trainer") == trainer and "eta" in start else TRAINERS[trainer].eta
    return etas.get(kind)


def costs_for(problem: Problem) -> tuple[str, ...]:
    """The costs that fit a problem's targets."""
    costs = COSTS[problem.classes is not None]
    return costs if problem.Y.shape[1] > 1 else tuple(cost for cost in costs if cost != "log-likelihood")


def hidden_activations() -> tuple[str, ...]:
    """The activations that the page offers for hidden layers."""
    offered = ((name, sigma) for name, sigma in ACTIVATIONS.items() if name != "exponential")
    return tuple(name for name, sigma in offered if sigma.elementwise and sigma.trainable)
