"""What the verdict says of a regression: how good, how noisy, and what its errors warn of."""

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from deltarule.data.cells import split_unit
from deltarule.data.columns import NumericColumn
from deltarule.errors import pluralized
from deltarule.inspection.residuals import Outliers, UnequalErrors, find_outliers, find_unequal_errors, robust_std
from deltarule.models.metrics import PARTS, Scores
from deltarule.models.outcome import Known, Outcome
from deltarule.models.words import number, share

if TYPE_CHECKING:
    from deltarule.data import DataSet

EXPLAINED = ((0.99, "almost all"), (0.9, "most"), (0.5, "a good part"), (0.1, "a little"))  # by R²
NEAR_THE_NOISE = 1.2
BY_HEART = 1.5  # the test error over the fit error
NO_NOISE = 1e-3  # of the target's spread
IDLE = 0.5  # of the parameters in use, below which there are enough neurons


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
    far: Outliers | None
    unequal: UnequalErrors | None


def targets_of(data: "DataSet", outcome: Outcome) -> list[Target]:
    """Each target with its values and predictions for all rows, and what their difference says."""
    parts = (data.train, data.validation, data.test)
    X, Y = (np.concatenate([getattr(part, name) for part in parts]) for name in ("X", "Y"))
    outputs = np.asarray(outcome.plan.net(outcome.result.params, X))
    rows, found = np.concatenate([part.rows for part in parts]), []
    held = (np.arange(len(rows)) >= len(data.train)).astype(int)
    whole = _without_imputed(data, X)  # the inputs of the other rows do not determine the target
    log = _logarithm(outcome)
    for column, y, a in zip(data.schema.targets, Y.T, outputs.T, strict=True):
        errors = column.std * (a - y if log is None else log.relative_error(y, a))
        spread = robust_std(y - np.median(y)) or 1.0  # outliers enlarge the standard deviation, not this
        noisy = robust_std(errors) > NO_NOISE * min(spread, 1.0) * column.std
        unequal = find_unequal_errors(a, errors) if noisy and log is None else None
        far = find_outliers(errors[whole], held[whole]) if noisy and whole.any() else None
        if far is not None:
            own = column.std * (a - y)
            rows_of = np.flatnonzero(whole)[far.rows]
            part = float((own[rows_of] ** 2).sum() / (own[whole] ** 2).sum())
            far = far._replace(rows=rows_of, robust_std=robust_std(own[whole]), share=part)
        found.append(Target(column, rows, column.decode(y), column.decode(a), far, unequal))
    return found


def _logarithm(outcome: Outcome) -> Any:
    """The scale (LOG) of a network that was fitted to the logarithm of its target."""
    return None if outcome.known is None else outcome.known.ensemble.log


def _without_imputed(data: "DataSet", X: np.ndarray) -> np.ndarray:
    """Which rows have no missing cell: the last input of an imputed column says so, (N,)."""
    whole, end = np.ones(len(X), bool), 0
    for column in data.schema.inputs:
        end += column.width
        if column.imputed:
            whole &= X[:, end - 1] == 0
    return whole


def lines(
    targets: list[Target], outcome: Outcome, scores: Scores, copied: bool, held: np.ndarray | None
) -> dict[str, str]:
    """The lines of each target; `held` is the share of the held-out rows in their 95 % intervals, (k,)."""
    found, known = {}, outcome.known
    several = len(targets) > 1
    for j, target in enumerate(targets):
        name = target.column.name
        rmse, r2 = (_of_target(metric, scores, name) for metric in ("rmse", "r2"))
        before = f"{name}: " if several else ""
        found[f"{before}quality"] = _quality(r2["test"], name, copied)
        errors = ", ".join(f"{words} {number(rmse[part])}" for part, words in PARTS.items())
        found[f"{before}error"] = f"{errors} (root mean square, in {split_unit(name).unit or f'the unit of {name}'})"
        if known is not None:
            relative = known.ensemble.relative_noise()
            found[f"{before}noise"] = (
                _noise(float(known.noise_std[j]), rmse["test"], target)
                if relative is None
                else f"about {share(relative)} of {name} (standard deviation), so larger where {name} is larger"
            )
        if held is not None:
            found[f"{before}error bars"] = f"95 % intervals hold {share(held[j])} of the validation and test rows"
    if known is not None:
        found["parameters"] = _parameters(known)
    return found


def warnings(targets: list[Target], outcome: Outcome, scores: Scores) -> list[str]:
    """A sentence for each target that is learnt by heart, or whose errors of all rows are no plain noise."""
    law = None if outcome.known is None else outcome.known.ensemble.law
    follows = None if law is None else (law.slopes != 0).any(axis=1)
    of_rows = [] if _logarithm(outcome) is not None else _by_heart(targets, outcome, scores)
    tried = outcome.known is not None and outcome.known.tried > 0  # and with them the logarithm of the target
    return of_rows + _of_errors(targets, outcome.plan.net.cost.name, follows, tried)


def _of_target(metric: str, scores: Scores, name: str) -> dict[str, Any]:
    """RMSE or R² of one target in each part."""
    by = f"{metric}_by_target"
    return {part: scores[part][by][name] if by in scores[part] else scores[part][metric] for part in PARTS}


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
    if target.far is not None and noise <= target.far.robust_std:
        return f"{about}, far rows aside"
    if target.far is not None:
        return f"{about}, most of which far rows make; without them it is about {number(target.far.robust_std, 3)}"
    if rmse <= NEAR_THE_NOISE * noise:
        return f"{about}, so the test error is nearly all noise: more neurons or epochs hardly help, other columns may"
    return f"{about}; the test error is {rmse / noise:.1f} times that: more rows may help"


def _parameters(known: Known) -> str:
    """How many parameters the data use, and whether more of them could help."""
    which = " of the network of the most weight" if len(known.ensemble.members) > 1 else ""
    more = "will not" if known.gamma < IDLE * known.parameters else "may"
    used = f"the data use about {known.gamma:.0f} of the {known.parameters:,} parameters{which}"
    return f"{used}, so more neurons {more} help"


def _by_heart(targets: list[Target], outcome: Outcome, scores: Scores) -> list[str]:
    """A sentence for each target that is fitted much better on training rows than on others, past the noise."""
    found, several = [], len(targets) > 1
    for j, target in enumerate(targets):
        name = target.column.name
        rmse = _of_target("rmse", scores, name)
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


def _of_errors(targets: list[Target], cost: str, follows: Any, tried: bool) -> list[str]:
    """What the errors of all rows warn of; `follows` says of each target whether its error bars follow its errors.

    With `tried` the logarithm of the target was.
    """
    remedy_of_far = {
        "huber": "correct them or leave them out; the huber cost bounds how they pull at the fit, but RMSE and R² "
        "count them in full",
        "quadratic": "correct them or leave them out, for the quadratic cost squares their errors, so that they spoil "
        "the fit, the noise and the error bars; if they have to stay, cost='huber' bounds their pull",
    }.get(cost, "correct them or leave them out")
    found = []
    for j, (column, rows, actual, predicted, far, unequal) in enumerate(targets):
        name = column.name
        if far is not None:
            worst, usual = far.rows[0], number(far.robust_std, 3)
            lie, make = ("lies", "makes") if len(far.rows) == 1 else ("lie", "make")
            found.append(
                f"{pluralized(len(far.rows), 'row')} {lie} ({share(len(far.rows) / len(rows))}) far from the others, "
                f"whose usual error is {usual}, and {make} {share(far.share)} of the squared error, "
                f"the farthest data row {rows[worst]}, where {name} is "
                f"{number(float(actual[worst]), 6)} and {number(float(predicted[worst]), 6)} is predicted: if they are "
                f"faults, {remedy_of_far}"
            )
        elif unequal is not None and cost != "poisson":  # whose noise grows with the prediction
            bars = (
                "error bars, which take one noise for all rows, are too wide for the ones and too narrow for the others"
            )
            bars = "its error bars follow that" if follows is not None and follows[j] else bars
            grows = not tried and unequal.highest > unequal.lowest and (actual > 0).all()
            remedy = f"; as {name} is positive and its errors grow with it, its logarithm may be the better target"
            found.append(
                f"the errors of {name} are usually {number(unequal.lowest, 3)} where it is predicted smallest, and "
                f"{number(unequal.highest, 3)} where largest: {bars}{remedy if grows else ''}"
            )
    return found
