"""One trial of a search: a training that can be paused, compared with others, and continued."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from deltarule import engine as engines
from deltarule.checks import as_dtype
from deltarule.engine.choice import choose_engine
from deltarule.engine.randomness import as_path
from deltarule.engine.rows import Rows
from deltarule.errors import ConfigurationError
from deltarule.network.examples import checked_rows, require_inputs, validation_parts, validation_rows
from deltarule.network.missing_targets import mask_missing_targets
from deltarule.network.network import Network
from deltarule.network.sequences import is_ragged, pad_sequences
from deltarule.trainers.base import Trainer
from deltarule.trainers.stopping import STOP_REASONS
from deltarule.training.loop import Carry, Course, Progress
from deltarule.training.session import Session, TrainingResult
from deltarule.training.train import NO_RULES, check_kinds, check_together, starting_points
from deltarule.tuning.space import Values

Build = Callable[[Values], tuple[Network, Trainer]]


@dataclass(frozen=True)
class Trial:
    """The outcome of one choice of hyper-parameters.

    Attributes:
        number: counted from 0 in the order of drawing.
        values: the choice.
        cost: the validation cost of its best epoch.
        accuracy: the validation accuracy of that epoch; None where cost is the monitor.
        epochs: how many were run.
        state: "complete", "pruned" (stopped because others were better) or "diverged".
        seconds: its own wall-clock time, compilation included.
    """

    number: int
    values: Values
    cost: float
    accuracy: float | None
    epochs: int
    state: str
    seconds: float


@dataclass(eq=False)
class TrialFactory:
    """Starts the trials of a search, which share the data on the device and the seed.

    The data are laid out when the first trial gives the dtype and the number of outputs.
    """

    build: Build
    X: Any
    Y: Any
    validation_data: Any
    epochs: int
    seed: int
    monitor: str
    engine: str = "auto"
    laid_out: dict[tuple, tuple[Rows, Rows]] = field(default_factory=dict)

    def start(self, number: int, values: Values) -> "RunningTrial":
        """Build a trial before its first epoch. All trials of one network start from the same parameters."""
        started = time.perf_counter()
        built = self.build(values)
        if not isinstance(built, tuple | list) or len(built) != 2:
            raise ConfigurationError(f"build returned {built!r}: return a network and a trainer, (net, trainer).")
        net, trainer = built
        check_kinds(net, trainer, NO_RULES, ())
        dtype = as_dtype(trainer.dtype)
        X = pad_sequences("X", self.X, "float64") if is_ragged(self.X) else np.asarray(self.X)
        validation_data = validation_parts(self.validation_data)
        assert validation_data is not None  # checked by `search`
        inputs, targets = zip((X, self.Y), validation_data[:2], strict=True)
        net = mask_missing_targets(net, *targets, inputs=inputs)
        E = engines.get(choose_engine(self.engine, net, trainer, X.shape, self.epochs, None))
        with E.computing_in(dtype):
            (params,) = starting_points(E, net, trainer, None, self.seed, 1, X.shape[1:], dtype)
            rows, validation = self._rows(E, net, params, dtype)
            check_together(net, trainer, NO_RULES, len(X), validated=True)
            course = Course(net, trainer, rows, validation, as_path(self.seed), NO_RULES, self.monitor, ())
            session = Session(course, self.epochs, (), started)
            with course.thread_limits():
                carry = course.start(params)
        return RunningTrial(number, values, session, Progress([carry], [[]]), dtype, time.perf_counter() - started)

    def _rows(self, E: Any, net: Network, params: Any, dtype: np.dtype) -> tuple[Rows, Rows]:
        """The data laid out on the device, once for each engine, dtype, number of outputs and cost."""
        kind = (E.name, dtype, net.outputs, net.cost)
        if kind not in self.laid_out:
            X = require_inputs(net, "X", self.X, dtype)
            rows = checked_rows(net, params, "X", X, self.Y, None)
            validation = validation_rows(net, params, self.validation_data, dtype)
            assert validation is not None  # checked by `search`
            self.laid_out[kind] = rows, validation
        return self.laid_out[kind]


@dataclass(eq=False)
class RunningTrial:
    """A training in progress, scored by its best epoch so far."""

    number: int
    values: Values
    session: Session
    progress: Progress
    dtype: np.dtype
    seconds: float
    pruned: bool = False

    @property
    def carry(self) -> Carry:
        """The state of the training."""
        return self.progress.carries[0]

    @property
    def stopped(self) -> bool:
        """Whether the training stopped by itself, for instance because it diverged."""
        return int(self.carry.stop) != 0

    @property
    def rank(self) -> tuple[float, float]:
        """The key by which trials are sorted, smaller is better; a trial without a finite score comes last."""
        cost, accuracy = float(self.carry.best_cost), float(self.carry.best_accuracy)
        if not np.isfinite(cost):
            return np.inf, np.inf
        return (-accuracy, cost) if self.session.course.monitor == "accuracy" else (cost, 0.0)

    def advance(self, until: int) -> None:
        """Train up to epoch `until` or a stop."""
        started = time.perf_counter()
        course = self.session.course
        with course.engine.computing_in(self.dtype), course.thread_limits():
            self.progress, interruption = self.session.advance(self.progress, until)
            if interruption is not None:
                raise KeyboardInterrupt
        self.seconds += time.perf_counter() - started

    def record(self) -> Trial:
        """The outcome so far."""
        reason = STOP_REASONS[int(self.carry.stop)]
        state = "diverged" if reason == "diverged" else "pruned" if self.pruned else "complete"
        accuracy = float(self.carry.best_accuracy) if self.session.course.monitor == "accuracy" else None
        cost, epochs = float(self.carry.best_cost), int(self.carry.epoch)
        return Trial(self.number, self.values, cost, accuracy, epochs, state, self.seconds)

    def result(self) -> TrainingResult:
        """The `TrainingResult`, as `train` returns it."""
        reason = STOP_REASONS[int(self.carry.stop)] if self.stopped else "epochs"
        return self.session.result(self.carry, self.progress.parts[0], reason)
