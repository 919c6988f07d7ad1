"""The report's page: its sections and sentences, which page.html.jinja lays out."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from deltarule.data.schema import Schema
from deltarule.errors import format_number, pluralized
from deltarule.inspection.report import pictures
from deltarule.inspection.report.chart import palette
from deltarule.inspection.report.evidence import Evidence, PartialDependence
from deltarule.inspection.report.predictions import Figure, predictions

DAMPING = (
    "How cautious the steps of Levenberg-Marquardt are: small damping gives Gauss-Newton steps, which are fast near a "
    "minimum; large damping gives short steps downhill."
)
EVIDENCE = (
    "The logarithm of how probable the training targets are, given the regularisation and the noise level that "
    "training has chosen. Training ends when it no longer grows."
)
NOISE = (
    "1 / (variance of the noise), for targets scaled to variance 1: a precision of 100 means noise with a tenth of the "
    "targets' standard deviation."
)
# What a history may record of each epoch: its name, label, whether the axis is logarithmic, and the caption.
TRAINING_STATE = (
    ("gradient_norm", "norm of the gradient", True, "It is 0 at a minimum."),
    ("lambda", "damping lambda", True, DAMPING),
    ("mu", "damping mu", True, DAMPING),
    ("radius", "radius of the trust region", True, "The largest length of a step."),
    ("log_evidence", "log evidence", False, EVIDENCE),
    ("gamma", "effective parameters gamma", False, "How many of the parameters the data determine."),
    ("beta", "noise precision beta", True, NOISE),
)
IMPORTANCE = (
    "How much worse the predictions become when a column is shuffled among the rows. Columns with the same information "
    "share their importance."
)
LOG_LOSS = " Log-loss is the mean of -ln p, where p is the probability given to the right class."
NETWORK = (
    "Each line is a weight: the wider, the larger; blue is positive, red negative. Move the mouse over a line to see "
    "its value."
)
RESIDUAL = (
    "The size of the residual at some of the fitted points; over two inputs, larger dots are larger residuals. Where "
    "it is large, the solution is not reliable."
)
DEPENDENCE = (
    "The mean prediction when this column is changed and the others stay as they are. All columns share one scale."
)
MOST_DEPENDENCES = 36  # pictures of dependence of all targets together
BAND = " The band contains 95 % of new measurements, on average over some rows."


def html_report(
    title: str,
    schema: Schema,
    card: Mapping[str, Any],
    training: Mapping[str, Any],
    evidence: Evidence | None,
    network: str = "",
) -> str:
    """The whole page, as HTML.

    Args:
        title: the heading.
        schema: the columns and classes.
        card: lines about the model, by name.
        training: the training's record in the model file.
        evidence: predictions and errors on rows with known targets, if there are any.
        network: a picture of the network as SVG.
    """
    sections: list[tuple[str, list[Mapping[str, Any]], list[Figure]]] = [
        ("The model", [card], []),
        ("The network", [], [Figure("Neurons and weights", NETWORK, drawn=network, wide=True)] if network else []),
        ("The data that trained it", _summary(schema), []),
        ("The verdict after training", verdict_cards(training), []),
    ]
    if evidence is not None:
        rows = f"{pluralized(len(evidence.predicted), 'row')} of {evidence.source}"
        shown = predictions(schema, evidence)
        sections += [(f"Predictions, {rows}", [], shown), ("What the columns do", [], _columns(schema, evidence))]
    maps = training.get("residual_maps") or ()
    sections.append(("Where the equations hold", [], [_residual_map(part, schema.input_names) for part in maps]))
    sections.append(("The training", [], _training(training)))
    return render_page(title, _lead(schema, training, evidence), sections)


def render_page(
    title: str, lead: str, sections: Sequence[tuple[str, Sequence[Mapping[str, Any]], Sequence[Figure]]]
) -> str:
    """Render a page of sections, each with a heading, cards and figures."""
    from jinja2 import Environment  # imported here, because a model's summary does without it

    text = Path(__file__).with_name("page.html.jinja").read_text(encoding="utf-8")
    page = Environment(autoescape=True, keep_trailing_newline=True).from_string(text)
    return page.render(title=title, lead=lead, palette=palette(), sections=sections)


def _lead(schema: Schema, training: Mapping[str, Any], evidence: Evidence | None) -> str:
    """Sentences that say what the model predicts, and how well."""
    metrics = training.get("metrics") or {}
    names = ", ".join(schema.target_names)
    if evidence is not None and evidence.parts is not None:
        return f"Predicts {_score(schema, evidence)} on the test rows of {evidence.source}."
    sentences = []
    if "test_accuracy" in metrics:
        sentences.append(f"Predicts {names}, {100 * metrics['test_accuracy']:.1f} % right on the test rows.")
    elif "test_rmse_by_target" in metrics:
        r2 = metrics.get("test_r2_by_target") or {}
        each = (f"{name} {_error(e, r2.get(name))}" for name, e in metrics["test_rmse_by_target"].items())
        sentences.append(f"Predicts {'; '.join(each)} on the test rows.")
    elif "test_rmse" in metrics:
        sentences.append(f"Predicts {names} {_error(metrics['test_rmse'], metrics.get('test_r2'))} on the test rows.")
    if evidence is not None:
        sentences.append(f"On {evidence.source}: {_score(schema, evidence)}.")
    return " ".join(sentences) or f"A network for {names}."


def _error(rmse: float, r2: float | None) -> str:
    return f"with a root mean square error of {format_number(rmse)}" + ("" if r2 is None else f" (R² {r2:.3f})")


def _score(schema: Schema, evidence: Evidence) -> str:
    """Each target with its error on the rows to judge by."""
    predicted, actual = evidence.predicted[evidence.evaluated], evidence.actual[evidence.evaluated]
    if schema.classes is not None:
        right = 100 * np.mean(predicted.argmax(axis=1) == actual)
        return f"{schema.target_names[0]}, {right:.1f} % right"
    targets = []
    for name, p, y in zip(schema.target_names, predicted.T, actual.T, strict=True):
        spread = np.sum((y - y.mean()) ** 2)
        r2 = 1 - np.sum((p - y) ** 2) / spread if spread > 0 else None
        targets.append(f"{name} {_error(np.sqrt(np.mean((p - y) ** 2)), r2)}")
    return "; ".join(targets)


def _summary(schema: Schema) -> list[Mapping[str, Any]]:
    """A card with the statistics of the training rows, column by column; none for images."""
    columns = (*schema.inputs, *schema.targets)
    rows = {str(getattr(column, "name", "")): words for column in columns if (words := column.describe())}
    if schema.classes is not None and rows:
        rows[schema.target_names[0]] = f"classes {', '.join(map(str, schema.classes))}"
    return [rows] if rows else []


def verdict_cards(training: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """A card with the verdict and the warnings of `deltarule train`, if the record has them."""
    lines, warnings = training.get("verdict"), training.get("warnings")
    if not isinstance(lines, Mapping):
        return []
    rows = {name[0].upper() + name[1:]: words for name, words in lines.items()}
    return [rows | {f"Warning {i}": words for i, words in enumerate(warnings or (), 1)}]


def _columns(schema: Schema, evidence: Evidence) -> list[Figure]:
    if not evidence.importance:
        return []
    classes, names = schema.classes is not None, schema.output_names
    unit = "added log-loss when shuffled" if classes else "added error when shuffled, in standard deviations"
    bars = pictures.importances(evidence.importance, unit)
    figures = [Figure("Importance of the columns", IMPORTANCE + (LOG_LOSS if classes else ""), bars)]
    if classes:
        return figures + _dependence(evidence.dependence, names, "mean probability", "Dependence")
    curves = evidence.dependence[: max(1, MOST_DEPENDENCES // len(names))]
    for j, name in enumerate(names):  # a picture of its own, because targets may have different units
        title = "Dependence" if len(names) == 1 else f"Dependence of {name}"
        figures += _dependence([curve.of_output(j) for curve in curves], [name], name, title)
    return figures


def _dependence(curves: Sequence[PartialDependence], names: Sequence[Any], ylabel: str, title: str) -> list[Figure]:
    """A figure for each column, all of one scale."""
    if not curves:
        return []
    values = np.concatenate([(c.means if c.band is None else c.band).ravel() for c in curves])
    margin = 0.05 * (np.ptp(values) or 1)
    limits = (float(values.min() - margin), float(values.max() + margin))
    figures = []
    for curve in curves:
        caption = DEPENDENCE if curve.band is None else DEPENDENCE + BAND
        chart = pictures.dependence(curve, names, ylabel, limits)
        figures.append(Figure(f"{title} on {curve.column}", caption, chart))
    return figures


def _residual_map(part: Mapping[str, Any], names: Sequence[str]) -> Figure:
    """The residual of a differential equation, a condition or data, over the first two inputs."""
    points, sizes = np.array(part["points"]), np.array(part["residuals"], float)
    known = np.isfinite(sizes)
    chart = pictures.residual_map(points[known], sizes[known], names)
    return Figure(f"Residual of {part['name']}", RESIDUAL, chart)


def _training(training: Mapping[str, Any]) -> list[Figure]:
    history = training.get("history") or {}
    if "cost" not in history:
        return []
    if "log_evidence" in history:  # recorded at the start of each epoch, for the parameters of the epoch before
        history = {**history, "epoch": list(range(len(history["cost"])))}
    best = int(training.get("best_epoch") or 0)
    caption = f"The dotted line marks epoch {best}, whose parameters were kept." if best else "The cost of each epoch."
    costs = {"training": history["cost"]}
    if "validation_cost" in history:
        costs["validation"] = history["validation_cost"]
    figures = [Figure("Performance", caption, pictures.over_epochs(costs, history, "mean cost", best))]
    for name, label, log, caption in TRAINING_STATE:
        values = history.get(name)
        if values is None or np.ndim(values) != 1:
            continue
        if any(value is not None and (value > 0 or not log) for value in values):
            title = label[0].upper() + label[1:]
            figures.append(Figure(title, caption, pictures.over_epochs({label: values}, history, label, best, log)))
    return figures
