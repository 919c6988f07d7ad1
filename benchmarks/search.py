"""Successive halving of trials that can be paused, as `dr.search` does it, beside Optuna's pruners, on the same draws.

python -m benchmarks.search [--seeds 10]

Optuna trains one trial after another and can only stop the one at hand: it has to judge a trial before it has seen the
later ones, and the first trials have nothing to be held against. Both are given the same choices in the same order and
the same epochs at which trials are compared. Told are the epochs trained in all, and how much worse the best network
found is than the best of all trials trained to the end, by its validation cost.
"""

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import deltarule as dr
from deltarule import data
from deltarule.tuning import Range, sample
from deltarule.tuning.study import successive_halving
from deltarule.tuning.trial import RunningTrial, TrialFactory

TRIALS, EPOCHS, REDUCTION = 27, 27, 3
SPACE = {"eta": Range(1e-4, 1), "l2": Range(1e-3, 10), "hidden": [10, 30, 100]}
Way = Callable[[TrialFactory, list[dict[str, Any]]], list[RunningTrial]]


def classes() -> tuple[Any, ...]:
    """Handwritten digits, a training and a validation part."""
    digits = data.load("digits")
    return "digits", digits.train.X, digits.train.Y, (digits.validation.X, digits.validation.Y), "log-likelihood"


def numbers() -> tuple[Any, ...]:
    """Friedman's function with noise, standardised."""
    random = np.random.default_rng(0)
    X = random.uniform(size=(1000, 10))
    y = 10 * np.sin(np.pi * X[:, 0] * X[:, 1]) + 20 * (X[:, 2] - 0.5) ** 2 + 10 * X[:, 3] + 5 * X[:, 4]
    y = (y + random.normal(size=1000))[:, None]
    X, y = (X - X.mean(0)) / X.std(0), (y - y.mean(0)) / y.std(0)
    return "Friedman's function", X[:700], y[:700], (X[700:], y[700:]), "quadratic"


def workbench(problem: tuple[Any, ...], seed: int) -> TrialFactory:
    """The trials' data, and the network and trainer of a choice."""
    _, X, Y, validation, cost = problem
    output = dr.Dense(Y.shape[1], "softmax" if cost == "log-likelihood" else "linear")

    def build(values: dict[str, Any]) -> Any:
        net = dr.Network([dr.Dense(values["hidden"], "tanh"), output], cost)
        return net, dr.GradientDescent(eta=values["eta"], l2=values["l2"], batch_size=10)

    return TrialFactory(build, X, Y, validation, EPOCHS, seed, "cost", "numpy")


def halving(*levels: int) -> Way:
    """Ours: all trials to the first level, the best third of them to the next."""

    def run(bench: TrialFactory, choices: list[dict[str, Any]]) -> list[RunningTrial]:
        begun = [bench.start(i, values) for i, values in enumerate(choices)]
        successive_halving(begun, list(levels), REDUCTION, lambda trial: None)
        return begun

    return run


def whole(bench: TrialFactory, choices: list[dict[str, Any]]) -> list[RunningTrial]:
    """Every trial to the end."""
    run = [bench.start(i, values) for i, values in enumerate(choices)]
    for trial in run:
        trial.advance(EPOCHS)
    return run


def pruned_by(name: str, *levels: int, **options: Any) -> Way:
    """One trial after another, each stopped at a level where Optuna's pruner says so."""

    def run(bench: TrialFactory, choices: list[dict[str, Any]]) -> list[RunningTrial]:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        study = optuna.create_study(pruner=getattr(optuna.pruners, name)(**options))
        found = []
        for i, values in enumerate(choices):
            asked, trial = study.ask(), bench.start(i, values)
            found.append(trial)
            for level in levels:
                trial.advance(level)
                cost = min(trial.rank[0], 1e30)
                asked.report(cost, level)
                if trial.stopped or asked.should_prune():
                    break
            study.tell(asked, cost)
        return found

    return run


WAYS: dict[str, Way] = {
    "every trial to the end": whole,
    "successive halving from 1 epoch on": halving(1, 3, 9, 27),
    "successive halving from 3 epochs on (`dr.search`)": halving(3, 9, 27),
    "successive halving from 9 epochs on": halving(9, 27),
    "Optuna's SuccessiveHalvingPruner from 1 on": pruned_by(
        "SuccessiveHalvingPruner", 1, 3, 9, 27, min_resource=1, reduction_factor=REDUCTION
    ),
    "Optuna's SuccessiveHalvingPruner from 3 on": pruned_by(
        "SuccessiveHalvingPruner", 3, 9, 27, min_resource=3, reduction_factor=REDUCTION
    ),
    "Optuna's HyperbandPruner": pruned_by(
        "HyperbandPruner", 1, 3, 9, 27, min_resource=1, max_resource=EPOCHS, reduction_factor=REDUCTION
    ),
    "Optuna's MedianPruner": pruned_by("MedianPruner", 1, 3, 9, 27),
}


def main() -> None:
    """Print a table for each problem."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seeds", type=int, default=10)
    seeds = parser.parse_args().seeds
    for problem in (classes(), numbers()):
        best, epochs, seconds = ({name: np.zeros(seeds) for name in WAYS} for _ in range(3))
        for seed in range(seeds):
            choices = sample(SPACE, TRIALS, seed)
            for name, way in WAYS.items():
                began = time.process_time()
                run = way(workbench(problem, seed), choices)
                seconds[name][seed] = time.process_time() - began
                best[name][seed] = min(trial.rank[0] for trial in run)
                epochs[name][seed] = sum(trial.epoch for trial in run)
        print(f"\n{problem[0]}, {TRIALS} trials of at most {EPOCHS} epochs, {seeds} seeds\n")
        print("| | epochs | processor seconds | validation cost over the best of all |\n| --- | ---: | ---: | ---: |")
        for name in WAYS:
            over = best[name] / best["every trial to the end"]
            cells = (
                f"{epochs[name].mean():.0f}",
                f"{seconds[name].mean():.1f}",
                f"{over.mean():.3f} ({over.max():.3f})",
            )
            print(f"| {' | '.join((name, *cells))} |")


if __name__ == "__main__":
    main()
