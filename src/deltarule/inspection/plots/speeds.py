"""The learning speeds of the layers over a training: the picture of the vanishing gradient ([N] ch. 5)."""

from typing import TYPE_CHECKING, Any

import numpy as np

from deltarule.errors import DataError
from deltarule.inspection.plots.curves import curves

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def learning_speeds(speeds: Any, *, x: Any = None, title: str = "", axes: "Axes | None" = None) -> "Figure":
    """‖dC/db^l‖ of every layer on a logarithmic scale, the layers named hidden 1, hidden 2, ..., output.

    Args:
        speeds: (epochs, layers), such as `result.history["learning_speed"]`.
        x: the epochs, (epochs,); None counts from 1.

    Raises:
        DataError: speeds is not a table of numbers above 0.
    """
    speeds = np.asarray(speeds, float)
    if speeds.ndim != 2 or not speeds.size or not (speeds > 0).all():
        raise DataError(f"speeds has shape {speeds.shape}: give (epochs, layers), all above 0.")
    layers = speeds.shape[1]
    names = [f"hidden {i + 1}" for i in range(layers - 1)] + ["output"]
    lines = {name: speeds[:, i] for i, name in enumerate(names)}
    return curves(lines, x=x, ylabel="learning speed ‖dC/db‖", title=title, log=True, axes=axes)
