"""One training over a stream: epoch after epoch of chunks, scored, the best kept, the reasons to stop obeyed."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from deltarule.engine.randomness import NOISE, ORDER, Path
from deltarule.engine.rows import Rows
from deltarule.engine.turn import Record, no_clock
from deltarule.network.backprop import Params
from deltarule.network.evaluation import evaluate
from deltarule.network.network import Network
from deltarule.objective import StreamedObjective
from deltarule.trainers.stopping import STOP_REASONS, Stopping, stop_code
from deltarule.training.checkpoints import Keeper, Progress
from deltarule.training.loop import Carry, TimeIsUp, is_sound, judge
from deltarule.training.session import NO_CHECKPOINTS, Callback, TrainingResult, result_of
from deltarule.training.streaming.feed import Feed

WAITED = "input_wait"  # a share of the clock's time, and so the one record that differs from run to run


@dataclass(frozen=True)
class StreamedCourse:
    """One call of `train_stream`, everything checked; `trainer.whole_stream` says whether a step sees all chunks."""

    net: Network
    trainer: Any
    feed: Feed
    validation: Rows | None
    path: Path
    epochs: int
    rules: Stopping
    callbacks: Sequence[Callback]
    started: float
    keeper: Keeper = NO_CHECKPOINTS
    monitor: str = "cost"
    recorded: tuple[str, ...] = ()

    @property
    def engine(self) -> Any:
        """The engine of the chunks."""
        return self.feed.engine

    def run(self, start: Params) -> TrainingResult:
        """Epoch after epoch until one of the reasons to stop, from the start or the last checkpoint."""
        progress = self.keeper.begin(lambda: [self._fresh(start)], lambda: [self._like(start)])
        outside = None
        try:
            while outside is None and progress.epoch < self.epochs and not int(progress.carries[0].stop):
                progress = self._go_on(progress)
                outside = self._look_outside(progress.parts[0][-1])
                self.keeper.offer(progress)
        except TimeIsUp:
            outside = "time"
        except KeyboardInterrupt:
            outside = "interrupted"
        finally:
            self.keeper.write(progress)
        (carry,), (parts,) = progress
        reason = STOP_REASONS[int(carry.stop)] if int(carry.stop) else outside or "epochs"
        keep_best = self.validation is not None or reason == "diverged"
        seconds = self.keeper.earlier + time.perf_counter() - self.started
        ended = result_of(carry, parts, reason, self.rules, self.trainer, keep_best, seconds, self.engine.name)
        return ended if self.feed.mesh is None else replace(ended, params=self.engine.local(ended.params))

    def _fresh(self, start: Params) -> Carry:
        """The carry before the first epoch; Levenberg-Marquardt's first lambda takes a pass over the stream."""
        if not self.trainer.whole_stream:
            return self._like(start)
        F, _ = self._objective(start)
        return self._carry(start, self.trainer.first_state(F, start, self.feed.dtype))

    def _like(self, start: Params) -> Carry:
        """A carry of the same shapes, without a pass over the stream."""
        first = np.zeros((1, self.feed.stream.inputs), self.feed.dtype)
        return self._carry(start, self.trainer.init(self.net, start, self._rows(first)))

    def _rows(self, x: np.ndarray) -> Rows:
        return Rows(*self.engine.laid_out(x, np.zeros((len(x), self.net.outputs), x.dtype), None))

    def _carry(self, start: Params, state: Any) -> Carry:
        infinity = self.feed.dtype.type(np.inf)
        return Carry(state, start, infinity, -infinity, 0, 0, 0)

    def _go_on(self, before: Progress) -> Progress:
        """The progress one epoch later, scored, made whole before it takes the place of the one before."""
        (carry,), epoch, E = before.carries, before.epoch + 1, self.engine
        began = time.perf_counter()
        with E.quiet():
            state, record, waited = self._epoch(carry.state, epoch)
            stop, cost, accuracy = record.pop("stop", 0), record["cost"], -np.inf
            if self.validation is not None:
                cost, accuracy = evaluate(self.net, state.params, self.validation)
                record |= {"validation_cost": float(cost), "validation_accuracy": float(accuracy)}
            record |= {"epoch": epoch, WAITED: waited / (time.perf_counter() - began)}
            # Compared in the precision that a checkpoint keeps them in.
            score = self.feed.dtype.type(float(cost)), self.feed.dtype.type(float(accuracy))
            sound = bool(is_sound(np.float64(record["cost"]), state.params, np.inf))
            validated = self.validation is not None
            after = judge(
                self.trainer, self.rules, self.monitor, carry, state, score, False, sound, stop, record, validated
            )
        records = {name: np.asarray(value)[None] for name, value in record.items()}
        return Progress([after], [[*before.parts[0], records]])

    def _epoch(self, state: Any, epoch: int) -> tuple[Any, Record, float]:
        """The state after an epoch, its record, and the seconds that was waited for input."""
        if self.trainer.whole_stream:
            F, passes = self._objective(state.params)
            clock = self._look if epoch > 1 else no_clock
            state, record = self.trainer.step(F, "primal", state, float(self.feed.total), self.feed.dtype, clock)
            return state, record, passes.waited
        E, cost, record = self.engine, 0.0, {}
        key = E.fold_in(E.key((*self.path, NOISE)), epoch) if any(layer.draws for layer in self.net.layers) else None
        feed = self.feed.epoch(epoch)
        for i, rows in enumerate(feed):
            if epoch > 1:
                self._look()
            count = int(rows.count)
            order = self.trainer.orders((*self.path, ORDER, epoch), i, 1, count)
            own = None if key is None else E.fold_in(key, i)
            state, record = E.descend(self.net, self._for_chunk(count), state, rows, order[0], own)
            cost += count * float(record["cost"])  # waits, so that what is waited for above, the devices wait for
        return state, record | {"cost": cost / self.feed.total}, feed.waited

    def _objective(self, params: Params) -> tuple[StreamedObjective, "_Passes"]:
        """F over the whole stream, and the passes that it will make."""
        passes = _Passes(self.feed)
        block = self.trainer.block(self.net, params, (self.feed.size, self.feed.stream.inputs))
        return StreamedObjective(self.net, passes, block, self.trainer.l2), passes

    def _for_chunk(self, count: int) -> Any:
        """The trainer whose penalties, which it divides by the chunk's rows, are those of all N."""
        share = count / self.feed.total
        given = {name: getattr(self.trainer, name) for name in ("l2", "l1")}
        return replace(self.trainer, **{name: value * share for name, value in given.items() if value is not None})

    def _late(self) -> bool:
        limit = self.rules.time_limit
        return limit is not None and time.perf_counter() - self.started >= limit

    def _look(self) -> None:
        """Raise `TimeIsUp` once the time limit has passed; devices look at the clock together, between epochs."""
        if self.feed.mesh is None and self._late():
            raise TimeIsUp

    def _look_outside(self, records: dict[str, np.ndarray]) -> str | None:
        """Hand the new record to the callbacks, look at the clock; process 0's speak for all."""
        answers = [callback({name: values[0] for name, values in records.items()}) for callback in self.callbacks]
        code = stop_code("callback") if any(answers) else stop_code("time") if self._late() else 0
        code = code if self.feed.mesh is None else self.engine.agreed(code)[0]
        return STOP_REASONS[code] if code else None


class _Passes:
    """Passes over a stream in the order on disk; `waited` sums the seconds that the devices stood still."""

    def __init__(self, feed: Feed):
        self.feed, self.waited = feed, 0.0

    def __call__(self) -> Iterator[Rows]:
        """The chunks."""
        feed = self.feed.epoch(None)
        yield from feed
        self.waited += feed.waited
