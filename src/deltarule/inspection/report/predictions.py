"""What a report shows of predictions: by part of the rows, with the row and the numbers of every point."""

import base64
import struct
import zlib
from collections.abc import Sequence
from html import escape
from typing import Any, NamedTuple

import numpy as np

from deltarule.data.schema import Schema
from deltarule.errors import pluralized
from deltarule.inspection.importance import sample_rows
from deltarule.inspection.report import pictures
from deltarule.inspection.report.chart import PAINTS, Chart
from deltarule.inspection.report.evidence import PARTS, Evidence

ROC = (
    "The nearer to the upper left corner, the better. Behind a class stands the area under its curve, 1 where every "
    "row of it has a higher probability of it than any other row."
)
RELIABILITY = (
    "On the line, 80 % sure means right in 80 % of the rows; below it the network is too sure. Large points hold many "
    "rows."
)
COLUMNS, CELL, WORDS = 10, 44, 14  # images side by side, the place of each, and the height of its words


class Figure(NamedTuple):
    """A picture or a confusion matrix with its title and a sentence."""

    title: str
    caption: str
    chart: Chart | None = None
    confusion: tuple[Sequence[Any], list[list[int]]] | None = None  # names, and how often i was taken for j
    drawn: str = ""
    wide: bool = False

    def svg(self) -> str:
        """The picture as an element of the page."""
        return self.drawn if self.chart is None else self.chart.svg(self.title)


def predictions(schema: Schema, evidence: Evidence) -> list[Figure]:
    """The pictures of a regression or of a classification."""
    return _regression(schema, evidence) if schema.classes is None else _classification(schema.classes, evidence)


def _regression(schema: Schema, evidence: Evidence) -> list[Figure]:
    """For each target a regression of each part, errors and residuals, and with error bars whether they hold."""
    shown, judged = [], evidence.judged
    rows = np.arange(len(evidence.actual)) if evidence.rows is None else evidence.rows
    parts = {part: evidence.of_part(part) for part in (() if evidence.parts is None else PARTS)}
    parts = {part: places for part, places in parts.items() if len(places)}
    for j, name in enumerate(schema.target_names):
        predicted, actual = evidence.predicted[:, j], evidence.actual[:, j]
        errors = (predicted - actual)[judged]
        spread = (
            (
                "The bars are the errors of all rows, their colours the parts; the numbers are of the test rows: mean "
                if "test" in parts
                else "Mean "
            )
            + f"{errors.mean():.3g}, standard deviation {errors.std():.3g}; half of these errors are smaller than "
            f"{np.median(np.abs(errors)):.3g}."
        )
        pattern = "A pattern here is something that the network has not learnt; a funnel is noise that grows."
        for part, places in (parts or {"": judged}).items():
            titles = _points(predicted, actual, rows, places)
            shown.append(_of_part(name, part, predicted[places], actual[places], titles))
        shown += [
            Figure(f"Errors of {name}", spread, pictures.error_histogram(predicted - actual, name, parts)),
            Figure(
                f"Residuals of {name}" + (", test rows" if "test" in parts else ""),
                pattern,
                pictures.residuals(predicted[judged], errors, name, _points(predicted, actual, rows, judged)),
            ),
        ]
        if evidence.below is not None:
            shown.append(_coverage(name, evidence.below[judged, j]))
    return shown


def _of_part(name: str, part: str, predicted: np.ndarray, actual: np.ndarray, titles: list[str]) -> Figure:
    """Predictions against targets with R, their correlation, and the line fitted to them."""
    words, fit = "", pictures.fitted_line(predicted, actual)
    if fit is not None and np.ptp(predicted) > 0:
        r = np.corrcoef(predicted, actual)[0, 1]
        words = (
            f"R {r:.4f}, {pluralized(len(actual), 'row')}; dashed: predicted = {fit[0]:.3g} actual {_signed(fit[1])}. "
        )
    return Figure(
        f"Regression of {name}" + (f", {part} rows" if part else ""),
        f"{words}On the grey line a prediction is right.",
        pictures.regression(predicted, actual, name, titles, pictures.PART_PAINTS.get(part, PAINTS[1])),
    )


def _signed(value: float) -> str:
    return f"{'−' if value < 0 else '+'} {abs(value):.3g}"


def _points(predicted: np.ndarray, actual: np.ndarray, rows: np.ndarray, places: np.ndarray) -> list[str]:
    """What each point says that a picture of these places has."""
    some = places[sample_rows(len(places), pictures.MOST_POINTS)]
    return [f"row {rows[i]}: actual {actual[i]:.5g}, predicted {predicted[i]:.5g}" for i in some]


def _coverage(name: str, below: np.ndarray) -> Figure:
    """Whether the error bars hold what they say."""
    nominal, found = pictures.coverage_curve(below)
    inside = float(found[nominal == 0.95][0])
    return Figure(
        f"Calibration of the error bars of {name}",
        f"{100 * inside:.1f} % of the rows lie in their 95 % interval. On the line the error bars are right, below it "
        f"too short, above it too long; the grey band is what chance does with {pluralized(len(below), 'row')}.",
        pictures.coverage(below, name),
    )


def _classification(names: tuple[Any, ...], evidence: Evidence) -> list[Figure]:
    """Confusion with recall and precision, ROC, reliability, and images that were misread."""
    judged = evidence.judged
    p, classes = evidence.predicted[judged], evidence.actual[judged]
    words = (
        "Rows are the actual classes, columns the predicted ones; red cells are mistakes. Recall is the share of a "
        "class that was found, precision the share of what was taken for it that is right."
    )
    title = "Confusion" + ("" if evidence.parts is None else ", test rows")
    counts = np.zeros((len(names), len(names)), int)
    np.add.at(counts, (classes, p.argmax(axis=1)), 1)
    shown = [
        Figure(title, words, confusion=(names, counts.tolist()), wide=len(names) > 4),
        Figure("ROC", ROC, pictures.roc(p, classes, names)),
        Figure("Reliability", RELIABILITY, pictures.reliability(p, classes)),
    ]
    if evidence.misread is not None:
        images, places = evidence.misread
        count = int(np.sum(evidence.predicted.argmax(axis=1) != evidence.actual))
        words = f"{len(images)} of the {pluralized(count, 'image')} that were misread: actual → predicted."
        both = zip(evidence.actual[places], evidence.predicted[places].argmax(axis=1), strict=True)
        drawn = side_by_side(images, [f"{names[i]} → {names[j]}" for i, j in both], "Misread images")
        shown.append(Figure("Misread images", words, drawn=drawn, wide=True))
    return shown


def side_by_side(images: np.ndarray, words: Sequence[str], label: str) -> str:
    """Grey images (n, h, w) side by side as one <svg>, dark for large values, each with its words above."""
    high = float(images.max(initial=0)) or 1.0
    parts = []
    for i, (image, said) in enumerate(zip(images, words, strict=True)):
        x, y = CELL * (i % COLUMNS), (CELL + WORDS) * (i // COLUMNS)
        grey = (255 * (1 - np.clip(image / high, 0, 1))).round().astype(np.uint8)
        code = base64.b64encode(_png(grey)).decode("ascii")
        parts.append(
            f'<text x="{x + CELL / 2}" y="{y + 10}" text-anchor="middle">{escape(said)}</text>'
            f'<image x="{x + 4}" y="{y + WORDS}" width="{CELL - 8}" height="{CELL - 8}" '
            f'style="image-rendering: pixelated" href="data:image/png;base64,{code}"/>'
        )
    tall = (CELL + WORDS) * -(-len(words) // COLUMNS)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {COLUMNS * CELL} {tall}" role="img" '
        f'aria-label="{escape(label, quote=True)}" font-size="10" fill="currentColor">{"".join(parts)}</svg>'
    )


def _png(grey: np.ndarray) -> bytes:
    """An image of bytes (h, w) as a PNG file."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    rows = b"".join(b"\0" + row.tobytes() for row in grey)
    head = struct.pack(">IIBBBBB", grey.shape[1], grey.shape[0], 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
