"""What a time-series model chooses by stretches that are held out: its lags, and open or closed loop."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from deltarule.data.lagged import Lags, Segment, Windows, find_segments, spaced_windows, windows
from deltarule.errors import ConfigurationError, DataError
from deltarule.models.series import training
from deltarule.models.series.committee import Committee
from deltarule.models.series.feedback import Feedback
from deltarule.models.series.training import ClosedLoop, Course, Found
from deltarule.network.layers import Dense
from deltarule.network.network import Network

Fold = tuple[list[Segment], list[Segment]]  # to train on, and to judge by
TRIED = (1, 2, 4, 8)  # lags of "auto"
SINGLE = 3  # a single network holds out the last of so many equal parts
SMALLEST = 1e-12  # an error below it is rounding, and members without any weigh alike
MARGIN = {"closed-loop": 0.0, "open-loop": 0.02}  # what the open loop, which needs less, is given ahead
SHORTEST = 10  # lags of "auto" leave at least so many steps for each lag


@dataclass(frozen=True)
class Choice:
    """What is given, as `NARXRegressor` takes it, and the lags to try; `seeds` are of the first weights."""

    lags: Sequence[Lags]
    hidden: tuple[int, ...]
    activation: str
    inputs: int
    outputs: int
    training: str
    l2: float | None
    horizon: int | None
    members: int
    seeds: Sequence[int]

    def model(self, lags: Lags) -> Feedback:
        """An untrained network with these lags; where it sees y_{t-1}, it learns the change from there."""
        k = self.outputs
        net = Network([*(Dense(n, self.activation) for n in self.hidden), Dense(k, "linear")])
        line = np.zeros((k, k * len(lags.outputs) + self.inputs * len(lags.inputs)))
        if lags.outputs[:1] == (1,):
            line[:, :k] = np.eye(k)
        return Feedback(net, lags, self.inputs, line)

    def best(self, records: Sequence[Segment]) -> "Chosen":
        """The lags and the training that do best on what each member holds out, and the committee of these members.

        A record is cut into as many thirds, say, as there are members, and each member holds out another one; a single
        one holds out the last third.
        """
        longest = max(lags.max_lag for lags in self.lags)  # all lags are judged on the same steps
        tried = [one for lags in self.lags for one in self._tried(lags, records, longest)]
        lags, how, members = min(tried, key=lambda one: training.rms(one[2]) * (1 - MARGIN[one[1]]))
        model, folds = self.model(lags), self._folds(records, lags, longest)
        if how == "open-loop":
            whole = [part for record in records for part in find_segments(*record, lags)]
            kept, weights = [training.open_loop(model, whole, self.seeds[0])], [1.0]
        else:
            members = [*members, *(one for seed in self.seeds[1:] for one in self._closed(model, folds, seed))]
            kept, weights = [one.params for one in members], [1 / max(one.error, SMALLEST) ** 2 for one in members]
        committee = Committee.of(model, kept, weights)
        return Chosen(lags, how, training.rms(members), members, model, [held for _, held in folds], committee)

    def _tried(self, lags: Lags, records: Sequence[Segment], longest: int) -> Iterator[tuple[Lags, str, list[Found]]]:
        """Each training that is asked for, with these lags, and its members."""
        model, folds = self.model(lags), self._folds(records, lags, longest)
        closed = self.training != "open-loop" and bool(lags.outputs)
        if closed:
            yield lags, "closed-loop", self._closed(model, folds, self.seeds[0])
        if not closed or self.training == "auto":
            yield lags, "open-loop", [self._opened(model, parts, held) for parts, held in folds]

    def _closed(self, model: Feedback, folds: Sequence[Fold], seed: int) -> list[Found]:
        return training.closed_loop([Course.of(model, *fold, self.horizon) for fold in folds], seed, self.l2)

    def _opened(self, model: Feedback, parts: list[Segment], held: list[Segment]) -> Found:
        """In open loop; judged one step ahead where that is what is asked for, else by free runs as the closed loop."""
        params = training.open_loop(model, parts, self.seeds[0])
        steps = 1 if self.training == "open-loop" else self.horizon
        free = ClosedLoop(model, windows(held, model.lags, steps), 0.0)
        return Found(params, training.simulated_error(free, params))

    def _folds(self, records: Sequence[Segment], lags: Lags, judged_from: int) -> list[Fold]:
        """Stretches to train on, and stretches to judge by, whose first run begins at step `judged_from`."""
        folds, skipped = [], judged_from - lags.max_lag
        cuts, which = (SINGLE, [SINGLE - 1]) if self.members == 1 else (self.members, range(self.members))
        for fold in which:
            parts, held = [], []
            for U, Y in records:
                first, last = (len(Y) * at // cuts for at in (fold, fold + 1))
                for start, end in ((0, first), (last, len(Y))):
                    parts += find_segments(U[start:end], Y[start:end], lags)
                held += find_segments(U[first + skipped : last], Y[first + skipped : last], lags)
            if not parts or not held:
                raise DataError(
                    f"the records have {', '.join(str(len(Y)) for _, Y in records)} steps, some held out, too few for "
                    f"lags up to {judged_from} without a missing value: give longer records or shorter lags."
                )
            folds.append((parts, held))
        return folds


@dataclass(frozen=True, eq=False)
class Chosen:
    """What came out.

    Args:
        lags: in use.
        how: "open-loop" or "closed-loop".
        error: the root mean square over what the members held out, in scaled units.
        members: each as it was found; in open loop with its part held out, before the last training on everything.
        model: of each member.
        held: the stretches that the first, second, .. held out; members of further starts hold out the same again.
        committee: the members side by side, or the one network of an open loop.
    """

    lags: Lags
    how: str
    error: float
    members: Sequence[Found]
    model: Feedback
    held: Sequence[Sequence[Segment]]
    committee: Committee

    def unseen(self, steps: int, places: int) -> list[tuple[Committee, Windows]]:
        """Each member alone, with windows of what it held out, from so many places at most."""
        alone = [Committee.of(self.model, [one.params], [1.0]) for one in self.members]
        pieces = [spaced_windows(parts, self.lags, steps, places) for parts in self.held]
        return [(one, pieces[i % len(pieces)]) for i, one in enumerate(alone)]


def lags_to_try(inputs: Any, outputs: Any, columns: int, steps: int) -> list[Lags]:
    """The lags that "auto" stands for, or the one choice that is given, for records of at most `steps` steps."""
    if not columns:
        inputs = ()
    own, outer = read_lags("output_lags", outputs, least=1), read_lags("input_lags", inputs, least=0)
    if own is not None and outer is not None:
        if not own and not outer:
            raise ConfigurationError("there is neither an input lag nor an output lag: give at least one of them.")
        return [Lags(own, outer)]
    some = [n for n in TRIED if n * SHORTEST <= steps] or [1]
    return [Lags(*(tuple(range(1, n + 1)) if given is None else given for given in (own, outer))) for n in some]


def read_lags(name: str, given: Any, least: int) -> tuple[int, ...] | None:
    """Rising lags from a number n, which means 1..n, or a list; None for "auto"."""
    if isinstance(given, str) and given == "auto":
        return None
    if np.iterable(given) and all(isinstance(lag, int | np.integer) and lag >= least for lag in given):
        return tuple(sorted({int(lag) for lag in given}))
    if isinstance(given, int | np.integer) and not isinstance(given, bool) and given >= 0:
        return tuple(range(1, int(given) + 1))
    raise ConfigurationError(
        f"{name} must be 'auto', a number of lags or a list of lags of at least {least}, and is {given!r}: give 4, for "
        "example, or [1, 2, 7]."
    )
