"""The epochs of a training over a stream: passes over its chunks."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from deltarule.engine.randomness import NOISE, ORDER
from deltarule.engine.rows import Rows
from deltarule.engine.turn import Record, Turn
from deltarule.network.backprop import Params
from deltarule.objective import StreamedObjective
from deltarule.training.loop import Carry, Course
from deltarule.training.streaming.feed import Feed

WAITED = "input_wait"  # a share of the clock's time, and so the one record that differs from run to run


@dataclass(frozen=True)
class StreamedCourse(Course):
    """A `Course` whose examples are read again every epoch; `trainer.whole_stream` says whether a step sees all."""

    trainer: Any
    rows: Feed

    @cached_property
    def engine(self) -> Any:
        """The engine of the chunks."""
        return self.rows.engine

    @property
    def compiled(self) -> bool:
        """Never: Python hands over the chunks."""
        return False

    @property
    def divided(self) -> bool:
        """Whether devices divide the chunks."""
        return self.rows.mesh is not None

    @property
    def at_once(self) -> int:
        """One: an epoch is a pass over a disk."""
        return 1

    def start(self, params: Params) -> Carry:
        """The carry before the first epoch; Levenberg-Marquardt's first lambda takes a pass over the stream."""
        like = self.like(params)
        if not self.trainer.whole_stream:
            return like
        F = self._objective(self._passes([]))
        return like._replace(state=self.trainer.first_state(F, params, self.rows.dtype))

    def like(self, params: Params) -> Carry:
        """A carry of the same kind, without a pass over the stream."""
        x = np.zeros((1, self.rows.stream.inputs), self.rows.dtype)
        row = Rows(*self.engine.laid_out(x, np.zeros((1, self.net.outputs), x.dtype), None))
        return Carry(self.trainer.init(self.net, params, row), params, np.float64(np.inf), np.float64(-np.inf), 0, 0, 0)

    def kept(self, score: Any) -> Any:
        """A NumPy number, whatever the engine: what passes add up is one."""
        return np.float64(score)

    def largest(self) -> float:
        """No parameter is too large beside targets that nobody has seen."""
        return np.inf

    def turns(self, first: int, until: int, lane: int, clock: Callable[[], None]) -> Iterator[Turn]:
        """The orders are those of chunks, which each epoch draws."""
        key = self.engine.key((*self.path, NOISE)) if any(layer.draws for layer in self.net.layers) else None
        for epoch in range(first, until):
            drawn = None if key is None else self.engine.fold_in(key, epoch + 1)
            yield Turn(None, drawn, self.clock_of(epoch, clock))

    def epoch(self, carry: Carry, turn: Turn) -> tuple[Any, Record]:
        """One step that sums over passes, or the trainer's epoch over each chunk in turn."""
        began, waited = time.perf_counter(), []
        whole = self._step if self.trainer.whole_stream else self._descend
        state, record = whole(carry, turn, waited)
        return state, record | {WAITED: sum(waited) / (time.perf_counter() - began)}

    def _step(self, carry: Carry, turn: Turn, waited: list[float]) -> tuple[Any, Record]:
        F = self._objective(self._passes(waited))
        return self.trainer.step(F, "primal", carry.state, float(self.rows.count), self.rows.dtype, turn.clock)

    def _descend(self, carry: Carry, turn: Turn, waited: list[float]) -> tuple[Any, Record]:
        E, state, epoch, cost, record = self.engine, carry.state, carry.epoch + 1, 0.0, {}
        feed = self.rows.epoch(epoch)
        for i, rows in enumerate(feed):
            turn.clock()
            count = int(rows.count)
            order = self.trainer.orders((*self.path, ORDER, epoch), i, 1, count)
            key = None if turn.key is None else E.fold_in(turn.key, i)
            state, record = E.descend(self.net, self._for_chunk(count), state, rows, order[0], key)
            cost += count * float(record["cost"])  # waits, so that what is waited for above, the devices wait for
        waited.append(feed.waited)
        return state, record | {"cost": np.float64(cost / self.rows.count)}

    def _objective(self, passes: Callable[[], Iterator[Rows]]) -> StreamedObjective:
        """F over the whole stream."""
        block = self.trainer.block(self.net.sizes(self.rows.input_shape), self.rows.size, "primal")
        return StreamedObjective(self.net, passes, block, self.trainer.l2)

    def _passes(self, waited: list[float]) -> Callable[[], Iterator[Rows]]:
        """What begins a pass in the order on disk; each notes the seconds that the devices stood still."""

        def chunks() -> Iterator[Rows]:
            feed = self.rows.epoch(None)
            yield from feed
            waited.append(feed.waited)

        return chunks

    def _for_chunk(self, count: int) -> Any:
        """The trainer whose penalties, which it divides by the chunk's rows, are those of all N."""
        share = count / self.rows.count
        given = {name: getattr(self.trainer, name) for name in ("l2", "l1")}
        return replace(self.trainer, **{name: value * share for name, value in given.items() if value is not None})
