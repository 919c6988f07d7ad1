"""How good the predictions are: accuracy, recall and AUC for classes; RMSE in the target's unit and R² for numbers."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from deltarule.data.labels import probabilities
from deltarule.errors import shorten
from deltarule.inspection.roc import roc_curve
from deltarule.models.words import MOST_NAMES, number, share

if TYPE_CHECKING:
    from deltarule.data import Schema
    from deltarule.network.backprop import Params
    from deltarule.network.network import Network

Scores = dict[str, dict[str, Any]]  # by part
PARTS = {"training": "fit", "validation": "validation", "test": "test"}  # as the verdict calls them


def measure(net: "Network", params: "Params", schema: "Schema", X: np.ndarray, Y: np.ndarray) -> dict[str, Any]:
    """Score the network on examples, (N, n_1) and (N, k).

    Returns:
        For classification "accuracy", the share of rows whose most active output is the target's, "recall_by_class",
        that share among each class's own rows, and "auc_by_class", the probability that a row of the class is given a
        higher probability of it than a row of another class; both are None where there is no such row. For regression
        "rmse" = √(mean (y - t)²) in the target's unit and "r2" = 1 - sum (y - t)² / sum (t - mean t)², which is None
        where the targets do not vary. Of several targets "rmse_by_target" and "r2_by_target" hold each; "r2" is the
        mean over them, and there is no "rmse", for their units may differ.
    """
    outputs = np.asarray(net(params, X))
    if schema.classes is not None:
        return _of_classes(outputs, np.argmax(Y, axis=1), schema.output_names)
    predicted, targets = schema.decode(outputs), schema.decode(Y)
    error, spread = predicted - targets, targets - targets.mean(axis=0)
    # In units of a power of two the squares of 1e200 and of 1e-200 stay within float64, and nothing else is rounded.
    unit = np.frexp(np.maximum(np.abs(error).max(axis=0), np.abs(spread).max(axis=0)))[1]
    error, spread = (np.square(np.ldexp(each, -unit)).sum(axis=0) for each in (error, spread))
    rmse = np.ldexp(np.sqrt(error / len(targets)), unit)
    r2 = [float(1 - e / s) if s > 0 else None for e, s in zip(error, spread, strict=True)]
    known = [value for value in r2 if value is not None]
    mean = float(np.mean(known)) if known else None
    if len(rmse) == 1:
        return {"rmse": float(rmse[0]), "r2": mean}
    return {
        "r2": mean,
        "rmse_by_target": dict(zip(schema.target_names, rmse.tolist(), strict=True)),
        "r2_by_target": dict(zip(schema.target_names, r2, strict=True)),
    }


def _of_classes(outputs: np.ndarray, actual: np.ndarray, names: tuple[str, ...]) -> dict[str, Any]:
    right, scores = outputs.argmax(axis=1) == actual, probabilities(outputs)
    recall, auc = {}, {}
    for j, name in enumerate(names):
        own = actual == j
        recall[name] = float(right[own].mean()) if own.any() else None
        area = roc_curve(scores[:, j], own)[2]
        auc[name] = area if np.isfinite(area) else None
    return {"accuracy": float(right.mean()), "recall_by_class": recall, "auc_by_class": auc}


def class_lines(scores: dict[str, Any]) -> dict[str, str]:
    """Recall and AUC of each class in a line, of many classes the lowest."""
    if "recall_by_class" not in scores:
        return {}
    recall, auc = scores["recall_by_class"], scores["auc_by_class"]
    lines = {"recall": f"{_lowest(recall, share)} (the share of each class's rows that is found)"}
    areas = {name: area for name, area in auc.items() if area is not None}
    if areas:  # of two classes both have the same area
        form = "{:.3f}".format
        shown = _lowest(areas, form) if len(auc) > 2 else form(next(iter(areas.values())))
        lines["AUC"] = f"{shown} (1 ranks the rows of a class above all others, 0.5 is chance)"
    return lines


def _lowest(values: dict[str, float | None], form: Callable[[float], str]) -> str:
    """The classes with the lowest values, at most `MOST_NAMES`, in the order of the values."""
    known = sorted((value, name) for name, value in values.items() if value is not None)
    return shorten([f"{name!r} {form(value)}" for value, name in known], MOST_NAMES)


def named(part: str, scores: dict[str, Any]) -> dict[str, Any]:
    """The scores with the part's name before theirs, "test_accuracy" for example."""
    return {f"{part}_{name}": value for name, value in scores.items()}


def of_part(metrics: dict[str, Any], part: str) -> dict[str, Any]:
    """The scores of a part from those that `named` made."""
    return {name.removeprefix(f"{part}_"): value for name, value in metrics.items() if name.startswith(f"{part}_")}


def in_words(scores: dict[str, Any]) -> str:
    """The scores in a line for people."""
    if "accuracy" in scores:
        return f"accuracy {share(scores['accuracy'])}"
    if "rmse_by_target" not in scores:
        return f"RMSE {number(scores['rmse'])}, R² {number(scores['r2'])}"
    return "\n".join(
        f"{name}: RMSE {number(rmse)}, R² {number(scores['r2_by_target'][name])}"
        for name, rmse in scores["rmse_by_target"].items()
    )
