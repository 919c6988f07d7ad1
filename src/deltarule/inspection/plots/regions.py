"""The class that a network predicts at every point of the plane ([HH], figures 3 and 4)."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from deltarule.errors import ShapeError
from deltarule.inspection.plots.style import COLOURS, INK, drawing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SIZE = (4.6, 4.6)
RESOLUTION = 200  # points on each side of the shaded grid
MARKERS = "ox^sDv"


def decision_regions(
    predict: Callable[[Any], Any],
    X: Any,
    classes: Any,
    *,
    limits: tuple[float, float, float, float] | None = None,
    title: str = "",
    axes: "Axes | None" = None,
) -> "Figure":
    """Shade the plane by the class of the largest output, and plot the points on it.

    Args:
        predict: a function from points to outputs, (N, 2) → (N, k), such as `lambda X: net(params, X)`; for k = 1
            the class is 1 where the output is above 1/2, else 0.
        X: the points, (N, 2).
        classes: the class of each, (N,) whole numbers from 0.
        limits: lowest and highest x1, lowest and highest x2; None leaves a margin of a tenth of the points' range.

    Raises:
        ShapeError: X is not (N, 2).
    """
    X, classes = np.asarray(X, float), np.asarray(classes)
    if X.ndim != 2 or X.shape[1] != 2:
        raise ShapeError(f"X has shape {X.shape}, and decision regions need points of the plane: give (N, 2).")
    if limits is None:
        low, high = X.min(axis=0), X.max(axis=0)
        margin = 0.1 * np.maximum(high - low, 1e-9)
        limits = (low[0] - margin[0], high[0] + margin[0], low[1] - margin[1], high[1] + margin[1])
    x1, x2 = np.linspace(*limits[:2], RESOLUTION), np.linspace(*limits[2:], RESOLUTION)
    grid = np.stack(np.meshgrid(x1, x2), axis=-1)
    outputs = np.asarray(predict(grid.reshape(-1, 2)))
    if outputs.shape[1] == 1:
        outputs = np.concatenate([1 - outputs, outputs], axis=1)
    region = outputs.argmax(axis=1).reshape(RESOLUTION, RESOLUTION)
    with drawing(axes, SIZE) as (figure, axes):
        from matplotlib.colors import to_rgb

        shades = np.array([0.75 + 0.25 * np.array(to_rgb(colour)) for colour in COLOURS])
        axes.imshow(shades[region % len(shades)], origin="lower", extent=limits, aspect="auto", interpolation="nearest")
        for value in range(1, int(region.max()) + 1):
            if (region >= value).any() and (region < value).any():
                # The contour of the difference of outputs, and not of the classes, gives a line without steps.
                lead = (outputs[:, value:].max(axis=1) - outputs[:, :value].max(axis=1)).reshape(region.shape)
                axes.contour(x1, x2, lead, levels=[0.0], colors=INK, linewidths=0.8)
        for value in np.unique(classes):
            of_class = X[classes == value]
            marker, colour = MARKERS[int(value) % len(MARKERS)], COLOURS[int(value) % len(COLOURS)]
            axes.scatter(of_class[:, 0], of_class[:, 1], s=55, marker=marker, color=colour, linewidths=2, zorder=3)
        axes.set(xlabel="x1", ylabel="x2", title=title, xlim=limits[:2], ylim=limits[2:], aspect="equal")
        axes.grid(visible=False)
    return figure
