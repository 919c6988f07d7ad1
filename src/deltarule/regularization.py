"""L2 and L1 regularisation: (lambda/2N) sum w² and (lambda/N) sum |w|, over weights only, never biases ([N] ch. 3)."""

import jax
import jax.numpy as jnp
from jax import Array

from deltarule.backprop import Params

Strength = float | Array | None


def penalty(params: Params, l2: Strength, l1: Strength, total: Array) -> Array | float:
    """What regularisation adds to the mean cost over `total` examples (N, or the sum of their weights)."""
    added = 0.0
    for W in _weights(params):
        if l2 is not None:
            added = added + l2 / (2 * total) * jnp.sum(W * W)
        if l1 is not None:
            added = added + l1 / total * jnp.sum(jnp.abs(W))
    return added


def add_penalty_gradient(grads: Params, params: Params, l2: Strength, l1: Strength, total: Array) -> Params:
    """dC/dW + (l2/N) W + (l1/N) sign(W); biases as they are. A strength of None costs nothing."""
    if l2 is None and l1 is None:
        return grads

    def regularised(path: tuple, dW: Array, W: Array) -> Array:
        if path[-1].key != "W":
            return dW
        if l2 is not None:
            dW = dW + l2 / total * W
        if l1 is not None:
            dW = dW + l1 / total * jnp.sign(W)
        return dW

    return jax.tree_util.tree_map_with_path(regularised, grads, params)


def _weights(params: Params) -> list[Array]:
    return [layer["W"] for layer in params if "W" in layer]
