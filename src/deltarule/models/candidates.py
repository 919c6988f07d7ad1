"""Candidates: networks of several sizes and starts, tried one after another until their average stops improving.

No width, depth or start is right for all tables, and where exact steps are cheap a network costs tenths of a second. So
one candidate after another is trained and judged by what it predicts for rows that it has not seen; all so far are
weighed together, and where several in a row have not raised the score of the whole, the search ends.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from deltarule.checks import require_choice
from deltarule.errors import pluralized

LEAST_SHARE = 0.02  # of the weight, below which a candidate is dropped


class Candidate(NamedTuple):
    """The sizes of the hidden layers, whether the start is nearly linear, and which steps are further inputs, if any.

    `steps` is a name in `deltarule.trainers.bayesian.steps.KINDS`.
    """

    hidden: tuple[int, ...]
    nearly_linear: bool = False
    steps: str | None = None


ORDER = (
    Candidate((20,)),
    Candidate((20,), nearly_linear=True),
    Candidate((20,), steps="coarse"),
    Candidate((20,), steps="fine"),
    Candidate(()),
    Candidate((20, 20), nearly_linear=True),
    Candidate((20,)),
    Candidate((50,), nearly_linear=True),
    Candidate((10,), nearly_linear=True, steps="coarse"),
    Candidate((10,), nearly_linear=True),
    Candidate((), steps="coarse"),
    Candidate((), steps="fine"),
    Candidate((20, 20)),
    Candidate((50,)),
)  # the first two are what is trained where nothing is chosen
ORDER_OF_CLASSES = (
    Candidate((10,)),
    Candidate(()),
    Candidate((10, 10, 10)),
    Candidate((), steps="coarse"),
    Candidate((), steps="fine"),
    Candidate((10,), steps="coarse"),
    Candidate((10,), steps="fine"),
    Candidate((10, 10)),
    Candidate((10, 10), steps="coarse"),
    Candidate((10,), nearly_linear=True),
    Candidate((20, 10, 5)),
    Candidate((10, 10, 10), nearly_linear=True),
    Candidate((5,)),
    Candidate((10, 10), nearly_linear=True),
)


@dataclass(frozen=True)
class Effort:
    """How long to go on.

    Args:
        starts: of a network that is named.
        most: candidates at most; 0 tries none.
        patience: so many in a row that raise the score by less than `gain` together end the search.
        gain: nats a row.
        seconds: that the candidates may take together, each of `SPEED` operations: fixed, by row, and the most.
        order: the candidates, in the order in which they are tried, from the first again where all have been.
        order_of_classes: those of classifiers.
        law: whether the noise may have outliers and depend on the inputs; else it is Gaussian and of one size.
        logarithm: whether a regression may be fitted to the logarithm of its target.
    """

    starts: int
    most: int
    patience: int
    gain: float
    seconds: tuple[float, float, float]
    order: tuple[Candidate, ...] = ORDER
    order_of_classes: tuple[Candidate, ...] = ORDER_OF_CLASSES
    law: bool = True
    logarithm: bool = True

    def time(self, rows: int) -> float:
        """The seconds for so many rows."""
        fixed, each, most = self.seconds
        return min(fixed + each * rows, most)


EFFORTS = {
    "quick": Effort(2, 0, 1, 0.0, (0.0, 0.0, 0.0)),
    "default": Effort(2, 12, 4, 0.002, (0.4, 0.004, 80.0)),
    "thorough": Effort(6, 36, 12, 0.0005, (5.0, 0.05, 800.0)),
}
SPEED, EPOCHS = 2e10, 40  # operations a second, and epochs of a training, by which candidates are counted


def get_effort(name: Any) -> Effort:
    """The row of that name; an `Effort` is itself.

    Raises:
        ConfigurationError: the name is not in `EFFORTS`.
    """
    if isinstance(name, Effort):
        return name
    require_choice("effort", name, tuple(EFFORTS))
    return EFFORTS[name]


def epochs_within(effort: Effort, rows: int, operations: float, most: int) -> int:
    """The epochs of a candidate whose epoch takes so many operations: a quarter of the time, at least `EPOCHS`."""
    return int(min(most, max(EPOCHS, 0.25 * effort.time(rows) * SPEED / operations)))


def affordable(
    effort: Effort, order: Sequence[Candidate], rows: int, operations: Callable[[Candidate], float]
) -> tuple[Candidate, ...]:
    """The candidates that an effort tries on so many rows, in their order, from the operations of an epoch of each.

    Each is one that still fits what is left, by shapes alone, so that the same table gets the same candidates on every
    machine. Where none does, it is the cheapest.
    """
    left, chosen = effort.time(rows), []
    costs = {candidate: EPOCHS * operations(candidate) / SPEED for candidate in order}
    for i in range(effort.most):
        candidate = order[i % len(order)]
        if costs[candidate] <= left and (candidate not in chosen or candidate.hidden):
            chosen.append(candidate)
            left -= costs[candidate]
    return tuple(chosen) or (min(costs, key=lambda candidate: costs[candidate]),)


class Found(NamedTuple):
    """What a search has come to.

    Attributes:
        members: the candidates that are kept, as `fit` gave them.
        weights: theirs.
        score: of all together, a row.
        scores: after each candidate.
        tried: how many were trained.
    """

    members: list[Any]
    weights: np.ndarray
    score: float
    scores: list[float]
    tried: int


def search(
    candidates: Sequence[Candidate],
    fit: Callable[[Candidate, int], Any],
    weigh: Callable[[list[Any]], tuple[np.ndarray, float]],
    effort: Effort,
    late: Callable[[], bool] = lambda: False,
) -> Found:
    """Train candidates in their order, weigh all so far after each, and stop where the score no longer rises.

    Args:
        candidates: at least one.
        fit: trains one, given its number too; None where that came to nothing.
        weigh: the weights of several and their score together, a row, larger is better.
        effort: when to stop.
        late: whether the time is up, asked before each but the first.
    """
    members: list[Any] = []
    scores: list[float] = []
    weights, score, tried = np.ones(0), -np.inf, 0
    for number, candidate in enumerate(candidates):
        if number and late():
            break
        member, tried = fit(candidate, number), tried + 1
        if member is not None:
            members.append(member)
            weights, score = weigh(members)
        scores.append(score)
        if len(scores) > effort.patience and scores[-1] - scores[-1 - effort.patience] < effort.gain:
            break
    return kept(members, weights, score, scores, tried, weigh=weigh)


def kept(
    members: list[Any], weights: np.ndarray, score: float, scores: Sequence[float] = (), tried: int = 0, *, weigh: Any
) -> Found:
    """Without those of next to no weight, the others weighed anew."""
    chosen = [member for member, w in zip(members, weights, strict=True) if w >= LEAST_SHARE * weights.sum()]
    if len(chosen) < len(members):
        weights, score = weigh(chosen)
    return Found(chosen, weights, score, list(scores), tried)


def in_words(names: Sequence[str], weights: np.ndarray, tried: int) -> str:
    """What was chosen, in a line: "of 8 networks 3 are averaged: 20 (64 %), 2 networks 50 (36 %)"."""
    shares = dict.fromkeys(names, 0.0)
    for name, weight in zip(names, weights / weights.sum(), strict=True):
        shares[name] += weight
    largest = sorted(shares, key=lambda name: -shares[name])
    share = ", ".join(f"{several_of(name, list(names))} ({100 * shares[name]:.0f} %)" for name in largest)
    several = "is kept" if len(names) == 1 else "are averaged"
    return f"of {pluralized(tried, 'network')} {len(names)} {several}, by how they predict rows left out: {share}"


def several_of(name: str, names: Sequence[str]) -> str:
    """The name, with its number where there are several of it."""
    count = names.count(name)
    return name if count == 1 else f"{count} networks {name}"
