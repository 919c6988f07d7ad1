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

from deltarule.backprop import Params
from deltarule.devices import agreed, local
from deltarule.evaluation import evaluate
from deltarule.network import Network
from deltarule.rows import Rows
from deltarule.session import Callback, TrainingResult
from deltarule.stopping import STOP_REASONS, Stopping, stop_code, stop_sentence
from deltarule.streaming.feed import Feed
from deltarule.trainers.gradient_descent import GradientDescent
from deltarule.trainers.levenberg_marquardt import LevenbergMarquardt, streamed


@partial(jax.jit, static_argnums=0)
def _descend(net: Network, trainer: GradientDescent, state: Any, rows: Rows, key: Array) -> tuple[Any, Any]:
    return rows.everywhere(trainer.epoch(net, state, rows, key))


@partial(jax.jit, static_argnums=(0, 1))
def _added(net: Network, part: Callable[..., Any], trainer: Any, so_far: Any, rows: Rows, *arguments: Any) -> Any:
    return rows.everywhere(jax.tree.map(jnp.add, so_far, part(net, trainer, rows, *arguments)))


_evaluate = jax.jit(evaluate, static_argnums=0)


@dataclass
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
    waited: float = 0.0

    def run(self, start: Params) -> TrainingResult:
        """Epoch after epoch until one of the reasons to stop."""
        state = self._first(start)
        best, best_cost, best_epoch, history, reason = start, np.inf, 0, [], None
        try:
            for epoch in range(1, self.epochs + 1):
                began, self.waited = time.perf_counter(), 0.0
                state, record = self._epoch(state, epoch)
                stop = int(record.pop("stop", 0))
                cost = float(record["cost"])
                if self.validation is not None:
                    score = _evaluate(self.net, state.params, self.validation)
                    cost = float(score.cost)
                    record |= {"validation_cost": cost, "validation_accuracy": float(score.accuracy)}
                record |= {"epoch": epoch, "input_wait": self.waited / (time.perf_counter() - began)}
                history.append({name: np.asarray(value) for name, value in record.items()})
                if cost < best_cost:
                    best, best_cost, best_epoch = state.params, cost, epoch
                if isinstance(self.trainer, GradientDescent):
                    state, ended = self.trainer.heed(state, jnp.asarray(best_epoch == epoch))
                    stop = stop or int(ended)
                reason = self._reason(stop, history[-1], epoch - best_epoch)
                if reason is not None:
                    break
        except KeyboardInterrupt:
            reason = "interrupted"
        keep_best = self.validation is not None or reason == "diverged"
        kept = local(best if keep_best else state.params)
        done = len(history)
        reason = reason or "epochs"
        return TrainingResult(
            params=kept,
            history={name: np.stack([record[name] for record in history]) for name in history[0]} if history else {},
            stop_reason=reason,
            message=stop_sentence(reason, done, self.stopping, self.trainer, keep_best),
            epochs=done,
            best_epoch=best_epoch if keep_best else done,
            seconds=time.perf_counter() - self.started,
        )

    def _first(self, start: Params) -> Any:
        if isinstance(self.trainer, LevenbergMarquardt):
            return streamed.first_state(self.net, self.trainer, start, self._over)
        none = Rows(jnp.zeros((1, 1), jax.tree.leaves(start)[0].dtype), jnp.zeros((1, 1)), None, jnp.asarray(0))
        return self.trainer.init(self.net, start, none)

    def _epoch(self, state: Any, epoch: int) -> tuple[Any, dict[str, Any]]:
        if isinstance(self.trainer, LevenbergMarquardt):
            return streamed.step(self.net, self.trainer, state, self.feed.total, self._over)
        key, cost, record = jax.random.fold_in(self.key, epoch), 0.0, {}
        feed = self.feed.epoch(epoch)
        for i, rows in enumerate(feed):
            count = int(rows.count)
            state, record = _descend(self.net, self._for_chunk(count), state, rows, jax.random.fold_in(key, i))
            jax.block_until_ready(state)  # so that what is waited for below, the devices wait for
            cost += count * float(record["cost"])
        self.waited += feed.waited
        return state, record | {"cost": cost / self.feed.total}

    def _for_chunk(self, count: int) -> GradientDescent:
        """The trainer whose penalties, which it divides by the chunk's rows, are those of all N."""
        share = count / self.feed.total
        given = {name: getattr(self.trainer, name) for name in ("l2", "l1")}
        return replace(self.trainer, **{name: value * share for name, value in given.items() if value is not None})

    def _over(self, part: Callable[..., Any], *arguments: Any) -> Any:
        """part(rows, *arguments) summed over the stream in the order on disk."""
        net, trainer = part.args  # type: ignore[attr-defined]
        so_far, feed = None, self.feed.epoch(None)
        for rows in feed:
            if so_far is None:
                shapes = jax.eval_shape(part, rows, *arguments)
                so_far = jax.tree.map(lambda s: jnp.zeros(s.shape, s.dtype), shapes)
            so_far = jax.block_until_ready(_added(net, part.func, trainer, so_far, rows, *arguments))  # type: ignore[attr-defined]
        self.waited += feed.waited
        return so_far

    def _reason(self, stop: int, record: dict[str, np.ndarray], since_best: int) -> str | None:
        """Why to stop here, None to go on; process 0's clock and callbacks speak for all."""
        stopping = self.stopping
        if not np.isfinite(record["cost"]):
            stop = stop_code("diverged")
        elif stop == 0 and stopping.goal is not None and record["cost"] <= stopping.goal:
            stop = stop_code("goal")
        elif stop == 0 and stopping.max_fail is not None and since_best >= stopping.max_fail:
            stop = stop_code("max_fail")
        answers = [callback(dict(record)) for callback in self.callbacks]
        if stop == 0:
            late = stopping.time_limit is not None and time.perf_counter() - self.started >= stopping.time_limit
            stop = stop_code("callback") if any(answers) else stop_code("time") if late else 0
        stop = stop if self.feed.mesh is None else agreed(stop)[0]
        return STOP_REASONS[stop] if stop else None
