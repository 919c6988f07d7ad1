"""One training over a stream: epoch after epoch of chunks, scored, the best kept, the reasons to stop obeyed."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from deltarule import loop
from deltarule.backprop import Params
from deltarule.checkpoints import Keeper, Progress
from deltarule.devices import agreed, everywhere, local
from deltarule.evaluation import evaluate
from deltarule.network import Network
from deltarule.rows import Rows
from deltarule.session import NO_CHECKPOINTS, Callback, TrainingResult, result_of
from deltarule.stopping import STOP_REASONS, Stopping, stop_code
from deltarule.streaming.feed import Feed
from deltarule.trainers.base import ScoreControlled
from deltarule.trainers.gradient_descent import GradientDescent
from deltarule.trainers.levenberg_marquardt import LevenbergMarquardt, streamed

DIVERGED = stop_code("diverged")
WAITED = "input_wait"  # a share of the clock's time, and so the one record that differs from run to run


@partial(jax.jit, static_argnums=0)
def _descend(net: Network, trainer: GradientDescent, state: Any, rows: Rows, key: Array) -> tuple[Any, Any]:
    return rows.everywhere(trainer.epoch(net, state, rows, key))


@partial(jax.jit, static_argnums=(0, 1))
def _added(net: Network, part: Callable[..., Any], trainer: Any, so_far: Any, rows: Rows, *arguments: Any) -> Any:
    return rows.everywhere(jax.tree.map(jnp.add, so_far, part(net, trainer, rows, *arguments)))


_evaluate = jax.jit(evaluate, static_argnums=0)


@jax.jit
def _are_finite(params: Params) -> Array:
    return jnp.all(jnp.stack([jnp.all(jnp.isfinite(p)) for p in jax.tree.leaves(params)]))


@jax.jit
def _heed(trainer: Any, state: Any, improved: bool) -> tuple[Any, Array]:
    return trainer.heed(state, improved)


@dataclass(frozen=True)
class Course:
    """One call of `train_stream`, everything checked."""

    net: Network
    trainer: Any
    feed: Feed
    validation: Rows | None
    key: Array
    epochs: int
    stopping: Stopping
    callbacks: Sequence[Callback]
    started: float
    keeper: Keeper = NO_CHECKPOINTS
    monitor: str = "cost"
    recorded: tuple[str, ...] = ()

    def run(self, start: Params) -> TrainingResult:
        """Epoch after epoch until one of the reasons to stop, from the start or the last checkpoint."""
        progress = self.keeper.begin(0, partial(self._fresh, start), partial(self._like, start))
        if self.feed.mesh is not None:
            progress = progress._replace(carry=everywhere(self.feed.mesh, progress.carry))
        outside = None
        try:
            while outside is None and progress.epoch < self.epochs and int(progress.carry.stop) == 0:
                progress = self._go_on(progress)
                outside = self._look_outside(progress.parts[0][-1])
                self.keeper.offer(0, progress)
        except KeyboardInterrupt:
            outside = "interrupted"
        finally:
            if progress.epoch:  # data that cannot be used are found in the first, and may be mended
                self.keeper.write(0, progress)
        carry, (parts,) = progress
        reason = STOP_REASONS[int(carry.stop)] if int(carry.stop) else outside or "epochs"
        keep_best = self.validation is not None or reason == "diverged"
        seconds = self.keeper.earlier + time.perf_counter() - self.started
        ended = result_of(carry, parts, reason, self.stopping, self.trainer, keep_best, seconds)
        return replace(ended, params=local(ended.params))

    def _fresh(self, start: Params) -> loop.Carry:
        """The carry before the first epoch; Levenberg-Marquardt's first lambda takes a pass over the stream."""
        if isinstance(self.trainer, LevenbergMarquardt):
            return self._carry(start, streamed.first_state(self.net, self.trainer, start, _Passes(self.feed)))
        return self._like(start)

    def _like(self, start: Params) -> loop.Carry:
        """A carry of the same shapes, without a pass over the stream."""
        if isinstance(self.trainer, LevenbergMarquardt):
            return self._carry(start, streamed.state_from(self.net, self.trainer, start, start))
        none = Rows(jnp.zeros((1, 1), self.feed.dtype), jnp.zeros((1, 1)), None, jnp.asarray(0))
        return self._carry(start, self.trainer.init(self.net, start, none))

    def _carry(self, start: Params, state: Any) -> loop.Carry:
        infinity, zero = self.feed.dtype.type(np.inf), np.int32(0)
        return loop.Carry(state, start, *map(jnp.asarray, (infinity, -infinity, zero, zero, zero)))

    def _go_on(self, before: Progress) -> Progress:
        """The progress one epoch later, scored, made whole before it takes the place of the one before."""
        carry, epoch = before.carry, before.epoch + 1
        began = time.perf_counter()
        state, record, waited = self._epoch(carry.state, epoch)
        stop, cost = int(record.pop("stop", 0)), record["cost"]
        accuracy = -np.inf
        if self.validation is not None:
            score = _evaluate(self.net, state.params, self.validation)
            cost, accuracy = score.cost, score.accuracy
            record |= {"validation_cost": float(cost), "validation_accuracy": float(accuracy)}
        record |= {"epoch": epoch, WAITED: waited / (time.perf_counter() - began)}
        # Compared in the precision that a checkpoint keeps them in.
        scored = tuple(map(self.feed.dtype.type, (float(cost), float(accuracy))))
        sound = bool(np.isfinite(record["cost"])) and bool(_are_finite(state.params))
        improved = sound and bool(scored[0] < float(carry.best_cost))
        kept = (carry.best, carry.best_cost, carry.best_accuracy, carry.best_epoch)
        best, best_cost, best_accuracy, best_epoch = (state.params, *scored, np.int32(epoch)) if improved else kept
        if isinstance(self.trainer, ScoreControlled):
            state, ended = _heed(self.trainer, state, improved)
            stop = stop or int(ended)
        stop = self._first_reason(stop, float(record["cost"]), epoch - int(best_epoch)) if sound else DIVERGED
        records = {name: np.asarray(value)[None] for name, value in record.items()}
        numbers = map(jnp.asarray, (best_cost, best_accuracy, best_epoch, np.int32(epoch), np.int32(stop)))
        after = loop.Carry(state, best, *numbers)
        return Progress(after, [[*before.parts[0], records]])

    def _epoch(self, state: Any, epoch: int) -> tuple[Any, dict[str, Any], float]:
        """The state after an epoch, its record, and the seconds that the devices waited for input."""
        if isinstance(self.trainer, LevenbergMarquardt):
            passes = _Passes(self.feed)
            return *streamed.step(self.net, self.trainer, state, self.feed.total, passes), passes.waited
        key, cost, record = jax.random.fold_in(self.key, epoch), 0.0, {}
        feed = self.feed.epoch(epoch)
        for i, rows in enumerate(feed):
            count = int(rows.count)
            state, record = _descend(self.net, self._for_chunk(count), state, rows, jax.random.fold_in(key, i))
            jax.block_until_ready(state)  # so that what is waited for below, the devices wait for
            cost += count * float(record["cost"])
        return state, record | {"cost": cost / self.feed.total}, feed.waited

    def _for_chunk(self, count: int) -> GradientDescent:
        """The trainer whose penalties, which it divides by the chunk's rows, are those of all N."""
        share = count / self.feed.total
        given = {name: getattr(self.trainer, name) for name in ("l2", "l1")}
        return replace(self.trainer, **{name: value * share for name, value in given.items() if value is not None})

    def _first_reason(self, stop: int, cost: float, since_best: int) -> int:
        """The code of the first rule that ends the training here, 0 if none does."""
        stopping = self.stopping
        if stopping.goal is not None and cost <= stopping.goal:
            return stop or stop_code("goal")
        if stopping.max_fail is not None and since_best >= stopping.max_fail:
            return stop or stop_code("max_fail")
        return stop

    def _look_outside(self, records: dict[str, np.ndarray]) -> str | None:
        """Hand the new record to the callbacks, look at the clock; process 0's speak for all."""
        answers = [callback({name: values[0] for name, values in records.items()}) for callback in self.callbacks]
        limit = self.stopping.time_limit
        late = limit is not None and time.perf_counter() - self.started >= limit
        code = stop_code("callback") if any(answers) else stop_code("time") if late else 0
        code = code if self.feed.mesh is None else agreed(code)[0]
        return STOP_REASONS[code] if code else None


class _Passes:
    """Passes over a stream in the order on disk; `waited` sums the seconds that the devices stood still."""

    def __init__(self, feed: Feed):
        self.feed, self.waited = feed, 0.0

    def __call__(self, part: Callable[..., Any], *arguments: Any) -> Any:
        """part(rows, *arguments) summed over the stream."""
        net, trainer = part.args  # type: ignore[attr-defined]
        so_far, feed = None, self.feed.epoch(None)
        for rows in feed:
            if so_far is None:
                shapes = jax.eval_shape(part, rows, *arguments)
                so_far = jax.tree.map(lambda s: jnp.zeros(s.shape, s.dtype), shapes)
            so_far = jax.block_until_ready(_added(net, part.func, trainer, so_far, rows, *arguments))  # type: ignore[attr-defined]
        self.waited += feed.waited
        return so_far
