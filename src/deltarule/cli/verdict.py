"""The verdict on a network that was trained on a table, in plain words: how good, how noisy, by which columns."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from deltarule.cli import class_verdict, regression_verdict
from deltarule.cli.metrics import measure
from deltarule.cli.outcome import Outcome
from deltarule.cli.screen import MOST_NAMES, number, quoted
from deltarule.data.table_checks import Copies, constant_columns, copies, leaks, row_numbers, rows_wanted
from deltarule.errors import counted

if TYPE_CHECKING:
    from deltarule.cli.summary import Scores
    from deltarule.data import DataSet

MANY_COPIES = 0.05  # of the test rows, that stand among the training rows
NO_USE = 0.01  # of the largest importance, below which a column shows no use


@dataclass(frozen=True)
class Verdict:
    """What to say of a network, a few words for each subject.

    Args:
        lines: by subject.
        warnings: what should make the user hesitate, a sentence each.
        importance: of each column: the error that shuffling it adds, in the unit of the target (of several targets in
            standard deviations), or the log-loss.
    """

    lines: dict[str, str]
    warnings: list[str] = field(default_factory=list)
    importance: dict[str, float] = field(default_factory=dict)

    def record(self) -> dict[str, Any]:
        """For the JSON line and the model file."""
        return {"verdict": self.lines, "warnings": self.warnings, "importance": self.importance}

    def panel(self) -> Any:
        """For people."""
        from rich.panel import Panel
        from rich.table import Table
        from rich.text import Text

        table = Table.grid(padding=(0, 2))
        table.add_column(style="dim", no_wrap=True)
        table.add_column()
        for name, words in self.lines.items():
            table.add_row(Text(name), Text(words, overflow="fold"))
        for words in self.warnings:
            table.add_row(Text("warning", style="bold yellow"), Text(words, overflow="fold"))
        return Panel(table, title="verdict", title_align="left", expand=False)


def judge(data: "DataSet", outcome: Outcome, scores: "Scores") -> Verdict:
    """The verdict on a network for a table; `scores` are of its training, validation and test parts.

    Importance is measured on the validation and the test rows together, as are recall and AUC of classes: the training
    rows would also show what the network has learnt by heart.
    """
    from deltarule.inspection.importance import chosen_rows, permutation_importance

    data = data.with_all_targets()
    X = np.concatenate([data.validation.X, data.test.X])
    Y = np.concatenate([data.validation.Y, data.test.Y])
    chosen, copied = chosen_rows(len(X)), copies(data)
    net, params = outcome.plan.net, outcome.result.params
    importance = permutation_importance(net, params, data.schema, X[chosen], Y[chosen])
    if data.schema.classes is None:
        if len(data.schema.targets) == 1:
            importance = {name: value * data.schema.targets[0].std for name, value in importance.items()}
        targets = regression_verdict.targets_of(data, outcome)
        held = None if outcome.known is None else outcome.known.ensemble.coverage(X, Y)
        lines = regression_verdict.lines(targets, outcome, scores, _many(copied), held)
        warnings = regression_verdict.warnings(targets, outcome, scores)
    else:
        found = measure(net, params, data.schema, X, Y)
        predicted = np.asarray(net(params, X)).argmax(axis=1)
        lines = class_verdict.lines(data, predicted, Y.argmax(axis=1), scores, found)
        warnings = class_verdict.warnings(data, scores, found)
    lines["columns"] = _columns(importance, data)
    return Verdict(lines, _of_table(data, copied) + warnings, importance)


def _many(copied: Copies) -> bool:
    """Whether so many test rows stand among the training rows too that their scores measure memory."""
    return bool(copied.test.mean() > MANY_COPIES)


def _columns(importance: dict[str, float], data: "DataSet") -> str:
    """Which columns matter, the most important first."""
    largest = max(importance.values(), default=0.0)
    if largest <= 0:
        return "none matters: shuffling any of them costs nothing"
    useful = sorted(
        (name for name, value in importance.items() if value > NO_USE * largest), key=lambda n: -importance[n]
    )
    idle = [name for name in importance if name not in useful]
    shown = ", ".join(f"{name} {number(importance[name], 3)}" for name in useful[:MOST_NAMES])
    what = "error" if data.schema.classes is None else "log-loss"
    unit = ", in standard deviations" if len(data.schema.targets) > 1 else ""
    what = f"{what} added when shuffled{unit}"
    more = f" and {len(useful) - MOST_NAMES} more" if len(useful) > MOST_NAMES else ""
    useless = f"; no use seen: {quoted(idle)}" if idle else ""
    return f"{shown}{more} ({what}){useless}"


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
