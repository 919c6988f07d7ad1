"""The pictures of a report, each a function of numbers that returns a Figure."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from deltarule.inspection.plots.curves import curves
from deltarule.inspection.plots.style import COLOURS, GREY, drawing
from deltarule.inspection.report.evidence import Dependence
from deltarule.inspection.roc import roc_curve

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIZE = (4.6, 3.2)
MOST_POINTS = 1500  # of a scatter plot: more would only make the file larger
MOST_NAMES = 6
ALL_ROWS: Mapping[str, np.ndarray] = {}
PART_COLOURS = {"training": COLOURS[1], "validation": COLOURS[2], "test": COLOURS[0]}
DASHES = ("-", "--", ":", "-.")  # of lines that have the same colour


def performance(history: Mapping[str, Any], best_epoch: int) -> "Figure":
    """The costs over the epochs, and the epoch whose parameters were kept."""
    names = {"cost": "training", "validation_cost": "validation"}
    lines = {label: _positive(history[name]) for name, label in names.items() if name in history}
    return _over_epochs(lines, history, "mean cost", best_epoch, log=True)


def training_state(
    history: Mapping[str, Any], name: str, label: str, best_epoch: int = 0, log: bool = True
) -> "Figure":
    """One recorded quantity over the epochs, and the epoch whose parameters were kept."""
    values = _positive(history[name]) if log else _numbers(history[name])
    return _over_epochs({label: values}, history, label, best_epoch, log)


def _over_epochs(
    lines: Mapping[str, Any], history: Mapping[str, Any], ylabel: str, best_epoch: int, log: bool
) -> "Figure":
    with drawing(None, SIZE) as (figure, axes):
        curves(lines, x=history.get("epoch"), ylabel=ylabel, log=log, axes=axes)
        if best_epoch > 0:
            axes.axvline(best_epoch, color=GREY, linewidth=1, linestyle=":")
    return figure


def coverage(errors: np.ndarray, std: np.ndarray, degrees_of_freedom: float, name: str) -> "Figure":
    """The share of errors (N,) within the intervals that should hold a share of them, for shares from 0 to 1."""
    nominal, found = coverage_curve(errors, std, degrees_of_freedom)
    band = 2 * np.sqrt(nominal * (1 - nominal) / len(errors))  # two standard deviations of a share of N rows
    with drawing(None, SIZE) as (figure, axes):
        axes.fill_between(nominal, nominal - band, nominal + band, color=GREY, alpha=0.25, linewidth=0)
        axes.plot([0, 1], [0, 1], color=GREY, linewidth=1)
        axes.plot(nominal, found, color=COLOURS[1])
        axes.set(xlabel="nominal coverage of the interval", ylabel=f"share of {name} inside")
        axes.set(xlim=(0, 1), ylim=(-0.02, 1.02))
    return figure


def coverage_curve(errors: np.ndarray, std: np.ndarray, degrees_of_freedom: float) -> tuple[np.ndarray, np.ndarray]:
    """Nominal coverages and the share of errors (N,) that lie within t std there, t by Student's distribution.

    >>> nominal, found = coverage_curve(np.array([0.1, -3.0]), np.ones(2), 1e6)
    >>> float(found[nominal == 0.9][0])
    0.5
    """
    from scipy.special import stdtr  # scipy.stats takes as long to import as the whole report to draw

    nominal = np.round(np.linspace(0, 1, 101), 2)
    # The nominal coverage at which each error lies just on the edge of its interval.
    edge = 2 * stdtr(min(degrees_of_freedom, 1e12), np.abs(errors) / std) - 1
    return nominal, np.array([np.mean(edge <= level) for level in nominal])


def regression(predicted: np.ndarray, actual: np.ndarray, name: str, colour: str = COLOURS[1]) -> "Figure":
    """Predictions (N,) against targets (N,), those of `some_rows`, with the line where both are equal."""
    chosen = some_rows(len(actual))
    with drawing(None, SIZE) as (figure, axes):
        axes.grid(visible=True, axis="both", alpha=0.25)
        ends = [min(actual.min(), predicted.min()), max(actual.max(), predicted.max())]
        axes.plot(ends, ends, color=GREY, linewidth=1)
        axes.scatter(actual[chosen], predicted[chosen], s=10, color=colour, alpha=0.6, linewidths=0)
        axes.set(xlabel=f"{name}, actual", ylabel=f"{name}, predicted")
    return figure


def error_histogram(errors: np.ndarray, name: str, parts: Mapping[str, np.ndarray] = ALL_ROWS) -> "Figure":
    """How often each size of predicted - actual, (N,), occurs; the parts of the rows, by name, on top of each other."""
    split = {part: errors[places] for part, places in parts.items()} or {"": errors}
    colours = [PART_COLOURS.get(part, COLOURS[1]) for part in split]
    with drawing(None, SIZE) as (figure, axes):
        bins = min(40, max(8, int(np.sqrt(len(errors)))))
        axes.hist(list(split.values()), bins=bins, color=colours, alpha=0.85, stacked=True, label=list(split))
        if len(split) > 1:
            axes.legend(fontsize=8, frameon=False)
        axes.axvline(0, color=GREY, linewidth=1)
        axes.set(xlabel=f"error of {name}, predicted - actual", ylabel="rows")
    return figure


def residuals(predicted: np.ndarray, errors: np.ndarray, name: str) -> "Figure":
    """The errors (N,) against the predictions (N,)."""
    chosen = some_rows(len(errors))
    with drawing(None, SIZE) as (figure, axes):
        axes.axhline(0, color=GREY, linewidth=1)
        axes.scatter(predicted[chosen], errors[chosen], s=10, color=COLOURS[1], alpha=0.6, linewidths=0)
        axes.set(xlabel=f"{name}, predicted", ylabel="predicted - actual")
    return figure


def residual_map(points: np.ndarray, sizes: np.ndarray, names: Sequence[str]) -> "Figure":
    """Sizes (m,) of a residual at points (m, d): over the only input, or as colours over the first two.

    The logarithm goes six decades below the largest of them.
    """
    logs = np.log10(np.maximum(sizes, max(1e-6 * sizes.max(), np.finfo(float).tiny)))
    with drawing(None, SIZE) as (figure, axes):
        if points.shape[1] == 1:
            axes.scatter(points[:, 0], logs, s=10, color=COLOURS[1], linewidths=0)
            axes.set(xlabel=names[0], ylabel="log10 of the residual")
        else:
            marks = axes.scatter(points[:, 0], points[:, 1], s=14, c=logs, linewidths=0)
            figure.colorbar(marks, ax=axes, label="log10 of the residual")
            axes.grid(visible=False)
            axes.set(xlabel=names[0], ylabel=names[1])
    return figure


def roc(probabilities: np.ndarray, classes: np.ndarray, names: Sequence[Any]) -> "Figure":
    """For each class the share of its rows found against the share of other rows taken for it, over all thresholds."""
    shown = [1] if len(names) == 2 else range(len(names))
    with drawing(None, SIZE) as (figure, axes):
        axes.plot([0, 1], [0, 1], color=GREY, linewidth=1)
        for i, j in enumerate(shown):
            found, wrong, area = roc_curve(probabilities[:, j], classes == j)
            label = f"{names[j]}: {area:.3f}"
            again, colour = divmod(i, len(COLOURS))
            style = DASHES[again % len(DASHES)]
            axes.plot(wrong, found, color=COLOURS[colour], linestyle=style, linewidth=1.4, label=label)
        columns = 1 if len(shown) <= MOST_NAMES else 2
        legend = axes.legend(title="area under the curve", loc="lower right", fontsize=8, frameon=False, ncols=columns)
        legend.get_title().set_fontsize(8)
        axes.set(xlabel="share of other rows taken for the class", ylabel="share of the class found")
    return figure


def reliability(probabilities: np.ndarray, classes: np.ndarray, bins: int = 10) -> "Figure":
    """The share of rows that were right against the probability of the predicted class, in bins of equal width."""
    sure = probabilities.max(axis=1)
    right = np.argmax(probabilities, axis=1) == classes
    place = np.minimum((sure * bins).astype(int), bins - 1)
    count = np.bincount(place, minlength=bins)
    filled = count > 0
    mean = np.bincount(place, sure, bins)[filled] / count[filled]
    share = np.bincount(place, right, bins)[filled] / count[filled]
    with drawing(None, SIZE) as (figure, axes):
        axes.plot([0, 1], [0, 1], color=GREY, linewidth=1)
        axes.scatter(mean, share, s=20 + 180 * count[filled] / count.max(), color=COLOURS[1], linewidths=0)
        axes.set(xlabel="probability of the predicted class", ylabel="share that was right")
        axes.set(xlim=(0, 1.04), ylim=(-0.04, 1.06))
    return figure


def importances(found: Mapping[str, float], unit: str) -> "Figure":
    """One bar a column, the longest on top, at most twenty."""
    names = sorted(found, key=lambda name: -found[name])[:20]
    with drawing(None, (SIZE[0], 0.9 + 0.28 * max(len(names), 4))) as (figure, axes):
        axes.grid(visible=False, axis="y")
        axes.grid(visible=True, axis="x", alpha=0.25)
        places = np.arange(len(names))
        axes.barh(places, [found[name] for name in names], color=COLOURS[1], height=0.65)
        axes.set_yticks(places, [str(name)[:28] for name in names])
        axes.invert_yaxis()
        axes.axvline(0, color=GREY, linewidth=1)
        axes.set(xlabel=unit)
    return figure


def dependence(
    curve: Dependence,
    names: Sequence[Any],
    ylabel: str,
    limits: tuple[float, float] | None = None,
    reach: float = 2.0,
) -> "Figure":
    """The mean prediction over the values of one column: a line for each output, or points for categories.

    `limits` of the vertical axis let several columns be compared; a band is `reach` standard deviations to each side.
    """
    shown = range(len(names)) if len(names) <= MOST_NAMES else np.argsort(-np.ptp(curve.means, axis=0))[:MOST_NAMES]
    lines = {str(names[j]): curve.means[:, j] for j in shown}
    with drawing(None, SIZE) as (figure, axes):
        if isinstance(curve.values[0], str):
            for i, (name, means) in enumerate(lines.items()):
                axes.scatter(range(len(means)), means, s=40, color=COLOURS[i], label=name)
            axes.set_xticks(range(len(curve.values)), [value[:14] for value in curve.values])
            axes.set(xlabel=curve.column, ylabel=ylabel)
            axes.margins(x=0.2)
            if len(lines) > 1:
                axes.legend(fontsize=8, frameon=False)
        else:
            axes.set_ylim(limits)
            for i, j in enumerate(shown if curve.std is not None else ()):
                reached = reach * np.asarray(curve.std)[:, j]
                low, high = curve.means[:, j] - reached, curve.means[:, j] + reached
                axes.fill_between(curve.values, low, high, color=COLOURS[i], alpha=0.15, linewidth=0)
            curves(lines, x=curve.values, xlabel=curve.column, ylabel=ylabel, axes=axes)
        axes.set_ylim(limits)
    return figure


def _positive(values: Any) -> np.ndarray:
    """Values for a logarithmic scale: what is 0 or missing is left out."""
    array = _numbers(values)
    return np.where(array > 0, array, np.nan)


def _numbers(values: Any) -> np.ndarray:
    """Values with NaN for what is missing."""
    return np.array([np.nan if value is None else value for value in values], float)


def some_rows(count: int) -> np.ndarray:
    """At most `MOST_POINTS` of the rows, always the same ones."""
    return np.random.default_rng(0).permutation(count)[:MOST_POINTS]
