"""What keeps weights small ([N] ch. 3), and never touches biases.

L2 adds (lambda/2N) sum w² to the cost, L1 adds (lambda/N) sum |w|; the max-norm constraint is no term of the cost but a
projection after each step: ‖w‖ <= c for the incoming weights w of every neuron (Srebro & Shraibman 2005).
"""

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


def limit_norms(params: Params, max_norm: Strength) -> Params:
    """w min(1, c/‖w‖) for every row w of every W, which is all that enters one neuron or filter.

    A limit of None costs nothing.
    """
    if max_norm is None:
        return params

    def limited(path: tuple, W: Array) -> Array:
        if path[-1].key != "W":
            return W
        norm = jnp.sqrt(jnp.sum(W * W, axis=tuple(range(1, W.ndim)), keepdims=True))
        return W * jnp.minimum(1, max_norm / norm)  # a row of zeros has c/0 = inf, and is multiplied by 1

    return jax.tree_util.tree_map_with_path(limited, params)


def _weights(params: Params) -> list[Array]:
    return [layer["W"] for layer in params if "W" in layer]
