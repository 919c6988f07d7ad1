"""The verdict on a network that was trained on a table, in plain words: how good, how noisy, by which columns."""

from typing import TYPE_CHECKING

import numpy as np

from deltarule.data.table_checks import Copies, constant_columns, copies, leaks, row_numbers, rows_wanted
from deltarule.errors import counted, some
from deltarule.inspection.importance import chosen_rows, permutation_importance
from deltarule.models import class_verdict, regression_verdict
from deltarule.models.metrics import Scores, measure
from deltarule.models.outcome import Outcome
from deltarule.models.verdict import Verdict
from deltarule.models.words import MOST_NAMES, number, quoted

if TYPE_CHECKING:
    from deltarule.data import DataSet, LoadedData

MANY_COPIES = 0.05  # of the test rows, that stand among the training rows
NO_USE = 0.01  # of the largest importance, below which a column shows no use


def judge(data: "LoadedData", outcome: Outcome, scores: Scores) -> Verdict:
    """The verdict on a network; `scores` are of the parts of a table, or of images or a folder of the held-out ones.

    Of images and folders only that nothing was learnt, where that is so.

    Importance is measured on the validation and the test rows together, as are recall and AUC of classes: the training
    rows would also show what the network has learnt by heart.
    """
    if data.schema.image_shape is not None or data.streamed:
        known = data.task == "classification"
        return Verdict({}, class_verdict.learnt_nothing(data, scores, outcome.plan.settings.eta) if known else [])
    table: DataSet = data.with_all_targets()  # pyright: ignore[reportAttributeAccessIssue]
    X = np.concatenate([table.validation.X, table.test.X])
    Y = np.concatenate([table.validation.Y, table.test.Y])
    chosen, copied = chosen_rows(len(X)), copies(table)
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
        lines = class_verdict.lines(table, predicted, Y.argmax(axis=1), scores, found)
        warnings = class_verdict.warnings(table, scores, found)
    if (chosen := outcome.chosen()) is not None:
        lines["networks"] = chosen
    lines["columns"] = _columns(importance, table)
    return Verdict(lines, _of_table(table, copied) + warnings, importance)


def _many(copied: Copies) -> bool:
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
    shown = some([f"{name} {number(importance[name], 3)}" for name in useful], MOST_NAMES)
    what = "error" if data.schema.classes is None else "log-loss"
    unit = ", in standard deviations" if len(data.schema.targets) > 1 else ""
    what = f"{what} added when shuffled{unit}"
    useless = f"; no use seen: {quoted(idle)}" if idle else ""
    return f"{shown} ({what}){useless}"


def _of_table(data: "DataSet", copied: Copies) -> list[str]:
    """What is suspicious about the table itself."""
    warnings = []
    if _many(copied):
        warnings.append(
            f"{copied.count:,} of the {copied.rows:,} rows are copies of others, and {copied.test.sum():,} of the "
            f"{len(copied.test):,} test rows stand among the training rows too: the scores measure memory. If they are "
            "not separate measurements that agree, leave the copies out, with pandas for example by drop_duplicates()"
        )
    wanted = rows_wanted(data)
    if wanted is not None:
        warnings.append(
            f"{len(data.train)} training rows are few for {counted(data.schema.input_width, 'input')}: at least "
            f"{wanted} would make these numbers firmer"
        )
    constant = constant_columns(data)
    if constant:
        verb = "holds" if len(constant) == 1 else "hold"
        warnings.append(f"{quoted(constant)} {verb} one value in every training row and can explain nothing")
    for name in row_numbers(data):
        warnings.append(
            f"{name!r} holds another whole number in every row: if it only numbers rows, orders or customers, leave "
            "the column out, for it says nothing of new ones"
        )
    for leak in leaks(data, copied):
        warnings.append(
            f"{leak.column!r} alone predicts {leak.target!r} almost exactly: if it is not known before "
            f"{leak.target!r} is, leave the column out"
        )
    return warnings
