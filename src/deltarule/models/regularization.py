"""The ways to keep an estimator's network from learning the noise: one row a way, one function that trains by it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from deltarule.errors import ConfigurationError
from deltarule.models.content import Weighted
from deltarule.network.backprop import Params
from deltarule.network.network import Network
from deltarule.trainers.base import Trainer
from deltarule.trainers.bayesian import BayesianRegularization
from deltarule.trainers.stopping import Stopping
from deltarule.training.session import Callback
from deltarule.training.train import TrainingResult, train


@dataclass(frozen=True)
class Problem:
    """One fit, with everything scaled.

    Args:
        net: the network.
        trainer: its l2 already set; "bayesian" takes its own.
        training: the examples that train, distinct and weighted.
        validation: the examples that choose the best epoch; None if the way holds none out, or there are too few.
        epochs: at most so many.
        max_fail: the epochs without a better validation score that end the training.
        restarts: the starts.
        engine: as in `train`.
        seed: of the starts and of the order of the examples.
        start: where the first start begins; None draws it as the others.
        callbacks: as in `train`.
    """

    net: Network
    trainer: Trainer
    training: Weighted
    validation: Weighted | None
    epochs: int
    max_fail: int
    restarts: int
    engine: str
    seed: int
    start: Params | None = None
    callbacks: Sequence[Callback] = ()


@dataclass(frozen=True)
class Way:
    """A way of regularising.

    Args:
        holds_out: whether it holds examples out.
        l2: its l2 where none is given.
        train: how it trains.
        restarts: the starts where no number is given.
        max_fail: the epochs without a better score that end it, where none is given; None is the trainer's own.
        chooses_penalty: whether the penalty is its own choice, so that no l2 can be given.
    """

    holds_out: bool
    l2: float | None
    train: Callable[[Problem], TrainingResult]
    restarts: int = 1
    max_fail: int | None = None
    chooses_penalty: bool = False


def train_penalised(problem: Problem) -> TrainingResult:
    """Train on the cost with its L2 penalty; with validation examples stop by them and keep the best epoch."""
    held, trainer = problem.validation, problem.trainer
    return train(
        problem.net,
        problem.training.X,
        problem.training.Y,
        trainer=trainer,
        epochs=problem.epochs,
        weights=problem.training.uneven_weight,
        validation_data=None if held is None else (held.X, held.Y, held.uneven_weight),
        seed=problem.seed,
        params=problem.start,
        dtype=trainer.dtype,
        restarts=problem.restarts,
        engine=problem.engine,
        callbacks=problem.callbacks,
        stopping=Stopping(max_fail=problem.max_fail if held is not None else None),
    )


def train_bayesian(problem: Problem) -> TrainingResult:
    """Train on all rows while the evidence chooses the penalties, and stop when it rises no more."""
    trainer = BayesianRegularization(max_fail=problem.max_fail)
    return train(
        problem.net,
        problem.training.X,
        problem.training.Y,
        trainer=trainer,
        epochs=problem.epochs,
        weights=problem.training.uneven_weight,
        seed=problem.seed,
        params=problem.start,
        dtype=trainer.dtype,
        restarts=problem.restarts,
        engine=problem.engine,
        callbacks=problem.callbacks,
    )


WAYS: dict[str | None, Way] = {
    "bayesian": Way(holds_out=False, l2=None, train=train_bayesian, restarts=2, max_fail=10, chooses_penalty=True),
    "early-stopping": Way(holds_out=True, l2=1e-2, train=train_penalised),
    "l2": Way(holds_out=False, l2=1e-1, train=train_penalised),
    None: Way(holds_out=False, l2=None, train=train_penalised),
}


def get_way(regularization: str | None) -> Way:
    """The row of that name.

    Raises:
        ConfigurationError: the name is not in `WAYS`.
    """
    if regularization not in WAYS:
        raise ConfigurationError(
            f"regularization must be one of {', '.join(map(repr, ('auto', *WAYS)))}, and is {regularization!r}: "
            "choose one of them."
        )
    return WAYS[regularization]
