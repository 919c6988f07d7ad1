"""What a user may say of a network and its training; `deltarule.models.planning` decides whatever is left out."""

from dataclasses import dataclass
from typing import Any

from deltarule.errors import ConfigurationError


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A network and its training; None leaves a choice to the kind of problem and the trainer.

    Args:
        hidden: the sizes of the hidden layers; () is a linear model.
        stack: the hidden layers by name or from a .toml file, instead of `hidden`.
        activation: of the hidden layers.
        cost: a name, or a `deltarule.network.costs.Cost`.
        init: the initializer of all layers with weights.
        trainer: a name in `TRAINERS`, or a trainer.
        regularization: "auto" or a name in `REGULARIZERS`.
        eta: the learning rate.
        batch_size: the examples of a step.
        momentum: mu.
        nesterov: whether to use Nesterov momentum.
        l2: lambda of (lambda/2N) sum w².
        l1: lambda of (lambda/N) sum |w|.
        max_norm: the largest norm of the weights into a neuron.
        dropout: the share of each hidden layer that is dropped in a step.
        halve_after: eta is halved after this many epochs without a better validation score.
        epochs: the largest number of epochs.
        patience: the training ends after this many epochs without a better score.
        restarts: how many networks are trained, each from its own random parameters.
        effort: for a regression without `hidden` and `restarts`: "quick" trains two networks, "default" and "thorough"
            try more and average those that predict best.
        monitor: the validation score that chooses the best epoch, "accuracy" or "cost".
    """

    hidden: Any = None
    stack: str | None = None
    activation: str | None = None
    cost: Any = None
    init: str | None = None
    trainer: Any = None
    regularization: str | None = "auto"
    eta: float | None = None
    batch_size: int | None = None
    momentum: float | None = None
    nesterov: bool = False
    l2: float | None = None
    l1: float | None = None
    max_norm: float | None = None
    dropout: float | None = None
    halve_after: int | None = None
    epochs: int | None = None
    patience: int | None = None
    restarts: int | None = None
    monitor: str | None = None
    effort: str | None = None


@dataclass(frozen=True)
class Regularizer:
    """A method against overfitting.

    Args:
        holds_out: whether validation rows choose the best epoch.
        l2: the penalty if the user gives none.
        stops_early: whether the training ends when the score has not improved for the trainer's patience.
        restarts: how many networks are trained if the user gives no number.
        sets_penalty: whether the method chooses the penalty itself, so that the user cannot give l2.
    """

    holds_out: bool
    l2: float | None = None
    stops_early: bool = False
    restarts: int = 1
    sets_penalty: bool = False


REGULARIZERS: dict[str | None, Regularizer] = {
    "bayesian": Regularizer(holds_out=False, stops_early=True, restarts=2, sets_penalty=True),
    "early-stopping": Regularizer(holds_out=True, l2=1e-2, stops_early=True),
    "best-epoch": Regularizer(holds_out=True),
    "l2": Regularizer(holds_out=False, l2=1e-1),
    None: Regularizer(holds_out=False),
}


def get_regularizer(name: str | None) -> Regularizer:
    """The regularizer of that name.

    Raises:
        ConfigurationError: the name is not in `REGULARIZERS`.
    """
    if name not in REGULARIZERS:
        raise ConfigurationError(
            f"regularization must be one of {', '.join(map(repr, ('auto', *REGULARIZERS)))}, and is {name!r}: "
            "choose one of them."
        )
    return REGULARIZERS[name]
