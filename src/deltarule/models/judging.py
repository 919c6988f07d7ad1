"""The verdict on a network that was trained on a table, in plain words: how good, by which columns, of which classes.

What is said of the errors of a regression stands in `regression_verdict`.
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
from deltarule.errors import pluralized, shorten
from deltarule.inspection.importance import permutation_importance, sample_rows
from deltarule.models import regression_verdict
from deltarule.models.metrics import PARTS, Scores, class_lines, measure
from deltarule.models.outcome import Outcome
from deltarule.models.verdict import Verdict
from deltarule.models.words import MOST_NAMES, number, quoted, share

if TYPE_CHECKING:
    from deltarule.data import DataSet, LoadedData

MANY_COPIES = 0.05  # of the test rows, that stand among the training rows
NO_USE = 0.01  # of the largest importance, below which a column shows no use
RARE = 0.5  # of an equal share of the training rows, below which a class is rare
FOUND = 0.5  # of a class's rows, below which it is missed
NEARLY_ALWAYS = 0.9  # share of the most frequent class, from which answering it is nearly always right
RANKED = 0.6  # area under the ROC curve, above which the probabilities know something of a class


def judge(data: "LoadedData", outcome: Outcome, scores: Scores) -> Verdict:
    """The verdict on a network; `scores` are of the parts of a table, or of images or a folder of the held-out ones.

    Of images and folders only that nothing was learnt, where that is so.

    Importance is measured on the validation and the test rows together, as are recall and AUC of classes: the training
    rows would also show what the network has learnt by heart.
    """
    if data.schema.image_shape is not None or data.streamed:
        known = data.task == "classification"
        return Verdict({}, _learnt_nothing(data, scores, outcome.plan.settings.eta) if known else [])
    table: DataSet = data.with_complete_targets()  # pyright: ignore[reportAttributeAccessIssue]
    X = np.concatenate([table.validation.X, table.test.X])
    Y = np.concatenate([table.validation.Y, table.test.Y])
    chosen, copied = sample_rows(len(X)), find_duplicates(table)
    net, params = outcome.plan.net, outcome.result.params
    importance = permutation_importance(net, params, table.schema, X[chosen], Y[chosen])
    if table.schema.classes is None:
        if len(table.schema.targets) == 1:
            importance = {name: value * table.schema.targets[0].std for name, value in importance.items()}
        targets = regression_verdict.targets_of(table, outcome)
        held = None if outcome.known is None else outcome.known.ensemble.coverage(X, Y)
        lines = regression_verdict.lines(targets, outcome, scores, _many(copied), held)
        warnings = regression_verdict.warnings(targets, outcome, scores)
    else:
        found = measure(net, params, table.schema, X, Y)
        predicted = np.asarray(net(params, X)).argmax(axis=1)
        lines = _class_lines(table, predicted, Y.argmax(axis=1), scores, found)
        warnings = _class_warnings(table, scores, found)
    if (chosen := outcome.chosen()) is not None:
        lines["networks"] = chosen
    lines["columns"] = _columns(importance, table)
    return Verdict(lines, _of_table(table, copied) + warnings, importance)


def _many(copied: DuplicateRows) -> bool:
    """Whether so many test rows stand among the training rows too that their scores measure memory."""
    return bool(copied.test.mean() > MANY_COPIES)


def _columns(importance: dict[str, float], data: "DataSet") -> str:
    largest = max(importance.values(), default=0.0)
    if largest <= 0:
        return "none matters: shuffling any of them costs nothing"
    useful = sorted(
        (name for name, value in importance.items() if value > NO_USE * largest), key=lambda n: -importance[n]
    )
    idle = [name for name in importance if name not in useful]
    shown = shorten([f"{name} {number(importance[name], 3)}" for name in useful], MOST_NAMES)
    what = "error" if data.schema.classes is None else "log-loss"
    unit = ", in standard deviations" if len(data.schema.targets) > 1 else ""
    what = f"{what} added when shuffled{unit}"
    useless = f"; no use seen: {quoted(idle)}" if idle else ""
    return f"{shown} ({what}){useless}"


def _of_table(data: "DataSet", copied: DuplicateRows) -> list[str]:
    """What is suspicious about the table itself."""
    warnings = []
    if _many(copied):
        warnings.append(
            f"{copied.count:,} of the {copied.rows:,} rows are copies of others, and {copied.test.sum():,} of the "
            f"{len(copied.test):,} test rows stand among the training rows too: the scores measure memory. If they are "
            "not separate measurements that agree, leave the copies out, with pandas for example by drop_duplicates()"
        )
    wanted = recommended_rows(data)
    if wanted is not None:
        warnings.append(
            f"{len(data.train)} training rows are few for {pluralized(data.schema.input_width, 'input')}: at least "
            f"{wanted} would make these numbers firmer"
        )
    constant = constant_columns(data)
    if constant:
        verb = "holds" if len(constant) == 1 else "hold"
        warnings.append(f"{quoted(constant)} {verb} one value in every training row and can explain nothing")
    for name in identifier_columns(data):
        warnings.append(
            f"{name!r} holds another whole number in every row: if it only numbers rows, orders or customers, leave "
            "the column out, for it says nothing of new ones"
        )
    for leak in find_leaks(data, copied):
        warnings.append(
            f"{leak.column!r} alone predicts {leak.target!r} almost exactly: if it is not known before "
            f"{leak.target!r} is, leave the column out"
        )
    return warnings


def _class_lines(
    data: "DataSet", predicted: np.ndarray, actual: np.ndarray, scores: Scores, held: dict[str, Any]
) -> dict[str, str]:
    """Accuracy, baseline, recall and AUC of each class, and the most confused pair.

    `predicted` and `actual`, (N,), number the class of each validation and test row; `held` scores these together.
    """
    names = data.schema.output_names
    most = int(data.train.Y.sum(axis=0).argmax())
    baseline = float(np.mean(data.test.Y.argmax(axis=1) == most))
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
        "accuracy": ", ".join(f"{words} {share(scores[part]['accuracy'])}" for part, words in PARTS.items()),
        "baseline": f"always answering {names[most]!r} is right in {share(baseline)} of the test rows",
        **class_lines(held),
        "confused": confused,
    }


def _class_warnings(data: "DataSet", scores: Scores, held: dict[str, Any]) -> list[str]:
    """A sentence for each rare class that is missed, else one if nothing was learnt; and the classes of no test row."""
    untested = np.array(data.schema.output_names)[data.test.Y.sum(axis=0) == 0].tolist()
    unknown = [f"no test row is of {quoted(untested)}: the scores say nothing of them"] if untested else []
    rare = _rare(data, held)
    worse = scores["test"]["accuracy"] < data.test.Y.mean(axis=0).max()
    return rare + (_learnt_nothing(data, scores) if worse or not rare else []) + unknown


def _learnt_nothing(data: "LoadedData", scores: Scores, eta: float | None = None) -> list[str]:
    """A sentence if the network is right in no more test rows than the answer that is right most often.

    `eta` is the learning rate that a smaller one could be tried for.
    """
    if scores["test"]["accuracy"] > data.test.Y.mean(axis=0).max():
        return []
    remedy = "" if eta is None else f": it has learnt nothing; try a smaller eta than {eta:g}"
    return [f"on the test rows the network is no better than answering the most frequent class always{remedy}"]


def _rare(data: "DataSet", held: dict[str, Any]) -> list[str]:
    """What few rows of a class do: it is hardly ever answered, although its probabilities may rank the rows well."""
    names, shares = data.schema.output_names, data.train.Y.mean(axis=0)
    often, found = names[int(shares.argmax())], []
    nearly = shares.max() > NEARLY_ALWAYS
    reason = f"answering {often!r} is nearly always right" if nearly else "it is hardly ever the likeliest answer"
    for name, part in zip(names, shares.tolist(), strict=True):
        recall, auc = held["recall_by_class"][name], held["auc_by_class"][name]
        if part < RARE / len(names) and recall is not None and recall < FOUND and auc is not None and auc > RANKED:
            found.append(
                f"only {share(part)} of the training rows are {name!r}, so {reason}, and the network "
                f"finds {share(recall)} of the {name!r} rows; its probabilities still rank the rows (AUC {auc:.3f}). "
                "To find more, write them with deltarule predict --out, and count the rows whose "
                f"probability_{name} is above about {part:.2g} as {name!r}"
            )
    return found
