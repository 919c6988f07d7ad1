"""The verdict on a network that was trained on a table, in plain words: how good, how noisy, by which columns."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from deltarule.cli.outcome import Outcome
from deltarule.cli.screen import number, share
from deltarule.data.columns import NumericColumn
from deltarule.data.table_checks import Copies, constant_columns, copies, leaks, rows_wanted
from deltarule.inspection.residuals import FarRows, UnequalErrors, far_rows, unequal_errors, usual_error

if TYPE_CHECKING:
    from deltarule.cli.summary import Scores
    from deltarule.data import DataSet

PARTS = {"training": "fit", "validation": "validation", "test": "test"}
EXPLAINED = ((0.99, "almost all"), (0.9, "most"), (0.5, "a good part"), (0.1, "a little"))  # by R²
NEAR_THE_NOISE = 1.2
BY_HEART = 1.5  # the test error over the fit error
MANY_COPIES = 0.05  # of the test rows, that stand among the training rows
NO_NOISE = 1e-3  # of the target's standard deviation
NO_USE = 0.01  # of the largest importance, below which a column shows no use
MOST_COLUMNS = 6


class Target(NamedTuple):
    """A target with the numbers of all rows in the table, its values there and what the network predicts, in its unit.

    Args:
        far: rows far from all others that make most of the error, where there are such.
        unequal: the errors where it is predicted smallest and largest, where they differ.
    """

    column: NumericColumn
    rows: np.ndarray
    actual: np.ndarray
    predicted: np.ndarray
    far: FarRows | None
    unequal: UnequalErrors | None


@dataclass(frozen=True)
class Verdict:
    """What to say of a network, a few words for each subject.

    Args:
        lines: by subject.
        warnings: what should make the user hesitate, a sentence each.
        importance: of each column: the error that shuffling it adds, in the unit of the target (of several targets in
            standard deviations), or the share of rows that it turns wrong.
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

    Importance is measured on the validation and the test rows together: the training rows would also show what the
    network has learnt by heart.
    """
    from deltarule.inspection.importance import chosen_rows, permutation_importance

    X = np.concatenate([data.validation.X, data.test.X])
    Y = np.concatenate([data.validation.Y, data.test.Y])
    chosen, copied = chosen_rows(len(X)), copies(data)
    net, params = outcome.plan.net, outcome.result.params
    importance = permutation_importance(net, params, data.schema, X[chosen], Y[chosen])
    if data.schema.classes is None:
        if len(data.schema.targets) == 1:
            importance = {name: value * data.schema.targets[0].std for name, value in importance.items()}
        targets = _targets(data, outcome)
        held = None if outcome.known is None else outcome.known.ensemble.coverage(X, Y)
        lines = _regression(targets, outcome, scores, _many(copied), held)
    else:
        targets = []
        lines = _classification(data, np.asarray(net(params, X)).argmax(axis=1), Y.argmax(axis=1), scores)
    lines["columns"] = _columns(importance, data)
    return Verdict(lines, _warnings(data, outcome, scores, copied) + _of_errors(targets), importance)


def _many(copied: Copies) -> bool:
    """Whether so many test rows stand among the training rows too that their scores measure memory."""
    return bool(copied.test.mean() > MANY_COPIES)


def _targets(data: "DataSet", outcome: Outcome) -> list[Target]:
    """Each target with its values and predictions for all rows, and what their difference says."""
    parts = (data.train, data.validation, data.test)
    X, Y = (np.concatenate([getattr(part, name) for part in parts]) for name in ("X", "Y"))
    outputs = np.asarray(outcome.plan.net(outcome.result.params, X))
    rows, found = np.concatenate([part.rows for part in parts]), []
    held = (np.arange(len(rows)) >= len(data.train)).astype(int)
    for column, y, a in zip(data.schema.targets, Y.T, outputs.T, strict=True):
        errors = column.std * (a - y)
        noisy = usual_error(errors) > NO_NOISE * column.std
        unequal = unequal_errors(a, errors) if noisy else None
        far = far_rows(errors, held) if noisy else None
        found.append(Target(column, rows, column.decode(y), column.decode(a), far, unequal))
    return found


def _regression(
    targets: list[Target], outcome: Outcome, scores: "Scores", copied: bool, held: np.ndarray | None
) -> dict[str, str]:
    """The lines of each target; `held` is the share of the held-out rows in their 95 % intervals, (k,)."""
    lines, known = {}, outcome.known
    several = len(targets) > 1
    for j, target in enumerate(targets):
        name = target.column.name
        rmse, r2 = _of_target(scores, name, several)
        before = f"{name}: " if several else ""
        lines[f"{before}quality"] = _quality(r2["test"], name, copied)
        errors = ", ".join(f"{words} {number(rmse[part])}" for part, words in PARTS.items())
        lines[f"{before}error"] = f"{errors} (root mean square, in the unit of {name})"
        if known is not None:
            lines[f"{before}noise"] = _noise(float(known.noise_std[j]), rmse["test"], target)
        if held is not None:
            lines[f"{before}error bars"] = f"95 % intervals hold {share(held[j])} of the validation and test rows"
    if known is not None:
        lines["parameters"] = (
            f"the data determine {known.gamma:.1f} of the {known.parameters:,} parameters of a start; the log "
            f"evidence is {number(known.log_evidence, 6)}"
        )
    return lines


def _of_target(scores: "Scores", name: str, several: bool) -> tuple[dict[str, float], dict[str, float | None]]:
    """RMSE and R² of one target in each part."""
    if not several:
        return {part: scores[part]["rmse"] for part in PARTS}, {part: scores[part]["r2"] for part in PARTS}
    rmse = {part: scores[part]["rmse_by_target"][name] for part in PARTS}
    return rmse, {part: scores[part]["r2_by_target"][name] for part in PARTS}


def _quality(r2: float | None, name: str, copied: bool) -> str:
    if r2 is None:
        return f"{name} does not vary among the test rows, so that nothing can be said of the network"
    which = "the test rows, of which it has seen copies," if copied else "rows it has not seen"
    words = next((words for least, words in EXPLAINED if r2 >= least), None)
    if words is None:
        return f"on {which} the network is hardly better than the mean of {name} (R² {r2:.3f})"
    return f"on {which} the network explains {words} of the variation of {name} (R² {r2:.3f})"


def _noise(noise: float, rmse: float, target: Target) -> str:
    about, spread = f"about {number(noise, 3)} (standard deviation)", target.column.std
    if noise <= NO_NOISE * spread:
        return f"{about}, next to none beside the {number(spread, 3)} of the target itself"
    if target.far is not None:
        return f"{about}, most of which far rows make; without them it is about {number(target.far.usual, 3)}"
    if rmse <= NEAR_THE_NOISE * noise:
        return f"{about}, so the test error is nearly all noise: more neurons or epochs hardly help, other columns may"
    return f"{about}; the test error is {rmse / noise:.1f} times that: more rows may help"


def _classification(data: "DataSet", predicted: np.ndarray, actual: np.ndarray, scores: "Scores") -> dict[str, str]:
    names = data.schema.output_names
    most = int(data.train.Y.sum(axis=0).argmax())
    baseline = float(np.mean(data.test.Y.argmax(axis=1) == most))
    found = ", ".join(f"{words} {share(scores[part]['accuracy'])}" for part, words in PARTS.items())
    counts = np.zeros((len(names), len(names)), int)
    np.add.at(counts, (actual, predicted), 1)
    rows = counts.sum(axis=1)
    np.fill_diagonal(counts, 0)
    i, j = np.unravel_index(counts.argmax(), counts.shape)
    confused = "none of the validation and test rows"
    if counts[i, j]:
        confused = (
            f"{names[i]!r} is taken for {names[j]!r} in {counts[i, j]} of its {rows[i]} rows of the validation and "
            "test parts"
        )
    return {
        "accuracy": found,
        "baseline": f"always answering {names[most]!r} is right in {share(baseline)} of the test rows",
        "confused": confused,
    }


def _columns(importance: dict[str, float], data: "DataSet") -> str:
    """Which columns matter, the most important first."""
    largest = max(importance.values(), default=0.0)
    if largest <= 0:
        return "none matters: shuffling any of them costs nothing"
    useful = sorted(
        (name for name, value in importance.items() if value > NO_USE * largest), key=lambda n: -importance[n]
    )
    idle = [name for name in importance if name not in useful]
    if data.schema.classes is not None:
        shown = ", ".join(f"{name} {100 * importance[name]:.1f}" for name in useful[:MOST_COLUMNS])
        what = "points of accuracy lost when shuffled"
    else:
        shown = ", ".join(f"{name} {number(importance[name], 3)}" for name in useful[:MOST_COLUMNS])
        unit = "" if len(data.schema.targets) == 1 else ", in standard deviations"
        what = f"error added when shuffled{unit}"
    more = f" and {len(useful) - MOST_COLUMNS} more" if len(useful) > MOST_COLUMNS else ""
    useless = f"; no use seen: {_some(idle)}" if idle else ""
    return f"{shown}{more} ({what}){useless}"


def _warnings(data: "DataSet", outcome: Outcome, scores: "Scores", copied: Copies) -> list[str]:
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
            f"{len(data.train)} training rows are few for {data.schema.input_width} inputs: at least {wanted} would "
            "make these numbers firmer"
        )
    constant = constant_columns(data)
    if constant:
        verb = "holds" if len(constant) == 1 else "hold"
        warnings.append(f"{_some(constant)} {verb} one value in every training row and can explain nothing")
    for leak in leaks(data, copied):
        warnings.append(
            f"{leak.column!r} alone predicts {leak.target!r} almost exactly: if it is not known before "
            f"{leak.target!r} is, leave the column out"
        )
    if data.schema.classes is None:
        warnings += _by_heart(data, outcome, scores)
    else:
        most = data.train.Y.sum(axis=0).argmax()
        if scores["test"]["accuracy"] <= np.mean(data.test.Y.argmax(axis=1) == most):
            warnings.append("on the test rows the network is no better than answering the most frequent class always")
        untested = np.array(data.schema.output_names)[data.test.Y.sum(axis=0) == 0].tolist()
        if untested:
            warnings.append(f"no test row is of {_some(untested)}: the scores say nothing of them")
    return warnings


def _of_errors(targets: list[Target]) -> list[str]:
    """What the errors of all rows warn of."""
    warnings = []
    for column, rows, actual, predicted, far, unequal in targets:
        name = column.name
        if far is not None:
            worst = far.rows[0]
            which = "1 row lies" if len(far.rows) == 1 else f"{len(far.rows):,} rows lie"
            warnings.append(
                f"{which} ({share(len(far.rows) / len(rows))}) far from the others, whose usual error is "
                f"{number(far.usual, 3)}, and {'makes' if len(far.rows) == 1 else 'make'} "
                f"{share(far.share)} of the squared error, the farthest data row {rows[worst]}, where {name} is "
                f"{number(float(actual[worst]), 6)} and {number(float(predicted[worst]), 6)} is predicted: if they are "
                "faults, correct them or leave them out, for the quadratic cost squares their errors, so that they "
                "spoil the fit, the noise and the error bars"
            )
        elif unequal is not None:
            grows = unequal.highest > unequal.lowest and (actual > 0).all()
            remedy = f"; as {name} is positive and its errors grow with it, its logarithm may be the better target"
            warnings.append(
                f"the errors of {name} are usually {number(unequal.lowest, 3)} where it is predicted smallest, and "
                f"{number(unequal.highest, 3)} where largest: error bars, which take one noise for all rows, are too "
                f"wide for the ones and too narrow for the others{remedy if grows else ''}"
            )
    return warnings


def _by_heart(data: "DataSet", outcome: Outcome, scores: "Scores") -> list[str]:
    """A sentence for each target that is fitted much better on training rows than on others, past the noise."""
    found, several = [], len(data.schema.targets) > 1
    for j, name in enumerate(data.schema.target_names):
        rmse = _of_target(scores, name, several)[0]
        fit, test = rmse["training"], rmse["test"]
        noise = 0.0 if outcome.known is None else float(outcome.known.noise_std[j])
        of = f" of {name}" if several else ""
        if min(test, rmse["validation"]) <= BY_HEART * max(fit, noise):
            continue
        found.append(
            f"the test error{of} is {test / fit:.1f} times the fit error: the network knows its training rows better "
            "than others; more rows or fewer neurons would help"
            if fit > 0
            else f"the network fits its training rows{of} exactly, and others not"
        )
    return found


def _some(names: Any) -> str:
    """At most six names."""
    quoted = [repr(name) for name in names]
    more = f" and {len(quoted) - MOST_COLUMNS} more" if len(quoted) > MOST_COLUMNS else ""
    return ", ".join(quoted[:MOST_COLUMNS]) + more
