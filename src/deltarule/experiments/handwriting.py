"""Shared by the experiments on MNIST: the book's training, and its accuracies as a row of the table."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

import deltarule as dr
from deltarule.data import DataSet, Examples
from deltarule.experiments.report import Row, Settings
from deltarule.inspection import plots
from deltarule.training.train import TrainingResult

if TYPE_CHECKING:
    from matplotlib.figure import Figure

QUICK_IMAGES = 1000  # of each part in a quick run
CLOSE = 0.3  # an accuracy up to so many points below the book's counts as reached


def load(settings: Settings) -> DataSet:
    """MNIST in the book's split, 50,000 training, 10,000 validation and 10,000 test images; cut short if quick."""
    settings.report_progress("reading MNIST", 0.0)
    data = settings.mnist()
    if not settings.quick:
        return data
    train, validation, test = (first(part, QUICK_IMAGES) for part in (data.train, data.validation, data.test))
    return DataSet(data.name, data.schema, train, validation, test)


def first(examples: Examples, count: int) -> Examples:
    """The first `count` examples."""
    return Examples(examples.X[:count], examples.Y[:count], examples.rows[:count])


def network(hidden: Sequence[int], cost: str, initializer: str) -> dr.Network:
    """Sigmoid neurons throughout: hidden layers of these sizes and ten outputs."""
    return dr.Network([dr.Dense(n, "sigmoid", initializer) for n in (*hidden, 10)], cost=cost)


def train(
    net: dr.Network,
    examples: Examples,
    monitored: Examples,
    settings: Settings,
    label: str,
    *,
    epochs: int,
    seed: int,
    record: Sequence[str] = (),
    **trainer: Any,
) -> TrainingResult:
    """Train in mini-batches of 10, and keep the epoch that is most accurate on the monitored images.

    `trainer` are eta and l2.
    """
    label = f"{label}, seed {seed}"
    return dr.train(
        net,
        examples.X,
        examples.Y,
        trainer=dr.GradientDescent(batch_size=10, **trainer),
        epochs=epochs,
        validation_data=(monitored.X, monitored.Y),
        monitor="accuracy",
        seed=seed,
        record=record,
        callbacks=[settings.progress_callback(label, epochs)],
        **settings.checkpoint_options(label),
    )


def train_all(
    net: dr.Network, examples: Examples, monitored: Examples, settings: Settings, label: str, **numbers: Any
) -> list[TrainingResult]:
    """Train once for every seed of the settings."""
    return [train(net, examples, monitored, settings, label, seed=seed, **numbers) for seed in settings.runs()]


def accuracy(net: dr.Network, result: TrainingResult, examples: Examples) -> float:
    """The accuracy of the best epoch's parameters, in percent."""
    return percent_right(np.asarray(net(result.params, examples.X)), examples.Y)


def percent_right(outputs: np.ndarray, Y: np.ndarray) -> float:
    """The accuracy of outputs (N, 10), in percent."""
    return 100 * float(np.mean(outputs.argmax(1) == Y.argmax(1)))


def curve(result: TrainingResult) -> np.ndarray:
    """The accuracy on the monitored images after every epoch, in percent."""
    return 100 * result.history["validation_accuracy"]


def curves(results: Sequence[TrainingResult]) -> np.ndarray:
    """`curve` of every run, (runs, epochs)."""
    return np.stack([curve(result) for result in results])


def accuracy_figure(lines: Mapping[str, np.ndarray], ylabel: str, title: str) -> "Figure":
    """Plot the runs and their mean by name, (runs, epochs) each, from 2 points below the lowest end upwards."""
    ends, longest = (
        [float(runs[:, -1].mean()) for runs in lines.values()],
        max(runs.shape[1] for runs in lines.values()),
    )
    padded = {
        name: np.pad(runs, ((0, 0), (0, longest - runs.shape[1])), constant_values=np.nan)
        for name, runs in lines.items()
    }
    (axes,) = plots.panels(size=(8.5, 4.4))[1]
    axes.set_ylim(max(min(ends) - 2, 0), min(max(ends) + 0.5, 100))
    return plots.curves(padded, ylabel=ylabel, title=title, axes=axes)


def accuracy_row(
    label: str,
    book: float | str | None,
    results: Sequence[TrainingResult],
    *,
    monitored: str,
    test: tuple[dr.Network, Examples] | None = None,
) -> Row:
    """The accuracies of the best and the last epoch on the images that the book monitors, in a row.

    The book's number is the best epoch of one run. With `test` the row has the test accuracy of the best epoch too.
    """
    best = [float(curve(result).max()) for result in results]
    more = {"last epoch": [float(curve(result)[-1]) for result in results]}
    if test is not None:
        more["test images"] = [accuracy(test[0], result, test[1]) for result in results]
    return Row(f"{label}, {monitored} images", book, best, more, [result.seconds for result in results])


def verdict(rows: Sequence[Row]) -> str:
    """A sentence: how many of the book's accuracies the mean of our runs reaches, and which it misses."""
    accuracies = [(row, row.book) for row in rows if isinstance(row.book, float) and row.template.endswith("%")]
    missed = [
        f"{row.label} ({row.template.format(row.average)} against {row.template.format(book)})"
        for row, book in accuracies
        if row.average < book - CLOSE
    ]
    count = f"Of {len(accuracies)} accuracies of the book the mean of our runs reaches or passes"
    if not missed:
        return f"{count} all, to within {CLOSE:g} points."
    return f"{count} {len(accuracies) - len(missed)}, to within {CLOSE:g} points. It misses {'; '.join(missed)}."
