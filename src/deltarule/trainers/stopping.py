"""When a training ends, and why: the rules and the names of the reasons."""

from dataclasses import dataclass
from typing import Any

from deltarule.checks import check_fields
from deltarule.engine.pytrees import register
from deltarule.errors import counted

STOP_REASONS = (
    "running",
    "goal",  # the cost on the training data fell to the goal
    "min_grad",  # the norm of the gradient fell to min_grad
    "mu_max",  # no damping up to its largest value gave a step downhill
    "radius_min",  # no trust region down to rounding gave a step downhill
    "eta_min",  # the no-improvement rule has divided eta down to its floor
    "evidence",  # the evidence of the hyper-parameters rose no more
    "max_fail",  # no better validation score for max_fail epochs
    "diverged",  # the cost or a parameter left the range of numbers
    "epochs",  # as many epochs as asked for
    "time",  # the time limit passed
    "interrupted",  # Ctrl-C
    "callback",  # a callback asked for the end
    "not_finite",  # the gradient or the curvature left the range of numbers
    "no_descent",  # no step along the direction of L-BFGS led downhill
)


FROM_OUTSIDE = ("time", "interrupted", "callback")  # what ends all starts of a training, and may be resumed


def from_outside(code: int) -> str | None:
    """The reason that this code stands for, if it came from outside of the training."""
    return STOP_REASONS[code] if STOP_REASONS[code] in FROM_OUTSIDE else None


def stop_code(reason: str) -> int:
    """The index of a reason in `STOP_REASONS`, which is what compiled code carries."""
    return STOP_REASONS.index(reason)


@dataclass(frozen=True)
class Stopping:
    """The rules that end a training before its number of epochs; None switches a rule off.

    Args:
        goal: stop when the training cost is at most this; of mini-batches, their mean as they came.
        min_grad: stop when the norm of the gradient is at most this; only for a trainer that takes all examples in each
            step, because no other knows the gradient.
        max_fail: stop after this many epochs without a better validation score (MATLAB's name and meaning); it needs
            validation data. Of two epochs of one accuracy the one of the lower cost is the better.
        time_limit: seconds after which the training ends with its last whole epoch; the first epoch is always whole.
            An epoch of `LBFGS` is many iterations: it ends with the last whole one of these, at least one.
    """

    goal: float | None = None
    min_grad: float | None = None
    max_fail: int | None = None
    time_limit: float | None = None

    def __post_init__(self):
        """Check the numbers where they are given."""
        check_fields(self, least_0=("goal", "min_grad", "time_limit"), counts=("max_fail",))


register(Stopping, leaves=("goal", "min_grad", "max_fail"))


def stop_sentence(reason: str, epochs: int, stopping: Stopping, trainer: Any, kept_best: bool) -> str:
    """Why a training of so many epochs ended, with the trainer's learning rate under its name."""
    name = trainer.learning_rate_name
    cause = f" with {name} = {getattr(trainer, name):g}" if name is not None else ""
    cure = f"use a smaller {name}" if name is not None else "scale inputs and targets to mean 0 and variance 1"
    kept = "best" if kept_best else "latest"
    after, patience = counted(epochs, "epoch"), counted(trainer.max_fail or 0, "epoch")
    return {
        "goal": f"the training cost reached the goal of {stopping.goal} after {after}.",
        "min_grad": f"the norm of the gradient fell to {stopping.min_grad} after {after}.",
        "mu_max": f"no damping gave a step downhill after {after}: to rounding, this is a minimum.",
        "no_descent": f"no step gave a lower cost after {after}: to rounding, this is a minimum.",
        "radius_min": f"no radius gave a step downhill after {after}: to rounding, this is a minimum.",
        "eta_min": f"eta fell to its floor after {after}, because the validation score improved no more.",
        "evidence": f"no larger evidence for {patience}, after {epochs:,}.",
        "max_fail": f"no better validation score for {counted(stopping.max_fail or 0, 'epoch')}, after {epochs:,}.",
        "diverged": f"training diverged in epoch {epochs}{cause}: the best parameters before it are kept; {cure}.",
        "epochs": "the one epoch was run." if epochs == 1 else f"all {after} were run.",
        "time": f"the time limit of {stopping.time_limit} s passed after {after}.",
        "interrupted": f"interrupted after {after}: the {kept} parameters are kept.",
        "not_finite": f"the gradient or the curvature left the range of numbers in epoch {epochs}: scale inputs and "
        "targets to mean 0 and variance 1, or use an output and a cost that belong together.",
        "callback": f"a callback ended the training after {after}.",
    }[reason]
