"""The scores of predictions: accuracy, recall and AUC of classes; RMSE and R² of numbers."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from deltarule.data.labels import probabilities
from deltarule.errors import format_number, shorten
from deltarule.inspection.roc import roc_curve
from deltarule.models.formatting import MAX_NAMES, format_percent

if TYPE_CHECKING:
    from deltarule.data import LoadedData, Schema
    from deltarule.network.backprop import Params
    from deltarule.network.network import Network

Scores = dict[str, dict[str, Any]]  # of each part, by name
PARTS = {"training": "fit", "validation": "validation", "test": "test"}  # the parts, as the verdict calls them


def measure(net: "Network", params: "Params", schema: "Schema", X: np.ndarray, Y: np.ndarray) -> dict[str, Any]:
    """Score the network on examples, (N, n_1) and (N, k).

    Returns:
        For classification: "accuracy", the share of rows whose largest output is that of their class;
        "recall_by_class", that share among the rows of each class; and "auc_by_class", the area under the ROC curve,
        which is the probability that a row of the class gets a higher probability for it than a row of another class.
        Recall and AUC are None for a class without rows.

        For regression: "rmse" = √(mean (y - t)²) in the target's unit, and "r2" = 1 - sum (y - t)² /
        sum (t - mean t)², which is None if the targets do not vary. With several targets, whose units may differ,
        "rmse_by_target" and "r2_by_target" replace "rmse", and "r2" is the mean over the targets.
    """
    outputs = np.asarray(net(params, X))
    if schema.classes is not None:
        return _class_scores(outputs, np.argmax(Y, axis=1), schema.output_names)
    predicted, targets = schema.decode(outputs), schema.decode(Y)
    error, spread = predicted - targets, targets - targets.mean(axis=0)
    # Scaling by a power of two rounds nothing and keeps the squares of 1e200 and of 1e-200 within float64.
    unit = np.frexp(np.maximum(np.abs(error).max(axis=0), np.abs(spread).max(axis=0)))[1]
    error, spread = (np.square(np.ldexp(each, -unit)).sum(axis=0) for each in (error, spread))
    rmse = np.ldexp(np.sqrt(error / len(targets)), unit)
    r2 = [float(1 - e / s) if s > 0 else None for e, s in zip(error, spread, strict=True)]
    defined = [value for value in r2 if value is not None]
    mean = float(np.mean(defined)) if defined else None
    if len(rmse) == 1:
        return {"rmse": float(rmse[0]), "r2": mean}
    return {
        "r2": mean,
        "rmse_by_target": dict(zip(schema.target_names, rmse.tolist(), strict=True)),
        "r2_by_target": dict(zip(schema.target_names, r2, strict=True)),
    }


def score_parts(net: "Network", params: "Params", data: "LoadedData") -> Scores:
    """The scores of the validation and the test part, and of a table in memory of the training part too."""
    parts = {"validation": data.validation, "test": data.test}
    if data.schema.image_shape is None and not data.streamed:
        parts = {"training": data.with_complete_targets().train} | parts  # pyright: ignore[reportAttributeAccessIssue]
    return {part: measure(net, params, data.schema, examples.X, examples.Y) for part, examples in parts.items()}


def _class_scores(outputs: np.ndarray, actual: np.ndarray, names: tuple[str, ...]) -> dict[str, Any]:
    right, scores = outputs.argmax(axis=1) == actual, probabilities(outputs)
    recall, auc = {}, {}
    for j, name in enumerate(names):
        in_class = actual == j
        recall[name] = float(right[in_class].mean()) if in_class.any() else None
        area = roc_curve(scores[:, j], in_class)[2]
        auc[name] = area if np.isfinite(area) else None
    return {"accuracy": float(right.mean()), "recall_by_class": recall, "auc_by_class": auc}


def class_lines(scores: dict[str, Any]) -> dict[str, str]:
    """A line with the recall and one with the AUC of the classes, the lowest first."""
    if "recall_by_class" not in scores:
        return {}
    recall, auc = scores["recall_by_class"], scores["auc_by_class"]
    lines = {"recall": f"{_lowest(recall, format_percent)} (the share of each class's rows that is found)"}
    areas = {name: area for name, area in auc.items() if area is not None}
    if areas:  # of two classes both have the same area
        write = "{:.3f}".format
        shown = _lowest(areas, write) if len(auc) > 2 else write(next(iter(areas.values())))
        lines["AUC"] = f"{shown} (1 ranks the rows of a class above all others, 0.5 is chance)"
    return lines


def _lowest(values: dict[str, float | None], write: Callable[[float], str]) -> str:
    """The classes with the lowest values, at most `MAX_NAMES`, in the order of the values."""
    rising = sorted((value, name) for name, value in values.items() if value is not None)
    return shorten([f"{name!r} {write(value)}" for value, name in rising], MAX_NAMES)


def with_prefix(part: str, scores: dict[str, Any]) -> dict[str, Any]:
    """The scores with the part's name in front, for example "test_accuracy"."""
    return {f"{part}_{name}": value for name, value in scores.items()}


def scores_of_part(metrics: dict[str, Any], part: str) -> dict[str, Any]:
    """The scores of a part, from metrics whose names `with_prefix` made."""
    return {name.removeprefix(f"{part}_"): value for name, value in metrics.items() if name.startswith(f"{part}_")}


def describe_scores(scores: dict[str, Any]) -> str:
    """The scores in a line, or in one line for each of several targets."""
    if "accuracy" in scores:
        return f"accuracy {format_percent(scores['accuracy'])}"
    if "rmse_by_target" not in scores:
        return f"RMSE {format_number(scores['rmse'])}, R² {format_number(scores['r2'])}"
    return "\n".join(
        f"{name}: RMSE {format_number(rmse)}, R² {format_number(scores['r2_by_target'][name])}"
        for name, rmse in scores["rmse_by_target"].items()
    )
