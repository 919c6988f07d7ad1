"""One call of `train` in progress: epochs run in chunks, and callbacks, checkpoints and the clock come in between.

The epochs themselves run in `deltarule.training.loop`. How many of them run in a chunk changes no number.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import inf
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np

from deltarule.engine.rows import TimeLimitReached, no_time_limit
from deltarule.errors import pluralized
from deltarule.network.backprop import Params
from deltarule.trainers.stopping import INTERRUPTIONS, STOP_REASONS, stop_sentence
from deltarule.training.checkpoints.checkpointer import Checkpointer
from deltarule.training.loop import Carry, Course, Progress, Records

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NO_CHECKPOINTS = Checkpointer(None)
CHUNK_SECONDS = 0.5  # the time that a chunk of epochs aims at, so that progress and Ctrl-C stay lively

Callback = Callable[[dict[str, Any]], bool | None]


@runtime_checkable
class Onlooker(Protocol):
    """A callback that also sees the parameters after every chunk of epochs, such as `deltarule.play.Watch`."""

    def look(self, course: Course, carry: Carry) -> None:
        """Receive the state of the best start: before the first epoch, and after every chunk of records."""
        ...

    def ended(self, result: "TrainingResult") -> None:
        """Receive the result."""
        ...


@dataclass(frozen=True, eq=False)
class TrainingResult:
    """The parameters that a training found, its history, and why it stopped.

    Attributes:
        params: with validation data the parameters of the epoch with the best score, with `BayesianRegularization`
            those of the largest evidence; else those of the last epoch before any divergence. Where full-batch gradient
            descent reached the goal, the parameters whose cost met it.
        history: one array for each recorded quantity, one entry for each epoch: "epoch", "cost" (training cost with
            regularisation; gradient descent records the mean over its batches, or the cost before a full-batch step,
            Levenberg-Marquardt the cost after the step) and what the trainer records; with validation data
            "validation_cost" and "validation_accuracy" after the epoch, without regularisation; and the quantities
            named by `record`. Of several restarts, the best one's.
        stop_reason: a name in `deltarule.trainers.stopping.STOP_REASONS`.
        message: why the training stopped, in one sentence, followed by `remark`.
        epochs: how many were run.
        best_epoch: the epoch, counted from 1, that params come from; 0 is the start.
        seconds: wall-clock time, compilation included; of a resumed training also that of the calls
            before, each up to its last checkpoint.
        engine: "numpy" or "jax".
        starts: with several restarts, the result of each, this one among them.
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
        """Plot the costs over the epochs with matplotlib, in `ax` or in a new figure, and return the axes."""
        from deltarule.inspection.plots import plot_costs

        return plot_costs(self.history, ax)

    def __repr__(self) -> str:
        """The stop in one line; the arrays are in `params` and `history`."""
        cost = f", cost {self.history['cost'][-1]:.3g}" if self.epochs else ""
        return f"TrainingResult({self.message} {self.seconds:.3g} s on {self.engine}{cost})"


@dataclass(frozen=True)
class Session:
    """One call of `train`, with arguments that are checked."""

    course: Course
    epochs: int
    callbacks: Sequence[Callback]
    started: float
    checkpointer: Checkpointer = NO_CHECKPOINTS

    @cached_property
    def end(self) -> float:
        """The time at which the time limit passes."""
        limit = self.course.rules.time_limit
        return inf if limit is None else self.started + limit

    def run(self, starts: list[Params]) -> TrainingResult:
        """Train from every start, some epochs of each, and return the best result."""
        course = self.course
        progress = self.checkpointer.begin([course.start(start) for start in starts])
        interruption, chunk, first_chunk, seconds_per_epoch = None, 1, True, 0.0
        onlookers = [callback for callback in self.callbacks if isinstance(callback, Onlooker)]
        try:
            self._show(onlookers, progress)
            while interruption is None and not self._finished(progress):
                began, before = time.perf_counter(), progress
                planned = min(self.epochs, before.epoch + self._within_time(chunk, seconds_per_epoch))
                until = self._broadcast(self.checkpointer.limit(planned))[0]
                progress, interruption = self.advance(before, until)
                if interruption is None:
                    progress, interruption = self._run_callbacks(before, progress)
                self._show(onlookers, progress)
                if not first_chunk:  # the first one may also compile
                    seconds_per_epoch = (time.perf_counter() - began) / max(progress.epoch - before.epoch, 1)
                    chunk = int(np.clip(CHUNK_SECONDS / seconds_per_epoch, 1, min(course.longest_chunk, 4 * chunk)))
                first_chunk = False
                self.checkpointer.write_if_due(progress)
        except KeyboardInterrupt:
            interruption = "interrupted"
        finally:
            self.checkpointer.write(progress)
        results = [
            self.result(carry, parts, STOP_REASONS[int(carry.stop)] if int(carry.stop) else interruption or "epochs")
            for carry, parts in zip(*progress, strict=True)
        ]
        best = results[self._best_start(progress.carries)]
        for onlooker in onlookers:
            onlooker.ended(best)
        return replace(best, starts=tuple(results)) if len(results) > 1 else best

    def _show(self, onlookers: Sequence[Onlooker], progress: Progress) -> None:
        """Show the state of the best start to the onlookers."""
        for onlooker in onlookers:
            onlooker.look(self.course, progress.carries[self._best_start(progress.carries)])

    def _finished(self, progress: Progress) -> bool:
        """Whether every start has stopped or run all its epochs."""
        return all(int(carry.stop) or int(carry.epoch) >= self.epochs for carry in progress.carries)

    def _within_time(self, chunk: int, seconds_per_epoch: float) -> int:
        """Return `chunk`, or the number of epochs for which the time limit leaves time, at least one."""
        left = self.end - time.perf_counter()
        return int(np.clip(left / seconds_per_epoch, 1, chunk)) if seconds_per_epoch else chunk

    def advance(self, progress: Progress, until: int) -> tuple[Progress, str | None]:
        """Train every start to epoch `until`, or until something interrupts; returned with what interrupted, if any."""
        carries, parts, interruption = [], [], None
        for number, start in enumerate(zip(progress.carries, progress.parts, strict=True)):
            after = (*start, None) if interruption == "interrupted" else self._advance_start(number, *start, until)
            carries.append(after[0])
            parts.append(after[1])
            interruption = interruption or after[2]
        return Progress(carries, parts), interruption

    def _advance_start(
        self, number: int, carry: Carry, parts: list[Records], until: int
    ) -> tuple[Carry, list[Records], str | None]:
        """Train one start to epoch `until`."""
        interruption, clock = None, self._clock()
        while interruption is None and int(carry.epoch) < until and not int(carry.stop):
            first = int(carry.epoch)
            carry, records, interruption = self.course.advance(carry, until, number, clock)
            if records:
                parts = [*parts, records | {"epoch": np.arange(first + 1, int(carry.epoch) + 1)}]
        return carry, parts, interruption

    def _clock(self) -> Callable[[], None]:
        """The function that raises `TimeLimitReached` once the time limit has passed.

        Several devices compare the time between epochs only, so that all stop at the same one.
        """
        if self.end == inf or self.course.divided:
            return no_time_limit

        def look() -> None:
            if time.perf_counter() >= self.end:
                raise TimeLimitReached

        return look

    def _run_callbacks(self, before: Progress, after: Progress) -> tuple[Progress, str | None]:
        """Call the callbacks with the new records and compare the time; return the progress, and why to stop, if so.

        Where a callback ends the training at an epoch within the chunk, the chunk is run again up to that epoch.
        """
        best = self._best_start(after.carries)
        last = self._epoch_ended_by_callback(after.parts[best][len(before.parts[best]) :])
        interruption = "callback" if last is not None else "time" if time.perf_counter() >= self.end else None
        interruption, last = self._broadcast(interruption, last)
        if last is not None and last < after.epoch:
            after, _ = self.advance(before, last)
        return after, interruption

    def _epoch_ended_by_callback(self, parts: list[Records]) -> int | None:
        """Return the first epoch whose record made a callback return True; later records are shown to none."""
        for part in parts:
            for i, epoch in enumerate(part["epoch"]):
                record = {name: values[i] for name, values in part.items()}
                answers = [callback(record) for callback in self.callbacks]
                if any(answers):
                    return int(epoch)
        return None

    def _best_start(self, carries: list[Carry]) -> int:
        """The number of the start with the best score so far."""
        cost, accuracy = (np.array([getattr(c, name) for c in carries]) for name in ("best_cost", "best_accuracy"))
        order = np.lexsort((cost, -accuracy)) if self.course.monitor == "accuracy" else np.argsort(cost)
        return int(order[0])

    def _broadcast(self, *values: Any) -> tuple[Any, ...]:
        """Return the values of process 0, where several processes train: numbers, interruptions or None."""
        if not self.course.divided:
            return values
        codes = [-1 if v is None else -2 - INTERRUPTIONS.index(v) if isinstance(v, str) else v for v in values]
        agreed = self.course.engine.broadcast(*codes)
        return tuple(None if c == -1 else INTERRUPTIONS[-2 - c] if c < -1 else c for c in agreed)

    def result(self, carry: Carry, parts: list[Records], reason: str) -> TrainingResult:
        """Build the result of a start that stopped for `reason`."""
        course, trainer, epochs = self.course, self.course.trainer, int(carry.epoch)
        # Full-batch gradient descent records the cost before its step, so the parameters before it met the goal.
        met_before = trainer.cost_before_step and trainer.batch_size is None
        keep_best = course.validation is not None or trainer.selects_by is not None or reason == "diverged"
        keep_best = keep_best or (reason == "goal" and met_before)
        params = carry.best if keep_best else carry.state.params
        message = stop_sentence(reason, epochs, course.rules, trainer, keep_best)
        if reason == "callback" and any(getattr(callback, "stopped", False) is True for callback in self.callbacks):
            message = f"the training was stopped on its page after {pluralized(epochs, 'epoch')}."
        return TrainingResult(
            params=course.engine.unreplicate(params) if course.divided else params,
            history={name: np.concatenate([part[name] for part in parts]) for name in parts[0]} if parts else {},
            stop_reason=reason,
            message=message,
            epochs=epochs,
            best_epoch=int(carry.best_epoch) if keep_best else epochs,
            seconds=self.checkpointer.earlier_seconds + time.perf_counter() - self.started,
            engine=course.engine.name,
        )
