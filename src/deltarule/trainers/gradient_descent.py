"""Gradient descent: full-batch, stochastic and mini-batch, with momentum, schedules and any Optax rule."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax

from deltarule import backprop
from deltarule.backprop import Params
from deltarule.domain import require_choice, require_count, require_number
from deltarule.errors import ConfigurationError
from deltarule.initializers import DEFAULT_INITIALIZERS
from deltarule.pytrees import register
from deltarule.regularization import add_penalty_gradient, limit_norms, penalty
from deltarule.rows import Rows
from deltarule.sharding import AXIS
from deltarule.trainers.base import Record, require_batch, require_derivatives
from deltarule.trainers.direction import Direction, from_optax, momentum, steepest
from deltarule.trainers.divided_batches import Gradient, batch_gradient, block_of, over_devices, own_order
from deltarule.trainers.no_improvement import NoImprovement, Rate
from deltarule.trainers.sampling import (
    batches_at_once,
    examples_in_batch,
    permutation,
    take_batch,
    with_replacement,
)

if TYPE_CHECKING:
    import optax

    from deltarule.network import Network


class GradientDescentState(NamedTuple):
    """The parameters, the memory of the direction (velocity, Optax's state), the steps taken, and what scales eta."""

    params: Params
    memory: Any
    step: Array
    rate: Rate | None = None


# The state, and of the batches so far the sum of weight times cost and that of the weights.
Sums = tuple[GradientDescentState, Array, Array]


@dataclass(frozen=True)
class GradientDescent:
    """p ← p - eta ∇C(p), where ∇C is the mean gradient over all examples, a mini-batch, or one example.

    Args:
        eta: the learning rate, above 0. With an Optax `rule` it multiplies the rule's updates; leave it out there.
        batch_size: m, the examples of a step; None takes all of them (steepest descent), 1 is stochastic descent.
        sampling: "permutation" cuts a fresh permutation into batches each epoch, the last one shorter if m does not
            divide N; "uniform" draws every batch with replacement ([HH]).
        momentum: mu in [0, 1) of v ← mu v - eta ∇C; None for none.
        nesterov: look ahead along v.
        schedule: a function of the step number t = 0, 1, ... that multiplies eta: an Optax schedule that starts at 1.
        rule: an `optax.GradientTransformation` in place of the textbook's direction, such as `optax.adam(1.0)` with
            eta=1e-3. Build a rule or schedule once: another object compiles again, another eta does not.
        l2: lambda of (lambda/2N) sum w²; None for none.
        l1: lambda of (lambda/N) sum |w|; None for none.
        max_norm: c; after each step every row of W (one neuron's weights) with ‖w‖ > c is scaled back to ‖w‖ = c, and
            biases are left alone. None for no limit.
        no_improvement: a `NoImprovement` rule, or the k of [N]'s: halve eta after k epochs without a better validation
            score, stop at 1/128 of it. It needs validation data. The history then holds "eta", of each epoch.
        steps: the steps of an epoch; None is one pass, ceil(N/m). Only uniform sampling can take another number.

    Raises:
        ConfigurationError: a value outside its range, or two that exclude each other.

    Source: [N] ch. 1 and 3, [HH] section 4.
    """

    eta: float | None = None
    batch_size: int | None = None
    sampling: str = "permutation"
    momentum: float | None = None
    nesterov: bool = False
    schedule: Callable[[Array], Any] | None = None
    rule: "optax.GradientTransformation | None" = None
    l2: float | None = None
    l1: float | None = None
    max_norm: float | None = None
    no_improvement: NoImprovement | int | None = None
    steps: int | None = None

    dtype: ClassVar[str] = "float32"
    initializers: ClassVar[dict[str, str]] = DEFAULT_INITIALIZERS
    learning_rate_name: ClassVar[str | None] = "eta"
    cost_before_step: ClassVar[bool] = True
    judged_by: ClassVar[str | None] = None

    def __post_init__(self):
        """Check every number where it is given."""
        if self.eta is None:
            if self.rule is None:
                raise ConfigurationError("eta, the learning rate, must be given: a number above 0, such as 0.5.")
            object.__setattr__(self, "eta", 1.0)
        checked = {"eta": require_number("eta", self.eta, above=0)}
        if self.momentum is not None:
            checked["momentum"] = require_number("momentum", self.momentum, least=0, below=1)
        for name in ("l2", "l1"):
            if getattr(self, name) is not None:
                checked[name] = require_number(name, getattr(self, name), least=0)
        if self.max_norm is not None:
            checked["max_norm"] = require_number("max_norm", self.max_norm, above=0)
        if self.no_improvement is not None and not isinstance(self.no_improvement, NoImprovement):
            checked["no_improvement"] = NoImprovement(self.no_improvement)
        for name, value in checked.items():
            object.__setattr__(self, name, value)
        for name in ("batch_size", "steps"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, require_count(name, getattr(self, name)))
        require_choice("sampling", self.sampling, ("permutation", "uniform"))
        if self.steps is not None and self.sampling != "uniform":
            raise ConfigurationError(
                f"steps is {self.steps}, but with sampling='permutation' an epoch is one pass over the data: "
                "leave steps out, or use sampling='uniform'."
            )
        if self.sampling == "uniform" and self.batch_size is None:
            raise ConfigurationError(
                "sampling='uniform' draws batches, and batch_size is None: give batch_size=1, for example."
            )
        if self.rule is not None:
            _require_rule(self.rule)
        if self.schedule is not None and not callable(self.schedule):
            raise ConfigurationError(
                f"schedule must be a function of the step, and is {self.schedule!r}: "
                "give an Optax schedule that starts at 1."
            )
        if self.rule is not None and self.momentum is not None:
            raise ConfigurationError(
                "momentum belongs to the textbook's rule: leave it out, or leave out the Optax rule."
            )
        if self.nesterov and self.momentum is None:
            raise ConfigurationError("nesterov needs momentum: give momentum=0.9, for example.")

    def check(self, net: "Network", count: int) -> None:
        """A batch cannot be larger than the data, and a step function has no gradient."""
        require_derivatives(net)
        require_batch(self.batch_size, count)

    def surroundings(self, net: "Network", params: Params, count: int) -> AbstractContextManager:
        """Nothing: no factorisations here."""
        return nullcontext()

    def init(self, net: "Network", params: Params, rows: Rows) -> GradientDescentState:
        """Step 0, at rest."""
        rule = self.no_improvement
        rate = rule.start(rows.x.dtype) if isinstance(rule, NoImprovement) else None
        return GradientDescentState(params, self._direction().init(params), jnp.zeros((), int), rate)

    def epoch(self, net: "Network", state: GradientDescentState, rows: Rows, key: Array) -> tuple[Any, Record]:
        """One step on the full batch, or one pass of mini-batches as a single compiled loop."""
        total = jnp.sum(rows.mask)
        one_epoch = self._full_batch_epoch if self.batch_size is None else self._mini_batch_epoch
        after, record = one_epoch(net, state, rows, key, total)
        if state.rate is not None:
            assert self.eta is not None  # the constructor saw to it
            record["eta"] = self.eta * state.rate.scale
        return after, record

    def heed(self, state: GradientDescentState, improved: Array) -> tuple[GradientDescentState, Array]:
        """What the no-improvement rule makes of an epoch; the code of its stop, 0 for none."""
        if state.rate is None or not isinstance(self.no_improvement, NoImprovement):
            return state, jnp.zeros((), jnp.int32)
        rate, stop = self.no_improvement.after_epoch(state.rate, improved)
        return state._replace(rate=rate), stop

    def _full_batch_epoch(
        self, net: "Network", state: GradientDescentState, rows: Rows, key: Array, total: Array
    ) -> tuple[Any, Record]:
        """One step along the exact gradient; the record's cost is the cost before the step."""
        on_one = rows.shards is None  # divided rows stay where they are
        gradient = backprop.cost_and_gradient_in_halves if on_one else backprop.cost_and_gradient
        cost, grads = gradient(net, state.params, rows.x, rows.y, rows.mask / total, key)
        grads = add_penalty_gradient(grads, state.params, self.l2, self.l1, total)
        squared = sum(jnp.sum(g * g) for g in jax.tree.leaves(grads))
        record = {
            "cost": cost + penalty(state.params, self.l2, self.l1, total),
            "gradient_norm": jnp.sqrt(squared),
        }
        return self._move(state, grads), record

    def _mini_batch_epoch(
        self, net: "Network", state: GradientDescentState, rows: Rows, key: Array, total: Array
    ) -> tuple[Any, Record]:
        """The steps of one epoch; the record's cost is the mean over its batches, each before its step."""
        if rows.shards is not None:
            return over_devices(rows, partial(_epoch_of_one_device, net, rows.shards.devices), self, state, key, total)
        m, size = self.batch_size, rows.x.shape[0]
        assert m is not None
        order_key, step_key = jax.random.split(key)
        steps = self._count(rows.count)
        order, drawn = self._order(order_key, size, rows.count)

        some = batches_at_once(rows, m, order.shape[0] // m)
        order = jnp.pad(order, (0, -order.shape[0] % (some * m)))

        def gradient_from(first: Array) -> Gradient:
            """The gradients of the steps first .. first + some - 1, whose examples are gathered here."""
            index = lax.dynamic_slice(order, (first * m,), (some * m,))
            gathered = take_batch(rows, index, first * m, drawn)

            def gradient(i: Array, params: Params) -> tuple[Array, Params, Array]:
                x, y, weight = (lax.dynamic_slice_in_dim(each, (i - first) * m, m) for each in gathered)
                batch_key = jax.random.fold_in(step_key, i)
                batch_total = examples_in_batch(i, m, drawn) * (total / rows.count)
                cost, grads = backprop.cost_and_gradient_in_halves(net, params, x, y, weight / batch_total, batch_key)
                return cost, grads, batch_total

            return gradient

        return self._steps(state, steps, some, gradient_from, total)

    def _count(self, count: Array) -> Array:
        """The steps of an epoch over `count` examples."""
        m = self.batch_size
        assert m is not None
        return (count + m - 1) // m if self.steps is None else jnp.asarray(self.steps, jnp.int32)

    def _order(self, key: Array, size: int, count: Array) -> tuple[Array, Array | None]:
        """The example at every place of an epoch over 0..count-1, and how many places hold one (None: all)."""
        m = self.batch_size
        assert m is not None
        places = m * (-(-size // m) if self.steps is None else self.steps)
        if self.sampling == "permutation":
            return jnp.pad(permutation(key, size, count), (0, places - size)), count
        return with_replacement(key, places, count), None

    def _steps(
        self,
        state: GradientDescentState,
        steps: Array,
        some: int,
        gradient_from: Callable[[Array], Gradient],
        total: Array,
    ) -> tuple[Any, Record]:
        """One step for each batch, along gradient(step, parameters), which gradient_from makes for `some` steps."""

        def some_steps(k: Array, carry: Sums) -> Sums:
            first = k * some
            gradient = gradient_from(first)

            def one_step(i: Array, carry: Sums) -> Sums:
                state, cost_sum, weight_sum = carry
                cost, grads, batch_total = gradient(i, state.params)
                grads = add_penalty_gradient(grads, state.params, self.l2, self.l1, total)
                return self._move(state, grads), cost_sum + batch_total * cost, weight_sum + batch_total

            return lax.fori_loop(first, jnp.minimum(first + some, steps), one_step, carry)

        zero = jnp.zeros((), total.dtype)
        state, cost, weight = lax.fori_loop(0, (steps + some - 1) // some, some_steps, (state, zero, zero))
        return state, {"cost": cost / weight + penalty(state.params, self.l2, self.l1, total)}

    def _move(self, state: GradientDescentState, grads: Params) -> GradientDescentState:
        """p ← p + step, with the learning rate of this step."""
        assert self.eta is not None  # the constructor saw to it
        eta = self.eta if self.schedule is None else self.eta * self.schedule(state.step)
        eta = eta if state.rate is None else eta * state.rate.scale
        step, memory = self._direction().update(grads, state.memory, eta, state.params)
        params = limit_norms(jax.tree.map(lambda p, s: p + s, state.params, step), self.max_norm)
        return GradientDescentState(params, memory, state.step + 1, state.rate)

    def _direction(self) -> Direction:
        if self.rule is not None:
            return from_optax(self.rule)
        return steepest() if self.momentum is None else momentum(self.momentum, self.nesterov)


def _epoch_of_one_device(
    net: "Network",
    devices: int,
    rows: Rows,
    firsts: Array,
    counts: Array,
    trainer: GradientDescent,
    state: GradientDescentState,
    key: Array,
    total: Array,
) -> tuple[Any, Record]:
    """`_mini_batch_epoch` as each device runs it on its own rows; the parameters stay the same on all."""
    m, own_size = trainer.batch_size, rows.x.shape[0]
    assert m is not None
    order_key, step_key = jax.random.split(key)
    order, drawn = trainer._order(order_key, devices * own_size, rows.count)
    here = lax.axis_index(AXIS)
    held = own_size if drawn is not None else order.shape[0]
    own = own_order(order, drawn, firsts[here], counts[here], held, m)
    gradient = batch_gradient(net, rows, own, block_of(m, devices), step_key, total / rows.count)
    return trainer._steps(state, trainer._count(rows.count), order.shape[0] // m, lambda _: gradient, total)


def _require_rule(rule: Any) -> None:
    """Raise a ConfigurationError unless this is Optax's; it is imported here, because it takes a fifth of the
    import.
    """
    import optax

    if not isinstance(rule, optax.GradientTransformation):
        raise ConfigurationError(
            f"rule must be an optax.GradientTransformation, and is {rule!r}: give optax.adam(1e-3), for example."
        )


register(GradientDescent, leaves=("eta", "momentum", "l2", "l1", "max_norm", "no_improvement"))
