"""What the training loop asks of a trainer: (init, epoch), functions of an explicit state."""

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

import numpy as np

from deltarule.arrays import Array
from deltarule.engine.rows import Rows
from deltarule.engine.turn import Record, Turn
from deltarule.errors import ConfigurationError
from deltarule.network.backprop import Params

if TYPE_CHECKING:
    from deltarule.network.network import Network


class Trainer(Protocol):
    """A trainer is a frozen dataclass; where JAX compiles, its numbers are traced leaves and its choices static.

    So a network trained with another eta or another lambda compiles nothing new. Its direction (which way) and its
    control (how far) are separate pieces inside.
    """

    dtype: ClassVar[str]
    initializers: ClassVar[dict[str, str]]
    learning_rate_name: ClassVar[str | None]  # what to make smaller where training diverges; None if nothing would help
    cost_before_step: ClassVar[bool]  # whether the record's cost is that of the parameters before the step
    judged_by: ClassVar[str | None]  # the record whose largest value marks the best parameters; None keeps the latest
    compiles_whole: ClassVar[bool]  # whether JAX compiles a whole epoch, many in a loop; else its pieces, in Python's

    def check(self, net: "Network", count: int) -> None:
        """Raise a ConfigurationError if this trainer cannot train that network on that many examples."""
        ...

    def thread_limits(self, net: "Network", params: Params, count: int) -> AbstractContextManager:
        """The limit on BLAS's threads that holds during a training on that many examples."""
        ...

    def orders(self, path: tuple[int, ...], first: int, epochs: int, count: int) -> np.ndarray | None:
        """The example at every place of the epochs from number `first` on, (epochs, places) int32, or None."""
        ...

    def init(self, net: "Network", params: Params, rows: Rows) -> Any:
        """The state before the first epoch."""
        ...

    def epoch(self, net: "Network", state: Any, rows: Rows, turn: Turn) -> tuple[Any, Record]:
        """One epoch: the new state and its record, scalars or small arrays by name, "cost" among them.

        A record may hold "stop", the index in `deltarule.trainers.stopping.STOP_REASONS` of the trainer's own reason
        to end.
        """
        ...


@runtime_checkable
class ScoreControlled(Protocol):
    """A trainer whose control watches the score of each epoch, as the no-improvement rule of [N] does."""

    def after_score(self, state: Any, improved: Array) -> tuple[Any, Array]:
        """The state after an epoch that did or did not improve the score, and the code of a stop, 0 for none."""
        ...


@runtime_checkable
class Diversifying(Protocol):
    """A trainer that wants the starts of its restarts to differ by more than the random numbers they are drawn from."""

    def diversify(self, starts: list[Params]) -> list[Params]:
        """The starts, changed but for the first, which a user may have given."""
        ...


def require_derivatives(net: "Network") -> None:
    """A step function has no derivative to follow.

    Raises:
        ConfigurationError: a layer is a perceptron.
    """
    for i, layer in enumerate(net.layers):
        if getattr(layer, "activation", None) == "step":
            raise ConfigurationError(
                f"layer {i} is a perceptron (activation 'step'), whose derivative is 0 everywhere: "
                "it cannot be trained by gradients; use sigmoid."
            )


def require_batch(batch_size: int | None, count: int) -> None:
    """A batch cannot be larger than the data.

    Raises:
        ConfigurationError: it is.
    """
    if batch_size is not None and batch_size > count:
        raise ConfigurationError(
            f"batch_size is {batch_size} and there are {count} training examples: "
            f"give at most {count}, or None for all of them."
        )
