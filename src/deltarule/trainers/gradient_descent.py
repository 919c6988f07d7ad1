"""Gradient descent: full-batch, stochastic and mini-batch, with momentum, schedules and any Optax rule."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import lru_cache, partial
from operator import add
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from deltarule import engine, trees
from deltarule.arrays import Array, is_jax, is_traced
from deltarule.checks import check_fields, require_choice, require_number
from deltarule.engine.randomness import draws, orders
from deltarule.engine.rows import Batches, EpochContext, Record, Rows
from deltarule.errors import ConfigurationError
from deltarule.network import backprop
from deltarule.network.backprop import Params
from deltarule.network.network import Sizes
from deltarule.network.regularization import add_penalty_gradient, limit_norms, penalty
from deltarule.objective import Objective, value_and_gradient
from deltarule.trainers.base import Trainer
from deltarule.trainers.direction import DIRECTIONS, Direction, from_optax, momentum, steepest
from deltarule.trainers.stopping import NoImprovement, Rate
from deltarule.trees import register

if TYPE_CHECKING:
    import optax

    from deltarule.network.network import Network


class GradientDescentState(NamedTuple):
    """The parameters, the state of the direction (velocity, moments), the number of steps, and the factor of eta."""

    params: Params
    memory: Any
    step: Array
    rate: Rate | None = None


SCHEDULED = 1024  # steps for which a schedule of Optax is evaluated together

# The state, and over the batches so far the sum of weight times cost and the sum of weights.
Sums = tuple[GradientDescentState, Array, Array]


@dataclass(frozen=True)
class GradientDescent(Trainer):
    """p ← p - eta ∇C(p), where ∇C is the mean gradient over all examples, a mini-batch, or one example.

    Args:
        eta: the learning rate, above 0. With an Optax `rule` it multiplies the rule's updates, and may be left out.
        batch_size: m, the examples of a step; None takes all of them (steepest descent), 1 is stochastic descent.
        sampling: "permutation" cuts a fresh permutation into batches each epoch, the last one shorter if m does not
            divide N; "uniform" draws every batch with replacement ([HH]).
        momentum: mu in [0, 1) of v ← mu v - eta ∇C; None for none.
        nesterov: use Nesterov's variant of momentum.
        schedule: a function of the step number t = 0, 1, ... that multiplies eta: an Optax schedule that starts at 1.
        rule: "adam", for instance with eta=1e-3, in place of steepest descent and momentum; or an
            `optax.GradientTransformation` such as `optax.lion(1.0)`, which needs the JAX engine. Build such a rule or
            schedule once: another object compiles again, another eta does not.
        l2: lambda of (lambda/2N) sum w²; None for none.
        l1: lambda of (lambda/N) sum |w|; None for none.
        max_norm: c; after each step every row of W (one neuron's weights) with ‖w‖ > c is scaled back to ‖w‖ = c.
            None for no limit.
        no_improvement: a `NoImprovement` rule, or the k of [N]'s: halve eta after k epochs without a better validation
            score, stop at 1/128 of it. It needs validation data. The history then holds "eta".
        steps: the steps of an epoch; None is one pass, ceil(N/m). Another number needs sampling="uniform".

    Raises:
        ConfigurationError: a value outside its range, or two that exclude each other.

    Source: [N] ch. 1 and 3, [HH] section 4.
    """

    eta: Any = None
    batch_size: int | None = None
    sampling: str = "permutation"
    momentum: float | None = None
    nesterov: bool = False
    schedule: Callable[[Array], Any] | None = None
    rule: "str | optax.GradientTransformation | None" = None
    l2: float | None = None
    l1: float | None = None
    max_norm: float | None = None
    no_improvement: Any = None
    steps: int | None = None

    minimises_objectives: ClassVar[bool] = True
    dtype: ClassVar[str] = "float32"
    learning_rate_name: ClassVar[str | None] = "eta"
    cost_before_step: ClassVar[bool] = True
    first_order: ClassVar[bool] = True
    allows_random_layers: ClassVar[bool] = True
    compiles_epochs: ClassVar[bool] = True

    def __post_init__(self):
        if self.eta is None:
            if self.rule is None:
                raise ConfigurationError("eta, the learning rate, must be given: a number above 0, such as 0.5.")
            object.__setattr__(self, "eta", 1.0)
        check_fields(self, above_0=("eta", "max_norm"), least_0=("l2", "l1"), counts=("batch_size", "steps"))
        if self.momentum is not None:
            object.__setattr__(self, "momentum", require_number("momentum", self.momentum, least=0, below=1))
        if self.no_improvement is not None and not isinstance(self.no_improvement, NoImprovement):
            object.__setattr__(self, "no_improvement", NoImprovement(self.no_improvement))
        require_choice("sampling", self.sampling, ("permutation", "uniform"))
        if self.rule is not None:
            _require_rule(self.rule)
        for is_wrong, sentence in (
            (
                self.steps is not None and self.sampling != "uniform",
                f"steps is {self.steps}, but with sampling='permutation' an epoch is one pass over the data: leave "
                "steps out, or use sampling='uniform'.",
            ),
            (
                self.sampling == "uniform" and self.batch_size is None,
                "sampling='uniform' draws batches, and batch_size is None: give batch_size=1, for example.",
            ),
            (
                self.schedule is not None and not callable(self.schedule),
                f"schedule must be a function of the step, and is {self.schedule!r}: give an Optax schedule that "
                "starts at 1.",
            ),
            (
                self.rule is not None and self.momentum is not None,
                f"momentum is {self.momentum}, and rule is {self.rule!r}: leave one of them out.",
            ),
            (self.nesterov and self.momentum is None, "nesterov needs momentum: give momentum=0.9, for example."),
        ):
            if is_wrong:
                raise ConfigurationError(sentence)

    def check_stream(self, sizes: Sizes, count: int) -> None:
        if self.batch_size is None or self.steps is not None:
            raise ConfigurationError(
                "a stream needs mini-batches that cover it: give GradientDescent a batch_size, and leave steps out."
            )

    def needs_jax(self) -> str | None:
        return None if self.rule is None or isinstance(self.rule, str) else "an Optax rule is"

    @property
    def memory_copies(self) -> int:  # pyright: ignore[reportIncompatibleVariableOverride]
        return 1 if self.rule is None else 2

    def orders(self, path: tuple[int, ...], first: int, epochs: int, count: int) -> np.ndarray | None:
        m = self.batch_size
        if m is None:
            return None
        if self.sampling == "permutation":
            return orders(path, first, epochs, count)
        return draws(path, first, epochs, m * self._steps_of(count), count)

    def init(self, net: "Network", params: Params, rows: Rows) -> GradientDescentState:
        rate = None if self.no_improvement is None else self.no_improvement.start(rows.x)
        step = rows.x.__array_namespace__().zeros((), int)
        return GradientDescentState(params, self._direction().init(params), step, rate)

    def first_state(self, params: Params) -> GradientDescentState:
        return GradientDescentState(params, self._direction().init(params), np.zeros((), int))

    def step(
        self,
        F: Objective,
        form: str,
        state: GradientDescentState,
        total: float,
        dtype: np.dtype,
        clock: Callable[[], None],
    ) -> tuple[GradientDescentState, Record]:
        """One step along the gradient of an objective, recorded with the cost before it."""
        clock()
        cost, grads = F.call(value_and_gradient, state.params)
        return self._move(F.net, state, grads), {"cost": cost, "gradient_norm": trees.norm(grads)}

    def epoch(
        self, net: "Network", state: GradientDescentState, rows: Rows, context: EpochContext
    ) -> tuple[Any, Record]:
        one_epoch = self._full_batch_epoch if self.batch_size is None else self._mini_batch_epoch
        after, record = one_epoch(net, state, rows, context, rows.mask.sum())
        if state.rate is not None:
            record["eta"] = self.eta * state.rate.scale
        return after, record

    def after_score(self, state: GradientDescentState, improved: Array) -> tuple[GradientDescentState, Array]:
        if state.rate is None:
            return state, 0
        rate, stop = self.no_improvement.after_epoch(state.rate, improved)
        return state._replace(rate=rate), stop

    def _full_batch_epoch(
        self, net: "Network", state: GradientDescentState, rows: Rows, context: EpochContext, total: Array
    ) -> tuple[Any, Record]:
        """One step along the exact gradient, recorded with the cost before it."""
        gradient = partial(backprop.cost_and_gradient, net)
        cost, grads = engine.of(rows.x).full_gradient(gradient, state.params, rows, rows.mask / total, context.key)
        grads = add_penalty_gradient(net.layers, grads, state.params, self.l2, self.l1, total)
        record = {
            "cost": cost + penalty(net.layers, state.params, self.l2, self.l1, total),
            "gradient_norm": trees.norm(grads),
        }
        return self._move(net, state, grads), record

    def _mini_batch_epoch(
        self, net: "Network", state: GradientDescentState, rows: Rows, context: EpochContext, total: Array
    ) -> tuple[Any, Record]:
        """The steps of one epoch, recorded with the mean of each batch's cost before its step."""
        m = self.batch_size
        assert m is not None

        def step(sums: Sums, cost: Array, grads: Params, share: Array) -> Sums:
            state, cost_sum, weight_sum = sums
            grads = add_penalty_gradient(net.layers, grads, state.params, self.l2, self.l1, total)
            return self._move(net, state, grads), cost_sum + share * cost, weight_sum + share

        batches = Batches(rows, context, m, self._steps_of(rows.count), self.sampling == "uniform", total)
        gradient, start = partial(backprop.cost_and_gradient, net), (state, 0 * total, 0 * total)
        state, cost, weight = engine.of(rows.x).each_batch(gradient, batches, step, start)
        return state, {"cost": cost / weight + penalty(net.layers, state.params, self.l2, self.l1, total)}

    def _steps_of(self, count: Any) -> Any:
        m = self.batch_size
        assert m is not None
        return (count + m - 1) // m if self.steps is None else self.steps

    def _move(self, net: "Network", state: GradientDescentState, grads: Params) -> GradientDescentState:
        """p ← p + step, with the learning rate of this step."""
        eta, dtype = self.eta, trees.leaves(grads)[0].dtype
        eta = eta if self.schedule is None else eta * self._schedule_at(state.step, dtype)
        eta = eta if state.rate is None else eta * state.rate.scale
        step, memory = self._direction().update(grads, state.memory, eta, state.params)
        params = limit_norms(net.layers, trees.map_pairs(add, state.params, step), self.max_norm)
        return GradientDescentState(params, memory, state.step + 1, state.rate)

    def _schedule_at(self, step: Array, dtype: np.dtype) -> Any:
        """The factor of eta in this step: a plain number, unless the step is traced."""
        schedule = self.schedule
        assert schedule is not None
        if is_traced(step):
            return schedule(step)
        if isinstance(schedule, Hashable) and _returns_jax(schedule):
            block, index = divmod(int(step), SCHEDULED)
            return float(_factors(schedule, block * SCHEDULED, dtype)[index])
        return float(schedule(step))

    def _direction(self) -> Direction:
        if self.rule is not None:
            return DIRECTIONS[self.rule]() if isinstance(self.rule, str) else from_optax(self.rule)
        return steepest() if self.momentum is None else momentum(self.momentum, self.nesterov)


@lru_cache
def _returns_jax(schedule: Callable[[Any], Any]) -> bool:
    return is_jax(schedule(np.zeros((), int)))


@lru_cache
def _factors(schedule: Callable[[Array], Array], first: int, dtype: np.dtype) -> np.ndarray:
    """Evaluate a schedule for SCHEDULED steps from `first` on, together, since a call outlasts a small step."""
    E = engine.get("jax")
    with E.computing_in(dtype):
        return np.asarray(E.xp.vectorize(schedule)(E.xp.arange(first, first + SCHEDULED)))


def _require_rule(rule: Any) -> None:
    if isinstance(rule, str):
        require_choice("rule", rule, tuple(DIRECTIONS))
        return
    engine.get("jax")
    import optax

    if not isinstance(rule, optax.GradientTransformation):
        raise ConfigurationError(
            f"rule must be 'adam' or an optax.GradientTransformation, and is {rule!r}: give one of them."
        )


register(GradientDescent, leaves=("eta", "momentum", "l2", "l1", "max_norm", "no_improvement"))
