"""The interface between the training loop and a trainer, and the step that all second-order trainers share."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from math import inf, isfinite, isnan, nan
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

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
    """The base class of trainers. A subclass must define `epoch`, and `init` or `first_state`.

    A trainer is a frozen dataclass. On JAX its numbers are traced and its other options static
    (`deltarule.trees.register`), so that another eta or lambda compiles nothing new.
    """

    dtype: ClassVar[str] = "float64"
    initializers: ClassVar[dict[str, str]] = {}  # by activation, in place of the activation's own
    learning_rate_name: ClassVar[str | None] = None  # the option to reduce if training diverges
    cost_before_step: ClassVar[bool] = False  # whether the recorded cost is that before the step
    selects_by: ClassVar[str | None] = None  # the record whose largest value selects the best epoch; None: the cost
    first_order: ClassVar[bool] = False  # whether it uses gradients only
    allows_random_layers: ClassVar[bool] = False  # whether layers such as Dropout may draw anew in each step
    compiles_epochs: ClassVar[bool] = False  # whether JAX compiles whole epochs, not only pieces of a step
    sums_over_stream: ClassVar[bool] = False  # whether a step sums over all chunks of a stream
    keeps_partial_epochs: ClassVar[bool] = False  # whether an interrupted epoch returns the steps taken so far
    minimises_objectives: ClassVar[bool] = False  # whether it minimises any objective, by `first_state` and `step`
    has_posterior: ClassVar[bool] = False  # whether its state gives the posterior of the parameters
    l2: float | None = None  # lambda of its penalty
    max_fail: int | None = None  # epochs without progress after which it stops by itself
    memory_copies: int = 1  # of the parameters, in a first-order trainer's state
    numbers_per_neuron: ClassVar[int | None] = None  # that a step holds for an example; None: those of a gradient
    largest_block: ClassVar[float] = float("inf")  # bytes of them: more examples are computed in blocks
    batch_size: int | None = None  # the examples of a step; None for all
    refit: bool | None = None  # whether it refits a linear output layer; None: where possible
    steps: int | None = None  # of an epoch; None is one pass over the examples
    no_improvement: Any = None  # a rule that depends on the validation score

    def check(self, net: "Network", count: int) -> None:
        """Raise a ConfigurationError if this trainer cannot train this network on `count` examples."""
        require_derivatives(net)
        if self.batch_size is not None and self.batch_size > count:
            raise ConfigurationError(
                f"batch_size is {self.batch_size} and there are {count} training examples: "
                f"give at most {count}, or None for all of them."
            )

    def check_stream(self, sizes: Sizes, count: int) -> None:
        """Raise a ConfigurationError if it cannot train on a stream of `count` examples."""
        raise ConfigurationError(
            f"{type(self).__name__} with these options needs all examples in memory: for a stream use "
            "GradientDescent(batch_size=...), or LevenbergMarquardt() without a batch_size."
        )

    def needs_jax(self) -> str | None:
        """The option that only JAX supports, in words, or None."""
        return None

    def form(self, sizes: Sizes, examples: int) -> str | None:
        """The form of a step on so many examples, "primal", "dual" or "cg"; None for a first-order trainer."""
        return None

    def epoch_flops(self, sizes: Sizes, count: int) -> float:
        """The floating-point operations of an epoch of a second-order trainer."""
        return 0.0

    def thread_limits(self, sizes: Sizes, count: int) -> AbstractContextManager:
        """Limit BLAS and LAPACK to one thread if the products, or the matrix to factor, are small."""
        m = min(self.batch_size or count, count)
        form = self.form(sizes, m)
        if form is None:
            return threads_for_work(2.0 * m * sizes.steps * sizes.parameters)
        order = {"primal": sizes.parameters, "dual": m * sizes.outputs, "cg": 0}
        return threads_for_order(order[form])

    def orders(self, path: Path, first: int, epochs: int, count: int) -> np.ndarray | None:
        """The order of the examples in `epochs` epochs from number `first` on, (epochs, N); None for full batches."""
        return None if self.batch_size is None else orders(path, first, epochs, count)

    def diversify(self, starts: list[Params]) -> list[Params]:
        """Change the initial parameters of restarts, except for the first, which a user may have given."""
        return starts

    def init(self, net: "Network", params: Params, rows: Rows) -> Any:
        """The state before the first epoch; its attribute `params` is the parameters."""
        return self.first_state(params)

    def first_state(self, params: Params) -> Any:
        """The state before the first step, for a trainer whose initial state does not depend on the examples."""
        raise NotImplementedError

    def epoch(self, net: "Network", state: Any, rows: Rows, context: EpochContext) -> tuple[Any, Record]:
        """Run one epoch; return the new state and the record, scalars or small arrays by name, "cost" among them.

        The record may hold "stop", the code of the trainer's own reason to stop (`deltarule.trainers.stopping`).
        """
        raise NotImplementedError

    def after_score(self, state: Any, improved: Array) -> tuple[Any, Array]:
        """Return the state after an epoch that improved the score or did not, and the code of a stop, 0 for none."""
        return state, 0


def require_derivatives(net: "Network") -> None:
    """Raise a ConfigurationError if a layer is a perceptron, whose step function has no useful derivative."""
    for i, layer in enumerate(net.layers):
        if not layer.sigma.trainable:
            raise ConfigurationError(
                f"layer {i} is a perceptron (activation {layer.sigma.name!r}), whose derivative is 0 everywhere: "
                "use sigmoid, which can be trained by gradients."
            )


def damped_step(
    attempt: Callable[[Any], tuple[Any, Any]],
    control: Any,
    exhausted: Callable[[Any], bool],
    most: int,
    clock: Callable[[], Any],
) -> tuple[Any, list[Any]]:
    """Try one damping after another until a step lowers the objective: the loop of every second-order trainer.

    Args:
        attempt: from a control (a damping or a radius) to a trial and the control after it.
        control: the first control.
        exhausted: whether a control is not worth another trial.
        most: the largest number of trials.
        clock: called before each trial; an exception that it raises ends the step.

    Returns:
        The control after the last trial, and the trials, of which only the last may be `accepted`.
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
    "rejected: gain too low",  # it fell by less than a ten-thousandth of the model's prediction
)
ACCEPTED, UPHILL, NOT_FINITE, LOW_GAIN = 1, 2, 3, 4
SMALLEST_GAIN = 1e-4


class Trial(NamedTuple):
    """One damping or radius tried: the end of its step, as plain numbers, the gain ratio and the verdict."""

    control: float
    point: Any
    gain: float
    verdict: int

    @property
    def accepted(self) -> bool:
        """Whether the step is taken."""
        return self.verdict == ACCEPTED


def judge(old: float, new: float, predicted: float) -> tuple[float, int]:
    """Return the gain ratio rho = (F_old - F_new) / predicted and the verdict on a trial, an index in `VERDICTS`."""
    rho = (old - new) / predicted if predicted else nan if old == new or isnan(new) else inf * (old - new)
    if not (isfinite(new) and isfinite(predicted)):
        return rho, NOT_FINITE
    if not new < old:
        return rho, UPHILL
    return rho, ACCEPTED if rho > SMALLEST_GAIN else LOW_GAIN


def batches(
    trainer: Trainer, rows: Rows, context: EpochContext, total: float
) -> Iterator[tuple[Rows, float, float | None]]:
    """Yield each batch of an epoch, its share of the total weight of the examples, and lambda of its penalty.

    The share is the number of its examples times the mean weight of all, not the batch's own sum of weights: dividing
    by the latter would be biased, and with one example in a batch would cancel its weight. The last batch may be
    shorter.
    """
    count, m, l2 = int(rows.count), trainer.batch_size or int(rows.count), trainer.l2
    for i in range(-(-count // m)):
        context.check_time()
        share = min(m, count - i * m) * (total / count)
        batch = engine.of(rows.x).take_batch(rows, context.order, i, m, count)
        yield batch, share, None if l2 is None else l2 * share / total
