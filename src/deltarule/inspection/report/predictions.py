"""What a report shows of predictions: by part of the rows, with the row and the numbers of every point."""

from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from deltarule.data.schema import Schema
from deltarule.errors import counted
from deltarule.inspection.plots.images import misclassified
from deltarule.inspection.plots.style import COLOURS
from deltarule.inspection.report import pictures
from deltarule.inspection.report.drawing import inline_svg
from deltarule.inspection.report.evidence import PARTS, Evidence

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RELIABILITY = (
    "On the line, 80 % sure means right in 80 % of the rows; below it the network is too sure. Large points hold many "
    "rows."
)


class Matrix(NamedTuple):
    """A confusion matrix: of each class its name, every cell's (count, colour, opacity) and its recall; precisions."""

    names: tuple[Any, ...]
    rows: list[tuple[Any, list[tuple[int, str, float]], str]]
    precision: list[str]


class Shown(NamedTuple):
    """A picture or a confusion matrix with its title and a sentence."""

    title: str
    caption: str
    figure: "Figure | None" = None
    matrix: Matrix | None = None
    titles: tuple[str, ...] = ()  # of its points
    drawn: str = ""
    wide: bool = False

    def svg(self) -> str:
        """The picture as an element of the page, its points with their titles."""
        if self.drawn:
            return self.drawn
        assert self.figure is not None
        return inline_svg(self.figure, escape(self.title, quote=True), self.titles)


def predictions(schema: Schema, evidence: Evidence) -> list[Shown]:
    """The pictures of a regression or of a classification."""
    return _regression(schema, evidence) if schema.classes is None else _classification(schema.classes, evidence)


def _regression(schema: Schema, evidence: Evidence) -> list[Shown]:
    """For each target a regression of each part, errors and residuals, and with error bars whether they hold."""
    shown, judged = [], evidence.judged
    rows = np.arange(len(evidence.actual)) if evidence.rows is None else evidence.rows
    parts = {part: evidence.of_part(part) for part in (() if evidence.parts is None else PARTS)}
    parts = {part: places for part, places in parts.items() if len(places)}
    for j, name in enumerate(schema.target_names):
        predicted, actual = evidence.predicted[:, j], evidence.actual[:, j]
        errors = (predicted - actual)[judged]
        spread = (
            f"Mean {errors.mean():.3g}, standard deviation {errors.std():.3g}; half of the errors are within "
            f"{np.median(np.abs(errors)):.3g}" + (", of the test rows." if "test" in parts else ".")
        )
        pattern = "A pattern here is something that the network has not learnt; a funnel is noise that grows."
        for part, places in (parts or {"": judged}).items():
            shown.append(_of_part(name, part, predicted[places], actual[places], rows[places]))
        shown += [
            Shown(f"Errors of {name}", spread, pictures.error_histogram(predicted - actual, name, parts)),
            Shown(
                f"Residuals of {name}" + (", test rows" if "test" in parts else ""),
                pattern,
                pictures.residuals(predicted[judged], errors, name),
                titles=_points(predicted[judged], actual[judged], rows[judged]),
            ),
        ]
        if evidence.std is not None:
            shown.append(_coverage(name, errors, evidence.std[judged, j], evidence.degrees_of_freedom))
    return shown


def _of_part(name: str, part: str, predicted: np.ndarray, actual: np.ndarray, rows: np.ndarray) -> Shown:
    """Predictions against targets with R, their correlation."""
    varied = len(actual) > 1 and np.ptp(actual) > 0 and np.ptp(predicted) > 0
    r = f"R {np.corrcoef(predicted, actual)[0, 1]:.4f}, {counted(len(actual), 'row')}. " if varied else ""
    return Shown(
        f"Regression of {name}" + (f", {part} rows" if part else ""),
        f"{r}On the line a prediction is right.",
        pictures.regression(predicted, actual, name, pictures.PART_COLOURS.get(part, COLOURS[1])),
        titles=_points(predicted, actual, rows),
    )


def _points(predicted: np.ndarray, actual: np.ndarray, rows: np.ndarray) -> tuple[str, ...]:
    """What each point says that a picture of these rows has."""
    some = pictures.some_rows(len(actual))
    return tuple(f"row {rows[i]}: actual {actual[i]:.5g}, predicted {predicted[i]:.5g}" for i in some)


def _coverage(name: str, errors: np.ndarray, std: np.ndarray, degrees_of_freedom: float) -> Shown:
    """Whether the error bars hold what they say."""
    nominal, found = pictures.coverage_curve(errors, std, degrees_of_freedom)
    inside = float(found[nominal == 0.95][0])
    return Shown(
        f"Calibration of the error bars of {name}",
        f"{100 * inside:.1f} % of the rows lie in their 95 % interval. On the line the error bars are right, below it "
        f"too short, above it too long; the grey band is what chance does with {counted(len(errors), 'row')}.",
        pictures.coverage(errors, std, degrees_of_freedom, name),
    )


def _classification(names: tuple[Any, ...], evidence: Evidence) -> list[Shown]:
    """Confusion with recall and precision, ROC, reliability, and images that were misread."""
    judged = evidence.judged
    p, classes = evidence.predicted[judged], evidence.actual[judged]
    confusion = (
        "Rows are the actual classes, columns the predicted ones; red cells are mistakes. Recall is the share of a "
        "class that was found, precision the share of what was taken for it that is right."
    )
    title = "Confusion" + ("" if evidence.parts is None else ", test rows")
    shown = [
        Shown(title, confusion, matrix=_confusion(names, p.argmax(axis=1), classes), wide=len(names) > 4),
        Shown("ROC", "The nearer to the upper left corner, the better.", pictures.roc(p, classes, names)),
        Shown("Reliability", RELIABILITY, pictures.reliability(p, classes)),
    ]
    if evidence.misread is not None:
        images, places = evidence.misread
        taken = [names[j] for j in evidence.predicted[places].argmax(axis=1)]
        count = int(np.sum(evidence.predicted.argmax(axis=1) != evidence.actual))
        words = f"{len(images)} of the {counted(count, 'image')} that were misread: what it is → what it was taken for."
        figure = misclassified(images, taken, [names[j] for j in evidence.actual[places]], most=len(images), title=" ")
        shown.append(Shown("Misread images", words, figure, wide=True))
    return shown


def _confusion(names: tuple[Any, ...], predicted: np.ndarray, actual: np.ndarray) -> Matrix:
    """The confusion matrix: hits and mistakes shaded by their share of the row."""
    counts = np.zeros((len(names), len(names)), int)
    np.add.at(counts, (actual, predicted), 1)

    def cell(i: int, j: int) -> tuple[int, str, float]:
        share = counts[i, j] / max(counts[i].sum(), 1)
        if i == j:
            return int(counts[i, j]), "hit", 0.35 * share
        return int(counts[i, j]), "miss", min(0.15 + 2 * share, 0.75) if counts[i, j] else 0.0

    def share(i: int, total: int) -> str:
        return f"{100 * counts[i, i] / total:.0f} %" if total else "-"

    rows = [(name, [cell(i, j) for j in range(len(names))], share(i, counts[i].sum())) for i, name in enumerate(names)]
    return Matrix(names, rows, [share(j, counts[:, j].sum()) for j in range(len(names))])
