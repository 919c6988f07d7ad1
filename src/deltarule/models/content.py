"""Rows known by what they hold: their order, their duplicates and who is held out depend on nothing else.

So a row of weight 3 is exactly three copies of it, a row of weight 0 exactly no row, and shuffling a table changes
nothing. It also keeps the copies of a row on one side of the split, unless its inputs stand with other targets too: a
validation part that holds copies of training rows measures memory.
"""

from typing import NamedTuple

import numpy as np

from deltarule.data.dataset import Examples
from deltarule.data.row_codes import mix_bits, row_codes

LEAST_ROWS = 7  # under which 15 % is less than one row, and all of them train


class Weighted(NamedTuple):
    """Distinct examples: X (N, n_1), Y (N, k), their weights (N,) above 0, and a code of what each row holds.

    `unit` is the weight of one copy of a row: 1, or the smallest weight that was given, if that is less.
    """

    X: np.ndarray
    Y: np.ndarray
    weight: np.ndarray
    code: np.ndarray
    unit: float

    def as_examples(self) -> Examples:
        """The examples as a training takes them; without weights where all are 1, which spares it a product."""
        weight = None if (self.weight == 1).all() else self.weight
        return Examples(self.X, self.Y, np.arange(len(self.X)), weight)

    def weighing(self, weight: np.ndarray) -> "Weighted":
        """The examples with another weight, (N,), those that have one."""
        kept = weight > 0
        return Weighted(self.X[kept], self.Y[kept], weight[kept], self.code[kept], self.unit)


def distinct(X: np.ndarray, Y: np.ndarray, weight: np.ndarray | None) -> Weighted:
    """The distinct rows of [X, Y] in an order of their own, equal rows merged into one with the sum of their weights.

    Args:
        X: inputs, (N, n_1) float64, finite.
        Y: targets, (N, k) float64, finite or missing (NaN).
        weight: (N,), at least 0 and not all 0; None weighs every row by one.
    """
    weight = np.ones(len(X)) if weight is None else np.asarray(weight, np.float64)
    kept = weight > 0
    X, Y, weight = X[kept], Y[kept], weight[kept]
    code = row_codes(np.concatenate([X, Y], axis=1))
    order = np.argsort(code, kind="stable")
    X, Y, weight, code = X[order], Y[order], weight[order], code[order]
    alike = (Y[1:] == Y[:-1]) | (np.isnan(Y[1:]) & np.isnan(Y[:-1]))
    same = (code[1:] == code[:-1]) & (X[1:] == X[:-1]).all(axis=1) & alike.all(axis=1)
    first = np.flatnonzero(np.concatenate([[True], ~same]))
    return Weighted(X[first], Y[first], np.add.reduceat(weight, first), code[first], min(1.0, weight.min()))


def hold_out(
    rows: Weighted, share: float, seed: int, classes: np.ndarray | None = None
) -> tuple[Weighted, Weighted | None]:
    """Split the rows into a training part and a validation part with about `share` of the weight.

    Which rows are held out depends on the seed and on each row's content. A row whose inputs stand with one target
    only is held out whole, with all its copies. Where the same inputs stand with several targets, as in tables of few
    distinct values, rows are measurements of one distribution, and of each row's copies about `share` are held out:
    whole rows would leave some targets of an input in one part only. With `classes`, (N,) codes, each class is split
    by itself, and one with a single distinct row trains. With fewer than `LEAST_ROWS` rows all of them train and the
    second part is None.
    """
    if len(rows.X) < LEAST_ROWS:
        return rows, None
    rank = mix_bits(rows.code ^ mix_bits(np.full(len(rows.X), seed, np.uint64)))
    groups = np.zeros(len(rows.X), int) if classes is None else classes
    whole = _with_one_target(row_codes(rows.X))
    held = np.zeros(len(rows.X))
    for group in np.unique(groups):
        members = np.flatnonzero(groups == group)
        if len(members) > 1:
            members = members[np.argsort(rank[members])]
            held[members] = _held_out(rows.weight[members], whole[members], share, rows.unit)
    if not held.any():
        return rows, None
    return rows.weighing(rows.weight - held), rows.weighing(held)


def leaving(examples: Examples) -> np.ndarray:
    """The weight that leaves with each example where it is left out, (N,).

    As in `hold_out`: an example whose inputs stand with one target only leaves with all its copies. Where the same
    inputs stand with several targets a single measurement leaves, for without all that share its target an input of
    few distinct rows would have the contrary targets alone.
    """
    weight = examples.each_weight
    counted = weight > 0
    if not counted.any():
        return weight
    found = np.zeros(len(weight))
    _, row = np.unique(row_codes(np.concatenate([examples.X, examples.Y], axis=1))[counted], return_inverse=True)
    _, first = np.unique(row, return_index=True)
    whole = _with_one_target(row_codes(examples.X)[counted][first])
    own = np.minimum(weight[counted], min(1.0, weight[counted].min()))
    found[counted] = np.where(whole[row], np.bincount(row, weight[counted])[row], own)
    return found


def _with_one_target(inputs: np.ndarray) -> np.ndarray:
    """Which of distinct rows, by the codes of their inputs, are the only ones with these inputs."""
    _, number, targets = np.unique(inputs, return_inverse=True, return_counts=True)
    return targets[number] == 1


def _held_out(weight: np.ndarray, whole: np.ndarray, share: float, unit: float) -> np.ndarray:
    """How much of each row's weight validates, where rows come in a random order; some of it, and not all."""
    held = np.zeros(len(weight))
    own = weight[whole]
    held[whole] = own * (np.cumsum(own) - own / 2 <= share * own.sum())
    copies = np.cumsum(weight[~whole]) / unit
    held[~whole] = np.minimum(unit * np.diff(np.floor(share * copies + 0.5), prepend=0), weight[~whole])
    if not held.any():
        held[0] = weight[0] if whole[0] else unit
    if (held == weight).all():
        held[-1] = 0
    return held
