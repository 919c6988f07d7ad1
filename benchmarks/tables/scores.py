"""The scores of predictions on the test rows."""

from typing import Any

import numpy as np

from deltarule.models.calibration import expected_calibration_error


def score(kind: str, predicted: dict[str, Any], y: np.ndarray, test: np.ndarray) -> dict[str, Any]:
    """The scores of one fit.

    Args:
        kind: "regression" or "classification".
        predicted: "mean" and, where the model has error bars, "std", "low" and "high", with "density", the log density
            of each measurement, where it is not Gaussian; or "P", the probabilities of the classes by their names.
        y: the targets of the whole table.
        test: the rows that were predicted.
    """
    return _regression(predicted, y, test) if kind == "regression" else _classification(predicted["P"], y, test)


def _regression(predicted: dict[str, Any], y: np.ndarray, test: np.ndarray) -> dict[str, Any]:
    """RMSE in standard deviations of y; the log density of y/sd; the share of y in the intervals of 95 %."""
    sd, truth = y.std(), y[test]
    scores = {"error": float(np.sqrt(np.mean((predicted["mean"] - truth) ** 2)) / sd)}
    if "std" in predicted:
        z = (truth - predicted["mean"]) / predicted["std"]
        gaussian = -0.5 * z**2 - np.log(predicted["std"]) - 0.5 * np.log(2 * np.pi)
        scores["density"] = float(np.mean(predicted.get("density", gaussian)) + np.log(sd))
        scores["covered"] = float(np.mean((predicted["low"] <= truth) & (truth <= predicted["high"])))
        scores["zero width"] = int(np.sum(predicted["high"] - predicted["low"] <= 1e-9 * sd))
    return scores


def _classification(P: np.ndarray, y: np.ndarray, test: np.ndarray) -> dict[str, Any]:
    """Log loss (no probability below 1e-15), share of right classes, expected calibration error."""
    classes = np.unique(y)
    codes = np.searchsorted(classes, y[test])
    true = np.clip(P[np.arange(len(codes)), codes], 1e-15, 1.0)
    return {
        "error": float(-np.mean(np.log(true))),
        "right": float(np.mean(P.argmax(axis=1) == codes)),
        "calibration": float(expected_calibration_error(P, codes)),
    }
