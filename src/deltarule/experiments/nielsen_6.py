"""[N] ch. 6: from 100 sigmoids to an ensemble of convolutional networks, every network of the chapter.

Each stage changes one thing: convolution and pooling, a second pair of them, rectified units, more training images,
a second dense layer, dropout, a vote of five.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from typing import NamedTuple

import numpy as np

import deltarule as dr
from deltarule.data import DataSet, Examples
from deltarule.data.expansion import expand
from deltarule.experiments.handwriting import (
    accuracy,
    accuracy_figure,
    curve,
    curves,
    load,
    percent_right,
    train,
    verdict,
)
from deltarule.experiments.report import Report, Row, Settings
from deltarule.network.layers import Layer
from deltarule.training.train import TrainingResult

ENSEMBLE = 5


class Stage(NamedTuple):
    """One network of the chapter.

    `filters` are those of its convolutions, each 5x5 and followed by 2x2 max pooling; `dense` its hidden Dense layers;
    `l2` is lambda of (lambda/2N) sum w².
    """

    name: str
    book: float
    filters: tuple[int, ...]
    dense: tuple[int, ...]
    activation: str
    eta: float
    l2: float | None
    epochs: int
    expanded: bool = False
    dropout: float = 0.0

    @property
    def net(self) -> dr.Network:
        """Softmax outputs under the log-likelihood cost."""
        layers: list[Layer] = []
        for f in self.filters:
            layers += [dr.Convolution(f, (5, 5), self.activation), dr.MaxPool((2, 2))]
        layers = [dr.Reshape((28, 28, 1)), *layers, dr.Flatten()] if layers else []
        drop = [dr.Dropout(self.dropout)] if self.dropout else []
        for n in self.dense:
            layers += [dr.Dense(n, self.activation), *drop]
        return dr.Network([*layers, dr.Dense(10, "softmax")], cost="log-likelihood")


# The book's program adds (lambda/2) sum w² times m/N to a batch's mean cost, m = 10: its lambda = 0.1 is 1.0 here.
STAGES = (
    Stage("100 sigmoids", 97.80, (), (100,), "sigmoid", 0.1, None, 60),
    Stage("20 kernels", 98.78, (20,), (100,), "sigmoid", 0.1, None, 60),
    Stage("20 and 40 kernels", 99.06, (20, 40), (100,), "sigmoid", 0.1, None, 60),
    Stage("rectified units", 99.23, (20, 40), (100,), "relu", 0.03, 1.0, 60),
    Stage("expanded images", 99.37, (20, 40), (100,), "relu", 0.03, 1.0, 60, expanded=True),
    Stage("two dense layers", 99.43, (20, 40), (100, 100), "relu", 0.03, 1.0, 60, expanded=True),
    Stage("1,000 neurons twice, dropout", 99.60, (20, 40), (1000, 1000), "relu", 0.03, None, 40, True, 0.5),
)
VOTE = 99.67


def expanded(train: Examples) -> Examples:
    """Five times as many images, by shifts of a pixel."""
    X, Y = expand(train.X, train.Y, (28, 28), ("shift",))
    return Examples(X, Y, np.tile(train.rows, len(X) // len(train)))


def run(settings: Settings) -> Report:
    """Run stage by stage; after an interruption report the stages that ended."""
    data = load(settings)
    more = cache(lambda: expanded(data.train))  # when a stage first asks for them
    rows: list[Row] = []
    lines: dict[str, np.ndarray] = {}
    notes: list[str] = list(NOTES)
    for stage in [stage._replace(epochs=1) for stage in STAGES] if settings.quick else STAGES:
        results = None
        with suppress(KeyboardInterrupt):  # while the images are expanded, where no training handles it
            results = stage_results(stage, data, more, settings)
        if results is None:
            notes.insert(0, f"The run was ended in the stage {stage.name!r}: it and what comes after it are missing.")
            break
        rows.append(stage_row(stage, results, data))
        lines[stage.name] = curves(results)
        if stage.dropout:
            rows.append(vote_row(stage, results, data))
    figures, caption = {}, "Accuracy on the validation images after every epoch, stage by stage"
    if lines:
        figures["accuracy"] = accuracy_figure(lines, "accuracy, %", "Validation images"), caption
        notes.insert(0, verdict(rows))
    return Report("nielsen-6", "Convolutional networks", rows, figures, notes)


def stage_results(
    stage: Stage, data: DataSet, more: Callable[[], Examples], settings: Settings
) -> list[TrainingResult] | None:
    """One training for each seed, or for each member of the ensemble; None after an interruption."""
    results = []
    for seed in settings.runs(ENSEMBLE) if stage.dropout else settings.runs(1, quick=1):
        examples = more() if stage.expanded else data.train
        numbers = {"eta": stage.eta, "l2": stage.l2, "epochs": stage.epochs, "seed": seed}
        results.append(train(stage.net, examples, data.validation, settings, stage.name, **numbers))
        if results[-1].stop_reason == "interrupted":
            return None
    return results


def stage_row(stage: Stage, results: Sequence[TrainingResult], data: DataSet) -> Row:
    """The test accuracy of the epoch that is best on the validation images, as the book's program reports it."""
    return Row(
        f"{stage.name}, {stage.epochs} epoch{'s' * (stage.epochs > 1)}",
        stage.book,
        [accuracy(stage.net, result, data.test) for result in results],
        {"validation images": [float(curve(result).max()) for result in results]},
        [result.seconds for result in results],
    )


def vote_row(stage: Stage, results: Sequence[TrainingResult], data: DataSet) -> Row:
    """The accuracy of a majority vote; the larger mean probability breaks a tie."""
    chosen = []
    for part in (data.test, data.validation):
        outputs = np.stack([np.asarray(stage.net(result.params, part.X)) for result in results])
        votes = np.eye(10)[outputs.argmax(2)].sum(0) + 0.5 * outputs.mean(0)
        chosen.append(percent_right(votes, part.Y))
    test, validation = chosen
    return Row(f"vote of {len(results)} of these networks", VOTE, [test], {"validation images": [validation]})


NOTES = (
    "Kernels are 5x5 and every convolution is followed by 2x2 max pooling; the outputs are softmax under the "
    "log-likelihood cost; mini-batches of 10. The book's number, like ours, is the accuracy on the test images at the "
    "epoch that is best on the validation images. The book gives single runs, the best of some.",
    "The book's program weighs the L2 term by the number of batches, not of images: its lambda = 0.1 is lambda = 1 of "
    "(lambda/2N) sum w² here. Weights start from N(0, 1/n_in), of rectified units from N(0, 2/n_in); in the book from "
    "N(0, 1/n_out). Expanded are the training images by shifts of one pixel up, down, left and right, 250,000 in all.",
    "Dropout halves the outputs of both layers of 1,000 neurons; the book's program halves the 640 inputs of the first "
    "as well.",
)
