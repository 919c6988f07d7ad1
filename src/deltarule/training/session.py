"""One training in progress: some epochs at a time, and what is done in between.

Epochs run in `deltarule.training.loop`; in between a session looks at progress, callbacks, Ctrl-C and the clock. How
many epochs run at a time changes nothing in the numbers.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import inf
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np

from deltarule.engine.rows import TimeLimitReached, no_time_limit
from deltarule.network.backprop import Params
from deltarule.trainers.stopping import FROM_OUTSIDE, STOP_REASONS, stop_sentence
from deltarule.training.checkpoints.keeper import Keeper
from deltarule.training.loop import Carry, Course, Progress, Records

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NO_CHECKPOINTS = Keeper(None)
CHUNK_SECONDS = 0.5  # what the epochs between two looks aim at, so that progress and Ctrl-C stay lively

Callback = Callable[[dict[str, Any]], bool | None]


@runtime_checkable
class Onlooker(Protocol):
    """A callback that also sees the parameters, between some epochs and the next, such as `deltarule.play.Watch`."""

    def look(self, course: Course, carry: Carry) -> None:
        """Where the best start stands: before the first epoch, and after the records that it was called with."""
        ...

    def ended(self, result: "TrainingResult") -> None:
        """What the training leaves."""
        ...


@dataclass(frozen=True, eq=False)
class TrainingResult:
    """What a training leaves.

    Attributes:
        params: with validation data the parameters of the best epoch on it, else those of the last good epoch, and
            where full-batch gradient descent reached the goal those that met it; with `BayesianRegularization` those
            of the largest evidence.
        history: one array for each recorded quantity, one entry for each epoch: "epoch", "cost" (training cost with
            regularisation; gradient descent records that of the batches as they came, or at the start of a full-batch
            step, Levenberg-Marquardt that after the step) and whatever the trainer records; with validation data
            "validation_cost" and "validation_accuracy", scored after the epoch, the cost without regularisation; and
            what `record` asked for. Of several starts, the best one's.
        stop_reason: a name in `deltarule.trainers.stopping.STOP_REASONS`.
        message: the stop in one sentence; and `remark`, if there is one.
        epochs: how many were run.
        best_epoch: the epoch, counted from 1, that params come from; 0 is the start.
        seconds: wall-clock time, compilation included; of a resumed training also that of the calls
            before, each up to its last checkpoint.
        engine: what computed: "numpy" or "jax".
        starts: of several starts, the result of each, this one among them.
        remark: one sentence where a classifier has learnt nothing, or where standard errors do not fit the memory.
    """

    params: Params
    history: dict[str, np.ndarray]
    stop_reason: str
    message: str
    epochs: int
    best_epoch: int
    seconds: float
    engine: str
    starts: tuple["TrainingResult", ...] = ()
    remark: str = ""

    def plot_costs(self, *, ax: "Axes | None" = None) -> "Axes":
        """The costs over the epochs by matplotlib, in `ax` or in a new figure; the axes."""
        from deltarule.inspection.plots import plot_costs

        return plot_costs(self.history, ax)

    def __repr__(self) -> str:
        """The stop in one line; the arrays are in `params` and `history`."""
        cost = f", cost {self.history['cost'][-1]:.3g}" if self.epochs else ""
        return f"TrainingResult({self.message} {self.seconds:.3g} s on {self.engine}{cost})"


@dataclass(frozen=True)
class Session:
    """One call of `train`, everything checked."""

    course: Course
    epochs: int
    callbacks: Sequence[Callback]
    started: float
    keeper: Keeper = NO_CHECKPOINTS

    @cached_property
    def end(self) -> float:
        """When the time limit passes."""
        limit = self.course.rules.time_limit
        return inf if limit is None else self.started + limit

    def run(self, starts: list[Params]) -> TrainingResult:
        """Train from every start, some epochs of each, and return the best result."""
        course = self.course
        progress = self.keeper.begin([course.start(start) for start in starts])
        outside, chunk, first_chunk, rate = None, 1, True, 0.0
        onlookers = [callback for callback in self.callbacks if isinstance(callback, Onlooker)]
        try:
            self._show(onlookers, progress)
            while outside is None and not self._done(progress):
                began, before = time.perf_counter(), progress
                planned = min(self.epochs, before.epoch + self._in_time(chunk, rate))
                until = self._agreed(self.keeper.limit(planned))[0]
                progress, outside = self.go_on(before, until)
                if outside is None:
                    progress, outside = self._look_outside(before, progress)
                self._show(onlookers, progress)
                if not first_chunk:  # which may also compile
                    rate = (time.perf_counter() - began) / max(progress.epoch - before.epoch, 1)
                    chunk = int(np.clip(CHUNK_SECONDS / rate, 1, min(course.at_once, 4 * chunk)))
                first_chunk = False
                self.keeper.offer(progress)
        except KeyboardInterrupt:
            outside = "interrupted"
        finally:
            self.keeper.write(progress)
        results = [
            self.result(carry, parts, STOP_REASONS[int(carry.stop)] if int(carry.stop) else outside or "epochs")
            for carry, parts in zip(*progress, strict=True)
        ]
        best = results[self._leader(progress.carries)]
        for onlooker in onlookers:
            onlooker.ended(best)
        return replace(best, starts=tuple(results)) if len(results) > 1 else best

    def _show(self, onlookers: Sequence[Onlooker], progress: Progress) -> None:
        """Let those who want to see the parameters look."""
        for onlooker in onlookers:
            onlooker.look(self.course, progress.carries[self._leader(progress.carries)])

    def _done(self, progress: Progress) -> bool:
        """Whether every start has stopped or run all its epochs."""
        return all(int(carry.stop) or int(carry.epoch) >= self.epochs for carry in progress.carries)

    def _in_time(self, chunk: int, rate: float) -> int:
        """The chunk, or as many epochs of `rate` seconds as the time limit leaves room for, at least one."""
        return int(np.clip((self.end - time.perf_counter()) / rate, 1, chunk)) if rate else chunk

    def go_on(self, before: Progress, until: int) -> tuple[Progress, str | None]:
        """The progress at epoch `until`, or as far as what ended it from outside let it come."""
        carries, parts, outside = [], [], None
        for lane, start in enumerate(zip(before.carries, before.parts, strict=True)):
            ahead = (*start, None) if outside == "interrupted" else self._lane(lane, start, until)
            carries.append(ahead[0])
            parts.append(ahead[1])
            outside = outside or ahead[2]
        return Progress(carries, parts), outside

    def _lane(
        self, lane: int, start: tuple[Carry, list[Records]], until: int
    ) -> tuple[Carry, list[Records], str | None]:
        """One start at epoch `until`."""
        (carry, parts), outside, clock = start, None, self._clock()
        while outside is None and int(carry.epoch) < until and not int(carry.stop):
            first = int(carry.epoch)
            carry, records, outside = self.course.advance(carry, until, lane, clock)
            if records:
                parts = [*parts, records | {"epoch": np.arange(first + 1, int(carry.epoch) + 1)}]
        return carry, parts, outside

    def _clock(self) -> Callable[[], None]:
        """A function that raises `TimeLimitReached` once the time limit has passed."""
        if self.end == inf or self.course.divided:
            return no_time_limit

        def look() -> None:
            if time.perf_counter() >= self.end:
                raise TimeLimitReached

        return look

    def _look_outside(self, before: Progress, after: Progress) -> tuple[Progress, str | None]:
        """Hand the new records to the callbacks, look at the clock; where to stand, and why to stop."""
        leader = self._leader(after.carries)
        last = self._ended_by_callback(after.parts[leader][len(before.parts[leader]) :])
        outside = None if last is None else "callback"
        late = time.perf_counter() >= self.end
        outside, last = self._agreed(outside or ("time" if late else None), last)
        if last is not None and last < after.epoch:  # the same epochs again, up to that one
            after, _ = self.go_on(before, last)
        return after, outside

    def _ended_by_callback(self, parts: list[Records]) -> int | None:
        """The first of these epochs whose record made a callback return True; none sees a record of a later one."""
        for part in parts:
            for i, epoch in enumerate(part["epoch"]):
                record = {name: values[i] for name, values in part.items()}
                answers = [callback(record) for callback in self.callbacks]
                if any(answers):
                    return int(epoch)
        return None

    def _leader(self, carries: list[Carry]) -> int:
        """The start with the best score so far."""
        cost, accuracy = (np.array([getattr(c, name) for c in carries]) for name in ("best_cost", "best_accuracy"))
        order = np.lexsort((cost, -accuracy)) if self.course.monitor == "accuracy" else np.argsort(cost)
        return int(order[0])

    def _agreed(self, *values: Any) -> tuple[Any, ...]:
        """What process 0 says of numbers, of reasons from outside and of None, where several processes train."""
        if not self.course.divided:
            return values
        codes = [-1 if v is None else -2 - FROM_OUTSIDE.index(v) if isinstance(v, str) else v for v in values]
        agreed = self.course.engine.broadcast(*codes)
        return tuple(None if c == -1 else FROM_OUTSIDE[-2 - c] if c < -1 else c for c in agreed)

    def result(self, carry: Carry, parts: list[Records], reason: str) -> TrainingResult:
        """What a training leaves that ended here, for this reason."""
        course, trainer, epochs = self.course, self.course.trainer, int(carry.epoch)
        # A full-batch step whose cost was known before it: the parameters that met the goal are those before it.
        met_before = trainer.cost_before_step and trainer.batch_size is None
        keep_best = course.validation is not None or trainer.judged_by is not None or reason == "diverged"
        keep_best = keep_best or (reason == "goal" and met_before)
        params = carry.best if keep_best else carry.state.params
        return TrainingResult(
            params=course.engine.unreplicate(params) if course.divided else params,
            history={name: np.concatenate([part[name] for part in parts]) for name in parts[0]} if parts else {},
            stop_reason=reason,
            message=stop_sentence(reason, epochs, course.rules, trainer, keep_best),
            epochs=epochs,
            best_epoch=int(carry.best_epoch) if keep_best else epochs,
            seconds=self.keeper.earlier + time.perf_counter() - self.started,
            engine=course.engine.name,
        )
