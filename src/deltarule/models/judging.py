"""Judge a network that was trained on a table: how good it is, which columns it uses, and reasons for doubt.

`regression_verdict` judges the errors of a regression, this module all else.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from deltarule.data.table_checks import (
    DuplicateRows,
    constant_columns,
    find_duplicates,
    find_leaks,
    identifier_columns,
    recommended_rows,
)
from deltarule.errors import format_number, pluralized, shorten
from deltarule.inspection.importance import permutation_importance, sample_rows
from deltarule.models import regression_verdict
from deltarule.models.formatting import MAX_NAMES, format_percent, quote_names
from deltarule.models.metrics import PARTS, Scores, class_lines, measure
from deltarule.models.outcome import Outcome
from deltarule.models.verdict import Verdict

if TYPE_CHECKING:
    from deltarule.data import DataSet, LoadedData

MANY_COPIES = 0.05  # the share of test rows with a copy among the training rows from which the scores measure memory
UNIMPORTANT = 0.01  # of the largest importance: a column below it is called unused
RARE = 0.5  # of an equal share of the training rows: a class below it is rare
LOW_RECALL = 0.5  # a class below it is missed
DOMINANT = 0.9  # from this share of the most frequent class on, always answering that class is nearly always right
RANKED = 0.6  # the AUC above which the probabilities rank the rows of a class


def judge(data: "LoadedData", outcome: Outcome, scores: Scores) -> Verdict:
    """The verdict on a network, from its scores by part; of images and folders only whether it has learnt anything.

    Importance, and recall and AUC of classes, are measured on the validation and the test rows together: on training
    rows they would also show what the network has learnt by heart.
    """
    if data.schema.image_shape is not None or data.streamed:
        classifies = data.task == "classification"
        return Verdict({}, _learnt_nothing(data, scores, outcome.plan.settings.eta) if classifies else [])
    table: DataSet = data.with_complete_targets()  # pyright: ignore[reportAttributeAccessIssue]
    X = np.concatenate([table.validation.X, table.test.X])
    Y = np.concatenate([table.validation.Y, table.test.Y])
    sample, duplicates = sample_rows(len(X)), find_duplicates(table)
    net, params = outcome.plan.net, outcome.result.params
    importance = permutation_importance(net, params, table.schema, X[sample], Y[sample])
    if table.schema.classes is None:
        if len(table.schema.targets) == 1:
            importance = {name: value * table.schema.targets[0].std for name, value in importance.items()}
        targets = regression_verdict.analyse_targets(table, outcome)
        coverage = None if outcome.bayesian is None else outcome.bayesian.ensemble.coverage(X, Y)
        many_copies, rows = _has_many(duplicates), len(table.train)
        lines = regression_verdict.lines(targets, outcome, scores, many_copies, coverage, rows)
        warnings = regression_verdict.warnings(targets, outcome, scores)
    else:
        held_out = measure(net, params, table.schema, X, Y)
        predicted = np.asarray(net(params, X)).argmax(axis=1)
        lines = _class_lines(table, predicted, Y.argmax(axis=1), scores, held_out)
        warnings = _class_warnings(table, scores, held_out)
    if (selection := outcome.selection()) is not None:
        lines["networks"] = selection
    lines["columns"] = _columns_line(importance, table)
    return Verdict(lines, _table_warnings(table, duplicates) + warnings, importance)


def _has_many(duplicates: DuplicateRows) -> bool:
    """Whether so many test rows have a copy among the training rows that the scores measure memory."""
    return bool(duplicates.test.mean() > MANY_COPIES)


def _columns_line(importance: dict[str, float], data: "DataSet") -> str:
    largest = max(importance.values(), default=0.0)
    if largest <= 0:
        return "none matters: shuffling any of them costs nothing"
    used = [name for name, value in importance.items() if value > UNIMPORTANT * largest]
    used = sorted(used, key=lambda name: -importance[name])
    unused = [name for name in importance if name not in used]
    shown = shorten([f"{name} {format_number(importance[name], 3)}" for name in used], MAX_NAMES)
    measure_name = "error" if data.schema.classes is None else "log-loss"
    unit = ", in standard deviations" if len(data.schema.targets) > 1 else ""
    rest = f"; no use seen: {quote_names(unused)}" if unused else ""
    return f"{shown} ({measure_name} added when shuffled{unit}){rest}"


def _table_warnings(data: "DataSet", duplicates: DuplicateRows) -> list[str]:
    """Warnings about the table itself."""
    warnings = []
    if _has_many(duplicates):
        warnings.append(
            f"{duplicates.count:,} of the {duplicates.rows:,} rows are copies of others, and "
            f"{duplicates.test.sum():,} of the {len(duplicates.test):,} test rows are among the training rows too: the "
            "scores measure memory. If they are not separate measurements that agree, leave the copies out, with "
            "pandas for example by drop_duplicates()"
        )
    wanted = recommended_rows(data)
    if wanted is not None:
        warnings.append(
            f"{pluralized(len(data.train), 'training row')} {'is' if len(data.train) == 1 else 'are'} few for "
            f"{pluralized(data.schema.input_width, 'input')}: at least {wanted} would make these numbers firmer"
        )
    constant = constant_columns(data)
    if constant:
        verb = "holds" if len(constant) == 1 else "hold"
        warnings.append(f"{quote_names(constant)} {verb} one value in every training row and can explain nothing")
    for name in identifier_columns(data):
        warnings.append(
            f"{name!r} holds another whole number in every row: if it only numbers rows, orders or customers, leave "
            "the column out, for it says nothing about new ones"
        )
    for leak in find_leaks(data, duplicates):
        warnings.append(
            f"{leak.column!r} alone predicts {leak.target!r} almost exactly: if it is not known before "
            f"{leak.target!r} is, leave the column out"
        )
    return warnings


def _class_lines(
    data: "DataSet", predicted: np.ndarray, actual: np.ndarray, scores: Scores, held_out: dict[str, Any]
) -> dict[str, str]:
    """Accuracy, baseline, recall and AUC of each class, and the pair that is confused most often.

    `predicted` and `actual`, (N,), are the classes of the validation and test rows by number, `held_out` their scores.
    """
    names = data.schema.output_names
    most_frequent = int(data.train.Y.sum(axis=0).argmax())
    baseline = float(np.mean(data.test.Y.argmax(axis=1) == most_frequent))
    counts = np.zeros((len(names), len(names)), int)
    np.add.at(counts, (actual, predicted), 1)
    rows = counts.sum(axis=1)
    np.fill_diagonal(counts, 0)
    i, j = np.unravel_index(counts.argmax(), counts.shape)
    confused = "none of the validation and test rows"
    if counts[i, j]:
        confused = (
            f"{names[i]!r} is taken for {names[j]!r} in {counts[i, j]} of its {pluralized(rows[i], 'row')} of the "
            "validation and test parts"
        )
    return {
        "accuracy": ", ".join(f"{words} {format_percent(scores[part]['accuracy'])}" for part, words in PARTS.items()),
        "baseline": f"always answering {names[most_frequent]!r} is right in {format_percent(baseline)} of the test "
        "rows",
        **class_lines(held_out),
        "confused": confused,
    }


def _class_warnings(data: "DataSet", scores: Scores, held_out: dict[str, Any]) -> list[str]:
    """A sentence for each rare class that is missed, else one if nothing was learnt; and the classes without test rows.

    `held_out` are the scores of the validation and test rows together.
    """
    untested = np.array(data.schema.output_names)[data.test.Y.sum(axis=0) == 0].tolist()
    unknown = [f"no test row is of {quote_names(untested)}: the scores say nothing about them"] if untested else []
    rare = _rare_class_warnings(data, held_out)
    worse = scores["test"]["accuracy"] < data.test.Y.mean(axis=0).max()
    return rare + (_learnt_nothing(data, scores) if worse or not rare else []) + unknown


def _learnt_nothing(data: "LoadedData", scores: Scores, eta: float | None = None) -> list[str]:
    """A sentence if always answering the most frequent class is as accurate on the test rows as the network.

    It advises to try a smaller learning rate than `eta` if that is given.
    """
    if scores["test"]["accuracy"] > data.test.Y.mean(axis=0).max():
        return []
    remedy = "" if eta is None else f": it has learnt nothing; try a smaller eta than {eta:g}"
    return [f"on the test rows the network is no better than answering the most frequent class always{remedy}"]


def _rare_class_warnings(data: "DataSet", held_out: dict[str, Any]) -> list[str]:
    """A sentence for each class of few rows that is hardly ever predicted although its probabilities rank the rows."""
    names, shares = data.schema.output_names, data.train.Y.mean(axis=0)
    most_frequent, warnings = names[int(shares.argmax())], []
    dominant = shares.max() > DOMINANT
    reason = f"answering {most_frequent!r} is nearly always right" if dominant else "it is hardly ever the likeliest"
    for name, share in zip(names, shares.tolist(), strict=True):
        recall, auc = held_out["recall_by_class"][name], held_out["auc_by_class"][name]
        if recall is None or auc is None:
            continue
        if share < RARE / len(names) and recall < LOW_RECALL and auc > RANKED:
            warnings.append(
                f"only {format_percent(share)} of the training rows are {name!r}, so {reason}, and the network finds "
                f"{format_percent(recall)} of the {name!r} rows; its probabilities still rank the rows (AUC "
                f"{auc:.3f}). To find more, write them with deltarule predict --out, and count the rows whose "
                f"probability_{name} is above about {share:.2g} as {name!r}"
            )
    return warnings
