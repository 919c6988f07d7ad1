"""The estimators with their defaults beside scikit-learn's, by 5 x 2 cross-validation on the tables it comes with.

    python -m benchmarks.tables [--only NAME ...] [--out docs/results]

Five times the rows are halved and each half predicts the other. Prints and writes the means and their standard errors
over the ten fits, as tables.md and tables.json. One thread is enough; it takes about ten minutes.
"""

import argparse
import json
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from sklearn import datasets
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessClassifier, GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, Matern, WhiteKernel
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.metrics import log_loss
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.multioutput import MultiOutputRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import deltarule as dr
from deltarule.models.calibration import expected_calibration_error

OURS = "deltarule"
REPEATS = 5

Found = dict[str, dict[str, dict[str, dict[str, float]]]]  # kind, set, contestant: its summary


def regression_sets() -> dict[str, tuple[np.ndarray, np.ndarray, str]]:
    """X, y and what is predicted; only diabetes and linnerud were made for regression."""
    diabetes, linnerud = datasets.load_diabetes(), datasets.load_linnerud()
    wine, cells, iris = datasets.load_wine().data, datasets.load_breast_cancer().data[:, :10], datasets.load_iris().data
    return {
        "diabetes": (diabetes.data, diabetes.target, "progression after a year"),
        "linnerud": (linnerud.data, linnerud.target, "weight, waist and pulse"),
        "wine": (wine[:, 1:], wine[:, 0], "alcohol from the other measurements"),
        "breast cancer": (np.delete(cells, 6, axis=1), cells[:, 6], "mean concavity from the other means"),
        "iris": (iris[:, :3], iris[:, 3], "petal width from the other lengths"),
    }


def classification_sets() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """X and the classes."""
    loaders = {
        "iris": datasets.load_iris,
        "wine": datasets.load_wine,
        "breast cancer": datasets.load_breast_cancer,
        "digits": datasets.load_digits,
    }
    return {name: load(return_X_y=True) for name, load in loaders.items()}


def regressors(columns: int, targets: int) -> dict[str, Any]:
    """Every contestant with its defaults; inputs and targets are standardised for those that need it."""

    def standardised(model: Any) -> Any:
        return make_pipeline(StandardScaler(), TransformedTargetRegressor(model, transformer=StandardScaler()))

    kernel = ConstantKernel(1.0) * Matern(np.ones(columns), (1e-2, 1e4), nu=2.5) + WhiteKernel(0.1, (1e-8, 1e1))
    boosting = HistGradientBoostingRegressor(random_state=0)
    return {
        OURS: dr.NetworkRegressor(random_state=0),
        "MLP": standardised(MLPRegressor(random_state=0)),
        "boosting": MultiOutputRegressor(boosting) if targets > 1 else boosting,
        "Gaussian process": standardised(GaussianProcessRegressor(kernel, random_state=0)),
        "random forest": RandomForestRegressor(random_state=0),
        "ridge": make_pipeline(StandardScaler(), RidgeCV(np.logspace(-3, 3, 13))),
    }


def classifiers(name: str) -> dict[str, Any]:
    """Likewise; a Gaussian process would take an hour on digits."""
    models = {
        OURS: dr.NetworkClassifier(random_state=0),
        "MLP": make_pipeline(StandardScaler(), MLPClassifier(random_state=0)),
        "boosting": HistGradientBoostingClassifier(random_state=0),
        "Gaussian process": make_pipeline(StandardScaler(), GaussianProcessClassifier(1.0 * RBF(1.0), random_state=0)),
        "random forest": RandomForestClassifier(random_state=0),
        "logistic regression": make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)),
    }
    return models if name != "digits" else {key: model for key, model in models.items() if key != "Gaussian process"}


def halves(y: np.ndarray, classes: bool) -> list[tuple[np.ndarray, np.ndarray]]:
    """The ten splits."""
    kind = StratifiedKFold if classes else KFold
    return [s for r in range(REPEATS) for s in kind(2, shuffle=True, random_state=r).split(np.zeros(len(y)), y)]


def scored_regressor(name: str, model: Any, data: tuple[np.ndarray, ...], split: tuple[Any, Any]) -> dict[str, float]:
    """RMSE over the standard deviation of y, mean over the targets, of one fit; with the coverage of our intervals."""
    X, y = data
    train, test = split
    began = time.perf_counter()
    model.fit(X[train], y[train])
    seconds = time.perf_counter() - began
    rmse = np.sqrt(np.mean((model.predict(X[test]) - y[test]) ** 2, axis=0))
    scores = {"error": float(np.mean(rmse / y.std(axis=0))), "seconds": seconds}
    if name == OURS:
        low, high = model.predict_interval(X[test])
        scores["coverage"] = float(np.mean((low <= y[test]) & (y[test] <= high)))
    return scores


def scored_classifier(name: str, model: Any, data: tuple[np.ndarray, ...], split: tuple[Any, Any]) -> dict[str, float]:
    """Log loss and the share of wrong classes of one fit; with our calibration error before and after."""
    X, y = data
    train, test = split
    began = time.perf_counter()
    model.fit(X[train], y[train])
    seconds = time.perf_counter() - began
    P = model.predict_proba(X[test])
    wrong = float(np.mean(model.classes_[P.argmax(axis=1)] != y[test]))
    scores = {"error": log_loss(y[test], P, labels=model.classes_), "wrong": wrong, "seconds": seconds}
    if name == OURS:
        # The temperature T divides the last layer's z, so P^T, normalised, undoes it.
        T = 1.0 if model.calibration_ is None else model.calibration_.temperature
        before = np.maximum(P, 1e-300) ** T
        before /= before.sum(axis=1, keepdims=True)
        codes = np.searchsorted(model.classes_, y[test])
        scores["ece_before"], scores["ece_after"] = (expected_calibration_error(p, codes) for p in (before, P))
    return scores


def summary(fits: list[dict[str, float]]) -> dict[str, float]:
    """Means, the standard error of the error, and the median time."""
    means = {name: float(np.mean([fit[name] for fit in fits])) for name in fits[0]}
    errors = [fit["error"] for fit in fits]
    means["standard_error"] = float(np.std(errors, ddof=1) / np.sqrt(len(errors)))
    means["seconds"] = float(np.median([fit["seconds"] for fit in fits]))
    return means


def good(results: dict[str, dict[str, float]]) -> set[str]:
    """Who is the best, or at most one standard error of the best above it."""
    best = min(results.values(), key=lambda result: result["error"])
    return {name for name, result in results.items() if result["error"] <= best["error"] + best["standard_error"]}


def measured(only: list[str]) -> Iterator[Found]:
    """The summaries so far, after each set."""
    found: Found = {"regression": {}, "classification": {}}
    for name, (X, y, _) in regression_sets().items():
        if not only or name in only:
            models = regressors(X.shape[1], 1 if y.ndim == 1 else y.shape[1])
            splits = halves(y, classes=False)
            found["regression"][name] = compared(models, scored_regressor, (X, y), splits, name)
            yield found
    for name, (X, y) in classification_sets().items():
        if not only or name in only:
            splits = halves(y, classes=True)
            found["classification"][name] = compared(classifiers(name), scored_classifier, (X, y), splits, name)
            yield found


def compared(models: dict[str, Any], scored: Any, data: Any, splits: list, name: str) -> dict[str, dict[str, float]]:
    """Every contestant on one set."""
    results = {}
    for contestant, model in models.items():
        results[contestant] = summary([scored(contestant, model, data, split) for split in splits])
        print(name, contestant, {key: round(value, 4) for key, value in results[contestant].items()}, flush=True)
    return results


def cell(result: dict[str, float] | None, flagged: bool) -> str:
    """mean ± standard error, in bold where it is good."""
    if result is None:
        return "-"
    text = f"{result['error']:.3f} ± {result['standard_error']:.3f}"
    return f"**{text}**" if flagged else text


def table(found: dict[str, dict[str, dict[str, float]]]) -> list[str]:
    """One row a set, one column a contestant."""
    names = max((list(results) for results in found.values()), key=len)
    lines = [f"| set | {' | '.join(names)} |", "| --- " * (len(names) + 1) + "|"]
    for title, results in found.items():
        flagged = good(results)
        cells = (cell(results.get(name), name in flagged) for name in names)
        lines.append(f"| {title} | {' | '.join(cells)} |")
    return lines


def seconds(found: dict[str, dict[str, dict[str, float]]]) -> list[str]:
    """The median seconds of a fit."""
    names = max((list(results) for results in found.values()), key=len)
    lines = [f"| set | {' | '.join(names)} |", "| --- " * (len(names) + 1) + "|"]
    for title, results in found.items():
        cells = (f"{results[name]['seconds']:.2f}" if name in results else "-" for name in names)
        lines.append(f"| {title} | {' | '.join(cells)} |")
    return lines


def page(found: Found) -> str:
    """tables.md."""
    regression, classification = found["regression"], found["classification"]
    sets = regression_sets()
    ours = [OURS in good(results) for kind in found.values() for results in kind.values()]
    lines = [
        "# Defaults beside scikit-learn's",
        "",
        "Written by `python -m benchmarks.tables`: 5 x 2 cross-validation on the tables that come with scikit-learn,",
        "every estimator with its defaults; inputs (and targets) standardised where an estimator needs it. Mean ±",
        "standard error over the ten fits, the lower the better. In bold: the best, and what is within one standard",
        "error of it.",
        f"deltarule is among these on {sum(ours)} of {len(ours)} sets.",
        "",
    ]
    if regression:
        lines += ["## Regression: root mean squared error / standard deviation of y", "", *table(regression), ""]
        lines += ["| set | rows | predicted | coverage of our 95 % intervals |", "| --- | --- | --- | --- |"]
        for name, results in regression.items():
            X, _, what = sets[name]
            lines.append(f"| {name} | {len(X)} | {what} | {100 * results[OURS]['coverage']:.1f} % |")
        lines += ["", "Median seconds of a fit:", "", *seconds(regression), ""]
    if classification:
        lines += ["## Classification: log loss", "", *table(classification), ""]
        lines += ["Wrong classes in percent, and our expected calibration error before and after the temperature:", ""]
        names = max((list(results) for results in classification.values()), key=len)
        lines += [f"| set | {' | '.join(names)} | ECE before | after |", "| --- " * (len(names) + 3) + "|"]
        for name, results in classification.items():
            wrong = (f"{100 * results[each]['wrong']:.1f}" if each in results else "-" for each in names)
            ece = (f"{results[OURS][when]:.3f}" for when in ("ece_before", "ece_after"))
            lines.append(f"| {name} | {' | '.join(wrong)} | {' | '.join(ece)} |")
        lines += ["", "Median seconds of a fit:", "", *seconds(classification), ""]
        if "digits" in classification:
            lines += ["The Gaussian process classifier is left out on digits, where its ten fits would take hours.", ""]
    return "\n".join(lines)


def main() -> None:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "docs" / "results")
    options = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)  # of the defaults that stop at their number of iterations
    options.out.mkdir(parents=True, exist_ok=True)
    for found in measured(options.only):
        (options.out / "tables.json").write_text(json.dumps(found, indent=1) + "\n")
        (options.out / "tables.md").write_text(page(found))


if __name__ == "__main__":
    main()
