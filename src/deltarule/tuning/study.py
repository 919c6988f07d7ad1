"""The ways through the space: a grid, draws at random, or draws that learn from the trials before them."""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, floor
from typing import Any

from deltarule.checks import require_choice, require_count
from deltarule.errors import ConfigurationError, DataError, how_to_install
from deltarule.network.network import Network
from deltarule.training.session import TrainingResult
from deltarule.tuning.space import Range, Space, Values, check_space, grid, sample
from deltarule.tuning.trial import Build, RunningTrial, Trial, Workbench

METHODS = ("random", "grid", "bayes")


@dataclass(frozen=True)
class SearchResult:
    """What a search found.

    Attributes:
        best: the trial with the best validation score.
        trials: all of them, best first.
        net: the best trial's network.
        result: the best trial's training, as `train` returns it: `.params` are the best on the validation data.
        interrupted: whether Ctrl-C ended the search.
    """

    best: Trial
    trials: list[Trial]
    net: Network
    result: TrainingResult
    interrupted: bool


def search(
    build: Build,
    space: Space,
    X: Any,
    Y: Any,
    *,
    validation_data: tuple[Any, Any] | tuple[Any, Any, Any],
    epochs: int,
    method: str = "random",
    trials: int = 20,
    points: int = 5,
    prune: bool = True,
    reduction: int = 3,
    seed: int = 0,
    monitor: str = "cost",
    engine: str = "auto",
    callback: Callable[[Trial], Any] | None = None,
) -> SearchResult:
    """Train with many choices of hyper-parameters and keep the one that does best on the validation data.

    Hopeless trials are given up early by successive halving: all trials run a ninth of the epochs, the better third of
    them three times as long, and so on until the last few have run all epochs. A trial that goes on is the same
    training, not a new one, and is what `train` gives for the same seed. On JAX numbers such as eta and l2 are traced,
    so however many values are tried, each shape of network compiles once.

    Args:
        build: from one choice, a dict, to (network, trainer).
        space: for each name a list of values, or a `Range`.
        X: inputs, (N, n_1).
        Y: targets, as in `train`.
        validation_data: (Xv, Yv) or (Xv, Yv, weights), which judge.
        epochs: of a trial that is never given up.
        method: "random"; "grid", every combination; or "bayes", Optuna's tree-structured Parzen estimator, which draws
            where earlier trials did well (needs the package optuna).
        trials: how many choices to draw, fewer where lists alone have fewer combinations; a grid has its own number.
        points: how many numbers of a `Range` a grid takes.
        prune: give up hopeless trials. With "bayes" Optuna's own successive halving decides, one trial after another.
        reduction: the share of trials that goes on is 1/reduction, for `reduction` times as many epochs; at least 2.
        seed: of the draws, the initial parameters and the order of the examples.
        monitor: "cost", or "accuracy" (ties fall to the lower cost).
        engine: of every trial, as in `train`.
        callback: called with every trial that has ended.

    Raises:
        ConfigurationError: an option or an entry of the space lies outside its domain.
        DataError: the data cannot be used, or not one trial had a finite validation cost.

    Source: J. Bergstra, Y. Bengio, JMLR 13 (2012) for random search; K. Jamieson, A. Talwalkar, AISTATS 2016, for
    successive halving.
    """
    require_choice("method", method, METHODS)
    require_choice("monitor", monitor, ("cost", "accuracy"))
    require_count("epochs", epochs)
    require_count("trials", trials)
    require_count("reduction", reduction, least=2)
    check_space(space)
    if validation_data is None:
        raise ConfigurationError("a search is judged on validation data, and there are none: give validation_data.")
    bench = Workbench(build, X, Y, validation_data, epochs, seed, monitor, engine)
    tell = callback or (lambda trial: None)
    run: list[RunningTrial] = []
    interrupted = False
    try:
        if method == "bayes":
            levels = rungs(trials, epochs, reduction) if prune else [epochs]
            learn(bench, space, trials, levels, reduction, run, tell)
        else:
            choices = grid(space, points) if method == "grid" else sample(space, trials, seed)
            run += (bench.begin(i, values) for i, values in enumerate(choices))
            halve(run, rungs(len(run), epochs, reduction) if prune else [epochs], reduction, tell)
    except KeyboardInterrupt:
        interrupted = True
    ordered = sorted(run, key=lambda trial: trial.rank)
    if not ordered or ordered[0].rank[0] == float("inf"):
        raise DataError(
            f"not one of {len(run)} trials had a finite validation cost: vary eta over smaller numbers, or scale "
            "the data"
        )
    winner = ordered[0]
    return SearchResult(
        winner.record(), [trial.record() for trial in ordered], winner.session.course.net, winner.result(), interrupted
    )


def rungs(trials: int, epochs: int, reduction: int) -> list[int]:
    """The epochs at which trials are compared: as many rungs as leave at least one trial and a ninth of the epochs.

    Earlier the best network's trial was often given up (`benchmarks.search`).

    >>> rungs(27, 30, 3), rungs(2, 30, 3), rungs(100, 5, 3)
    ([3, 10, 30], [30], [1, 5])
    """
    found = [epochs]
    while trials >= reduction and found[0] // reduction >= max(1, epochs // 9):
        found.insert(0, found[0] // reduction)
        trials //= reduction
    return found


def halve(run: list[RunningTrial], levels: list[int], reduction: int, tell: Callable[[Trial], Any]) -> None:
    """Successive halving: every trial to the first level, the best 1/reduction of them to the next, and so on."""
    alive = list(run)
    for i, level in enumerate(levels):
        for trial in alive:
            trial.advance(level)
        going = sorted((trial for trial in alive if not trial.stopped), key=lambda trial: trial.rank)
        last = i + 1 == len(levels)
        kept = [] if last else going[: -(-len(alive) // reduction)]
        for trial in alive:
            if trial not in kept:
                trial.pruned = not last and not trial.stopped
                tell(trial.record())
        alive = kept


def learn(
    bench: Workbench,
    space: Space,
    trials: int,
    levels: list[int],
    reduction: int,
    run: list[RunningTrial],
    tell: Callable[[Trial], Any],
) -> None:
    """Bayesian optimisation by Optuna ([N] ch. 3): each choice is drawn where the trials before it did well.

    Ask for a choice, train it level by level unless Optuna's pruner gives it up, tell its score; `trials` times.
    """
    try:
        import optuna
    except ImportError:
        raise ConfigurationError(
            f"method='bayes' needs the package optuna, which is not installed: {how_to_install('search')}, "
            "or take method='random'"
        ) from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    pruner = optuna.pruners.SuccessiveHalvingPruner(min_resource=levels[0], reduction_factor=reduction)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=bench.seed), pruner=pruner)
    for number in range(trials):
        asked = study.ask()
        trial, score = bench.begin(number, _choose(asked, space)), 1e30
        run.append(trial)
        for level in levels:
            trial.advance(level)
            score = min(trial.rank[0], 1e30)  # Optuna takes finite numbers only
            asked.report(score, level)
            trial.pruned = level != levels[-1] and not trial.stopped and asked.should_prune()
            if trial.pruned or trial.stopped:
                break
        if trial.pruned:  # Optuna takes the score it was told last
            study.tell(asked, state=optuna.trial.TrialState.PRUNED)
        else:
            study.tell(asked, score)
        tell(trial.record())


def _choose(asked: Any, space: Space) -> Values:
    """One value for each name; a list is given by its places, because Optuna keeps only plain values."""
    values: Values = {}
    for name, entry in space.items():
        if not isinstance(entry, Range):
            values[name] = entry[asked.suggest_categorical(name, list(range(len(entry))))]
        elif entry.whole:
            values[name] = asked.suggest_int(name, ceil(entry.low), floor(entry.high), log=entry.log)
        else:
            values[name] = asked.suggest_float(name, entry.low, entry.high, log=entry.log)
    return values
