"""From the fits that are stored to a result for each table, and from these to the numbers of the page."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmarks.tables.catalogue import Entry
from benchmarks.tables.store import Store
from deltarule.models.calibration import expected_calibration_error


@dataclass
class Result:
    """One contestant on one table.

    Attributes:
        error: the mean over the splits of RMSE/sd or log loss.
        losses: of each test row of all splits: the squared error over the variance of y, or minus ln p of its class.
        scores: the means of the other scores.
        covered, rows: how many test rows lie within their intervals of 95 %, of how many; 0 without error bars.
        seconds, processor: the medians of a fit.
        missing: why there is no result, else "".
        P, codes: the probabilities of all test rows and their true classes.
    """

    error: float = float("nan")
    losses: np.ndarray = field(default_factory=lambda: np.zeros(0))
    scores: dict[str, float] = field(default_factory=dict)
    covered: float = 0.0
    rows: int = 0
    seconds: float = float("nan")
    processor: float = float("nan")
    missing: str = ""
    P: np.ndarray | None = None
    codes: np.ndarray | None = None

    @property
    def value(self) -> float:
        """The score that the page averages: ln(RMSE/sd), or the log loss."""
        return float(np.log(self.error)) if self.P is None else self.error


def result(store: Store, who: str, entry: Entry) -> Result:
    """Combine all splits; the result is missing if one of them is."""
    fits = [store.get(who, entry, split) for split in range(entry.splits)]
    for fit in fits:
        if fit is None or "scores" not in fit:
            fit = fit or {"failed": "not run"}
            return Result(missing=fit.get("failed") or fit.get("absent") or "?")
    found = Result()
    y = entry.load().y
    tests = [entry.split(split)[1] for split in range(entry.splits)]
    names = fits[0]["scores"]
    found.scores = {name: float(np.mean([fit["scores"].get(name, np.nan) for fit in fits])) for name in names}
    found.error = found.scores["error"]
    found.seconds, found.processor = (float(np.median([fit[k] for fit in fits])) for k in ("seconds", "processor"))
    predicted = [fit["predicted"] for fit in fits]
    if entry.kind == "regression":
        mean = np.concatenate([p["mean"] for p in predicted])
        truth = np.concatenate([y[test] for test in tests])
        found.losses = (mean - truth) ** 2 / y.var()
        if "low" in predicted[0]:
            low, high = (np.concatenate([p[end] for p in predicted]) for end in ("low", "high"))
            found.covered, found.rows = float(np.sum((low <= truth) & (truth <= high))), len(truth)
        return found
    classes = np.unique(y)
    found.codes = np.concatenate([np.searchsorted(classes, y[test]) for test in tests])
    found.P = np.concatenate([np.reshape(p["P"], (-1, len(classes))) for p in predicted])
    found.losses = -np.log(np.clip(found.P[np.arange(len(found.codes)), found.codes], 1e-15, 1.0))
    return found


def mean_and_error(values: Sequence[float]) -> tuple[float, float]:
    """The mean and its standard error."""
    values = np.asarray(values, np.float64)
    if len(values) < 2:
        return float(values.mean()) if len(values) else float("nan"), float("nan")
    return float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values)))


def differences(ours: dict[str, Result], theirs: dict[str, Result]) -> list[float]:
    """Ours minus theirs on each of the tables that both have."""
    both = [name for name in ours if not ours[name].missing and name in theirs and not theirs[name].missing]
    return [ours[name].value - theirs[name].value for name in both]


def against(ours: dict[str, Result], theirs: dict[str, Result]) -> tuple[float, float, int]:
    """The mean over the tables of ours minus theirs, its standard error, and how many tables both have."""
    own = differences(ours, theirs)
    return *mean_and_error(own), len(own)


def standing(results: dict[str, Result]) -> dict[str, str]:
    """Of each contestant on one table: "best", "level" (within one standard error of the best), or "behind".

    The standard error is that of the mean difference of their losses, row by row of the test rows.
    """
    there = {who: each for who, each in results.items() if not each.missing}
    best = min(there, key=lambda who: there[who].error)
    found = {}
    for who, each in there.items():
        excess, error = mean_and_error(each.losses - there[best].losses)
        found[who] = "best" if who == best else "level" if excess <= error else "behind"
    return found


def pooled_calibration(results: dict[str, Result]) -> float:
    """The expected calibration error of all test rows of all tables, each table with the same weight."""
    there = [each for each in results.values() if each.P is not None]
    if not there:
        return float("nan")
    sure = np.concatenate([each.P.max(axis=1) for each in there])
    right = np.concatenate([each.P.argmax(axis=1) == each.codes for each in there])
    weight = np.concatenate([np.full(len(each.codes), 1.0 / len(each.codes)) for each in there])
    return float(
        expected_calibration_error(np.column_stack([sure, np.zeros_like(sure)]), np.where(right, 0, 1), weight)
    )


def mean_calibration(results: dict[str, Result]) -> float:
    """The mean over the tables of the expected calibration error, each of the rows of all its splits."""
    there = [each for each in results.values() if each.P is not None and each.codes is not None]
    return float(np.mean([expected_calibration_error(each.P, each.codes) for each in there])) if there else float("nan")


def mean_score(results: dict[str, Result], name: str) -> float:
    """The mean over the tables of one of the other scores; nan where the contestant has none."""
    values: list[Any] = [each.scores[name] for each in results.values() if name in each.scores]
    return float(np.mean(values)) if values else float("nan")
