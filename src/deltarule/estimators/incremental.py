"""Training that goes on batch by batch, with the trainer's memory (velocity, Adam's moments) kept between the calls."""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from deltarule.examples import checked_rows, require_finite
from deltarule.network import Network
from deltarule.precision import as_dtype, computing_in
from deltarule.randomness import as_key
from deltarule.rows import Rows
from deltarule.trainers.base import Trainer


class Further(NamedTuple):
    """Where one more epoch led: the trainer's state, as NumPy arrays, and the mean cost over its batches."""

    state: Any
    cost: float


def go_on(
    net: Network,
    trainer: Trainer,
    state: Any,
    params: Any,
    examples: tuple[np.ndarray, np.ndarray, np.ndarray | None],
    seed: int,
    epoch: int,
) -> Further:
    """One epoch of the trainer over the examples.

    Args:
        net: the network.
        trainer: any whose epoch is a pass of batches.
        state: what the last call left, or None.
        params: where to start if there is no state; None draws fresh ones.
        examples: X (N, n_1), Y (N, k) and weights (N,) or None.
        seed: of fresh parameters and of the order of the examples.
        epoch: the number of epochs before this one.
    """
    X, Y, weights = examples
    dtype = as_dtype(trainer.dtype)
    with computing_in(dtype):
        X = require_finite("X", X, dtype)
        init_key, run_key = jax.random.split(as_key(seed))
        if state is None and params is None:
            params = net.init(init_key, X.shape[1:], dtype, trainer.initializers)
        start = state.params if state is not None else params
        start = jax.tree.map(lambda p: jnp.asarray(p, dtype), start)
        rows = checked_rows(net, start, "X", X, Y, weights)
        trainer.check(net, len(X))
        with trainer.surroundings(net, start, len(X)):
            if state is None:
                state = _start(net, trainer, start, rows)
            state, cost = _epoch(net, trainer, state, rows, jax.random.fold_in(run_key, epoch))
        return Further(jax.tree.map(np.asarray, state), float(cost))


@partial(jax.jit, static_argnums=0)
def _start(net: Network, trainer: Trainer, params: Any, rows: Rows) -> Any:
    return trainer.init(net, params, rows)


@partial(jax.jit, static_argnums=0)
def _epoch(net: Network, trainer: Trainer, state: Any, rows: Rows, key: Array) -> tuple[Any, Array]:
    state, record = trainer.epoch(net, state, rows, key)
    return state, record["cost"]
