"""Bayesian optimisation by Optuna ([N] ch. 3): each choice is drawn where the trials before it did well."""

from collections.abc import Callable
from math import ceil, floor
from typing import Any

from deltarule.errors import ConfigurationError, installing
from deltarule.tuning.space import Range, Space, Values
from deltarule.tuning.trial import RunningTrial, Trial, Workbench


def learn(
    bench: Workbench,
    space: Space,
    trials: int,
    levels: list[int],
    reduction: int,
    run: list[RunningTrial],
    tell: Callable[[Trial], Any],
) -> None:
    """Ask for a choice, train it level by level unless Optuna's pruner gives it up, tell its score; `trials` times.

    Raises:
        ConfigurationError: the package optuna is not installed.
    """
    try:
        import optuna
    except ImportError:
        raise ConfigurationError(
            f"method='bayes' needs the package optuna, which is not installed: {installing('search')}, "
            "or take method='random'"
        ) from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    pruner = optuna.pruners.SuccessiveHalvingPruner(min_resource=levels[0], reduction_factor=reduction)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=bench.seed), pruner=pruner)
    for number in range(trials):
        asked = study.ask()
        trial = bench.begin(number, _choose(asked, space))
        run.append(trial)
        for level in levels:
            trial.advance(level)
            if trial.stopped or level == levels[-1]:
                break
            asked.report(_score(trial), level)
            if asked.should_prune():
                trial.pruned = True
                break
        if trial.pruned:  # Optuna takes the score it was told last
            study.tell(asked, state=optuna.trial.TrialState.PRUNED)
        else:
            study.tell(asked, _score(trial))
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


def _score(trial: RunningTrial) -> float:
    """What Optuna makes small; a trial that never had a finite score is as bad as can be told."""
    score = trial.rank[0]
    return score if score < 1e30 else 1e30
