"""A thousand images: 784-30-10 learns them by heart, and L2 regularisation holds it back."""

from typing import TYPE_CHECKING

import numpy as np

from deltarule.data import DataSet
from deltarule.experiments.handwriting import accuracy_row, first, network, train_all
from deltarule.experiments.report import Row, Settings
from deltarule.inspection import plots

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

IMAGES = 1000
EPOCHS = 400
BOOK = {None: 82.27, 0.1: 87.1}  # test accuracy by lambda


def run(data: DataSet, settings: Settings) -> tuple[list[Row], dict[str, tuple], str]:
    """Without and with lambda = 0.1, test and training accuracy, test and training cost."""
    net = network((30,), "cross-entropy", "old")
    images = first(data.train, IMAGES)
    epochs = 5 if settings.quick else EPOCHS
    rows, histories = [], {}
    for l2, book in BOOK.items():
        name = "no regularisation" if l2 is None else f"lambda {l2:g}"
        numbers = {"eta": 0.5, "l2": l2, "epochs": epochs, "record": ["training_score"]}
        results = train_all(net, images, data.test, settings, f"1,000 images, {name}", **numbers)
        rows.append(accuracy_row(f"{IMAGES:,} images, {name}, {epochs} epochs", book, results, watched="test"))
        trained = [100 * float(result.history["training_accuracy"][-1]) for result in results]
        rows.append(Row(f"{IMAGES:,} images, {name}: accuracy on those images at the end", None, trained))
        histories[name] = {
            key: np.stack([result.history[key] for result in results])
            for key in ("training_accuracy", "validation_accuracy", "training_cost", "validation_cost")
        }
    caption = "Accuracy and cost on 1,000 training images and on the test images, without and with L2: runs and mean"
    note = (
        "Overfitting: the first 1,000 images, eta = 0.5. The cost on the test images turns upwards while the accuracy "
        "on them hardly moves: the network grows ever surer of its mistakes. Costs are without the regularisation."
    )
    return rows, {"overfitting": (overfitting_figure(histories), caption)}, note


def overfitting_figure(histories: dict[str, dict[str, np.ndarray]]) -> "Figure":
    """A column for each lambda, on the same scales: the names are placed on them, so they are set first."""
    figure, axes = plots.panels(2, len(histories), (9.5, 6.4), sharey="row")
    costs = [history[key] for history in histories.values() for key in ("training_cost", "validation_cost")]
    least = min(history["validation_accuracy"].min() for history in histories.values())
    axes[0].set_ylim(100 * least - 2, 102)
    axes[len(histories)].set(yscale="log", ylim=(min(map(np.min, costs)) / 1.5, max(map(np.max, costs)) * 1.5))
    for i, (name, history) in enumerate(histories.items()):
        draw(history, name, axes[i], axes[len(histories) + i])
    return figure


def draw(history: dict[str, np.ndarray], name: str, upper: "Axes", lower: "Axes") -> None:
    """Accuracies above, costs below."""
    parts = {"training": "training images", "validation": "test images"}
    accuracies = {label: 100 * history[f"{part}_accuracy"] for part, label in parts.items()}
    plots.curves(accuracies, ylabel="accuracy, %", title=name, axes=upper)
    costs = {label: history[f"{part}_cost"] for part, label in parts.items()}
    plots.curves(costs, ylabel="cost", log=True, axes=lower)
