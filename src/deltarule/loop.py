"""The compiled part of a training: many epochs in one call, each scored, the best kept, the first stop obeyed.

Everything that goes on from epoch to epoch is in a `Carry`, so cutting a training into calls changes no number. With
a leading axis on the carry and the key, as many trainings run side by side under `jax.vmap`.
"""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax

from deltarule.backprop import Params
from deltarule.evaluation import evaluate
from deltarule.monitoring import AT_THE_END, AT_THE_START, observe
from deltarule.network import Network
from deltarule.rows import Rows
from deltarule.stopping import Stopping, stop_code
from deltarule.trainers.base import Record, ScoreControlled, Trainer

CHUNK = 256  # the most epochs of one compiled call


class Carry(NamedTuple):
    """What goes from epoch to epoch besides the records: all of it is needed to continue a training."""

    state: Any
    best: Params
    best_cost: Array
    best_accuracy: Array
    best_epoch: Array
    epoch: Array
    stop: Array


@partial(jax.jit, static_argnums=0)
def start(net: Network, trainer: Trainer, params: Params, rows: Rows) -> Carry:
    """The carry before the first epoch of one training."""
    infinity = jnp.asarray(jnp.inf, rows.x.dtype)
    zero = jnp.zeros((), jnp.int32)
    return Carry(trainer.init(net, params, rows), params, infinity, -infinity, zero, zero, zero)


@partial(jax.jit, static_argnums=(0, 3), static_argnames="recorded")
def advance(
    net: Network,
    trainer: Trainer,
    stopping: Stopping,
    monitor: str,
    carry: Carry,
    rows: Rows,
    validation: Rows | None,
    key: Array,
    until: Array,
    recorded: tuple[str, ...] = (),
) -> tuple[Carry, Record]:
    """Train from epoch `carry.epoch` up to epoch `until`, or to a stop; the records of up to CHUNK epochs.

    `recorded` names what is observed besides what the trainer records, see `deltarule.monitoring`. A carry with a
    leading axis, and as many keys, is as many trainings side by side.
    """
    run = partial(_advance_one, net, trainer, stopping, monitor, recorded, rows, validation, until)
    return jax.vmap(run)(carry, key) if carry.epoch.ndim else run(carry, key)


def _advance_one(
    net: Network,
    trainer: Trainer,
    stopping: Stopping,
    monitor: str,
    recorded: tuple[str, ...],
    rows: Rows,
    validation: Rows | None,
    until: Array,
    carry: Carry,
    key: Array,
) -> tuple[Carry, Record]:
    # A parameter so large that a step of ordinary size is lost in its rounding will not come back.
    largest = jnp.maximum(1, jnp.max(jnp.abs(rows.y))) / jnp.finfo(rows.x.dtype).eps

    def one_epoch(carry: Carry) -> tuple[Carry, Record]:
        state, record = trainer.epoch(net, carry.state, rows, jax.random.fold_in(key, carry.epoch))
        stop = record.pop("stop", jnp.zeros((), jnp.int32))
        record |= observe(AT_THE_START, recorded, net, carry.state.params, rows)
        record |= observe(AT_THE_END, recorded, net, state.params, rows)
        epoch = carry.epoch + 1
        if validation is not None:
            score = evaluate(net, state.params, validation)
            record |= {"validation_cost": score.cost, "validation_accuracy": score.accuracy}
            cost, accuracy = score.cost, score.accuracy
        else:
            cost = record["cost"] if trainer.judged_by is None else -record[trainer.judged_by]
            accuracy = jnp.zeros_like(cost)
        before = validation is None and trainer.cost_before_step  # then the cost is that of the state before the step
        scored, scored_epoch = (carry.state.params, carry.epoch) if before else (state.params, epoch)
        better = improved = cost < carry.best_cost
        if monitor == "accuracy":
            improved = accuracy > carry.best_accuracy
            better = improved | ((accuracy == carry.best_accuracy) & better)
        if isinstance(trainer, ScoreControlled):
            state, ended = trainer.heed(state, improved)
            stop = jnp.where(stop == 0, ended, stop)
        spread = jnp.stack([jnp.max(jnp.abs(p)) for p in jax.tree.leaves(state.params)])
        diverged = ~(jnp.isfinite(record["cost"]) & jnp.all(spread < largest))
        better = better if before else better & ~diverged
        best, best_cost, best_accuracy, best_epoch = jax.tree.map(
            partial(jnp.where, better),
            (scored, cost, accuracy, scored_epoch),
            (carry.best, carry.best_cost, carry.best_accuracy, carry.best_epoch),
        )
        stop = _first_reason(stop, record, stopping, diverged, epoch - best_epoch, validation is not None)
        after = Carry(state, best, best_cost, best_accuracy, best_epoch, epoch, stop)
        return rows.everywhere((after, record))

    shapes = jax.eval_shape(one_epoch, carry)[1]
    buffers = {name: jnp.zeros((CHUNK, *entry.shape), entry.dtype) for name, entry in shapes.items()}
    first = carry.epoch

    def body(loop: tuple[Carry, Record]) -> tuple[Carry, Record]:
        carry, buffers = loop
        place = carry.epoch - first
        carry, record = one_epoch(carry)
        return carry, {name: buffers[name].at[place].set(record[name]) for name in buffers}

    return lax.while_loop(lambda loop: (loop[0].epoch < until) & (loop[0].stop == 0), body, (carry, buffers))


def _first_reason(
    stop: Array, record: Record, stopping: Stopping, diverged: Array, since_best: Array, validated: bool
) -> Array:
    """The code of the first rule that ends the training here, 0 if none does; divergence outranks the rest."""
    rules = []
    if stopping.goal is not None:
        rules.append((record["cost"] <= stopping.goal, "goal"))
    if stopping.min_grad is not None and "gradient_norm" in record:
        rules.append((record["gradient_norm"] <= stopping.min_grad, "min_grad"))
    if stopping.max_fail is not None and validated:
        rules.append((since_best >= stopping.max_fail, "max_fail"))
    for holds, reason in reversed(rules):
        stop = jnp.where(holds, jnp.asarray(stop_code(reason), jnp.int32), stop)
    return jnp.where(diverged, jnp.asarray(stop_code("diverged"), jnp.int32), stop)
