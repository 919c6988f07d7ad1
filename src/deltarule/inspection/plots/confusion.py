"""The confusion matrix: actual against predicted classes."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from deltarule.errors import ShapeError
from deltarule.inspection.plots.style import GREY, INK, drawing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def confusion_matrix(
    predicted: Any, actual: Any, *, names: Sequence[Any] | None = None, title: str = "", axes: "Axes | None" = None
) -> "Figure":
    """Counts of the actual class (rows) predicted as each class (columns). Mistakes are shaded, right ones are grey.

    A model's `plot_confusion` and scikit-learn's ConfusionMatrixDisplay shade the right ones too.

    Args:
        predicted: the predicted class of each example, (N,) whole numbers from 0.
        actual: the true class, (N,).
        names: the names of the classes; None numbers them.

    Raises:
        ShapeError: the two have different lengths.
    """
    predicted, actual = np.asarray(predicted, int), np.asarray(actual, int)
    if predicted.shape != actual.shape or predicted.ndim != 1 or not predicted.size:
        raise ShapeError(f"predicted has shape {predicted.shape} and actual {actual.shape}: give (N,) and (N,).")
    k = len(names) if names is not None else int(max(predicted.max(), actual.max())) + 1
    counts = np.zeros((k, k), int)
    np.add.at(counts, (actual, predicted), 1)
    mistakes = np.where(np.eye(k, dtype=bool), 0, counts)
    with drawing(axes, (0.55 * k + 1.2, 0.5 * k + 1.2)) as (figure, axes):
        axes.imshow(mistakes, cmap="Oranges", vmin=0, vmax=max(1.6 * mistakes.max(), 4), aspect="auto")
        for i, j in np.ndindex(k, k):
            if counts[i, j]:
                colour = GREY if i == j else INK
                axes.text(j, i, str(counts[i, j]), ha="center", va="center", color=colour, fontsize=9)
        labels = [str(name) for name in (names if names is not None else range(k))]
        axes.set_xticks(range(k), labels)
        axes.set_yticks(range(k), labels)
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        axes.grid(visible=False)
        axes.set(xlabel="predicted", ylabel="actual", title=title)
    return figure
