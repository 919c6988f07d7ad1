"""What a user may say of a network and its training; whatever is left out, `deltarule.models.plan` decides."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A network and its training, None where the kind of problem and the trainer decide.

    Args:
        hidden: the sizes of the hidden layers; () is a linear model.
        stack: the hidden layers by name or from a .toml file, in place of `hidden`.
        activation: of the hidden layers.
        cost: a name, or a `deltarule.network.costs.Cost`.
        init: the initializer of all layers with weights.
        trainer: a name in `TRAINERS`, or a trainer.
        regularization: "auto" or a name in `deltarule.models.regularization.WAYS`.
        eta: the learning rate.
        batch_size: the examples of a step.
        momentum: mu.
        nesterov: whether the gradient is taken where the momentum leads.
        l2: lambda of (lambda/2N) sum w².
        l1: lambda of (lambda/N) sum |w|.
        max_norm: the most that the weights into a neuron may measure.
        dropout: the share of each hidden layer that is dropped in a step.
        halve_after: the epochs without a better validation score after which eta is halved.
        epochs: at most so many.
        patience: the epochs without a better score that end the training.
        restarts: the starts.
        effort: of a regression whose network is not named: "quick" trains two networks, "default" and "thorough" try
            more and average those that predict best.
        monitor: what the best network is the best in on validation rows, "accuracy" or "cost".
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
