"""What the errors of a regression say of its data: rows far from all others, errors that are larger in one part.

The usual error is the standard deviation that Gaussian errors of this median size would have, 1.4826 median |e|: a few
rows, however far away, hardly move it.
"""

from typing import NamedTuple

import numpy as np

FAR = 8.0  # usual errors; of 10^15 Gaussian ones one is larger
FEW = 0.05  # of the rows
MOST = 0.5  # of the squared error
UNEQUAL = 3.0  # the usual error of one fifth of the rows over that of another
LEAST_ROWS = 30  # of a fifth


class FarRows(NamedTuple):
    """Few rows that make most of the squared error.

    Args:
        rows: their numbers among the errors, the farthest first.
        usual: the usual error.
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


def far_rows(errors: np.ndarray) -> FarRows | None:
    """The rows more than `FAR` usual errors away, (N,), if they are few and make most of the squared error."""
    usual, size = usual_error(errors), np.abs(errors)
    order = np.argsort(-size, kind="stable")
    rows = order[: np.count_nonzero(size > FAR * usual)]
    if usual <= 0 or not 0 < len(rows) <= FEW * len(errors):
        return None
    relative = np.square(size / size.max())
    share = float(relative[rows].sum() / relative.sum())
    return FarRows(rows, usual, share) if share >= MOST else None


def unequal_errors(predicted: np.ndarray, errors: np.ndarray) -> UnequalErrors | None:
    """The usual errors where the predictions, (N,), are smallest and largest, if one is `UNEQUAL` times the other."""
    if len(errors) < 5 * LEAST_ROWS:
        return None
    fifths = np.array_split(errors[np.argsort(predicted, kind="stable")], 5)
    lowest, highest = usual_error(fifths[0]), usual_error(fifths[-1])
    return UnequalErrors(lowest, highest) if max(lowest, highest) > UNEQUAL * min(lowest, highest) else None
