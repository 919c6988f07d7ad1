"""What a user chose on the page: checked, bounded, and turned into a network and trainers."""

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
SPEEDS = (1, 5, 20, 60, 0)  # epochs a second; 0 is as many as can be
COSTS = {True: ("quadratic", "cross-entropy", "log-likelihood"), False: ("quadratic", "huber")}
OUTPUTS = {"cross-entropy": "sigmoid", "log-likelihood": "softmax", "quadratic": "sigmoid"}

OF_BATCHES = tuple(name for name, one in TRAINERS.items() if one.first_order)
WITH_ETA = tuple(name for name, one in TRAINERS.items() if one.eta)

# What an update is, as the page prints it beside the numbers.
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

    The output activation follows from the cost; `versus` is another trainer, or None, that goes from the same start
    beside the first; `l2` is lambda of (lambda/2N) sum w², 0 for none.

    Raises:
        ConfigurationError: a value lies outside its domain.
    """

    hidden: tuple[int, ...] = (8, 8)
    activation: str = "tanh"
    cost: str = "quadratic"
    trainer: str = "adam"
    versus: str | None = None
    eta: float = 0.03
    batch_size: int = 10
    l2: float = 0.0
    seed: int = 0

    def __post_init__(self):
        """Check every value where it is given."""
        if not isinstance(self.hidden, list | tuple) or len(self.hidden) > MOST_LAYERS:
            raise ConfigurationError(f"hidden is {self.hidden!r}: give at most {MOST_LAYERS} sizes, such as 8,8.")
        sizes = tuple(require_count("a hidden layer", n, most=MOST_NEURONS) for n in self.hidden)
        object.__setattr__(self, "hidden", sizes)
        require_choice("activation", self.activation, hidden_activations())
        require_choice("cost", self.cost, tuple(dict.fromkeys(COSTS[True] + COSTS[False])))
        require_choice("trainer", self.trainer, tuple(TRAINERS))
        if self.versus is not None:
            require_choice("versus", self.versus, tuple(TRAINERS))
        object.__setattr__(self, "eta", require_number("eta", self.eta, above=0))
        object.__setattr__(self, "batch_size", require_count("batch_size", self.batch_size))
        object.__setattr__(self, "l2", require_number("l2", self.l2, least=0))
        require_count("seed", self.seed, least=0, most=2**32 - 1)

    @classmethod
    def of(cls, problem: Problem) -> Self:
        """What a problem begins with."""
        return cls(hidden=problem.hidden, **(problem.start or {}))

    def with_changes(self, changes: Mapping[str, Any]) -> Self:
        """The choices with some of them changed, as the page asks.

        Raises:
            ConfigurationError: a name is not known, or a value lies outside its domain.
        """
        known = {field.name for field in fields(self)}
        for name in changes:
            if name not in known:
                raise ConfigurationError(f"the setting {str(name)[:40]!r} is not known: {', '.join(sorted(known))}.")
        return replace(self, **changes)

    def trainers(self, count: int) -> list[tuple[str, Trainer]]:
        """The trainers by name: one, or two side by side, for `count` examples."""
        names = [self.trainer] + ([self.versus] if self.versus is not None else [])
        return [(name, self._trainer(name, count)) for name in names]

    def _trainer(self, name: str, count: int) -> Trainer:
        """A trainer with these settings, those that it does not take as the library has them."""
        row = TRAINERS[name]
        return row.build(
            Recipe(
                eta=self.eta,
                batch_size=min(self.batch_size, count) if row.first_order else None,
                momentum=row.momentum,
                l2=self.l2 or None,
                patience=row.patience,
            )
        )

    def network(self, problem: Problem) -> Network:
        """The network of these choices for a problem, or the one that the problem brings.

        Raises:
            ConfigurationError: the cost does not go with the problem, or the network is too large for the page.
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


def rate_of(trainer: Any, problem: Problem) -> dict[str, float]:
    """The learning rate that a trainer begins with: the problem's own, or that of the table of trainers.

    Raises:
        ConfigurationError: there is no such trainer.
    """
    require_choice("trainer", trainer, tuple(TRAINERS))
    start = problem.start or {}
    kind = "images" if problem.image is not None else "regression" if problem.classes is None else "classification"
    etas = {kind: start["eta"]} if start.get("trainer") == trainer and "eta" in start else TRAINERS[trainer].eta
    return {"eta": etas[kind]} if kind in etas else {}


def costs_for(problem: Problem) -> tuple[str, ...]:
    """The costs that go with a problem's targets."""
    costs = COSTS[problem.classes is not None]
    return costs if problem.Y.shape[1] > 1 else tuple(cost for cost in costs if cost != "log-likelihood")


def hidden_activations() -> tuple[str, ...]:
    """The activations that hidden layers of the page may have."""
    known = ((name, one) for name, one in ACTIVATIONS.items() if name != "exponential")
    return tuple(name for name, one in known if one.elementwise and one.trainable)
