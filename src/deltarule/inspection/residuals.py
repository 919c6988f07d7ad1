"""Outliers among the errors of a regression, and errors whose size changes with the prediction.

The robust standard deviation 1.4826 median |e| equals the standard deviation of Gaussian errors. Outliers hardly change
it while they are fewer than half of the rows. Errors are measured from their median for the same reason: where many
rows are shifted one way and pull the network with them, the median is not 0.
"""

from typing import NamedTuple

import numpy as np

FAR = 8.0  # robust standard deviations; of 10^15 Gaussian errors one is larger
FAR_OF_MANY = 5.0  # where more than FEW of the rows are so far away, which no tail of ordinary noise is
FEW = 0.05  # of the rows
LEAST_SHARE = 0.5  # of the squared error
UNEQUAL = 3.0  # the robust standard deviation of one fifth of the rows over that of another
LEAST_ROWS = 30  # of a fifth


class Outliers(NamedTuple):
    """Rows far from all others that make most of the squared error.

    Args:
        rows: their numbers among the errors, the farthest first.
        robust_std: the robust standard deviation of the other errors.
        share: the outliers' part of the sum of the squared errors.
    """

    rows: np.ndarray
    robust_std: float
    share: float


class UnequalErrors(NamedTuple):
    """Robust standard deviations of the fifth of the rows with the smallest predictions, and with the largest."""

    lowest: float
    highest: float


def robust_std(errors: np.ndarray) -> float:
    """1.4826 median |e|, e (N,)."""
    return 1.4826 * float(np.median(np.abs(errors)))


def find_outliers(errors: np.ndarray, parts: np.ndarray | None = None) -> Outliers | None:
    """Find the outliers by the median absolute deviation, if they make most of the squared error.

    An outlier is more than `FAR` robust standard deviations from the median of its part, or `FAR_OF_MANY` where there
    are many. They may be any share of the rows below half.

    Args:
        errors: (N,), of all rows.
        parts: (N,) whole numbers, the part of each row. Training rows and held-out rows are different parts, because a
            network's errors on rows that it has not seen are larger without being outliers. None is one part.
    """
    distance, scale = np.zeros(len(errors)), np.full(len(errors), robust_std(errors - np.median(errors)))
    for part in (0,) if parts is None else np.unique(parts):
        rows = np.full(len(errors), True) if parts is None else parts == part
        centred = errors[rows] - np.median(errors[rows])
        distance[rows] = np.abs(centred)
        scale[rows] = np.maximum(scale[rows], robust_std(centred))  # of a few rows it may be small by chance
    if not (scale > 0).all():
        return None
    order = np.argsort(-distance, kind="stable")
    many = np.mean(distance > FAR_OF_MANY * scale) > FEW
    far = order[(distance > (FAR_OF_MANY if many else FAR) * scale)[order]]
    if not 0 < len(far) < len(errors) / 2:
        return None
    relative = np.square(distance / distance.max())
    share = float(relative[far].sum() / relative.sum())
    others = np.delete(errors, far)
    return Outliers(far, robust_std(others - np.median(others)), share) if share >= LEAST_SHARE else None


def find_unequal_errors(predicted: np.ndarray, errors: np.ndarray) -> UnequalErrors | None:
    """Return the errors' sizes at the smallest and largest predictions, (N,), if they differ by `UNEQUAL` times."""
    if len(errors) < 5 * LEAST_ROWS:
        return None
    fifths = np.array_split(errors[np.argsort(predicted, kind="stable")], 5)
    lowest, highest = robust_std(fifths[0]), robust_std(fifths[-1])
    return UnequalErrors(lowest, highest) if max(lowest, highest) > UNEQUAL * min(lowest, highest) else None
