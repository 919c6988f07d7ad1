"""One trial of a search: a training that can be paused, compared with others, and taken up again where it was."""

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
    """What became of one choice of hyper-parameters.

    Attributes:
        number: counted from 0 in the order of drawing.
        values: the choice.
        cost: the lowest validation cost up to its last epoch, or where accuracy was the monitor that of the best epoch.
        accuracy: the validation accuracy of that epoch; None where cost was the monitor.
        epochs: how many it was given.
        state: "complete", "pruned" (given up because others were better) or "diverged".
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
class Workbench:
    """What the trials of a search have in common: the data on the device, the seed, the network's builder.

    Nothing is laid out before the first trial says in which precision and with how many outputs.
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

    def begin(self, number: int, values: Values) -> "RunningTrial":
        """A trial before its first epoch. All trials of one network start from the same parameters."""
        started = time.perf_counter()
        built = self.build(values)
        if not isinstance(built, tuple | list) or len(built) != 2:
            raise ConfigurationError(f"build returned {built!r}: return a network and a trainer, (net, trainer).")
        net, trainer = built
        check_kinds(net, trainer, NO_RULES, ())
        dtype = as_dtype(trainer.dtype)
        X = pad_sequences("X", self.X, "float64") if is_ragged(self.X) else np.asarray(self.X)
        given = validation_parts(self.validation_data)
        assert given is not None  # `search` asks for it
        inputs, targets = zip((X, self.Y), given[:2], strict=True)
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
        """The data laid out, once for each engine, precision, number of outputs and cost."""
        kind = (E.name, dtype, net.outputs, net.cost)
        if kind not in self.laid_out:
            X = require_inputs(net, "X", self.X, dtype)
            rows = checked_rows(net, params, "X", X, self.Y, None)
            validation = validation_rows(net, params, self.validation_data, dtype)
            assert validation is not None  # `search` asks for it
            self.laid_out[kind] = rows, validation
        return self.laid_out[kind]


@dataclass(eq=False)
class RunningTrial:
    """A training in progress: `advance` goes on with it, and its score is that of its best epoch so far."""

    number: int
    values: Values
    session: Session
    progress: Progress
    dtype: np.dtype
    seconds: float
    pruned: bool = False

    @property
    def carry(self) -> Carry:
        """Where the training stands."""
        return self.progress.carries[0]

    @property
    def stopped(self) -> bool:
        """Whether it ended for a reason of its own, such as divergence."""
        return int(self.carry.stop) != 0

    @property
    def rank(self) -> tuple[float, float]:
        """What trials are ordered by, smaller is better; a trial without one finite score comes last."""
        cost, accuracy = float(self.carry.best_cost), float(self.carry.best_accuracy)
        if not np.isfinite(cost):
            return np.inf, np.inf
        return (-accuracy, cost) if self.session.course.monitor == "accuracy" else (cost, 0.0)

    def advance(self, until: int) -> None:
        """Go on to epoch `until`, or to a stop."""
        started = time.perf_counter()
        course = self.session.course
        with course.engine.computing_in(self.dtype), course.thread_limits():
            self.progress, outside = self.session.advance(self.progress, until)
            if outside is not None:
                raise KeyboardInterrupt
        self.seconds += time.perf_counter() - started

    def record(self) -> Trial:
        """The trial as it stands."""
        reason = STOP_REASONS[int(self.carry.stop)]
        state = "diverged" if reason == "diverged" else "pruned" if self.pruned else "complete"
        accuracy = float(self.carry.best_accuracy) if self.session.course.monitor == "accuracy" else None
        cost, epochs = float(self.carry.best_cost), int(self.carry.epoch)
        return Trial(self.number, self.values, cost, accuracy, epochs, state, self.seconds)

    def result(self) -> TrainingResult:
        """What a training leaves, as `train` would."""
        reason = STOP_REASONS[int(self.carry.stop)] if self.stopped else "epochs"
        return self.session.result(self.carry, self.progress.parts[0], reason)
