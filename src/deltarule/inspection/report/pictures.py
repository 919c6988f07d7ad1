"""The charts of a report, each a function of numbers that returns a Chart."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from deltarule.inspection.importance import sample_rows
from deltarule.inspection.report.axis import Axis
from deltarule.inspection.report.chart import PAINTS, SOFT, Band, Bars, Chart, Line, Points, Rule
from deltarule.inspection.report.evidence import PartialDependence
from deltarule.inspection.roc import roc_curve

MOST_POINTS = 1500  # of a scatter plot: more would only make the file larger
MOST_NAMES = 6
ALL_ROWS: Mapping[str, np.ndarray] = {}
PART_PAINTS = {"training": PAINTS[1], "validation": PAINTS[2], "test": PAINTS[0]}
DASHES = ("", "7 3", "2 2", "8 3 2 3")  # of lines that have the same colour
UNIT = (0.0, 1.0)
DECADES = 4  # over which sizes of residuals are shown


def over(
    lines: Mapping[str, Any], x: Any, xlabel: str, ylabel: str, *, log: bool = False, dotted: float | None = None
) -> Chart:
    """A line for each entry over x, whole numbers, and a dotted vertical line at one of them."""
    drawn = []
    for i, (name, y) in enumerate(lines.items()):
        colour, dash = _pen(i)
        drawn.append(Line(np.asarray(x, float), _numbers(y), PART_PAINTS.get(name, colour), name, dash))
    mark = [] if dotted is None else [Rule(x=dotted, dash="2 3")]
    return Chart([*mark, *drawn], Axis(xlabel, tight=True, whole=True), Axis(ylabel, log))


def over_epochs(
    lines: Mapping[str, Any], history: Mapping[str, Any], ylabel: str, best_epoch: int = 0, log: bool = True
) -> Chart:
    """Numbers that a history records of each epoch; a dotted line marks the epoch whose parameters were kept."""
    x = history.get("epoch", range(1, 1 + len(next(iter(lines.values())))))
    return over(lines, x, "epoch", ylabel, log=log, dotted=best_epoch if best_epoch > 0 else None)


def run_with_band(at: np.ndarray, run: np.ndarray, reach: np.ndarray, measured: np.ndarray, ylabel: str) -> Chart:
    """A run (T,) at the times (T,), the band run ± reach, and the measurements."""
    marks = [
        Band(at, run - reach, run + reach, PAINTS[0]),
        Line(at, measured, "currentColor", "measured", width=1.0),
        Line(at, run, PAINTS[0], "model", width=1.4),
    ]
    return Chart(marks, Axis("step", tight=True), Axis(ylabel))


def correlogram(lags: np.ndarray, values: np.ndarray, bound: float, ylabel: str) -> Chart:
    """A bar for each lag, and the band ± bound of correlations by chance."""
    ends = np.array([lags[0] - 0.6, lags[-1] + 0.6])
    titles = [f"lag {lag}: {value:.3g}" for lag, value in zip(lags.tolist(), values.tolist(), strict=True)]
    marks = [
        Band(ends, np.full(2, -bound), np.full(2, bound)),
        Bars(lags - 0.15, lags + 0.15, np.zeros(len(lags)), values, titles=titles),
        Rule(y=0),
    ]
    return Chart(marks, Axis("lag", tight=True), Axis(ylabel))


def coverage(below: np.ndarray, name: str) -> Chart:
    """The share of measurements inside intervals of each nominal coverage from 0 to 1; see `coverage_curve`."""
    nominal, found = coverage_curve(below)
    band = 2 * np.sqrt(nominal * (1 - nominal) / len(below))  # two standard deviations of a share of N rows
    marks = [Band(nominal, nominal - band, nominal + band), _diagonal(), Line(nominal, found, PAINTS[1], "inside")]
    across = Axis("nominal coverage of the interval", limits=UNIT)
    return Chart(marks, across, Axis(f"share of {name} inside", limits=UNIT))


def coverage_curve(below: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Nominal coverages from 0 to 1, and the share of measurements inside intervals of each.

    `below`, (N,), is the predicted probability of a value below each measurement, so the measurement lies at an end of
    the interval with coverage |2 below - 1|.

    >>> nominal, found = coverage_curve(np.array([0.54, 0.001]))
    >>> float(found[nominal == 0.9][0])
    0.5
    """
    nominal = np.round(np.linspace(0, 1, 101), 2)
    edge = np.abs(2 * below - 1)
    return nominal, np.array([np.mean(edge <= level) for level in nominal])


def regression(
    predicted: np.ndarray, actual: np.ndarray, name: str, titles: Sequence[str] = (), paint: str = PAINTS[1]
) -> Chart:
    """At most `MOST_POINTS` predictions (N,) over targets (N,), the line of equality and the fitted line."""
    chosen = sample_rows(len(actual), MOST_POINTS)
    ends = np.array([min(actual.min(), predicted.min()), max(actual.max(), predicted.max())])
    marks = [Line(ends, ends), Points(actual[chosen], predicted[chosen], paint, titles)]
    fit = fitted_line(predicted, actual)
    if fit is not None:
        x = np.array([actual.min(), actual.max()])
        marks.append(Line(x, fit[0] * x + fit[1], "currentColor", dash="5 3", width=1.2))
    return Chart(marks, Axis(f"{name}, actual"), Axis(f"{name}, predicted"))


def fitted_line(predicted: np.ndarray, actual: np.ndarray) -> tuple[float, float] | None:
    """Slope and intercept of the least squares line of predictions (N,) over targets (N,), if targets vary.

    >>> fitted_line(np.array([1.0, 2.0, 3.0]), np.array([2.0, 4.0, 6.0]))
    (0.5, 0.0)
    """
    centred = actual - actual.mean()
    spread = float(centred @ centred)
    if spread == 0:
        return None
    slope = float(centred @ predicted) / spread
    return slope, float(predicted.mean() - slope * actual.mean())


def error_histogram(errors: np.ndarray, name: str, parts: Mapping[str, np.ndarray] = ALL_ROWS) -> Chart:
    """A histogram of predicted - actual, (N,), stacked by the parts of the rows."""
    split = {part: errors[places] for part, places in parts.items()} or {"": errors}
    edges = np.histogram_bin_edges(errors, min(40, max(8, int(np.sqrt(len(errors))))))
    marks, below = [], np.zeros(len(edges) - 1)
    for part, errors_of_part in split.items():
        count = np.histogram(errors_of_part, edges)[0]
        titles = [
            f"{part} {n} rows from {low:.4g} to {high:.4g}".strip()
            for n, low, high in zip(count.tolist(), edges[:-1], edges[1:], strict=True)
        ]
        marks.append(Bars(edges[:-1], edges[1:], below, below + count, PART_PAINTS.get(part, PAINTS[1]), titles, part))
        below = below + count
    up = Axis("rows", limits=(0, 1.05 * max(float(below.max()), 1)))
    return Chart([*marks, Rule(x=0)], Axis(f"error of {name}, predicted - actual"), up)


def residuals(predicted: np.ndarray, errors: np.ndarray, name: str, titles: Sequence[str] = ()) -> Chart:
    """The errors (N,) against the predictions (N,)."""
    chosen = sample_rows(len(errors), MOST_POINTS)
    marks = [Rule(y=0), Points(predicted[chosen], errors[chosen], titles=titles)]
    return Chart(marks, Axis(f"{name}, predicted"), Axis("predicted - actual"))


def residual_map(points: np.ndarray, sizes: np.ndarray, names: Sequence[str]) -> Chart:
    """Sizes (m,) of a residual at points (m, d), over a single input or, as dots of this size, over the first two.

    Sizes over `DECADES` decades below the largest are distinguished.
    """
    shown = np.maximum(sizes, max(10.0**-DECADES * sizes.max(initial=0), np.finfo(float).tiny))
    titles = [
        f"{', '.join(f'{name} {x:.4g}' for name, x in zip(names, point, strict=True))}: residual {size:.3g}"
        for point, size in zip(points.tolist(), sizes.tolist(), strict=True)
    ]
    if points.shape[1] == 1:
        dots = Points(points[:, 0], shown, titles=titles)
        return Chart([dots], Axis(names[0]), Axis("size of the residual", log=True))
    radii = 0.6 + 5 * (1 + np.log10(shown / shown.max(initial=0)) / DECADES) ** 2
    return Chart([Points(points[:, 0], points[:, 1], titles=titles, radii=radii)], Axis(names[0]), Axis(names[1]))


def roc(probabilities: np.ndarray, classes: np.ndarray, names: Sequence[Any]) -> Chart:
    """The ROC curve of each class, or of the second of two: true against false positive rate over all thresholds."""
    marks = [_diagonal()]
    for i, j in enumerate([1] if len(names) == 2 else range(len(names))):
        true_rate, false_rate, area = roc_curve(probabilities[:, j], classes == j)
        colour, dash = _pen(i)
        marks.append(Line(false_rate, true_rate, colour, f"{names[j]}: {area:.3f}", dash, 1.4))
    return Chart(marks, Axis("false positive rate", limits=UNIT), Axis("true positive rate", limits=(0.0, 1.02)))


def reliability(probabilities: np.ndarray, classes: np.ndarray, bins: int = 10) -> Chart:
    """The share of right predictions against the probability of the predicted class, in bins of equal width."""
    largest = probabilities.max(axis=1)
    right = np.argmax(probabilities, axis=1) == classes
    bin_of = np.minimum((largest * bins).astype(int), bins - 1)
    count = np.bincount(bin_of, minlength=bins)
    filled = count > 0
    mean = np.bincount(bin_of, largest, bins)[filled] / count[filled]
    share = np.bincount(bin_of, right, bins)[filled] / count[filled]
    titles = [
        f"{n} rows: mean probability {100 * p:.1f} %, right {100 * s:.1f} %"
        for n, p, s in zip(count[filled].tolist(), mean, share, strict=True)
    ]
    marks = [_diagonal(), Points(mean, share, titles=titles, radii=np.sqrt(8 + 60 * count[filled] / count.max()))]
    limits = (-0.04, 1.05)
    return Chart(
        marks, Axis("probability of the predicted class", limits=limits), Axis("share that was right", limits=limits)
    )


def importances(found: Mapping[str, float], unit: str) -> Chart:
    """A bar for each column, the longest on top, at most twenty."""
    names = sorted(found, key=lambda name: -found[name])[:20]
    places, values = np.arange(len(names), dtype=float), np.array([found[name] for name in names])
    titles = [f"{name}: {value:.4g}" for name, value in zip(names, values, strict=True)]
    bars = Bars(np.zeros(len(names)), values, places - 0.35, places + 0.35, titles=titles)
    up = Axis(limits=(len(names) - 0.4, -0.6), names=[str(name)[:28] for name in names])
    return Chart([bars, Rule(x=0)], Axis(unit), up, height=60 + 22.0 * max(len(names), 4))


def dependence(
    curve: PartialDependence,
    names: Sequence[Any],
    ylabel: str,
    limits: tuple[float, float] | None = None,
) -> Chart:
    """The mean prediction over the values of one column: a line for each output, or points for categories.

    Common `limits` of the vertical axis make several columns comparable.
    """
    shown = range(len(names)) if len(names) <= MOST_NAMES else np.argsort(-np.ptp(curve.means, axis=0))[:MOST_NAMES]
    categories = isinstance(curve.values[0], str)
    x = np.arange(len(curve.values), dtype=float) if categories else np.asarray(curve.values, float)
    marks: list[Any] = []
    for i, j in enumerate(shown):
        means, paint, name = curve.means[:, j], _pen(i)[0], str(names[j])
        if curve.band is not None:
            marks += _bands(x, *curve.band[:, :, j], paint, categories)
        if categories:
            titles = [f"{value}: {mean:.5g}" for value, mean in zip(curve.values, means, strict=True)]
            marks.append(Points(x, means, paint, titles, 5.0, name))
        else:
            marks.append(Line(x, means, paint, name))
    across = Axis(curve.column, tight=True)
    if categories:
        across = Axis(curve.column, limits=(-0.6, len(x) - 0.4), names=[value[:14] for value in curve.values])
    return Chart(marks, across, Axis(ylabel, limits=limits))


def _bands(x: np.ndarray, low: np.ndarray, high: np.ndarray, paint: str, apart: bool) -> list[Band]:
    """One band along the line, or if `apart` one for each category."""
    if not apart:
        return [Band(x, low, high, paint, 0.3)]
    return [
        Band(np.array([at - 0.12, at + 0.12]), np.full(2, a), np.full(2, b), paint, 0.4)
        for at, a, b in zip(x, low, high, strict=True)
    ]


def _pen(i: int) -> tuple[str, str]:
    """The colour and the dashes of the i-th line; no two lines share both."""
    again, colour = divmod(i, len(PAINTS))
    return PAINTS[(colour + 1) % len(PAINTS)], DASHES[again % len(DASHES)]


def _diagonal() -> Line:
    return Line(np.array([0.0, 1.0]), np.array([0.0, 1.0]), SOFT, width=1.0)


def _numbers(values: Any) -> np.ndarray:
    """Values as an array, with NaN for None."""
    return np.array([np.nan if value is None else value for value in values], float)
