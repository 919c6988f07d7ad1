"""The learning-rate rule of [N] ch. 3: divide eta when k epochs have brought no better validation score."""

from dataclasses import dataclass
from typing import NamedTuple

from deltarule.arrays import Array
from deltarule.checks import require_count, require_number
from deltarule.engine.pytrees import register
from deltarule.trainers.stopping import stop_code

SLACK = 1 + 1e-6  # 2^-7 reached in single precision is 2^-7


class Rate(NamedTuple):
    """What multiplies eta now, and for how many epochs nothing has improved since it was set."""

    scale: Array
    fails: Array


@dataclass(frozen=True)
class NoImprovement:
    """Divide eta by `divide_by` after k epochs without a better validation score; stop once it has fallen to `floor`.

    The score is the one that `train(monitor=...)` names: with "accuracy" an epoch improves if it classifies more of the
    validation examples right than every epoch before, with "cost" if its validation cost is lower. After a division
    the count begins anew. [N] halves and stops at 1/128 of the first eta: the seventh halving ends the training.

    Args:
        k: epochs without improvement, at least 1.
        divide_by: above 1.
        floor: the share of the first eta at which training stops, from 0 (never) to below 1.

    Raises:
        ConfigurationError: a value outside its range.

    Source: [N] ch. 3, "How to choose a neural network's hyper-parameters?".
    """

    k: int = 10
    divide_by: float = 2.0
    floor: float = 1 / 128

    def __post_init__(self):
        """Check every number where it is given."""
        object.__setattr__(self, "k", require_count("no_improvement, the k of its epochs,", self.k))
        object.__setattr__(self, "divide_by", require_number("divide_by", self.divide_by, above=1))
        object.__setattr__(self, "floor", require_number("floor", self.floor, least=0, below=1))

    def start(self, like: Array) -> Rate:
        """The whole of eta, nothing failed yet; a number of the kind of this array."""
        xp = like.__array_namespace__()
        return Rate(xp.ones((), dtype=like.dtype), xp.zeros((), dtype="int32"))

    def after_epoch(self, rate: Rate, improved: Array) -> tuple[Rate, Array]:
        """The rate after an epoch that improved the score or did not, and the code of the stop, 0 for none."""
        xp = rate.scale.__array_namespace__()
        fails = xp.where(improved, 0, rate.fails + 1)
        divide = fails >= self.k
        scale = xp.where(divide, rate.scale / self.divide_by, rate.scale)
        stop = xp.where(divide & (scale <= self.floor * SLACK), stop_code("eta_min"), 0)
        return Rate(scale, xp.where(divide, 0, fails).astype("int32")), stop.astype("int32")


register(NoImprovement, leaves=("k", "divide_by", "floor"))
