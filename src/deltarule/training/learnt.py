"""Whether a classifier has learnt anything: one sentence where it is right no more often than its commonest class."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from deltarule import trees
from deltarule.network.evaluation import correct
from deltarule.trainers.base import Trainer
from deltarule.training.session import TrainingResult

if TYPE_CHECKING:
    from deltarule.network.network import Network

SAMPLE = 1000  # examples that are asked, evenly over all of them
RARE = 0.8  # the share of the commonest class from which the others are too rare to be answered


class Sample(NamedTuple):
    """Some training examples, and the commonest of their classes: its number, and how many are of it."""

    x: np.ndarray
    y: np.ndarray
    most: int
    right: int

    @property
    def share(self) -> float:
        """Of the examples that are of the commonest class."""
        return self.right / len(self.x)


def sample_of_classes(net: "Network", X: np.ndarray, Y: Any) -> Sample | None:
    """Some of the examples, if their targets are classes and not all the same; none of sequences' steps."""
    if net.sizes(X.shape[1:]).steps > 1:
        return None
    every = -(-len(X) // SAMPLE)
    x = X[::every]
    y = np.asarray(net.as_targets(np.asarray(Y)[::every], x))
    if not np.isin(y, (0, 1)).all() or (net.outputs > 1 and (y.sum(axis=1) != 1).any()):
        return None
    if net.outputs == 1 and net.output_activation.name != "sigmoid":
        return None
    classes = y.argmax(axis=1) if net.outputs > 1 else y[:, 0].astype(int)
    counts = np.bincount(classes)
    most = int(counts.argmax())
    return Sample(x.copy(), y, most, int(counts[most])) if counts[most] < len(x) else None


def with_remark(net: "Network", trainer: Trainer, result: TrainingResult, sample: Sample | None) -> TrainingResult:
    """The result, its message longer by a sentence where the network has learnt nothing."""
    if sample is None or result.best_epoch == 0 or result.stop_reason == "diverged":
        return result
    outputs = net(trees.mapped(np.asarray, result.params), sample.x)
    if correct(outputs, sample.y).sum() > sample.right:
        return result
    always = f"on the training examples it is right no more often than class {sample.most} always would be"
    remark = f"{always} ({100 * sample.share:.3g} %): {_advice(trainer, sample)}."
    remark = remark[0].upper() + remark[1:]
    return replace(result, message=f"{result.message} {remark}", remark=remark)


def _advice(trainer: Trainer, sample: Sample) -> str:
    """What to try."""
    if sample.share >= RARE:
        return "the other classes are rare, and its outputs may still rank the examples; weights would count them more"
    scaled = "scale the inputs to mean 0 and variance 1"
    name = trainer.learning_rate_name
    if name is None:
        return f"it has learnt nothing; {scaled}"
    return f"it has learnt nothing; use a smaller {name} than {getattr(trainer, name):g}, and {scaled}"
