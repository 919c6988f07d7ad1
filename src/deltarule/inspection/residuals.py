"""What the errors of a regression say of its data: rows far from all others, errors that are larger in one part.

The usual error is the standard deviation that Gaussian errors of this median size would have, 1.4826 median |e|: rows
that are far away hardly move it while they are fewer than half. For the same reason errors are measured from their
median, which is not 0 where many rows are shifted one way and pull the network with them.
"""

from typing import NamedTuple

import numpy as np

FAR = 8.0  # usual errors; of 10^15 Gaussian ones one is larger
FAR_OF_MANY = 5.0  # where more than FEW of the rows are so far away, which no tail of ordinary noise is
FEW = 0.05  # of the rows
MOST = 0.5  # of the squared error
UNEQUAL = 3.0  # the usual error of one fifth of the rows over that of another
LEAST_ROWS = 30  # of a fifth


class FarRows(NamedTuple):
    """Rows far from all others that make most of the squared error.

    Args:
        rows: their numbers among the errors, the farthest first.
        usual: the usual error of the others.
        share: their part of the sum of the squared errors.
    """

    rows: np.ndarray
    usual: float
    share: float


class UnequalErrors(NamedTuple):
    """The usual error of the fifth of the rows with the smallest predictions, and of that with the largest."""

    lowest: float
    highest: float


def usual_error(errors: np.ndarray) -> float:
    """1.4826 median |e|, e (N,)."""
    return 1.4826 * float(np.median(np.abs(errors)))


def far_rows(errors: np.ndarray, parts: np.ndarray | None = None) -> FarRows | None:
    """Find the outliers by the median absolute deviation, if they make most of the squared error.

    An outlier is more than `FAR` usual errors from the median of its part, or `FAR_OF_MANY` where there are many. They
    may be any share of the rows below half.

    Args:
        errors: of all rows.
        parts: (N,) whole numbers, the part of each row: rows that have trained, and others, of which the network knows
            less and whose errors are larger without being outliers. None is one part.
    """
    distance, usual = np.zeros(len(errors)), np.full(len(errors), usual_error(errors - np.median(errors)))
    for part in (0,) if parts is None else np.unique(parts):
        rows = np.full(len(errors), True) if parts is None else parts == part
        own = errors[rows] - np.median(errors[rows])
        distance[rows] = np.abs(own)
        usual[rows] = np.maximum(usual[rows], usual_error(own))  # of a few rows it may be small by chance
    if not (usual > 0).all():
        return None
    order = np.argsort(-distance, kind="stable")
    many = np.mean(distance > FAR_OF_MANY * usual) > FEW
    far = order[(distance > (FAR_OF_MANY if many else FAR) * usual)[order]]
    if not 0 < len(far) < len(errors) / 2:
        return None
    relative = np.square(distance / distance.max())
    share = float(relative[far].sum() / relative.sum())
    others = np.delete(errors, far)
    return FarRows(far, usual_error(others - np.median(others)), share) if share >= MOST else None


def unequal_errors(predicted: np.ndarray, errors: np.ndarray) -> UnequalErrors | None:
    """The usual errors where the predictions, (N,), are smallest and largest, if one is `UNEQUAL` times the other."""
    if len(errors) < 5 * LEAST_ROWS:
        return None
    fifths = np.array_split(errors[np.argsort(predicted, kind="stable")], 5)
    lowest, highest = usual_error(fifths[0]), usual_error(fifths[-1])
    return UnequalErrors(lowest, highest) if max(lowest, highest) > UNEQUAL * min(lowest, highest) else None
