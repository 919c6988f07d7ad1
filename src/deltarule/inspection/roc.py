"""The ROC curve of a score that separates the rows of a class from the others, and its area."""

import numpy as np


def roc_curve(score: np.ndarray, positive: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """True positive rates, false positive rates, over all thresholds, and the area under the curve.

    Rows with equal scores pass a threshold together. The area is the probability that a positive row has a higher score
    than a negative one; it is NaN without positive or without negative rows.

    >>> roc_curve(np.array([0.1, 0.4, 0.4, 0.9]), np.array([False, True, False, True]))[2]
    0.875
    """
    order = np.argsort(-score, kind="stable")
    last = np.append(np.flatnonzero(np.diff(score[order])), len(score) - 1)
    hits = np.concatenate([[0], np.cumsum(positive[order])[last]])
    misses = np.concatenate([[0], np.cumsum(~positive[order])[last]])
    if not hits[-1] or not misses[-1]:
        return np.array([0.0, 1.0]), np.array([0.0, 1.0]), float("nan")
    true, false = hits / hits[-1], misses / misses[-1]
    return true, false, float(np.sum(np.diff(false) * (true[1:] + true[:-1]) / 2))
