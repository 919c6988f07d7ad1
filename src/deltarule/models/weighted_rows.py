"""Distinct rows with weights: duplicates are merged, and a row's content alone decides whether it is held out.

So a row of weight 3 is exactly three copies of it, a row of weight 0 is no row, and shuffling a table changes nothing.
All copies of a row stay on one side of the train/validation split (copies of training rows would make the validation
score measure memory), unless the same inputs occur with several targets.
"""

from typing import NamedTuple

import numpy as np

from deltarule.data.dataset import Examples
from deltarule.data.row_codes import mix_bits, row_codes

MIN_ROWS = 7  # of fewer rows 15 % is less than one row, so all of them train


class WeightedRows(NamedTuple):
    """Distinct examples: X (N, n_1), Y (N, k), their weights (N,) above 0, and a hash of each row's values, (N,).

    `unit` is the weight of one copy of a row: 1, or the smallest weight if that is less.
    """

    X: np.ndarray
    Y: np.ndarray
    weight: np.ndarray
    code: np.ndarray
    unit: float

    def as_examples(self) -> Examples:
        """The rows as training examples; without weights if all are 1, which spares the training a product."""
        weight = None if (self.weight == 1).all() else self.weight
        return Examples(self.X, self.Y, np.arange(len(self.X)), weight)

    def with_weight(self, weight: np.ndarray) -> "WeightedRows":
        """The rows with new weights, (N,); rows of weight 0 are dropped."""
        positive = weight > 0
        return WeightedRows(self.X[positive], self.Y[positive], weight[positive], self.code[positive], self.unit)


def merge_duplicates(X: np.ndarray, Y: np.ndarray, weight: np.ndarray | None) -> WeightedRows:
    """Merge equal rows of [X, Y] into one with the sum of their weights; the rows are sorted by their hash.

    Args:
        X: inputs, (N, n_1) float64, finite.
        Y: targets, (N, k) float64, finite or missing (NaN).
        weight: (N,), at least 0 and not all 0; None gives every row weight 1.
    """
    weight = np.ones(len(X)) if weight is None else np.asarray(weight, np.float64)
    positive = weight > 0
    X, Y, weight = X[positive], Y[positive], weight[positive]
    code = row_codes(np.concatenate([X, Y], axis=1))
    order = np.argsort(code, kind="stable")
    X, Y, weight, code = X[order], Y[order], weight[order], code[order]
    same_targets = (Y[1:] == Y[:-1]) | (np.isnan(Y[1:]) & np.isnan(Y[:-1]))
    duplicate = (code[1:] == code[:-1]) & (X[1:] == X[:-1]).all(axis=1) & same_targets.all(axis=1)
    first = np.flatnonzero(np.concatenate([[True], ~duplicate]))
    return WeightedRows(X[first], Y[first], np.add.reduceat(weight, first), code[first], min(1.0, weight.min()))


def hold_out(
    rows: WeightedRows, share: float, seed: int, classes: np.ndarray | None = None
) -> tuple[WeightedRows, WeightedRows | None]:
    """Split the rows into a training part and a validation part with about `share` of the weight.

    The seed and each row's content decide which rows are held out. A row whose inputs occur with one target only is
    held out with all its copies. If the same inputs occur with several targets, as in tables of few distinct values,
    the rows are draws from one distribution, and about `share` of each row's copies is held out: holding out whole rows
    would leave some targets of an input in one part only. Each class of `classes`, codes (N,), is split by itself, and
    a class of one distinct row is not held out. With fewer than `MIN_ROWS` rows all train and the second part is None.
    """
    if len(rows.X) < MIN_ROWS:
        return rows, None
    rank = mix_bits(rows.code ^ mix_bits(np.full(len(rows.X), seed, np.uint64)))
    groups = np.zeros(len(rows.X), int) if classes is None else classes
    single_target = _has_one_target(row_codes(rows.X))
    held = np.zeros(len(rows.X))
    for group in np.unique(groups):
        members = np.flatnonzero(groups == group)
        if len(members) > 1:
            members = members[np.argsort(rank[members])]
            held[members] = _held_weight(rows.weight[members], single_target[members], share, rows.unit)
    if not held.any():
        return rows, None
    return rows.with_weight(rows.weight - held), rows.with_weight(held)


def left_out_weight(examples: Examples) -> np.ndarray:
    """The weight that is removed with each example when leave-one-out removes it, (N,).

    As in `hold_out`, an example whose inputs occur with one target only is removed with all its copies. If the same
    inputs occur with several targets, one measurement is removed: without all examples that share its target, an input
    of few distinct rows would keep the contrary targets alone.
    """
    weight = examples.each_weight
    positive = weight > 0
    if not positive.any():
        return weight
    removed = np.zeros(len(weight))
    _, row = np.unique(row_codes(np.concatenate([examples.X, examples.Y], axis=1))[positive], return_inverse=True)
    _, first = np.unique(row, return_index=True)
    single_target = _has_one_target(row_codes(examples.X)[positive][first])
    one_copy = np.minimum(weight[positive], min(1.0, weight[positive].min()))
    removed[positive] = np.where(single_target[row], np.bincount(row, weight[positive])[row], one_copy)
    return removed


def _has_one_target(input_codes: np.ndarray) -> np.ndarray:
    """Whether the inputs of each distinct row occur in no other distinct row, (N,), from the hashes of the inputs."""
    _, number, targets = np.unique(input_codes, return_inverse=True, return_counts=True)
    return targets[number] == 1


def _held_weight(weight: np.ndarray, single_target: np.ndarray, share: float, unit: float) -> np.ndarray:
    """The weight of each row that is held out, of rows in random order: part of the total, never none or all of it."""
    held = np.zeros(len(weight))
    whole = weight[single_target]
    held[single_target] = whole * (np.cumsum(whole) - whole / 2 <= share * whole.sum())
    copies = np.cumsum(weight[~single_target]) / unit
    divided = unit * np.diff(np.floor(share * copies + 0.5), prepend=0)
    held[~single_target] = np.minimum(divided, weight[~single_target])
    if not held.any():
        held[0] = weight[0] if single_target[0] else unit
    if (held == weight).all():
        held[-1] = 0
    return held
