"""What the training loop asks of a trainer: (init, epoch), functions of an explicit state."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from math import inf, isfinite, isnan, nan
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from deltarule import engine
from deltarule.arrays import Array
from deltarule.engine.machine import threads_for_order, threads_for_work
from deltarule.engine.randomness import Path, orders
from deltarule.engine.rows import EpochContext, Record, Rows
from deltarule.errors import ConfigurationError
from deltarule.network.backprop import Params
from deltarule.network.network import Sizes

if TYPE_CHECKING:
    from deltarule.network.network import Network


class Trainer:
    """What the training loop asks of a trainer, and what it may leave as it is here; `init` and `epoch` it must have.

    A trainer is a frozen dataclass; where JAX compiles, its numbers are traced leaves and its choices static
    (`deltarule.trees.register`). So a network trained with another eta or another lambda compiles nothing new.
    Its direction (which way) and its control (how far) are separate pieces inside.
    """

    dtype: ClassVar[str] = "float64"
    initializers: ClassVar[dict[str, str]] = {}  # of activations, in place of their own
    learning_rate_name: ClassVar[str | None] = None  # what to make smaller where training diverges
    cost_before_step: ClassVar[bool] = False  # whether the record's cost is that of the parameters before the step
    selects_by: ClassVar[str | None] = None  # the record whose largest value marks the best parameters, if any does
    first_order: ClassVar[bool] = False  # whether it takes small batches, so that others can go on where these end
    allows_random_layers: ClassVar[bool] = False  # whether layers may draw random numbers, anew in each step
    compiles_epochs: ClassVar[bool] = False  # whether JAX compiles a whole epoch, many in a loop; else its pieces
    sums_over_stream: ClassVar[bool] = False  # whether a step sums over all chunks of a stream
    keeps_partial_epochs: ClassVar[bool] = (
        False  # whether an epoch that the clock or Ctrl-C ends returns what it has done
    )
    minimizes_objectives: ClassVar[bool] = False  # whether it makes any objective small, by `first_state` and `step`
    has_posterior: ClassVar[bool] = False  # whether its state gives the posterior of the parameters
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
        if self.batch_size is not None and self.batch_size > count:
            raise ConfigurationError(
                f"batch_size is {self.batch_size} and there are {count} training examples: "
                f"give at most {count}, or None for all of them."
            )

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
        """One thread for BLAS and LAPACK during a training whose products, or matrix to factor, are small."""
        m = min(self.batch_size or count, count)
        form = self.form(sizes, m)
        if form is None:
            return threads_for_work(2.0 * m * sizes.steps * sizes.parameters)
        order = {"primal": sizes.parameters, "dual": m * sizes.outputs, "cg": 0}
        return threads_for_order(order[form])

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
        return self.first_state(params)

    def first_state(self, params: Params) -> Any:
        """The state before the first step, of a trainer whose state knows no examples."""
        raise NotImplementedError

    def epoch(self, net: "Network", state: Any, rows: Rows, context: EpochContext) -> tuple[Any, Record]:
        """One epoch: the new state and its record, scalars or small arrays by name, "cost" among them.

        A record may hold "stop", the index in `deltarule.trainers.stopping.STOP_REASONS` of the trainer's own reason
        to end.
        """
        raise NotImplementedError

    def after_score(self, state: Any, improved: Array) -> tuple[Any, Array]:
        """The state after an epoch that did or did not improve the score, and the code of a stop, 0 for none."""
        return state, 0


def require_derivatives(net: "Network") -> None:
    """Raise a ConfigurationError if a layer is a perceptron: a step function has no derivative to follow."""
    for i, layer in enumerate(net.layers):
        if not layer.sigma.trainable:
            raise ConfigurationError(
                f"layer {i} is a perceptron (activation {layer.sigma.name!r}), whose derivative is 0 everywhere: "
                "it cannot be trained by gradients; use sigmoid."
            )


def damped_step(
    attempt: Callable[[Any], tuple[Any, Any]],
    control: Any,
    exhausted: Callable[[Any], bool],
    most: int,
    clock: Callable[[], Any],
) -> tuple[Any, list[Any]]:
    """The loop that every second-order trainer steps by: try one damping after another until a step leads down.
    `attempt` makes of a control (a damping, a radius) a trial and the control after it; `exhausted` says whether a
    control is not worth a trial any more; the clock is called before each, and what it raises ends the step. Returned
    are the control after the last trial, and the trials, of which the last one alone may be `accepted`.
    """
    trials: list[Any] = []
    while len(trials) < most and not exhausted(control) and not (trials and trials[-1].accepted):
        clock()
        trial, control = attempt(control)
        trials.append(trial)
    return control, trials


VERDICTS = (
    "none",  # no such trial
    "accepted",
    "rejected: the objective did not fall",
    "rejected: not finite",  # the factorisation failed, or the trial overflowed
    "rejected: gain too low",  # it fell by less than a ten-thousandth of what the model promised
)
ACCEPTED, UPHILL, NOT_FINITE, LOW_GAIN = 1, 2, 3, 4
SMALLEST_GAIN = 1e-4


def judge(old: float, new: float, predicted: float) -> tuple[float, int]:
    """The gain ratio rho = (F_old - F_new) / predicted and the verdict on a trial, an index in `VERDICTS`."""
    rho = (old - new) / predicted if predicted else nan if old == new or isnan(new) else inf * (old - new)
    if not (isfinite(new) and isfinite(predicted)):
        return rho, NOT_FINITE
    if not new < old:
        return rho, UPHILL
    return rho, ACCEPTED if rho > SMALLEST_GAIN else LOW_GAIN


def batches(
    trainer: Trainer, rows: Rows, context: EpochContext, total: float
) -> Iterator[tuple[Rows, float, float | None]]:
    """Each batch of an epoch, its share of the weight of all examples, `total`, and lambda of its penalty.

    The share is the number of its examples times their mean weight, and not the weight of the batch itself: the
    expectation of sum w C over a batch's own sum w is not the mean that is asked for, and at m = 1 does not know the
    weights at all. The last batch may be shorter.
    """
    count, m, l2 = int(rows.count), trainer.batch_size or int(rows.count), trainer.l2
    for i in range(-(-count // m)):
        context.check_time()
        share = min(m, count - i * m) * (total / count)
        batch = engine.of(rows.x).take_batch(rows, context.order, i, m, count)
        yield batch, share, None if l2 is None else l2 * share / total
