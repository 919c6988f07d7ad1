"""What a time-series model chooses by stretches that are held out: its lags, and open or closed loop."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from deltarule.data.lagged import Lags, Stretch, Windows, spaced, stretches, windows
from deltarule.errors import ConfigurationError, DataError
from deltarule.models.series import training
from deltarule.models.series.closed_loop import ClosedLoop
from deltarule.models.series.committee import Committee
from deltarule.models.series.feedback import Feedback
from deltarule.models.series.training import Course, Found
from deltarule.network.layers import Dense
from deltarule.network.network import Network

Fold = tuple[list[Stretch], list[Stretch]]  # to train on, and to judge by
TRIED = (1, 2, 4, 8)  # lags of "auto"
SINGLE = 3  # a single network holds out the last of so many equal parts
SMALLEST = 1e-12  # an error below it is rounding, and members without any weigh alike
MARGIN = {"closed-loop": 0.0, "open-loop": 0.02}  # what the open loop, which needs less, is given ahead
SHORTEST = 10  # lags of "auto" leave at least so many steps for each lag


@dataclass(frozen=True)
class Choice:
    """What is given, and what is to be tried.

    Args:
        lags: the lags to try.
        hidden: sizes of the hidden layers.
        activation: of these.
        inputs: m.
        outputs: k.
        training: "auto", "open-loop" or "closed-loop".
        l2: the penalty in closed loop, or None.
        horizon: the longest free run that matters, in steps; None for whole stretches.
        members: how many networks make a committee, at least 1.
        seeds: of the first weights, at least one.
    """

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

    def best(self, records: Sequence[Stretch]) -> "Chosen":
        """The lags and the training that do best on what each member holds out, and the committee of these members.

        A record is cut into as many thirds, say, as there are members, and each member holds out another one; a single
        one holds out the last third.

        Raises:
            DataError: too few steps.
        """
        longest = max(lags.longest for lags in self.lags)  # all lags are judged on the same steps
        tried = [self._tried(lags, records, longest) for lags in self.lags]
        best = min((one for several in tried for one in several), key=lambda one: one.error * (1 - MARGIN[one.how]))
        model = self.model(best.lags)
        whole = [part for record in records for part in stretches(*record, best.lags)]
        folds, members = self._folds(records, best.lags, longest), list(best.members)
        best = replace(best, model=model, held=[held for _, held in folds])
        if best.how == "open-loop":
            alone = training.open_loop(model, whole, self.seeds[0])
            return replace(best, committee=Committee.of(model, [alone], [1.0]))
        for seed in self.seeds[1:]:
            members += self._closed(model, folds, seed)
        committee = Committee.of(
            model, [one.params for one in members], [1 / max(one.error, SMALLEST) ** 2 for one in members]
        )
        return replace(best, error=training.rms(members), members=members, committee=committee)

    def _tried(self, lags: Lags, records: Sequence[Stretch], longest: int) -> "list[Chosen]":
        """Each training that is asked for, judged with these lags."""
        model, folds, found = self.model(lags), self._folds(records, lags, longest), []
        closed = self.training != "open-loop" and bool(lags.outputs)
        if closed:
            found.append(("closed-loop", self._closed(model, folds, self.seeds[0])))
        if not closed or self.training == "auto":
            found.append(("open-loop", [self._opened(model, parts, held) for parts, held in folds]))
        return [Chosen(lags, how, training.rms(members), members) for how, members in found]

    def _closed(self, model: Feedback, folds: Sequence[Fold], seed: int) -> list[Found]:
        return training.closed_loop([Course.of(model, *fold, self.horizon) for fold in folds], seed, self.l2)

    def _opened(self, model: Feedback, parts: list[Stretch], held: list[Stretch]) -> Found:
        """In open loop; judged one step ahead where that is what is asked for, else by free runs as the closed loop."""
        params = training.open_loop(model, parts, self.seeds[0])
        steps = 1 if self.training == "open-loop" else self.horizon
        free = ClosedLoop(model, windows(held, model.lags, steps), 0.0)
        return Found(params, training.simulated_error(free, params))

    def _folds(self, records: Sequence[Stretch], lags: Lags, judged_from: int) -> list[Fold]:
        """Stretches to train on, and stretches to judge by, whose first run begins at step `judged_from`."""
        folds, skipped = [], judged_from - lags.longest
        cuts, which = (SINGLE, [SINGLE - 1]) if self.members == 1 else (self.members, range(self.members))
        for fold in which:
            parts, held = [], []
            for U, Y in records:
                first, last = (len(Y) * at // cuts for at in (fold, fold + 1))
                for start, end in ((0, first), (last, len(Y))):
                    parts += stretches(U[start:end], Y[start:end], lags)
                held += stretches(U[first + skipped : last], Y[first + skipped : last], lags)
            if not parts or not held:
                raise DataError(
                    f"the records have {', '.join(str(len(Y)) for _, Y in records)} steps, some held out, too few for "
                    f"lags up to {judged_from} without a missing value: give longer records or shorter lags."
                )
            folds.append((parts, held))
        return folds


@dataclass(frozen=True, eq=False)
class Chosen:
    """What came out: the lags, "open-loop" or "closed-loop", the error on what was held out, and the committee.

    Args:
        lags: in use.
        how: the training.
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
    model: Feedback | None = None
    held: Sequence[Sequence[Stretch]] = ()
    committee: Committee | None = None

    def unseen(self, steps: int, places: int) -> list[tuple[Committee, Windows]]:
        """Each member alone, with windows of what it held out, from so many places at most."""
        assert self.model is not None
        alone = [Committee.of(self.model, [one.params], [1.0]) for one in self.members]
        pieces = [spaced(parts, self.lags, steps, places) for parts in self.held]
        return [(one, pieces[i % len(pieces)]) for i, one in enumerate(alone)]


def lags_to_try(inputs: Any, outputs: Any, columns: int, steps: int) -> list[Lags]:
    """The lags that "auto" stands for, or the one choice that is given, for records of at most `steps` steps.

    Raises:
        ConfigurationError: lags outside their range.
    """
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
    """Rising lags from a number n, which means 1..n, or a list; None for "auto".

    Raises:
        ConfigurationError: anything else.
    """
    if isinstance(given, str) and given == "auto":
        return None
    lags: Any = given
    if isinstance(given, int | np.integer) and not isinstance(given, bool) and given >= 0:
        return tuple(range(1, int(given) + 1))
    if hasattr(given, "__iter__") and all(isinstance(lag, int | np.integer) and lag >= least for lag in lags):
        return tuple(sorted({int(lag) for lag in lags}))
    raise ConfigurationError(
        f"{name} must be 'auto', a number of lags or a list of lags of at least {least}, and is {given!r}: give 4, for "
        "example, or [1, 2, 7]."
    )
