"""The search: a grid, random draws, or Bayesian optimisation by Optuna, each with successive halving."""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, floor
from typing import Any

from deltarule.checks import require_choice, require_count
from deltarule.errors import ConfigurationError, DataError, how_to_install
from deltarule.network.network import Network
from deltarule.training.session import TrainingResult
from deltarule.tuning.space import Range, Space, Values, check_space, grid, sample
from deltarule.tuning.trial import Build, RunningTrial, Trial, TrialFactory

METHODS = ("random", "grid", "bayes")


@dataclass(frozen=True)
class SearchResult:
    """The result of a search.

    Attributes:
        best: the trial with the best validation score.
        trials: all trials, best first.
        net: the network of the best trial.
        result: the training of the best trial, as `train` returns it.
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
    """Train with many choices of hyper-parameters and return the one that does best on the validation data.

    Hopeless trials are stopped early by successive halving: all trials run a ninth of the epochs, the best third of
    them three times as long, and so on until the last few have run all epochs. A surviving trial continues its own
    training, so its result is that of `train` with the same seed. On JAX numbers such as eta and l2 are traced, so each
    shape of network compiles once.

    Args:
        build: a function from one choice, a dict, to (network, trainer).
        space: for each name a list of values, or a `Range`.
        X: inputs, (N, n_1).
        Y: targets, as in `train`.
        validation_data: (Xv, Yv) or (Xv, Yv, weights), on which trials are scored.
        epochs: the epochs of a trial that is not stopped early.
        method: "random"; "grid", every combination; or "bayes", Optuna's tree-structured Parzen estimator, which draws
            where earlier trials did well (needs the package optuna).
        trials: how many choices to draw, at most as many as lists alone have combinations; a grid ignores it.
        points: how many numbers of a `Range` a grid takes.
        prune: stop hopeless trials early. With "bayes" Optuna's successive halving decides, one trial after another.
        reduction: the best 1/reduction of the trials continue, for `reduction` times as many epochs; at least 2.
        seed: of the draws, the initial parameters and the order of the examples.
        monitor: the score, "cost" or "accuracy" (ties fall to the lower cost).
        engine: of every trial, as in `train`.
        callback: called with every trial that has ended.

    Raises:
        ConfigurationError: an option or an entry of the space lies outside its domain.
        DataError: the data cannot be used, or no trial had a finite validation cost.

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
    factory = TrialFactory(build, X, Y, validation_data, epochs, seed, monitor, engine)
    report = callback or (lambda trial: None)
    started: list[RunningTrial] = []
    interrupted = False
    try:
        if method == "bayes":
            levels = rungs(trials, epochs, reduction) if prune else [epochs]
            bayesian_search(factory, space, trials, levels, reduction, started, report)
        else:
            choices = grid(space, points) if method == "grid" else sample(space, trials, seed)
            started += (factory.start(i, values) for i, values in enumerate(choices))
            levels = rungs(len(started), epochs, reduction) if prune else [epochs]
            successive_halving(started, levels, reduction, report)
    except KeyboardInterrupt:
        interrupted = True
    ordered = sorted(started, key=lambda trial: trial.rank)
    if not ordered or ordered[0].rank[0] == float("inf"):
        raise DataError(
            f"none of {len(started)} trials had a finite validation cost: vary eta over smaller numbers, or scale "
            "the data."
        )
    winner = ordered[0]
    return SearchResult(
        winner.record(), [trial.record() for trial in ordered], winner.session.course.net, winner.result(), interrupted
    )


def rungs(trials: int, epochs: int, reduction: int) -> list[int]:
    """Return the epochs after which trials are compared: as many rungs as leave at least one trial.

    The first is not before a ninth of the epochs: earlier the best trial was often stopped (`benchmarks.search`).

    >>> rungs(27, 30, 3), rungs(2, 30, 3), rungs(100, 5, 3)
    ([3, 10, 30], [30], [1, 5])
    """
    levels = [epochs]
    while trials >= reduction and levels[0] // reduction >= max(1, epochs // 9):
        levels.insert(0, levels[0] // reduction)
        trials //= reduction
    return levels


def successive_halving(
    trials: list[RunningTrial], levels: list[int], reduction: int, report: Callable[[Trial], Any]
) -> None:
    """Train every trial up to the first level, the best 1/reduction of them up to the next, and so on."""
    remaining = list(trials)
    for level in levels:
        for trial in remaining:
            trial.advance(level)
        is_last = level == levels[-1]
        ranked = sorted((trial for trial in remaining if not trial.stopped), key=lambda trial: trial.rank)
        survivors = [] if is_last else ranked[: -(-len(remaining) // reduction)]
        for trial in remaining:
            if trial not in survivors:
                trial.pruned = not is_last and not trial.stopped
                report(trial.record())
        remaining = survivors


def bayesian_search(
    factory: TrialFactory,
    space: Space,
    trials: int,
    levels: list[int],
    reduction: int,
    started: list[RunningTrial],
    report: Callable[[Trial], Any],
) -> None:
    """Run `trials` trials, each of a choice that Optuna draws where earlier ones did well, and may prune at a level.

    The trials are appended to `started`.
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
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=factory.seed), pruner=pruner)
    for number in range(trials):
        suggestion = study.ask()
        trial, score = factory.start(number, _choose(suggestion, space)), 1e30
        started.append(trial)
        for level in levels:
            trial.advance(level)
            score = min(trial.rank[0], 1e30)  # Optuna takes finite numbers only
            suggestion.report(score, level)
            trial.pruned = level != levels[-1] and not trial.stopped and suggestion.should_prune()
            if trial.pruned or trial.stopped:
                break
        if trial.pruned:  # its score is the one reported last
            study.tell(suggestion, state=optuna.trial.TrialState.PRUNED)
        else:
            study.tell(suggestion, score)
        report(trial.record())


def _choose(suggestion: Any, space: Space) -> Values:
    """One value for each name; of a list Optuna draws the index, because it stores only plain values."""
    values: Values = {}
    for name, entry in space.items():
        if not isinstance(entry, Range):
            values[name] = entry[suggestion.suggest_categorical(name, list(range(len(entry))))]
        elif entry.whole:
            values[name] = suggestion.suggest_int(name, ceil(entry.low), floor(entry.high), log=entry.log)
        else:
            values[name] = suggestion.suggest_float(name, entry.low, entry.high, log=entry.log)
    return values
