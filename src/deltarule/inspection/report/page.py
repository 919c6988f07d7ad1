"""The report's page: what it says and shows, in the order of page.html.jinja, which has the looks."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from deltarule.data.schema import Schema
from deltarule.errors import pluralized
from deltarule.inspection.report import pictures
from deltarule.inspection.report.chart import palette
from deltarule.inspection.report.evidence import Evidence
from deltarule.inspection.report.predictions import Figure, predictions

DAMPING = (
    "How cautious the steps of Levenberg-Marquardt are. Small: it goes straight to the minimum of the model with "
    "linear errors (a Gauss-Newton step); large: it takes a short step downhill."
)
EVIDENCE = (
    "The logarithm of how probable the settings make the training targets. The settings are the penalties, which hold "
    "the weights small, and the noise; training ends where it no longer grows."
)
# What a history may hold of each epoch: its name, its label, whether its axis is logarithmic, and what it says.
TRAINING_STATE = (
    ("gradient_norm", "norm of the gradient", True, "It falls to 0 at a minimum."),
    ("lambda", "damping lambda", True, DAMPING),
    ("mu", "damping mu", True, DAMPING),
    ("radius", "radius of the trust region", True, "How far a step may go."),
    ("log_evidence", "log evidence", False, EVIDENCE),
    (
        "gamma",
        "effective parameters gamma",
        False,
        "How many of the parameters the data determine; the penalties the rest.",
    ),
    (
        "beta",
        "noise precision beta",
        True,
        "1 / (variance of the noise), of targets scaled to variance 1: 100 is a noise of "
        "a tenth of their standard deviation.",
    ),
)
IMPORTANCE = (
    "How much worse the predictions are when a column is shuffled among the rows. Columns that say the same thing "
    "share their importance."
)
LOG_LOSS = " Log-loss is the mean of -ln p, where p is the probability given to the right class."
NETWORK = "A line is as wide as its weight is large; red ones are negative. Put the mouse on one to see its number."
RESIDUAL = (
    "How far from 0 at some of the points that were fitted; over two inputs the larger dot is the larger residual. "
    "Where it is large, do not believe the solution."
)
DEPENDENCE = "The mean prediction, all other columns as they are; every column on the same scale."
BAND = " The band holds 95 % of new measurements, by the error bars' mean over some rows."


def html_report(
    title: str,
    schema: Schema,
    card: Mapping[str, Any],
    training: Mapping[str, Any],
    evidence: Evidence | None,
    network: str = "",
) -> str:
    """The page, with everything in it: the model's card, what its file records of the training, and what was measured.

    `network` is a picture of it as SVG.
    """
    sections: list[tuple[str, list[Mapping[str, Any]], list[Figure]]] = [
        ("The model", [card], []),
        ("The network", [], [Figure("Neurons and weights", NETWORK, drawn=network)] if network else []),
        ("The data that trained it", _summary(schema), []),
        ("The verdict after training", _verdict(training), []),
    ]
    if evidence is not None:
        rows = f"{pluralized(len(evidence.predicted), 'row')} of {evidence.source}"
        shown = predictions(schema, evidence)
        sections += [(f"Predictions, {rows}", [], shown), ("What the columns do", [], _columns(schema, evidence))]
    maps = training.get("residual_maps") or ()
    sections.append(("Where the equations hold", [], [_map(part, schema.input_names) for part in maps]))
    sections.append(("The training", [], _training(training)))
    lead = _lead(schema, training, evidence)
    return render_page(title, lead, sections)


def render_page(
    title: str, lead: str, sections: Sequence[tuple[str, Sequence[Mapping[str, Any]], Sequence[Figure]]]
) -> str:
    """The page of sections, each a title, cards and pictures."""
    from jinja2 import Environment  # here, so that a model's summary does not wait for it

    text = Path(__file__).with_name("page.html.jinja").read_text(encoding="utf-8")
    page = Environment(autoescape=True, keep_trailing_newline=True).from_string(text)
    return page.render(title=title, lead=lead, palette=palette(), sections=sections)


def _lead(schema: Schema, training: Mapping[str, Any], evidence: Evidence | None) -> str:
    """What the reader should know first, in two sentences."""
    metrics = training.get("metrics") or {}
    names = ", ".join(schema.target_names)
    words = []
    if evidence is not None and evidence.parts is not None:
        words.append(f"Predicts {names}.")  # how well, the same test rows say below
    elif "test_accuracy" in metrics:
        words.append(f"Predicts {names}: {100 * metrics['test_accuracy']:.1f} % of the test rows are right.")
    elif "test_rmse_by_target" in metrics:
        r2 = metrics.get("test_r2_by_target") or {}
        each = (f"{name} {_error(e, r2.get(name))}" for name, e in metrics["test_rmse_by_target"].items())
        words.append(f"Predicts on the test rows {'; '.join(each)}.")
    elif "test_rmse" in metrics:
        words.append(f"Predicts {names} on the test rows {_error(metrics['test_rmse'], metrics.get('test_r2'))}.")
    if evidence is not None:
        place = "" if evidence.parts is None else "the test rows of "
        words.append(f"On {place}{evidence.source}: {_score(schema, evidence)}.")
    return " ".join(words) or f"A network for {names}."


def _error(rmse: float, r2: float | None) -> str:
    return f"with a root mean square error of {rmse:.4g}" + ("" if r2 is None else f", R² {r2:.3f}")


def _score(schema: Schema, evidence: Evidence) -> str:
    found, known = evidence.predicted[evidence.judged], evidence.actual[evidence.judged]
    if schema.classes is not None:
        return f"{100 * np.mean(found.argmax(axis=1) == known):.1f} % right"
    parts = []
    for name, predicted, actual in zip(schema.target_names, found.T, known.T, strict=True):
        errors, spread = predicted - actual, np.sum((actual - actual.mean()) ** 2)
        r2 = 1 - np.sum(errors**2) / spread if spread > 0 else None
        parts.append(f"{name} {_error(np.sqrt(np.mean(errors**2)), r2)}")
    return "; ".join(parts)


def _summary(schema: Schema) -> list[Mapping[str, Any]]:
    """What the training rows were like, column by column, as a card; of images nothing."""
    columns = (*schema.inputs, *schema.targets)
    rows = {str(getattr(column, "name", "")): words for column in columns if (words := column.describe())}
    if schema.classes is not None and rows:
        rows[schema.target_names[0]] = f"classes {', '.join(map(str, schema.classes))}"
    return [rows] if rows else []


def _verdict(training: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What `deltarule train` said of the network, as a card."""
    lines, warnings = training.get("verdict"), training.get("warnings")
    if not isinstance(lines, Mapping):
        return []
    rows = {name[0].upper() + name[1:]: words for name, words in lines.items()}
    return [rows | {f"Warning {i}": words for i, words in enumerate(warnings or (), 1)}]


def _columns(schema: Schema, evidence: Evidence) -> list[Figure]:
    """Importance, and the dependence on the most important columns."""
    if not evidence.importance:
        return []
    classes, names = schema.classes is not None, schema.output_names
    unit = "added log-loss when shuffled" if classes else "added error when shuffled, in standard deviations"
    bars = pictures.importances(evidence.importance, unit)
    shown = [Figure("Importance of the columns", IMPORTANCE + (LOG_LOSS if classes else ""), bars)]
    ylabel = "mean probability" if classes else names[0] if len(names) == 1 else "mean prediction"
    wide = [curve.means if curve.band is None else curve.band for curve in evidence.dependence]
    means = np.concatenate([one.ravel() for one in wide])
    margin = 0.05 * (np.ptp(means) or 1)
    limits = (float(means.min() - margin), float(means.max() + margin))
    for curve in evidence.dependence:
        words = DEPENDENCE if curve.band is None else DEPENDENCE + BAND
        chart = pictures.dependence(curve, names, ylabel, limits)
        shown.append(Figure(f"Dependence on {curve.column}", words, chart))
    return shown


def _map(part: Mapping[str, Any], names: Sequence[str]) -> Figure:
    """The residual of a differential equation, a condition or data over the first two inputs."""
    points, sizes = np.array(part["points"]), np.array(part["residuals"], float)
    known = np.isfinite(sizes)
    chart = pictures.residual_map(points[known], sizes[known], names)
    return Figure(f"Residual of {part['name']}", RESIDUAL, chart)


def _training(training: Mapping[str, Any]) -> list[Figure]:
    """Performance, and what else was recorded of every epoch."""
    history = training.get("history") or {}
    if "cost" not in history:
        return []
    if "log_evidence" in history:  # recorded at the start of an epoch, so of the parameters of the one before
        history = {**history, "epoch": list(range(len(history["cost"])))}
    best = int(training.get("best_epoch") or 0)
    caption = f"The dotted line is epoch {best}, whose parameters were kept." if best else "The cost over the epochs."
    costs = {"training": history["cost"]}
    if "validation_cost" in history:
        costs["validation"] = history["validation_cost"]
    shown = [Figure("Performance", caption, pictures.over_epochs(costs, history, "mean cost", best))]
    for name, label, log, words in TRAINING_STATE:
        values = history.get(name)
        if values is None or np.ndim(values) != 1:
            continue
        if any(value is not None and (value > 0 or not log) for value in values):
            title = label[0].upper() + label[1:]
            shown.append(Figure(title, words, pictures.over_epochs({label: values}, history, label, best, log)))
    return shown
