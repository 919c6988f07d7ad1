"""Curves over the epochs: cost, accuracy, learning speed, or other numbers of a training. Lines carry their names."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from deltarule.errors import DataError
from deltarule.inspection.plots.style import COLOURS, drawing, pyplot_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SIZE = (7.0, 4.2)
LABEL_HEIGHT = 14.0  # points from one name to the next


def curves(
    lines: Mapping[str, Any],
    *,
    x: Any = None,
    xlabel: str = "epoch",
    ylabel: str = "",
    title: str = "",
    log: bool = False,
    colours: tuple[str, ...] = COLOURS,
    axes: "Axes | None" = None,
) -> "Figure":
    """Draw one line for each entry, with its name at its right end.

    Args:
        lines: values by name: (epochs,), or (runs, epochs) for several runs, which are drawn thin below their mean;
            NaN where a line has no value.
        x: the horizontal position of each value, (epochs,); None counts from 1.
        xlabel: the label of the horizontal axis.
        ylabel: the label of the vertical axis.
        log: a logarithmic vertical axis; the mean of several runs is then the geometric mean.
        colours: one for each line, repeated if there are more lines.

    Raises:
        DataError: there are no lines, or a line has no values or another length than x.
    """
    if not lines:
        raise DataError("lines is empty, and there is nothing to draw: give at least one, by name.")
    with drawing(axes, SIZE) as (figure, axes):
        ends = {}
        for i, (name, values) in enumerate(lines.items()):
            runs = np.atleast_2d(np.asarray(values, float))
            places = np.arange(1, runs.shape[1] + 1) if x is None else np.asarray(x)
            if runs.ndim != 2 or not runs.size or runs.shape[1] != len(places):
                raise DataError(
                    f"line {name!r} has values of shape {np.shape(values)}, and x has {len(places)}: "
                    "give (epochs,) or (runs, epochs)."
                )
            colour = colours[i % len(colours)]
            if len(runs) > 1:
                axes.plot(places, runs.T, color=colour, linewidth=0.6, alpha=0.4)
            mean = np.exp(np.log(runs).mean(axis=0)) if log and len(runs) > 1 else runs.mean(axis=0)
            axes.plot(places, mean, color=colour, label=name)
            known = mean[np.isfinite(mean)]  # a line may end before the others
            ends[name] = (known[-1] if known.size else np.nan, colour)
        if log:
            axes.set_yscale("log")
        axes.set(xlabel=xlabel, ylabel=ylabel, title=title)
        axes.margins(x=0)
        if xlabel == "epoch":
            axes.locator_params(axis="x", integer=True)
        if len(lines) > 1:
            name_ends(axes, ends)
    return figure


def name_ends(axes: "Axes", ends: Mapping[str, tuple[float, str]]) -> None:
    """Write each name beside the right end of its line; names that would overlap are moved apart.

    Args:
        axes: the axes with their final scale.
        ends: the last value and the colour of each line.
    """
    figure, place = axes.get_figure(), axes.get_subplotspec()
    assert figure is not None
    height = figure.bbox.height / figure.dpi / (place.get_gridspec().nrows if place is not None else 1)  # inches
    gap = LABEL_HEIGHT / (72 * 0.75 * height)  # the title and the tick labels take about a quarter
    values = np.array([value for value, _ in ends.values()], float)
    points = np.column_stack([np.full(len(values), axes.get_xlim()[1]), values])
    wanted = axes.transAxes.inverted().transform(axes.transData.transform(points))[:, 1]
    places = _apart(np.nan_to_num(wanted), gap)
    for (name, (_, colour)), y in zip(ends.items(), places, strict=True):
        axes.text(1.015, y, name, color=colour, va="center", transform=axes.transAxes)


def _apart(wanted: np.ndarray, gap: float) -> np.ndarray:
    """Move heights at least `gap` apart, in their order, by merging neighbours that are too close into groups."""
    order = np.argsort(wanted, kind="stable")
    groups: list[list[float]] = []  # [sum of the wanted heights, number of members]
    for value in wanted[order]:
        groups.append([value, 1])
        while len(groups) > 1:
            (low, below), (high, above) = groups[-2:]
            if high / above - low / below >= gap * (below + above) / 2:
                break
            groups[-2:] = [[low + high, below + above]]
    placed = [total / n + gap * (i - (n - 1) / 2) for total, n in groups for i in range(int(n))]
    result = np.empty(len(wanted))
    result[order] = placed
    return result


def cost_curves(
    history: Mapping[str, Any], *, title: str = "", log: bool = True, axes: "Axes | None" = None
) -> "Figure":
    """Plot the costs in a history: of the training batches, and if recorded of the training and validation data.

    Args:
        history: `result.history`.
        log: a logarithmic vertical axis.
    """
    names = {"cost": "training batches", "training_cost": "training data", "validation_cost": "validation data"}
    lines = {label: history[name] for name, label in names.items() if name in history}
    return curves(lines, x=history.get("epoch"), ylabel="cost", title=title, log=log, axes=axes)


def plot_costs(history: Mapping[str, Any], axes: "Axes | None") -> "Axes":
    """Draw `cost_curves` in these axes, or in a new figure that a notebook shows; return the axes."""
    axes = pyplot_axes(axes)
    cost_curves(history, axes=axes)
    return axes


def accuracy_curves(history: Mapping[str, Any], *, title: str = "", axes: "Axes | None" = None) -> "Figure":
    """Plot the accuracies in a history, in percent, of the training and validation data as far as recorded.

    Args:
        history: `result.history` of a training with validation data or record=["training_score"].

    Raises:
        DataError: the history has no accuracy.
    """
    names = {"training_accuracy": "training data", "validation_accuracy": "validation data"}
    lines = {label: 100 * np.asarray(history[name]) for name, label in names.items() if name in history}
    if not lines:
        raise DataError("the history has no accuracy: train with validation_data, or with record=['training_score'].")
    return curves(lines, x=history.get("epoch"), ylabel="accuracy, %", title=title, axes=axes)


def learning_speeds(speeds: Any, *, x: Any = None, title: str = "", axes: "Axes | None" = None) -> "Figure":
    """Plot ‖dC/db^l‖ of every layer on a logarithmic scale, which shows the vanishing gradient ([N] ch. 5).

    Args:
        speeds: (epochs, layers), such as `result.history["learning_speed"]`.
        x: the epochs, (epochs,); None counts from 1.

    Raises:
        DataError: speeds is not a matrix of numbers above 0.
    """
    speeds = np.asarray(speeds, float)
    if speeds.ndim != 2 or not speeds.size or not (speeds > 0).all():
        raise DataError(f"speeds has shape {speeds.shape}: give (epochs, layers), all above 0.")
    names = [f"hidden {i}" for i in range(1, speeds.shape[1])] + ["output"]
    lines = dict(zip(names, speeds.T, strict=True))
    return curves(lines, x=x, ylabel="learning speed ‖dC/db‖", title=title, log=True, axes=axes)
