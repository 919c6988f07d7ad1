"""Training that goes on batch by batch, with the trainer's memory (velocity, Adam's moments) kept between the calls."""

from typing import Any

import numpy as np

from deltarule import engine as engines
from deltarule import trees
from deltarule.arrays import is_key
from deltarule.checks import as_dtype
from deltarule.engine.choice import choose_engine
from deltarule.engine.randomness import as_path
from deltarule.network.examples import checked_rows, require_finite
from deltarule.network.missing_targets import for_targets
from deltarule.network.network import Network
from deltarule.trainers.base import Trainer
from deltarule.training.loop import Course
from deltarule.training.train import NO_RULES, starting_points


def go_on(
    net: Network,
    trainer: Trainer,
    state: Any,
    params: Any,
    examples: tuple[np.ndarray, np.ndarray, np.ndarray | None],
    seed: int,
    epoch: int,
    engine: str = "auto",
) -> tuple[Any, float, str]:
    """One epoch of the trainer: its state as NumPy arrays, the mean cost over its batches, the engine.

    Args:
        net: to train.
        trainer: any whose epoch is a pass over the examples.
        state: what the last call left, or None.
        params: where to start if there is no state; None draws fresh ones.
        examples: X (N, n_1), Y (N, k) and weights (N,) or None.
        seed: of fresh parameters and of the order of the examples.
        epoch: the number of epochs before this one.
        engine: as in `train`.
    """
    X, Y, weights = examples
    dtype = as_dtype(trainer.dtype)
    X, net = require_finite("X", X, dtype), for_targets(net, Y)
    E = engines.get(choose_engine(engine, net, trainer, X.shape, 1, None))
    with E.computing_in(dtype):
        (start,) = starting_points(E, net, trainer, params, seed, 1, X.shape[1:], dtype)
        rows = checked_rows(net, start, "X", X, Y, weights)
        trainer.check(net, len(X))
        course = Course(net, trainer, rows, None, as_path(seed), NO_RULES, "cost", ())
        with course.thread_limits():
            carry = course.start(start)
            carry = carry._replace(epoch=carry.epoch + epoch)  # which decides the order of the examples
            if state is not None:
                carry = carry._replace(state=trees.mapped(E.put, state))
            carry, records, outside = course.advance(carry, epoch + 1)
        if outside is not None:
            raise KeyboardInterrupt
        return trees.mapped(_as_numpy, carry.state), float(records["cost"][0]), E.name


def _as_numpy(leaf: Any) -> Any:
    """A leaf of a state as an array of NumPy; a key of JAX, which an Optax rule may hold, as it is."""
    return leaf if is_key(leaf) else np.asarray(leaf)
