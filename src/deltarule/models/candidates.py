"""Candidates: networks of several sizes and starting points, tried in turn until averaging them no longer improves.

No width, depth or starting point suits all tables, and where exact steps are cheap a network costs tenths of a second.
So one candidate after another is trained and scored by its predictions of rows that it has not seen. After each, all
candidates so far are weighted together, and the search ends when several in a row have not raised the joint score.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from deltarule.checks import require_choice
from deltarule.errors import pluralized

MIN_WEIGHT = 0.02  # a candidate with a smaller share of the weight is dropped
SPEED, EPOCHS = 2e10, 40  # the operations a second and the epochs by which the cost of a candidate is estimated


class Candidate(NamedTuple):
    """The sizes of the hidden layers, whether the initial network is nearly linear, and the step features, if any.

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
)  # a network that the user describes is trained as the first two are
ORDER_FOR_CLASSES = (
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
    """How many candidates to try, and when to stop.

    Args:
        restarts: how often a network that the user describes is trained, each time from other random parameters.
        max_candidates: the largest number of candidates; 0 tries none.
        patience: the search ends when this many candidates together have raised the score by less than `min_gain`.
        min_gain: in nats per row.
        seconds: the time budget at `SPEED` operations a second: a fixed part, a part per row, and the largest total.
        order: the candidates of a regression in the order in which they are tried; after the last the first again.
        order_for_classes: those of a classification.
        varying_noise: whether the noise of a regression may depend on the inputs and have outliers.
        tries_logarithm: whether a regression may be fitted to the logarithm of its target.
    """

    restarts: int
    max_candidates: int
    patience: int
    min_gain: float
    seconds: tuple[float, float, float]
    order: tuple[Candidate, ...] = ORDER
    order_for_classes: tuple[Candidate, ...] = ORDER_FOR_CLASSES
    varying_noise: bool = True
    tries_logarithm: bool = True

    def budget(self, rows: int) -> float:
        """The time budget for this many rows, in seconds."""
        fixed, per_row, largest = self.seconds
        return min(fixed + per_row * rows, largest)


EFFORTS = {
    "quick": Effort(2, 0, 1, 0.0, (0.0, 0.0, 0.0)),
    "default": Effort(2, 12, 4, 0.002, (0.4, 0.004, 80.0)),
    "thorough": Effort(6, 36, 12, 0.0005, (5.0, 0.05, 800.0)),
}


def get_effort(name: Any) -> Effort:
    """The effort of that name; an `Effort` is returned unchanged.

    Raises:
        ConfigurationError: the name is not in `EFFORTS`.
    """
    if isinstance(name, Effort):
        return name
    require_choice("effort", name, tuple(EFFORTS))
    return EFFORTS[name]


def affordable_epochs(effort: Effort, rows: int, operations: float, most: int) -> int:
    """The epochs, at most `most`, that a quarter of the budget pays for, but at least `EPOCHS`.

    `operations` are those of one epoch.
    """
    return int(min(most, max(EPOCHS, 0.25 * effort.budget(rows) * SPEED / operations)))


def affordable_candidates(
    effort: Effort, order: Sequence[Candidate], rows: int, operations: Callable[[Candidate], float]
) -> tuple[Candidate, ...]:
    """The candidates that the budget for this many rows pays for, in their order; if it pays for none, the cheapest.

    The cost comes from `operations`, those of one epoch, never from a clock, so that the same table gets the same
    candidates on every machine.
    """
    left, chosen = effort.budget(rows), []
    costs = {candidate: EPOCHS * operations(candidate) / SPEED for candidate in order}
    for i in range(effort.max_candidates):
        candidate = order[i % len(order)]
        if costs[candidate] <= left and (candidate not in chosen or candidate.hidden):
            chosen.append(candidate)
            left -= costs[candidate]
    return tuple(chosen) or (min(costs, key=lambda candidate: costs[candidate]),)


class SearchResult(NamedTuple):
    """The candidates that a search has kept.

    Attributes:
        members: the trained networks, as `fit` returned them.
        weights: one for each member.
        score: of the weighted members together, per row.
        scores: the joint score after each candidate that was tried.
    """

    members: list[Any]
    weights: np.ndarray
    score: float
    scores: list[float]

    @property
    def tried(self) -> int:
        """How many candidates were trained."""
        return len(self.scores)


def search(
    candidates: Sequence[Candidate],
    fit: Callable[[Candidate, int], Any],
    weigh: Callable[[list[Any]], tuple[np.ndarray, float]],
    effort: Effort,
    is_over: Callable[[], bool] = lambda: False,
) -> SearchResult:
    """Train candidates in their order, weigh all so far after each, and stop when the score no longer rises.

    Args:
        candidates: at least one.
        fit: trains a candidate, given its number too; returns None if no usable network came out.
        weigh: returns the weights of several members and their joint score per row, larger is better.
        effort: when to stop.
        is_over: whether the time is up; asked before each candidate but the first.
    """
    members: list[Any] = []
    scores: list[float] = []
    weights, score = np.ones(0), -np.inf
    for number, candidate in enumerate(candidates):
        if number and is_over():
            break
        member = fit(candidate, number)
        if member is not None:
            members.append(member)
            weights, score = weigh(members)
        scores.append(score)
        if len(scores) > effort.patience and scores[-1] - scores[-1 - effort.patience] < effort.min_gain:
            break
    return drop_light_members(members, weights, score, scores, weigh=weigh)


def drop_light_members(
    members: list[Any], weights: np.ndarray, score: float, scores: Sequence[float] = (), *, weigh: Any
) -> SearchResult:
    """Drop the members of next to no weight and weigh the others again."""
    heavy = [member for member, w in zip(members, weights, strict=True) if w >= MIN_WEIGHT * weights.sum()]
    if len(heavy) < len(members):
        weights, score = weigh(heavy)
    return SearchResult(heavy, weights, score, list(scores))


def describe_selection(names: Sequence[str], weights: np.ndarray, tried: int) -> str:
    """Which candidates are averaged: "of 8 networks 3 are averaged, ...: 20 (64 %), 2 networks 50 (36 %)"."""
    shares = dict.fromkeys(names, 0.0)
    for name, weight in zip(names, weights / weights.sum(), strict=True):
        shares[name] += weight
    largest = sorted(shares, key=lambda name: -shares[name])
    parts = ", ".join(f"{name_with_count(name, list(names))} ({100 * shares[name]:.0f} %)" for name in largest)
    kept = "is kept" if len(names) == 1 else "are averaged"
    return f"of {pluralized(tried, 'network')} {len(names)} {kept}, weighted by predictions of rows left out: {parts}"


def name_with_count(name: str, names: Sequence[str]) -> str:
    """The name, preceded by how often it occurs among `names` if more than once."""
    count = names.count(name)
    return name if count == 1 else f"{count} networks {name}"
