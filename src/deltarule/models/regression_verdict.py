"""The verdict on a regression: how good and how noisy it is, and what its errors warn of."""

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from deltarule.data.cells import split_unit
from deltarule.data.columns import NumericColumn
from deltarule.data.table_checks import TOO_FEW_ROWS
from deltarule.errors import format_number, pluralized
from deltarule.inspection.residuals import Outliers, UnequalErrors, find_outliers, find_unequal_errors, robust_std
from deltarule.models.formatting import format_percent
from deltarule.models.metrics import PARTS, Scores
from deltarule.models.outcome import BayesianSummary, Outcome

if TYPE_CHECKING:
    from deltarule.data import DataSet

EXPLAINED = ((0.99, "almost all"), (0.9, "most"), (0.5, "a good part"), (0.1, "a little"))  # by R²
NEAR_NOISE = 1.2  # the test error over the noise, up to which it is nearly all noise
OVERFITTED = 1.5  # the test error over the fit error, from which the network has learnt rows by heart
NO_NOISE = 1e-3  # of the target's spread
UNUSED = 0.5  # of the parameters: if fewer are in effective use, more neurons will not help


class Target(NamedTuple):
    """A target with its values and predictions for all rows, in its unit, and what their differences show.

    `rows` are the rows' numbers in the table, `outliers` and `unequal` None if there are no such errors.
    """

    column: NumericColumn
    rows: np.ndarray
    actual: np.ndarray
    predicted: np.ndarray
    outliers: Outliers | None
    unequal: UnequalErrors | None


def analyse_targets(data: "DataSet", outcome: Outcome) -> list[Target]:
    """Each target with its values and predictions for all rows, and what their differences show."""
    parts = (data.train, data.validation, data.test)
    X, Y = (np.concatenate([getattr(part, name) for part in parts]) for name in ("X", "Y"))
    outputs = np.asarray(outcome.plan.net(outcome.result.params, X))
    rows, targets = np.concatenate([part.rows for part in parts]), []
    held_out = (np.arange(len(rows)) >= len(data.train)).astype(int)
    complete = _is_complete(data, X)  # the inputs of the other rows do not determine the target
    log = _logarithm(outcome)
    for column, y, a in zip(data.schema.targets, Y.T, outputs.T, strict=True):
        errors = column.std * (a - y if log is None else log.relative_error(y, a))
        spread = robust_std(y - np.median(y)) or 1.0  # outliers enlarge the standard deviation, not this
        noisy = robust_std(errors) > NO_NOISE * min(spread, 1.0) * column.std
        unequal = find_unequal_errors(a, errors) if noisy and log is None else None
        outliers = find_outliers(errors[complete], held_out[complete]) if noisy and complete.any() else None
        if outliers is not None:
            format_bytes = column.std * (a - y)
            places = np.flatnonzero(complete)[outliers.rows]
            share = float((format_bytes[places] ** 2).sum() / (format_bytes[complete] ** 2).sum())
            outliers = outliers._replace(rows=places, robust_std=robust_std(format_bytes[complete]), share=share)
        targets.append(Target(column, rows, column.decode(y), column.decode(a), outliers, unequal))
    return targets


def _logarithm(outcome: Outcome) -> Any:
    """The transformation (LOG) of a network that was fitted to the logarithm of its target, else None."""
    return None if outcome.bayesian is None else outcome.bayesian.ensemble.log


def _is_complete(data: "DataSet", X: np.ndarray) -> np.ndarray:
    """Whether each row has no imputed cell, (N,); the last input of an imputed column marks those."""
    complete, end = np.ones(len(X), bool), 0
    for column in data.schema.inputs:
        end += column.width
        if column.imputed:
            complete &= X[:, end - 1] == 0
    return complete


def lines(
    targets: list[Target], outcome: Outcome, scores: Scores, many_copies: bool, coverage: np.ndarray | None, rows: int
) -> dict[str, str]:
    """The lines of each target.

    `coverage` is the share of held-out rows within their 95 % intervals, (k,); `rows` is the number of training rows.
    """
    result, bayesian = {}, outcome.bayesian
    too_few = f"{pluralized(rows, 'training row')} {'is' if rows == 1 else 'are'} too few to say anything of"
    for j, target in enumerate(targets):
        name = target.column.name
        rmse, r2 = (_by_part(metric, scores, name) for metric in ("rmse", "r2"))
        prefix = f"{name}: " if len(targets) > 1 else ""
        result[f"{prefix}quality"] = _quality(r2["test"], name, many_copies)
        errors = ", ".join(f"{words} {format_number(rmse[part])}" for part, words in PARTS.items())
        result[f"{prefix}error"] = f"{errors} (root mean square, in {split_unit(name).unit or f'the unit of {name}'})"
        if bayesian is not None and rows < TOO_FEW_ROWS:
            result[f"{prefix}noise"] = f"{too_few} the noise of {name}"
        elif bayesian is not None:
            relative = bayesian.ensemble.relative_noise()
            result[f"{prefix}noise"] = (
                _noise(float(bayesian.noise_std[j]), rmse["test"], target)
                if relative is None
                else f"about {format_percent(relative)} of {name} (standard deviation), so larger where {name} is "
                "larger"
            )
        if coverage is not None:
            held = format_percent(coverage[j])
            result[f"{prefix}error bars"] = f"95 % intervals hold {held} of the validation and test rows"
    if bayesian is not None:
        few = rows < TOO_FEW_ROWS
        result["parameters"] = f"{too_few} how many parameters the data use" if few else _parameters(bayesian)
    return result


def warnings(targets: list[Target], outcome: Outcome, scores: Scores) -> list[str]:
    """A sentence for each target that was overfitted, has rows far from all others, or errors of unequal size."""
    law = None if outcome.bayesian is None else outcome.bayesian.ensemble.law
    varies = None if law is None else (law.slopes != 0).any(axis=1)
    overfitting = [] if _logarithm(outcome) is not None else _overfitting(targets, outcome, scores)
    tried_log = outcome.bayesian is not None and outcome.bayesian.tried > 0
    return overfitting + _residual_warnings(targets, outcome.plan.net.cost.name, varies, tried_log)


def _by_part(metric: str, scores: Scores, name: str) -> dict[str, Any]:
    """RMSE or R² of one target in each part."""
    by_target = f"{metric}_by_target"
    return {
        part: scores[part][by_target][name] if by_target in scores[part] else scores[part][metric] for part in PARTS
    }


def _quality(r2: float | None, name: str, many_copies: bool) -> str:
    if r2 is None:
        return f"{name} does not vary among the test rows, so that nothing can be said about the network"
    which = "the test rows, of which it has seen copies," if many_copies else "rows it has not seen"
    words = next((words for least, words in EXPLAINED if r2 >= least), None)
    if words is None:
        return f"on {which} the network is hardly better than the mean of {name} (R² {r2:.3f})"
    return f"on {which} the network explains {words} of the variation of {name} (R² {r2:.3f})"


def _noise(noise: float, rmse: float, target: Target) -> str:
    about, spread = f"about {format_number(noise, 3)} (standard deviation)", target.column.std
    if noise <= NO_NOISE * spread:
        return f"{about}, next to none beside the {format_number(spread, 3)} of the target itself"
    if target.outliers is not None and noise <= target.outliers.robust_std:
        return f"{about}, far rows aside"
    if target.outliers is not None:
        usual = format_number(target.outliers.robust_std, 3)
        return f"{about}, most of which comes from far rows; without them it is about {usual}"
    if rmse <= NEAR_NOISE * noise:
        return f"{about}: the test error is nearly all noise, so other columns may help, but not more neurons or epochs"
    return f"{about}; the test error is {rmse / noise:.1f} times that: more rows may help"


def _parameters(bayesian: BayesianSummary) -> str:
    """How many parameters the data use, and whether more of them could help."""
    which = " of the network with the largest weight" if len(bayesian.networks) > 1 else ""
    more = "will not" if bayesian.gamma < UNUSED * bayesian.parameters else "may"
    used = f"the data use about {bayesian.gamma:.0f} of the {bayesian.parameters:,} parameters{which}"
    return f"{used}, so more neurons {more} help"


def _overfitting(targets: list[Target], outcome: Outcome, scores: Scores) -> list[str]:
    """A sentence for each target whose validation and test errors exceed both the fit error and the noise by far."""
    warnings = []
    for j, target in enumerate(targets):
        name = target.column.name
        rmse = _by_part("rmse", scores, name)
        fit, test = rmse["training"], rmse["test"]
        noise = 0.0 if outcome.bayesian is None else float(outcome.bayesian.noise_std[j])
        if min(test, rmse["validation"]) <= OVERFITTED * max(fit, noise):
            continue
        of = f" of {name}" if len(targets) > 1 else ""
        warnings.append(
            f"the test error{of} is {test / fit:.1f} times the fit error: the network knows its training rows better "
            "than others; more rows or fewer neurons would help"
            if fit > 0
            else f"the network fits its training rows{of} exactly, and others not"
        )
    return warnings


def _residual_warnings(targets: list[Target], cost: str, varies: Any, tried_log: bool) -> list[str]:
    """Warnings about the residuals of all rows.

    `varies` says whether the noise in each target's error bars depends on the inputs, (k,).
    """
    remedy_for_outliers = {
        "huber": "correct them or leave them out; the huber cost bounds their influence on the fit, but RMSE and R² "
        "count them in full",
        "quadratic": "correct them or leave them out, for the quadratic cost squares their errors, so that they spoil "
        "the fit, the noise and the error bars; if they have to stay, cost='huber' bounds their influence",
    }.get(cost, "correct them or leave them out")
    warnings = []
    for j, (column, rows, actual, predicted, outliers, unequal) in enumerate(targets):
        name = column.name
        if outliers is not None:
            count, worst = len(outliers.rows), outliers.rows[0]
            usual = format_number(outliers.robust_std, 3)
            value, prediction = (format_number(float(array[worst]), 6) for array in (actual, predicted))
            lie, make = ("lies", "makes") if count == 1 else ("lie", "make")
            warnings.append(
                f"{pluralized(count, 'row')} ({format_percent(count / len(rows))}) {lie} far from the others, whose "
                f"usual error is {usual}, and {make} {format_percent(outliers.share)} of the squared error, the "
                f"farthest data row {rows[worst]}, where {name} is {value} and {prediction} is predicted: if they are "
                f"faults, {remedy_for_outliers}"
            )
        elif unequal is not None and cost != "poisson":  # the noise of counts grows with the prediction
            bars = "error bars, which take one noise for all rows, are too wide for some and too narrow for others"
            bars = "its error bars follow that" if varies is not None and varies[j] else bars
            grows = not tried_log and unequal.highest > unequal.lowest and (actual > 0).all()
            remedy = f"; as {name} is positive and its errors grow with it, its logarithm may be the better target"
            warnings.append(
                f"the errors of {name} are usually {format_number(unequal.lowest, 3)} at its smallest predictions, and "
                f"{format_number(unequal.highest, 3)} at its largest: {bars}{remedy if grows else ''}"
            )
    return warnings
