"""The figures of a report about predictions: by part of the rows, and every point with its row and its numbers."""

import base64
import struct
import zlib
from collections.abc import Sequence
from html import escape
from typing import Any, NamedTuple

import numpy as np

from deltarule.data.schema import Schema
from deltarule.errors import format_number, pluralized
from deltarule.inspection.importance import sample_rows
from deltarule.inspection.report import pictures
from deltarule.inspection.report.chart import PAINTS, Chart
from deltarule.inspection.report.evidence import PARTS, Evidence

ROC = (
    "The share of a class that is found against the share of other rows taken for it, over all thresholds. The legend "
    "has the area under each curve: 1 if every row of the class has a higher probability of it than any other row, 0.5 "
    "by chance."
)
RELIABILITY = (
    "On the line, a probability of 80 % means that 80 % of the rows are right; below it the network is overconfident. "
    "Large points stand for many rows."
)
CONFUSION = (
    "Rows are the actual classes, columns the predicted ones; red cells are mistakes. Recall is the share of a class "
    "that is found, precision the share of right answers among the rows that are predicted as the class."
)
PATTERN = "A pattern here is something that the network has not learnt; a funnel means that the noise grows."
NARROW = 24  # characters of class names that fit beside each other in a narrow figure
COLUMNS, CELL, LABEL = 10, 44, 14  # images side by side, the width of each, and the height of its label


class Figure(NamedTuple):
    """A picture or a confusion matrix with a title and a caption."""

    title: str
    caption: str
    chart: Chart | None = None
    confusion: tuple[Sequence[Any], list[list[int]]] | None = None  # names, and counts by actual and predicted class
    drawn: str = ""
    wide: bool = False

    def svg(self) -> str:
        """The picture as an SVG element."""
        return self.drawn if self.chart is None else self.chart.svg(self.title)


def predictions(schema: Schema, evidence: Evidence) -> list[Figure]:
    """The figures of a regression or of a classification."""
    return _regression(schema, evidence) if schema.classes is None else _classification(schema.classes, evidence)


def _regression(schema: Schema, evidence: Evidence) -> list[Figure]:
    """For each target its predictions by part, errors, residuals, and the calibration of error bars."""
    figures, evaluated = [], evidence.evaluated
    rows = np.arange(len(evidence.actual)) if evidence.rows is None else evidence.rows
    parts = {part: evidence.of_part(part) for part in (() if evidence.parts is None else PARTS)}
    parts = {part: places for part, places in parts.items() if len(places)}
    has_test = "test" in parts
    for j, name in enumerate(schema.target_names):
        predicted, actual = evidence.predicted[:, j], evidence.actual[:, j]
        errors = (predicted - actual)[evaluated]
        numbers = (errors.mean(), errors.std(), np.median(np.abs(errors)))
        mean, std, half = (format_number(value, 3) for value in numbers)
        spread = (
            f"{'All rows, coloured by part. On the test rows the' if has_test else 'The'} mean is {mean}, the standard "
            f"deviation {std}; half of the errors are smaller than {half}."
        )
        for part, places in (parts or {"": evaluated}).items():
            titles = _points(predicted, actual, rows, places)
            figures.append(_of_part(name, part, predicted[places], actual[places], titles))
        figures += [
            Figure(f"Errors of {name}", spread, pictures.error_histogram(predicted - actual, name, parts)),
            Figure(
                f"Residuals of {name}" + (", test rows" if has_test else ""),
                PATTERN,
                pictures.residuals(predicted[evaluated], errors, name, _points(predicted, actual, rows, evaluated)),
            ),
        ]
        if evidence.below is not None:
            figures.append(_calibration(name, evidence.below[evaluated, j]))
    return figures


def _of_part(name: str, part: str, predicted: np.ndarray, actual: np.ndarray, titles: list[str]) -> Figure:
    """Predictions against targets, with their correlation R and the line fitted to them."""
    caption, fit = "", pictures.fitted_line(predicted, actual)
    if fit is not None and np.ptp(predicted) > 0:
        r = np.corrcoef(predicted, actual)[0, 1]
        caption = f"R {r:.4f}, {pluralized(len(actual), 'row')}. "
        caption += f"Dashed line: predicted = {format_number(fit[0], 3)} actual {_signed(fit[1])}. "
    return Figure(
        f"Regression of {name}" + (f", {part} rows" if part else ""),
        f"{caption}On the grey line predictions equal the target.",
        pictures.regression(predicted, actual, name, titles, pictures.PART_PAINTS.get(part, PAINTS[1])),
    )


def _signed(value: float) -> str:
    return f"{'−' if value < 0 else '+'} {format_number(abs(value), 3)}"


def _points(predicted: np.ndarray, actual: np.ndarray, rows: np.ndarray, places: np.ndarray) -> list[str]:
    """The tooltip of each point that a picture of these rows draws."""
    drawn = places[sample_rows(len(places), pictures.MOST_POINTS)]
    return [f"row {rows[i]}: actual {actual[i]:.5g}, predicted {predicted[i]:.5g}" for i in drawn]


def _calibration(name: str, below: np.ndarray) -> Figure:
    """The share of rows inside intervals of every nominal coverage."""
    nominal, found = pictures.coverage_curve(below)
    inside = float(found[nominal == 0.95][0])
    return Figure(
        f"Calibration of the error bars of {name}",
        f"{100 * inside:.1f} % of the rows lie in their 95 % interval. On the line error bars have the right length, "
        f"below it they are too short, above it too long; the grey band is the range of chance for "
        f"{pluralized(len(below), 'row')}.",
        pictures.coverage(below, name),
    )


def _classification(names: tuple[Any, ...], evidence: Evidence) -> list[Figure]:
    evaluated = evidence.evaluated
    p, classes = evidence.predicted[evaluated], evidence.actual[evaluated]
    counts = np.zeros((len(names), len(names)), int)
    np.add.at(counts, (classes, p.argmax(axis=1)), 1)
    title = "Confusion" + ("" if evidence.parts is None else ", test rows")
    wide = sum(len(str(name)) + 2 for name in names) > NARROW
    figures = [
        Figure(title, CONFUSION, confusion=(names, counts.tolist()), wide=wide),
        Figure("ROC", ROC, pictures.roc(p, classes, names)),
        Figure("Reliability", RELIABILITY, pictures.reliability(p, classes)),
    ]
    if evidence.misread is not None:
        images, places = evidence.misread
        count = int(np.sum(evidence.predicted.argmax(axis=1) != evidence.actual))
        first = f"The first {len(images)} of" if len(images) < count else "The"
        caption = f"{first} {pluralized(count, 'misread image')}: actual → predicted."
        both = zip(evidence.actual[places], evidence.predicted[places].argmax(axis=1), strict=True)
        drawn = side_by_side(images, [f"{names[i]} → {names[j]}" for i, j in both], "Misread images")
        figures.append(Figure("Misread images", caption, drawn=drawn, wide=True))
    return figures


def side_by_side(images: np.ndarray, labels: Sequence[str], title: str) -> str:
    """Grey images (n, h, w) side by side as one <svg>, dark for large values, each below its label."""
    high = float(images.max(initial=0)) or 1.0
    parts = []
    for i, (image, label) in enumerate(zip(images, labels, strict=True)):
        x, y = CELL * (i % COLUMNS), (CELL + LABEL) * (i // COLUMNS)
        grey = (255 * (1 - np.clip(image / high, 0, 1))).round().astype(np.uint8)
        code = base64.b64encode(_png(grey)).decode("ascii")
        parts.append(
            f'<text x="{x + CELL / 2}" y="{y + 10}" text-anchor="middle">{escape(label)}</text>'
            f'<image x="{x + 4}" y="{y + LABEL}" width="{CELL - 8}" height="{CELL - 8}" '
            f'style="image-rendering: pixelated" href="data:image/png;base64,{code}"/>'
        )
    height = (CELL + LABEL) * -(-len(labels) // COLUMNS)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {COLUMNS * CELL} {height}" role="img" '
        f'aria-label="{escape(title, quote=True)}" font-size="10" fill="currentColor">{"".join(parts)}</svg>'
    )


def _png(grey: np.ndarray) -> bytes:
    """A grey image (h, w) as a PNG file."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    rows = b"".join(b"\0" + row.tobytes() for row in grey)
    head = struct.pack(">IIBBBBB", grey.shape[1], grey.shape[0], 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
