"""What the training loop asks of a trainer: (init, epoch), functions of an explicit state."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import numpy as np

from deltarule.arrays import Array
from deltarule.engine.randomness import Path, orders
from deltarule.engine.rows import Rows
from deltarule.engine.turn import Record, Turn
from deltarule.errors import ConfigurationError
from deltarule.network.backprop import Params
from deltarule.network.sizes import Sizes

if TYPE_CHECKING:
    from deltarule.network.network import Network

Control = TypeVar("Control")


class Trainer:
    """What the training loop asks of a trainer, and what it may leave as it is here; `init` and `epoch` it must have.

    A trainer is a frozen dataclass; where JAX compiles, its numbers are traced leaves and its choices static
    (`deltarule.engine.pytrees.register`). So a network trained with another eta or another lambda compiles nothing new.
    Its direction (which way) and its control (how far) are separate pieces inside.
    """

    dtype: ClassVar[str] = "float64"
    initializers: ClassVar[dict[str, str]] = {}  # of activations, in place of their own
    learning_rate_name: ClassVar[str | None] = None  # what to make smaller where training diverges
    cost_before_step: ClassVar[bool] = False  # whether the record's cost is that of the parameters before the step
    judged_by: ClassVar[str | None] = None  # the record whose largest value marks the best parameters, if any does
    first_order: ClassVar[bool] = False  # whether it takes small batches, so that others can go on where these end
    takes_noise: ClassVar[bool] = False  # whether layers may draw random numbers, anew in each step
    compiles_whole: ClassVar[bool] = False  # whether JAX compiles a whole epoch, many in a loop; else its pieces
    whole_stream: ClassVar[bool] = False  # whether a step sums over all chunks of a stream
    keeps_cut_epochs: ClassVar[bool] = False  # whether an epoch that the clock or Ctrl-C ends returns what it has done
    takes_objectives: ClassVar[bool] = False  # whether it makes any objective small, by `first_state` and `step`
    knows_error_bars: ClassVar[bool] = False  # whether its state gives the posterior of the parameters
    l2: float | None = None  # lambda of its penalty
    max_fail: int | None = None  # epochs without progress after which it stops of its own
    memory_copies: int = 1  # of the parameters, in a first-order trainer's memory
    passes: ClassVar[int | None] = None  # numbers that a step keeps for each neuron, if not those of one gradient
    most_at_once: ClassVar[float] = float("inf")  # bytes of them: larger data go through in blocks
    batch_size: int | None = None  # the examples of a step; None for all
    refit: bool | None = None  # whether it refits a linear output layer, None where it applies
    steps: int | None = None  # of an epoch; None is one pass over the examples
    no_improvement: Any = None  # a rule that watches the validation score

    def check(self, net: "Network", count: int) -> None:
        """Raise a ConfigurationError if this trainer cannot train that network on that many examples.

        A batch cannot be larger than the data, and a step function has no gradient.
        """
        require_derivatives(net)
        require_batch(self.batch_size, count)

    def check_stream(self, sizes: Sizes, count: int) -> None:
        """Raise a ConfigurationError if it cannot train on examples that come in chunks."""
        raise ConfigurationError(
            f"{type(self).__name__} needs all examples in memory as it is set: stream with GradientDescent("
            "batch_size=...) or LevenbergMarquardt() on all examples."
        )

    def needs_jax(self) -> str | None:
        """What of it only JAX can do, in words, if anything."""
        return None

    def form(self, sizes: Sizes, examples: int) -> str | None:
        """Which matrix a step on so many examples factors, "primal", "dual" or "cg"; None without curvature."""
        return None

    def epoch_flops(self, sizes: Sizes, count: int) -> float:
        """The operations of an epoch, of a trainer with curvature."""
        return 0.0

    def thread_limits(self, sizes: Sizes, count: int) -> AbstractContextManager:
        """The limit on BLAS's threads that holds during a training on that many examples."""
        return nullcontext()

    def orders(self, path: Path, first: int, epochs: int, count: int) -> np.ndarray | None:
        """The example at every place of the epochs from number `first` on, (epochs, places) int32, or None.

        Permutations where the steps are on batches.
        """
        return None if self.batch_size is None else orders(path, first, epochs, count)

    def diversify(self, starts: list[Params]) -> list[Params]:
        """The starts of its restarts, changed but for the first, which a user may have given."""
        return starts

    def init(self, net: "Network", params: Params, rows: Rows) -> Any:
        """The state before the first epoch; its `params` are the parameters."""
        raise NotImplementedError

    def epoch(self, net: "Network", state: Any, rows: Rows, turn: Turn) -> tuple[Any, Record]:
        """One epoch: the new state and its record, scalars or small arrays by name, "cost" among them.

        A record may hold "stop", the index in `deltarule.trainers.stopping.STOP_REASONS` of the trainer's own reason
        to end.
        """
        raise NotImplementedError

    def after_score(self, state: Any, improved: Array) -> tuple[Any, Array]:
        """The state after an epoch that did or did not improve the score, and the code of a stop, 0 for none."""
        return state, 0


def require_derivatives(net: "Network") -> None:
    """A step function has no derivative to follow.

    Raises:
        ConfigurationError: a layer is a perceptron.
    """
    for i, layer in enumerate(net.layers):
        if not layer.sigma.trainable:
            raise ConfigurationError(
                f"layer {i} is a perceptron (activation {layer.sigma.name!r}), whose derivative is 0 everywhere: "
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


def damped_step(
    attempt: Callable[[Control], tuple[Any, Control]],
    control: Control,
    exhausted: Callable[[Control], bool],
    most: int,
    clock: Callable[[], Any],
) -> tuple[Control, list[Any]]:
    """The loop that every second-order trainer steps by: try one damping after another until a step leads down.

    It returns the control after the last trial, and the trials, of which the last one alone may be `accepted`.

    Args:
        attempt: from a control (a damping, a radius) to the trial made with it and the control after it.
        control: the first.
        exhausted: whether a control is not worth a trial any more.
        most: trials.
        clock: called before each trial; what it raises ends the step.
    """
    trials: list[Any] = []
    while len(trials) < most and not exhausted(control) and not (trials and trials[-1].accepted):
        clock()
        trial, control = attempt(control)
        trials.append(trial)
    return control, trials


def batch_shares(count: int, m: int, total: float) -> list[float]:
    """Of each batch of m of `count` examples its share of their weight, `total`; the last batch may be shorter.

    It is the number of its examples times their mean weight, and not the weight of the batch itself: the expectation of
    sum w C over a batch's own sum w is not the mean that is asked for, and at m = 1 does not know the weights at all.
    """
    return [min(m, count - first) * (total / count) for first in range(0, count, m)]
