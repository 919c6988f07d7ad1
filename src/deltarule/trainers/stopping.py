"""The rules that stop a training, the names of the reasons, and [N]'s rule that lowers eta first."""

from dataclasses import dataclass
from typing import Any, NamedTuple

from deltarule.arrays import Array
from deltarule.checks import check_fields, require_count, require_number
from deltarule.errors import pluralized
from deltarule.trees import register

STOP_REASONS = (
    "running",
    "goal",  # the cost on the training data fell to the goal
    "min_grad",  # the norm of the gradient fell to min_grad
    "mu_max",  # no damping up to its largest value gave a step downhill
    "radius_min",  # no trust region down to rounding gave a step downhill
    "eta_min",  # the no-improvement rule has divided eta down to its floor
    "evidence",  # the evidence of the hyper-parameters has stopped rising
    "max_fail",  # no better validation score for max_fail epochs
    "diverged",  # the cost or a parameter became infinite, NaN or too large
    "epochs",  # all epochs were run
    "time",  # the time limit passed
    "interrupted",  # Ctrl-C
    "callback",  # a callback returned True
    "not_finite",  # the gradient or the curvature became infinite or NaN
    "no_descent",  # no step along the direction of L-BFGS led downhill
)


INTERRUPTIONS = ("time", "interrupted", "callback")  # these end all starts of a training, which can be resumed


def interruption_of(code: int) -> str | None:
    """The reason of this code if it is an interruption, else None."""
    return STOP_REASONS[code] if STOP_REASONS[code] in INTERRUPTIONS else None


def stop_code(reason: str) -> int:
    """The index of a reason in `STOP_REASONS`, by which compiled code knows it."""
    return STOP_REASONS.index(reason)


@dataclass(frozen=True)
class Stopping:
    """The rules that end a training before its number of epochs; None switches a rule off.

    Args:
        goal: stop when the training cost is at most this; for mini-batches, the mean of their costs.
        min_grad: stop when the norm of the gradient is at most this; only for a trainer whose steps take all examples.
        max_fail: stop after this many epochs without a better validation score (MATLAB's name and meaning); it needs
            validation data. With equal accuracy the lower cost is better.
        time_limit: seconds after which the training ends with its last completed epoch; the first epoch is always
            completed. `LBFGS` ends with its last completed iteration.
    """

    goal: float | None = None
    min_grad: float | None = None
    max_fail: int | None = None
    time_limit: float | None = None

    def __post_init__(self):
        check_fields(self, least_0=("goal", "min_grad", "time_limit"), counts=("max_fail",))


register(Stopping, leaves=("goal", "min_grad", "max_fail"))


def stop_sentence(reason: str, epochs: int, stopping: Stopping, trainer: Any, kept_best: bool) -> str:
    """Say in one sentence why a training ended after so many epochs."""
    name = trainer.learning_rate_name
    rate = f" with {name} = {getattr(trainer, name):g}" if name is not None else ""
    advice = f"use a smaller {name}" if name is not None else "scale inputs and targets to mean 0 and variance 1"
    kept = "best" if kept_best else "latest"
    after, patience = pluralized(epochs, "epoch"), pluralized(trainer.max_fail or 0, "epoch")
    return {
        "goal": f"the training cost reached the goal of {stopping.goal} after {after}.",
        "min_grad": f"the norm of the gradient fell to {stopping.min_grad} after {after}.",
        "mu_max": f"no damping gave a step downhill after {after}: to rounding, this is a minimum.",
        "no_descent": f"no step gave a lower cost after {after}: to rounding, this is a minimum.",
        "radius_min": f"no radius gave a step downhill after {after}: to rounding, this is a minimum.",
        "eta_min": f"eta fell to its floor after {after}, because the validation score stopped improving.",
        "evidence": f"no larger evidence for {patience}, after {epochs:,}.",
        "max_fail": f"no better validation score for {pluralized(stopping.max_fail or 0, 'epoch')}, after {epochs:,}.",
        "diverged": f"training diverged in epoch {epochs}{rate}: the best parameters before it are kept; {advice}.",
        "epochs": "the one epoch was run." if epochs == 1 else f"all {after} were run.",
        "time": f"the time limit of {stopping.time_limit} s passed after {after}.",
        "interrupted": f"interrupted after {after}: the {kept} parameters are kept.",
        "not_finite": f"the gradient or the curvature is infinite or NaN in epoch {epochs}: scale inputs and targets "
        "to mean 0 and variance 1, or use an output and a cost that belong together.",
        "callback": f"a callback ended the training after {after}.",
    }[reason]


SLACK = 1 + 1e-6  # for the rounding of single precision


class Rate(NamedTuple):
    """The current factor of eta, and the epochs without improvement since it was set."""

    scale: Array
    fails: Array


@dataclass(frozen=True)
class NoImprovement:
    """Divide eta by `divide_by` after k epochs without a better validation score; stop once it has fallen to `floor`.

    The score is that of `train(monitor=...)`: with "accuracy" an epoch improves if it classifies more of the validation
    examples correctly than every epoch before, with "cost" if its validation cost is lower. After a division the count
    begins anew. [N] halves and stops at 1/128 of the first eta, that is after seven halvings.

    Args:
        k: epochs without improvement, at least 1.
        divide_by: above 1.
        floor: the fraction of the first eta at which training stops, from 0 (never) to below 1.

    Raises:
        ConfigurationError: a value outside its range.

    Source: [N] ch. 3, "How to choose a neural network's hyper-parameters?".
    """

    k: int = 10
    divide_by: float = 2.0
    floor: float = 1 / 128

    def __post_init__(self):
        object.__setattr__(self, "k", require_count("no_improvement, the k of its epochs,", self.k))
        object.__setattr__(self, "divide_by", require_number("divide_by", self.divide_by, above=1))
        object.__setattr__(self, "floor", require_number("floor", self.floor, least=0, below=1))

    def start(self, like: Array) -> Rate:
        """The factor 1 and no epochs without improvement, in the namespace and dtype of this array."""
        xp = like.__array_namespace__()
        return Rate(xp.ones((), dtype=like.dtype), xp.zeros((), dtype="int32"))

    def after_epoch(self, rate: Rate, improved: Array) -> tuple[Rate, Array]:
        """Return the rate after an epoch that improved the score or did not, and the code of a stop, 0 for none."""
        xp = rate.scale.__array_namespace__()
        fails = xp.where(improved, 0, rate.fails + 1)
        divide = fails >= self.k
        scale = xp.where(divide, rate.scale / self.divide_by, rate.scale)
        stop = xp.where(divide & (scale <= self.floor * SLACK), stop_code("eta_min"), 0)
        return Rate(scale, xp.where(divide, 0, fails).astype("int32")), stop.astype("int32")


register(NoImprovement, leaves=("k", "divide_by", "floor"))
