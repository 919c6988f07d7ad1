"""What a network is planned for, and what is taken where the user does not say."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np

if TYPE_CHECKING:
    from deltarule.data import LoadedData


@dataclass(frozen=True)
class Defaults:
    """What is taken where the user does not say."""

    hidden: tuple[int, ...]
    activation: str
    cost: str
    trainer: str


# digits: the best by validation over 24 splits; a test accuracy of 98.2 % on average, 96.6 % on the worst of them.
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
    """What a network is planned for.

    Args:
        name: of the rows, in messages.
        task: "regression", "classification", or "labels" where a row may have several classes.
        inputs: n_1.
        outputs: k.
        count: N, the training examples.
        X: some of their inputs, as the network reads them, by which the noise is measured.
        Y: the targets of these, (m, k).
        scales: what each target of a regression was divided by, (k,).
        shifted: whether the targets of a regression were shifted to a mean of 0.
        images: "digits" or "mnist", or None for a table.
        image_shape: of one image, None for a table.
        streamed: whether the examples stay on disk.
        searching: whether the training is a trial of a search, which judges by validation rows.
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
        """That of a data set."""
        schema, known = data.schema, data.validation if data.streamed else data.train
        return cls(
            name=data.name,
            task=data.task,
            inputs=schema.input_width,
            outputs=schema.output_width,
            count=len(data.train),
            X=known.X,  # pyright: ignore[reportAttributeAccessIssue]
            Y=known.Y,  # pyright: ignore[reportAttributeAccessIssue]
            scales=[column.std for column in schema.targets],
            shifted=any(column.mean for column in schema.targets),
            images=None if schema.source == "table" else schema.source,
            image_shape=schema.image_shape,
            streamed=data.streamed,
            searching=searching,
        )

    @property
    def in_memory_table(self) -> bool:
        """Whether it is a table that is in memory."""
        return self.images is None and not self.streamed

    @property
    def defaults(self) -> Defaults:
        """What is taken where the user does not say; many classes need a wider layer than few."""
        found = DEFAULTS[self.images or self.task]
        if self.images is None and self.task == "classification":
            found = replace(found, hidden=(max(*found.hidden, 2 * self.outputs),))
        return found
