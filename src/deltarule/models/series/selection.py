"""Choose the lags and the training of a time-series model by segments of the records that are held out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from deltarule.data.lagged import Lags, Segment, Windows, find_segments, spaced_windows, windows
from deltarule.errors import ConfigurationError, DataError
from deltarule.models.series import training
from deltarule.models.series.committee import Committee
from deltarule.models.series.feedback import Feedback
from deltarule.models.series.training import ClosedLoop, ClosedLoopTraining, Member
from deltarule.network.layers import Dense
from deltarule.network.network import Network

Fold = tuple[list[Segment], list[Segment]]  # for training, and held out
AUTO_LAGS = (1, 2, 4, 8)  # the numbers of lags that "auto" tries
SINGLE_CUTS = 3  # a single network holds out the last of this many equal parts
MIN_ERROR = 1e-12  # a smaller error is rounding: members below it get equal weights
MARGIN = {"closed-loop": 0.0, "open-loop": 0.02}  # the relative advantage of the open loop, which is simpler
STEPS_PER_LAG = 10  # "auto" tries only lags for which a record has so many steps per lag


@dataclass(frozen=True)
class Selection:
    """The choices of the user, as `NARXRegressor` takes them, with the lags to try and the seeds of the networks."""

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

    def untrained(self, lags: Lags) -> Feedback:
        """The untrained network with these lags; if y_{t-1} is an input, the network learns the change from it."""
        k = self.outputs
        net = Network([*(Dense(n, self.activation) for n in self.hidden), Dense(k, "linear")])
        line = np.zeros((k, k * len(lags.outputs) + self.inputs * len(lags.inputs)))
        if lags.outputs[:1] == (1,):
            line[:, :k] = np.eye(k)
        return Feedback(net, lags, self.inputs, line)

    def select(self, records: Sequence[Segment]) -> "Selected":
        """Train with all lags and trainings, and keep those whose members do best on what they hold out.

        With M members each record is cut into M equal parts, and each member holds out another one; a single member
        holds out the last third.
        """
        max_lag = max(lags.max_lag for lags in self.lags)  # all lags are compared on the same steps
        candidates = [each for lags in self.lags for each in self._candidates(lags, records, max_lag)]
        lags, loop, members = min(candidates, key=lambda each: training.mean_error(each[2]) * (1 - MARGIN[each[1]]))
        model, folds = self.untrained(lags), self._folds(records, lags, max_lag)
        if loop == "open-loop":
            whole = [segment for record in records for segment in find_segments(*record, lags)]
            params, weights = [training.open_loop(model, whole, self.seeds[0])], [1.0]
        else:
            members = [*members, *(each for seed in self.seeds[1:] for each in self._train_closed(model, folds, seed))]
            params = [member.params for member in members]
            weights = [1 / max(member.error, MIN_ERROR) ** 2 for member in members]
        committee = Committee.of(model, params, weights)
        held_out = [held for _, held in folds]
        return Selected(lags, loop, training.mean_error(members), members, model, held_out, committee)

    def _candidates(
        self, lags: Lags, records: Sequence[Segment], max_lag: int
    ) -> Iterator[tuple[Lags, str, list[Member]]]:
        """Each training that the user asks for, with these lags, and its members."""
        model, folds = self.untrained(lags), self._folds(records, lags, max_lag)
        closed = self.training != "open-loop" and bool(lags.outputs)
        if closed:
            yield lags, "closed-loop", self._train_closed(model, folds, self.seeds[0])
        if not closed or self.training == "auto":
            yield lags, "open-loop", [self._train_open(model, segments, held) for segments, held in folds]

    def _train_closed(self, model: Feedback, folds: Sequence[Fold], seed: int) -> list[Member]:
        trainings = [ClosedLoopTraining.of(model, *fold, self.horizon) for fold in folds]
        return training.closed_loop(trainings, seed, self.l2)

    def _train_open(self, model: Feedback, segments: list[Segment], held: list[Segment]) -> Member:
        """Train in open loop; the error is one step ahead if the user asks for open loop, else that of free runs."""
        params = training.open_loop(model, segments, self.seeds[0])
        steps = 1 if self.training == "open-loop" else self.horizon
        return Member(params, training.free_run_error(ClosedLoop(model, windows(held, model.lags, steps), 0.0), params))

    def _folds(self, records: Sequence[Segment], lags: Lags, max_lag: int) -> list[Fold]:
        """For each member the segments to train on and those held out; held-out runs begin at step `max_lag`."""
        folds, skipped = [], max_lag - lags.max_lag
        cuts, which = (SINGLE_CUTS, [SINGLE_CUTS - 1]) if self.members == 1 else (self.members, range(self.members))
        for fold in which:
            segments, held = [], []
            for U, Y in records:
                first, last = (len(Y) * at // cuts for at in (fold, fold + 1))
                for start, end in ((0, first), (last, len(Y))):
                    segments += find_segments(U[start:end], Y[start:end], lags)
                held += find_segments(U[first + skipped : last], Y[first + skipped : last], lags)
            if not segments or not held:
                raise DataError(
                    f"the records have {', '.join(str(len(Y)) for _, Y in records)} steps, some held out, too few for "
                    f"lags up to {max_lag} without a missing value: give longer records or shorter lags."
                )
            folds.append((segments, held))
        return folds


@dataclass(frozen=True, eq=False)
class Selected:
    """The lags, the training and the trained networks that were selected.

    Args:
        lags, training: the selected ones.
        error: the root mean square error on what the members held out, in scaled units.
        members: the network of each fold; in open loop before the final training on all segments.
        model: the untrained network of the members.
        held_out: the segments held out in each fold; members from other seeds use the same folds again.
        committee: the members side by side, or the one network of an open loop.
    """

    lags: Lags
    training: str
    error: float
    members: Sequence[Member]
    model: Feedback
    held_out: Sequence[Sequence[Segment]]
    committee: Committee

    def held_out_windows(self, steps: int, places: int) -> list[tuple[Committee, Windows]]:
        """Each member alone, with windows of what it held out, from at most `places` places."""
        alone = [Committee.of(self.model, [member.params], [1.0]) for member in self.members]
        of_folds = [spaced_windows(segments, self.lags, steps, places) for segments in self.held_out]
        return [(member, of_folds[i % len(of_folds)]) for i, member in enumerate(alone)]


def candidate_lags(inputs: Any, outputs: Any, columns: int, steps: int) -> list[Lags]:
    """The lags to try for records of at most `steps` steps: several for "auto", else the lags that the user gives."""
    if not columns:
        inputs = ()
    output_lags, input_lags = parse_lags("output_lags", outputs, 1), parse_lags("input_lags", inputs, 0)
    if output_lags is not None and input_lags is not None:
        if not output_lags and not input_lags:
            raise ConfigurationError("input_lags and output_lags are both empty: give at least one lag.")
        return [Lags(output_lags, input_lags)]
    numbers = [n for n in AUTO_LAGS if n * STEPS_PER_LAG <= steps] or [1]
    tried = [tuple(range(1, n + 1)) for n in numbers]
    return [Lags(*(auto if lags is None else lags for lags in (output_lags, input_lags))) for auto in tried]


def parse_lags(name: str, lags: Any, least: int) -> tuple[int, ...] | None:
    """Rising lags from a number n, which means 1..n, or from a list; None for "auto"."""
    if isinstance(lags, str) and lags == "auto":
        return None
    if np.iterable(lags) and all(isinstance(lag, int | np.integer) and lag >= least for lag in lags):
        return tuple(sorted({int(lag) for lag in lags}))
    if isinstance(lags, int | np.integer) and not isinstance(lags, bool) and lags >= 0:
        return tuple(range(1, int(lags) + 1))
    raise ConfigurationError(
        f"{name} must be 'auto', a number of lags or a list of lags of at least {least}, and is {lags!r}: give 4, for "
        "example, or [1, 2, 7]."
    )
