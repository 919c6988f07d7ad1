"""What the training loop asks of a trainer: (init, epoch), pure functions of an explicit state."""

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

from jax import Array

from deltarule.backprop import Params
from deltarule.errors import ConfigurationError
from deltarule.rows import Rows

if TYPE_CHECKING:
    from deltarule.network import Network

Record = dict[str, Array]


class State(Protocol):
    """Whatever a trainer carries from epoch to epoch; the parameters are among it."""

    @property
    def params(self) -> Params:
        """The parameters after the latest epoch."""
        ...


class Trainer(Protocol):
    """A trainer is a frozen dataclass and a pytree: its numbers are traced leaves, its choices are static.

    So a network trained with another eta or another lambda compiles nothing new, and `jax.vmap` over a trainer's
    leaves trains many at once. Its direction (which way) and its control (how far) are separate pieces inside.
    """

    dtype: ClassVar[str]
    initializers: ClassVar[dict[str, str]]
    learning_rate_name: ClassVar[str | None]  # what to make smaller where training diverges; None if nothing would help
    cost_before_step: ClassVar[bool]  # whether the record's cost is that of the parameters before the step
    judged_by: ClassVar[str | None]  # the record whose largest value marks the best parameters; None keeps the latest

    def check(self, net: "Network", count: int) -> None:
        """Raise a ConfigurationError if this trainer cannot train that network on that many examples."""
        ...

    def surroundings(self, net: "Network", params: Params, count: int) -> AbstractContextManager:
        """What must hold around the compiled calls of a training on that many examples, such as a limit on threads."""
        ...

    def init(self, net: "Network", params: Params, rows: Rows) -> Any:
        """The state before the first epoch."""
        ...

    def epoch(self, net: "Network", state: Any, rows: Rows, key: Array) -> tuple[Any, Record]:
        """One epoch: the new state and its record, scalars or small arrays by name, "cost" among them.

        A record may hold "stop", the index in `deltarule.stopping.STOP_REASONS` of the trainer's own reason to end.
        """
        ...


@runtime_checkable
class ScoreControlled(Protocol):
    """A trainer whose control watches the score of each epoch, as the no-improvement rule of [N] does."""

    def heed(self, state: Any, improved: Array) -> tuple[Any, Array]:
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
