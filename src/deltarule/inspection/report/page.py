"""The report's page: what it says and shows, in the order of page.html.jinja, which has the looks."""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from deltarule.data.schema import Schema
from deltarule.errors import counted
from deltarule.inspection.plots.style import required
from deltarule.inspection.report import pictures
from deltarule.inspection.report.drawing import inline_svg, palette
from deltarule.inspection.report.evidence import Evidence

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# What a history may hold of each epoch: its name, its label, whether its axis is logarithmic, and what it says.
TRAINING_STATE = (
    ("gradient_norm", "norm of the gradient", True, "It falls to 0 at a minimum."),
    ("lambda", "damping lambda", True, "Small: Gauss-Newton steps; large: short steps downhill."),
    ("mu", "damping mu", True, "Small: Gauss-Newton steps; large: short steps downhill."),
    ("radius", "radius of the trust region", True, "How far a step may go."),
    ("log_evidence", "log evidence", False, "The more, the better the data support the penalties; it has a maximum."),
    ("gamma", "effective parameters gamma", False, "How many parameters the data determine."),
    ("beta", "noise precision beta", True, "One over the variance of the noise, of scaled targets."),
)
IMPORTANCE = (
    "How much worse the predictions are when a column is shuffled among the rows. Columns that say the same thing "
    "share their importance."
)
LOG_LOSS = " Log-loss is the mean of -ln p, where p is the probability given to the right class."
DEPENDENCE = "The mean prediction, all other columns as they are; every column on the same scale."
RELIABILITY = (
    "On the line, 80 % sure means right in 80 % of the rows; below it the network is too sure. Large points hold many "
    "rows."
)


class Matrix(NamedTuple):
    """A confusion matrix: the classes, and of each its name and (count, colour, opacity) of every cell."""

    names: tuple[Any, ...]
    rows: list[tuple[Any, list[tuple[int, str, float]]]]


class Shown(NamedTuple):
    """A picture or a confusion matrix with its title and a sentence."""

    title: str
    caption: str
    figure: "Figure | None" = None
    matrix: Matrix | None = None

    def svg(self) -> str:
        """The picture as an element of the page."""
        assert self.figure is not None
        return inline_svg(self.figure, escape(self.title, quote=True))


def html_report(
    title: str, schema: Schema, card: Mapping[str, Any], training: Mapping[str, Any], evidence: Evidence | None
) -> str:
    """The page, with everything in it.

    Args:
        title: above the page.
        schema: of the model.
        card: what the model's card says, a value for each name.
        training: the model file's record; its history gives the curves.
        evidence: the model on rows with known targets, or None.

    Raises:
        ConfigurationError: matplotlib or Jinja2 is not installed.
    """
    sections: list[tuple[str, list[Mapping[str, Any]], list[Shown]]] = [
        ("The model", [card], []),
        ("The verdict after training", _verdict(training), []),
    ]
    if evidence is not None:
        rows = f"{counted(len(evidence.predicted), 'row')} of {evidence.source}"
        shown = _regression(schema, evidence) if schema.classes is None else _classification(schema.classes, evidence)
        sections += [(f"Predictions, {rows}", [], shown), ("What the columns do", [], _columns(schema, evidence))]
    sections.append(("The training", [], _training(training)))
    lead = _lead(schema, training, evidence)
    return whole_page(title, lead, sections)


def whole_page(
    title: str, lead: str, sections: Sequence[tuple[str, Sequence[Mapping[str, Any]], Sequence[Shown]]]
) -> str:
    """The page of sections, each a title, cards and pictures.

    Raises:
        ConfigurationError: matplotlib or Jinja2 is not installed.
    """
    page = (
        required("jinja2")
        .Environment(autoescape=True, keep_trailing_newline=True)
        .from_string(Path(__file__).with_name("page.html.jinja").read_text(encoding="utf-8"))
    )
    return page.render(title=title, lead=lead, palette=palette(), sections=sections)


def _lead(schema: Schema, training: Mapping[str, Any], evidence: Evidence | None) -> str:
    """What the reader should know first, in two sentences."""
    metrics = training.get("metrics") or {}
    names = ", ".join(schema.target_names)
    words = []
    if "test_accuracy" in metrics:
        words.append(f"Predicts {names}: {100 * metrics['test_accuracy']:.1f} % of the test rows are right.")
    elif "test_rmse_by_target" in metrics:
        r2 = metrics.get("test_r2_by_target") or {}
        each = (f"{name} {_error(e, r2.get(name))}" for name, e in metrics["test_rmse_by_target"].items())
        words.append(f"Predicts on the test rows {'; '.join(each)}.")
    elif "test_rmse" in metrics:
        words.append(f"Predicts {names} on the test rows {_error(metrics['test_rmse'], metrics.get('test_r2'))}.")
    if evidence is not None:
        words.append(f"On {evidence.source}: {_score(schema, evidence)}.")
    return " ".join(words) or f"A network for {names}."


def _error(rmse: float, r2: float | None) -> str:
    return f"with a root mean square error of {rmse:.4g}" + ("" if r2 is None else f", R² {r2:.3f}")


def _score(schema: Schema, evidence: Evidence) -> str:
    if schema.classes is not None:
        return f"{100 * np.mean(evidence.predicted.argmax(axis=1) == evidence.actual):.1f} % right"
    parts = []
    for name, predicted, actual in zip(schema.target_names, evidence.predicted.T, evidence.actual.T, strict=True):
        errors, spread = predicted - actual, np.sum((actual - actual.mean()) ** 2)
        r2 = 1 - np.sum(errors**2) / spread if spread > 0 else None
        parts.append(f"{name} {_error(np.sqrt(np.mean(errors**2)), r2)}")
    return "; ".join(parts)


def _verdict(training: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What `deltarule train` said of the network, as a card."""
    lines, warnings = training.get("verdict"), training.get("warnings")
    if not isinstance(lines, Mapping):
        return []
    rows = {name[0].upper() + name[1:]: words for name, words in lines.items()}
    return [rows | {f"Warning {i}": words for i, words in enumerate(warnings or (), 1)}]


def _regression(schema: Schema, evidence: Evidence) -> list[Shown]:
    """Three figures for each target, and with error bars a fourth."""
    shown = []
    for j, name in enumerate(schema.target_names):
        predicted, actual = evidence.predicted[:, j], evidence.actual[:, j]
        errors = predicted - actual
        spread = (
            f"Mean {errors.mean():.3g}, standard deviation {errors.std():.3g}; half of the errors are within "
            f"{np.median(np.abs(errors)):.3g}."
        )
        pattern = "A pattern here is something that the network has not learnt; a funnel is noise that grows."
        shown += [
            Shown(
                f"Regression of {name}",
                "On the line a prediction is right.",
                pictures.regression(predicted, actual, name),
            ),
            Shown(f"Errors of {name}", spread, pictures.error_histogram(errors, name)),
            Shown(f"Residuals of {name}", pattern, pictures.residuals(predicted, errors, name)),
        ]
        if evidence.std is not None:
            shown.append(_coverage(name, errors, evidence.std[:, j], evidence.degrees_of_freedom))
    return shown


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
    """Confusion, ROC, reliability."""
    p, classes = evidence.predicted, evidence.actual
    confusion = "Rows are the actual classes, columns the predicted ones; red cells are mistakes."
    return [
        Shown("Confusion", confusion, matrix=_confusion(names, p.argmax(axis=1), classes)),
        Shown("ROC", "The nearer to the upper left corner, the better.", pictures.roc(p, classes, names)),
        Shown("Reliability", RELIABILITY, pictures.reliability(p, classes)),
    ]


def _confusion(names: tuple[Any, ...], predicted: np.ndarray, actual: np.ndarray) -> Matrix:
    """The confusion matrix: hits and mistakes shaded by their share of the row."""
    counts = np.zeros((len(names), len(names)), int)
    np.add.at(counts, (actual, predicted), 1)

    def cell(i: int, j: int) -> tuple[int, str, float]:
        share = counts[i, j] / max(counts[i].sum(), 1)
        if i == j:
            return int(counts[i, j]), "hit", 0.35 * share
        return int(counts[i, j]), "miss", min(0.15 + 2 * share, 0.75) if counts[i, j] else 0.0

    return Matrix(names, [(name, [cell(i, j) for j in range(len(names))]) for i, name in enumerate(names)])


def _columns(schema: Schema, evidence: Evidence) -> list[Shown]:
    """Importance, and the dependence on the most important columns."""
    if not evidence.importance:
        return []
    classes, names = schema.classes is not None, schema.output_names
    unit = "added log-loss when shuffled" if classes else "added error when shuffled, in standard deviations"
    bars = pictures.importances(evidence.importance, unit)
    shown = [Shown("Importance of the columns", IMPORTANCE + (LOG_LOSS if classes else ""), bars)]
    ylabel = "mean probability" if classes else names[0] if len(names) == 1 else "mean prediction"
    means = np.concatenate([curve.means.ravel() for curve in evidence.dependence])
    margin = 0.05 * (np.ptp(means) or 1)
    limits = (float(means.min() - margin), float(means.max() + margin))
    for curve in evidence.dependence:
        figure = pictures.dependence(curve, names, ylabel, limits)
        shown.append(Shown(f"Dependence on {curve.column}", DEPENDENCE, figure))
    return shown


def _training(training: Mapping[str, Any]) -> list[Shown]:
    """Performance, and what else was recorded of every epoch."""
    history = training.get("history") or {}
    if "cost" not in history:
        return []
    if "log_evidence" in history:  # recorded at the start of an epoch, so of the parameters of the one before
        history = {**history, "epoch": list(range(len(history["cost"])))}
    best = int(training.get("best_epoch") or 0)
    caption = f"The dotted line is epoch {best}, whose parameters were kept." if best else "The cost over the epochs."
    shown = [Shown("Performance", caption, pictures.performance(history, best))]
    for name, label, log, words in TRAINING_STATE:
        values = history.get(name)
        if values is None or np.ndim(values) != 1:
            continue
        if any(value is not None and (value > 0 or not log) for value in values):
            title = label[0].upper() + label[1:]
            shown.append(Shown(title, words, pictures.training_state(history, name, label, best, log)))
    return shown
