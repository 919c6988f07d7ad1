"""What the experiments on MNIST share: a training as the book runs it, and its accuracies as a row of the table."""

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
CLOSE = 0.3  # points under the book's accuracy that still count as reaching it


def load(settings: Settings) -> DataSet:
    """MNIST in the book's split, 50,000 training, 10,000 validation and 10,000 test images; cut short if quick."""
    settings.tell("reading MNIST", 0.0)
    data = settings.mnist()
    if not settings.quick:
        return data
    train, validation, test = (first(part, QUICK_IMAGES) for part in (data.train, data.validation, data.test))
    return DataSet(data.name, data.schema, train, validation, test)


def first(examples: Examples, count: int) -> Examples:
    """The first so many of them."""
    return Examples(examples.X[:count], examples.Y[:count], examples.rows[:count])


def network(hidden: Sequence[int], cost: str, initializer: str) -> dr.Network:
    """Sigmoid neurons throughout: hidden layers of these sizes and ten outputs."""
    return dr.Network([dr.Dense(n, "sigmoid", initializer) for n in (*hidden, 10)], cost=cost)


def train(
    net: dr.Network,
    examples: Examples,
    watched: Examples,
    settings: Settings,
    what: str,
    *,
    epochs: int,
    seed: int,
    record: Sequence[str] = (),
    **trainer: Any,
) -> TrainingResult:
    """Mini-batches of 10; the accuracy on the watched images after every epoch, the best epoch's parameters kept.

    `trainer` are eta and l2.
    """
    what = f"{what}, seed {seed}"
    return dr.train(
        net,
        examples.X,
        examples.Y,
        trainer=dr.GradientDescent(batch_size=10, **trainer),
        epochs=epochs,
        validation_data=(watched.X, watched.Y),
        monitor="accuracy",
        seed=seed,
        record=record,
        callbacks=[settings.watch(what, epochs)],
        **settings.keeping(what),
    )


def train_all(
    net: dr.Network, examples: Examples, watched: Examples, settings: Settings, what: str, **numbers: Any
) -> list[TrainingResult]:
    """`train` from every seed of the settings."""
    return [train(net, examples, watched, settings, what, seed=seed, **numbers) for seed in settings.runs()]


def accuracy(net: dr.Network, result: TrainingResult, examples: Examples) -> float:
    """The share classified right, in percent, by the parameters of the best epoch."""
    return percent_right(np.asarray(net(result.params, examples.X)), examples.Y)


def percent_right(outputs: np.ndarray, Y: np.ndarray) -> float:
    """How many outputs (N, 10), in percent, are largest where the targets are."""
    return 100 * float(np.mean(outputs.argmax(1) == Y.argmax(1)))


def curve(result: TrainingResult) -> np.ndarray:
    """The accuracy on the watched images after every epoch, in percent."""
    return 100 * result.history["validation_accuracy"]


def curves(results: Sequence[TrainingResult]) -> np.ndarray:
    """`curve` of every run, (runs, epochs)."""
    return np.stack([curve(result) for result in results])


def accuracy_figure(lines: Mapping[str, np.ndarray], ylabel: str, title: str) -> "Figure":
    """The runs and their mean by name, (runs, epochs) each, drawn close: from 2 points under the lowest end on."""
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
    what: str,
    book: float | str | None,
    results: Sequence[TrainingResult],
    *,
    watched: str,
    test: tuple[dr.Network, Examples] | None = None,
) -> Row:
    """The best epoch and the last one on the images that the book watched; with `test` those parameters' test accuracy.

    The book's numbers are the best epoch of one run, on the images named in `watched`.
    """
    best = [float(curve(result).max()) for result in results]
    more = {"last epoch": [float(curve(result)[-1]) for result in results]}
    if test is not None:
        more["test images"] = [accuracy(test[0], result, test[1]) for result in results]
    return Row(f"{what}, {watched} images", book, best, more, [result.seconds for result in results])


def verdict(rows: Sequence[Row]) -> str:
    """How many of the book's accuracies the mean of our runs reaches within CLOSE points; those it misses by name."""
    accuracies = [(row, row.book) for row in rows if isinstance(row.book, float) and row.form.endswith("%")]
    missed = [
        f"{row.what} ({row.form.format(row.average)} against {row.form.format(book)})"
        for row, book in accuracies
        if row.average < book - CLOSE
    ]
    count = f"Of {len(accuracies)} accuracies of the book the mean of our runs reaches or passes"
    if not missed:
        return f"{count} all, to within {CLOSE:g} points."
    return f"{count} {len(accuracies) - len(missed)}, to within {CLOSE:g} points. It misses {'; '.join(missed)}."
