"""What a plan is made from: the `Recipe` of the user, `REGULARIZERS`, and the `Problem`, the data with their defaults.

`deltarule.models.planning` decides whatever the recipe leaves out.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from deltarule.errors import ConfigurationError

if TYPE_CHECKING:
    from deltarule.data import LoadedData


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


@dataclass(frozen=True)
class Defaults:
    """The choices that are made if the user does not make them."""

    hidden: tuple[int, ...]
    activation: str
    cost: str
    trainer: str


# digits: the best by validation over 24 splits, with a test accuracy of 98.2 % on average and 96.6 % on the worst.
# mnist: the network of Nielsen's chapter 3.
DEFAULTS = {
    "digits": Defaults((200,), "relu", "cross-entropy", "sgd"),
    "mnist": Defaults((100,), "sigmoid", "cross-entropy", "sgd"),
    "classification": Defaults((20,), "tanh", "log-likelihood", "adam"),
    "labels": Defaults((20,), "tanh", "cross-entropy", "adam"),
    "regression": Defaults((20,), "tanh", "quadratic", "adam"),
}


@dataclass(frozen=True, eq=False)
class Problem:
    """The task and the data that a network is planned for.

    Args:
        name: of the data, for messages.
        task: "regression", "classification", or "labels" if a row may have several classes.
        inputs: n_1.
        outputs: k.
        count: N, the number of training examples.
        X: scaled inputs of some examples, (m, n_1), to measure the noise.
        Y: their scaled targets, (m, k).
        scales: what each target of a regression was divided by, (k,).
        shifted: whether the targets of a regression were shifted to a mean of 0.
        images: "digits" or "mnist", or None for a table.
        image_shape: of one image; None for a table.
        streamed: whether the examples stay on disk.
        searching: whether the training is a trial of a search, which compares validation scores.
    """

    name: str
    task: str
    inputs: int
    outputs: int
    count: int
    X: np.ndarray
    Y: np.ndarray
    scales: Sequence[float] | np.ndarray = ()
    shifted: bool = True
    images: str | None = None
    image_shape: tuple[int, ...] | None = None
    streamed: bool = False
    searching: bool = False

    @classmethod
    def of(cls, data: "LoadedData", searching: bool = False) -> Self:
        """The problem of a data set."""
        schema, sample = data.schema, data.validation if data.streamed else data.train
        return cls(
            name=data.name,
            task=data.task,
            inputs=schema.input_width,
            outputs=schema.output_width,
            count=len(data.train),
            X=sample.X,  # pyright: ignore[reportAttributeAccessIssue]
            Y=sample.Y,  # pyright: ignore[reportAttributeAccessIssue]
            scales=[column.std for column in schema.targets],
            shifted=any(column.mean for column in schema.targets),
            images=None if schema.source == "table" else schema.source,
            image_shape=schema.image_shape,
            streamed=data.streamed,
            searching=searching,
        )

    @property
    def in_memory_table(self) -> bool:
        """Whether the data are a table in memory."""
        return self.images is None and not self.streamed

    @property
    def defaults(self) -> Defaults:
        """The defaults for this kind of data; many classes need a wider hidden layer."""
        defaults = DEFAULTS[self.images or self.task]
        if self.images is None and self.task == "classification":
            return replace(defaults, hidden=(max(*defaults.hidden, 2 * self.outputs),))
        return defaults
