"""The report's page: the model's card, figures with a sentence each, a style for light, dark, wide and narrow."""

from collections.abc import Iterable, Mapping
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from deltarule.data.schema import Schema
from deltarule.errors import counted
from deltarule.inspection.report import pictures
from deltarule.inspection.report.drawing import inline_svg, palette
from deltarule.inspection.report.evidence import Evidence

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STYLE = """
:root { color-scheme: light dark; --page: #fbfaf8; --card: #ffffff; --ink: #2b2f36; --soft: #6a707a; --line: #e3e1dc;
  --hit: 59, 118, 196; --miss: 196, 69, 47; }
@media (prefers-color-scheme: dark) { :root { --page: #16181c; --card: #1f2228; --ink: #e6e4df; --soft: #9aa1ad;
  --line: #343941; --hit: 91, 150, 226; --miss: 226, 103, 80; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; }
main { max-width: 76rem; margin: 0 auto; padding: 1.5rem clamp(0.8rem, 3vw, 2.5rem) 4rem; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0.5rem 0; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 2.2rem 0 0.8rem; }
p.lead { font-size: 1.1rem; margin: 0.3rem 0 1.2rem; max-width: 46rem; }
.figures { display: grid; gap: 1rem; align-items: start;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 21rem), 1fr)); }
figure, .card { margin: 0; background: var(--card); border: 1px solid var(--line); border-radius: 0.5rem;
  padding: 0.8rem; min-width: 0; }
figure h3 { margin: 0 0 0.3rem; font-size: 1rem; }
figure svg { width: 100%; height: auto; display: block; color: var(--ink); }
figcaption { color: var(--soft); font-size: 0.9rem; margin-top: 0.4rem; }
.scroll { overflow-x: auto; }
section > .figures:has(> .card) { display: block; }
table { border-collapse: collapse; font-size: 0.9rem; font-variant-numeric: tabular-nums; }
.card table { width: 100%; }
.card th { text-align: left; font-weight: 600; white-space: nowrap; padding-right: 1.2rem; vertical-align: top; }
.card td { overflow-wrap: anywhere; }
.card td, .card th { padding-block: 0.25rem; border-bottom: 1px solid var(--line); }
.confusion td, .confusion th { padding: 0.25rem 0.3rem; text-align: center; min-width: 1.7rem; }
.confusion th[scope=row] { text-align: right; }
code { font-size: 0.92em; overflow-wrap: anywhere; }
footer { color: var(--soft); font-size: 0.85rem; margin-top: 2.5rem; }
@media print { body { background: #fff; } figure { break-inside: avoid; } }
"""

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
    """
    lead = _lead(schema, training, evidence)
    sections = [_section("The model", [_card(card)]), _section("The verdict after training", _verdict(training))]
    if evidence is not None:
        rows = f"{counted(len(evidence.predicted), 'row')} of {evidence.source}"
        shown = _classification(schema, evidence) if schema.classes is not None else _regression(schema, evidence)
        sections.append(_section(f"Predictions, {rows}", shown))
        sections.append(_section("What the columns do", _columns(schema, evidence)))
    sections.append(_section("The training", _training(training)))
    body = "\n".join(section for section in sections if section)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>\n{palette()}{STYLE}</style>\n</head>\n<body>\n<main>\n"
        f'<h1>{escape(title)}</h1>\n<p class="lead">{lead}</p>\n{body}\n'
        "<footer>Written by deltarule. This file is complete: it loads nothing.</footer>\n</main>\n</body>\n</html>\n"
    )


def _lead(schema: Schema, training: Mapping[str, Any], evidence: Evidence | None) -> str:
    """What the reader should know first, in two sentences."""
    metrics = training.get("metrics") or {}
    names = ", ".join(escape(name) for name in schema.target_names)
    words = []
    if "test_accuracy" in metrics:
        words.append(f"Predicts {names}: {100 * metrics['test_accuracy']:.1f} % of the test rows are right.")
    elif "test_rmse_by_target" in metrics:
        r2 = metrics.get("test_r2_by_target") or {}
        each = (f"{escape(name)} {_error(e, r2.get(name))}" for name, e in metrics["test_rmse_by_target"].items())
        words.append(f"Predicts on the test rows {'; '.join(each)}.")
    elif "test_rmse" in metrics:
        words.append(f"Predicts {names} on the test rows {_error(metrics['test_rmse'], metrics.get('test_r2'))}.")
    if evidence is not None:
        words.append(f"On {escape(evidence.source)}: {_score(schema, evidence)}.")
    return " ".join(words) or f"A network for {names}."


def _error(rmse: float, r2: float | None) -> str:
    return f"with a root mean square error of {rmse:.4g}" + ("" if r2 is None else f", R² {r2:.3f}")


def _score(schema: Schema, evidence: Evidence) -> str:
    if schema.classes is not None:
        return f"{100 * np.mean(evidence.predicted.argmax(axis=1) == evidence.actual):.1f} % right"
    parts = []
    for j, name in enumerate(schema.target_names):
        errors = evidence.predicted[:, j] - evidence.actual[:, j]
        spread = np.sum((evidence.actual[:, j] - evidence.actual[:, j].mean()) ** 2)
        r2 = 1 - np.sum(errors**2) / spread if spread > 0 else None
        parts.append(f"{escape(name)} {_error(np.sqrt(np.mean(errors**2)), r2)}")
    return "; ".join(parts)


def _section(title: str, parts: Iterable[str]) -> str:
    content = "\n".join(parts)
    if not content:
        return ""
    return f'<section>\n<h2>{escape(title)}</h2>\n<div class="figures">\n{content}\n</div>\n</section>'


def _card(card: Mapping[str, Any]) -> str:
    rows = "".join(f"<tr><th>{escape(name)}</th><td>{escape(str(value))}</td></tr>" for name, value in card.items())
    return f'<div class="card"><table>{rows}</table></div>'


def _verdict(training: Mapping[str, Any]) -> list[str]:
    """What `deltarule train` said of the network."""
    lines, warnings = training.get("verdict"), training.get("warnings")
    if not isinstance(lines, Mapping):
        return []
    rows = {name[0].upper() + name[1:]: words for name, words in lines.items()}
    return [_card(rows | {f"Warning {i}": words for i, words in enumerate(warnings or (), 1)})]


def _figure(title: str, figure: "Figure", caption: str) -> str:
    svg = inline_svg(figure, escape(title, quote=True))
    return f"<figure><h3>{escape(title)}</h3>{svg}<figcaption>{escape(caption)}</figcaption></figure>"


def _regression(schema: Schema, evidence: Evidence) -> list[str]:
    """Three figures for each target."""
    shown = []
    for j, name in enumerate(schema.target_names):
        predicted, actual = evidence.predicted[:, j], evidence.actual[:, j]
        errors = predicted - actual
        shown += [
            _figure(
                f"Regression of {name}",
                pictures.regression(predicted, actual, name),
                "On the line a prediction is right.",
            ),
            _figure(
                f"Errors of {name}",
                pictures.error_histogram(errors, name),
                f"Mean {errors.mean():.3g}, standard deviation {errors.std():.3g}; half of the errors are within "
                f"{np.median(np.abs(errors)):.3g}.",
            ),
            _figure(
                f"Residuals of {name}",
                pictures.residuals(predicted, errors, name),
                "A pattern here is something that the network has not learnt; a funnel is noise that grows.",
            ),
        ]
        if evidence.std is not None:
            shown.append(_coverage(name, errors, evidence.std[:, j], evidence.degrees_of_freedom))
    return shown


def _coverage(name: str, errors: np.ndarray, std: np.ndarray, degrees_of_freedom: float) -> str:
    """Whether the error bars hold what they say."""
    nominal, found = pictures.coverage_curve(errors, std, degrees_of_freedom)
    inside = float(found[nominal == 0.95][0])
    return _figure(
        f"Calibration of the error bars of {name}",
        pictures.coverage(errors, std, degrees_of_freedom, name),
        f"{100 * inside:.1f} % of the rows lie in their 95 % interval. On the line the error bars are right, below it "
        f"too short, above it too long; the grey band is what chance does with {counted(len(errors), 'row')}.",
    )


def _classification(schema: Schema, evidence: Evidence) -> list[str]:
    """Confusion, ROC, reliability."""
    assert schema.classes is not None
    p, classes = evidence.predicted, evidence.actual
    return [
        _confusion(schema.classes, p.argmax(axis=1), classes),
        _figure("ROC", pictures.roc(p, classes, schema.classes), "The nearer to the upper left corner, the better."),
        _figure(
            "Reliability",
            pictures.reliability(p, classes),
            "On the line, 80 % sure means right in 80 % of the rows; below it the network is too sure. "
            "Large points hold many rows.",
        ),
    ]


def _confusion(names: tuple[Any, ...], predicted: np.ndarray, actual: np.ndarray) -> str:
    """The confusion matrix as a table: hits and mistakes shaded by their share of the row."""
    k = len(names)
    counts = np.zeros((k, k), int)
    np.add.at(counts, (actual, predicted), 1)
    head = "".join(f"<th scope=col>{escape(str(name))}</th>" for name in names)
    lines = []
    for i in range(k):
        cells = ""
        for j in range(k):
            share = counts[i, j] / max(counts[i].sum(), 1)
            colour = "var(--hit)" if i == j else "var(--miss)"
            alpha = 0.35 * share if i == j else min(0.15 + 2 * share, 0.75) if counts[i, j] else 0
            cells += f'<td style="background: rgba({colour}, {alpha:.2f})">{counts[i, j] or ""}</td>'
        lines.append(f"<tr><th scope=row>{escape(str(names[i]))}</th>{cells}</tr>")
    table = f'<div class="scroll"><table class="confusion"><tr><th></th>{head}</tr>{"".join(lines)}</table></div>'
    caption = "Rows are the actual classes, columns the predicted ones; red cells are mistakes."
    return f"<figure><h3>Confusion</h3>{table}<figcaption>{caption}</figcaption></figure>"


def _columns(schema: Schema, evidence: Evidence) -> list[str]:
    """Importance, and the dependence on the most important columns."""
    if not evidence.importance:
        return []
    unit = (
        "added log-loss when shuffled"
        if schema.classes is not None
        else "added error when shuffled, in standard deviations"
    )
    caption = (
        "How much worse the predictions are when a column is shuffled among the rows. Columns that say the same "
        "thing share their importance."
    )
    if schema.classes is not None:
        caption += " Log-loss is the mean of -ln p, where p is the probability given to the right class."
    shown = [_figure("Importance of the columns", pictures.importances(evidence.importance, unit), caption)]
    names = schema.output_names
    ylabel = "mean probability" if schema.classes is not None else names[0] if len(names) == 1 else "mean prediction"
    means = np.concatenate([curve.means.ravel() for curve in evidence.dependence])
    margin = 0.05 * (np.ptp(means) or 1)
    limits = (float(means.min() - margin), float(means.max() + margin))
    caption = "The mean prediction, all other columns as they are; every column on the same scale."
    for curve in evidence.dependence:
        figure = pictures.dependence(curve, names, ylabel, limits)
        shown.append(_figure(f"Dependence on {curve.column}", figure, caption))
    return shown


def _training(training: Mapping[str, Any]) -> list[str]:
    """Performance, and what else was recorded of every epoch."""
    history = training.get("history") or {}
    if "cost" not in history:
        return []
    if "log_evidence" in history:  # recorded at the start of an epoch, so of the parameters of the one before
        history = {**history, "epoch": list(range(len(history["cost"])))}
    best = int(training.get("best_epoch") or 0)
    caption = f"The dotted line is epoch {best}, whose parameters were kept." if best else "The cost over the epochs."
    shown = [_figure("Performance", pictures.performance(history, best), caption)]
    for name, label, log, words in TRAINING_STATE:
        values = history.get(name)
        if values is None or np.ndim(values) != 1:
            continue
        drawable = [value for value in values if value is not None and (value > 0 or not log)]
        if drawable:
            title = label[0].upper() + label[1:]
            shown.append(_figure(title, pictures.training_state(history, name, label, best, log), words))
    return shown
