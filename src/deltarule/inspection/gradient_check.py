"""The gradient check: BP1-BP4 against central differences of the cost, in float64."""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from deltarule import backprop
from deltarule.backprop import Params
from deltarule.domain import require_count
from deltarule.examples import require_finite
from deltarule.network import Network
from deltarule.precision import computing_in, dtype_of
from deltarule.randomness import as_key

STEP = float(np.finfo(np.float64).eps) ** (1 / 3)  # balances truncation, h²/6 C''', against rounding, eps C / h


class GradientCheck(NamedTuple):
    """One tensor's worst direction: what backpropagation says, what the difference quotient says, how far apart."""

    layer: int
    name: str
    backpropagation: float
    difference: float
    error: float


def check_gradient(net: Network, params: Params, X: Any, Y: Any, directions: int = 10, seed: int = 0) -> float:
    """The largest relative error of the gradient against central differences, over every tensor of parameters.

    For random directions v of one tensor at a time, ∇C·v is held against (C(p + h v) - C(p - h v)) / 2h in float64.
    About 1e-9 is right; above 1e-6 is a mistake, a kink (relu) within h of an example, or a minimum: where ∇C vanishes
    only the truncation of the quotient is left, so check at parameters that are not trained.

    Args:
        net: the network.
        params: its parameters, of any dtype.
        X: inputs, (N, n_1).
        Y: targets, (N, k).
        directions: random directions for each tensor.
        seed: of the directions.

    Raises:
        DataError: X, Y or the parameters are empty or not finite, or Y is not what the cost is made for.
        ConfigurationError: no direction.
    """
    return max(check.error for check in check_gradient_by_layer(net, params, X, Y, directions, seed))


def check_gradient_by_layer(
    net: Network, params: Params, X: Any, Y: Any, directions: int = 10, seed: int = 0
) -> list[GradientCheck]:
    """The worst direction of each tensor, in the order of the parameters; see `check_gradient`."""
    require_count("directions", directions)
    with computing_in(np.dtype("float64")):
        dtype_of(params)
        params = jax.tree.map(lambda p: jnp.asarray(np.asarray(p), jnp.float64), params)
        x = jnp.asarray(net.as_inputs(params, require_finite("X", X, np.dtype("float64")), np.dtype("float64")))
        y = jnp.asarray(net.as_targets(Y, x))
        net.cost.check_targets("Y", require_finite("Y", y, np.dtype("float64")))
        for i, layer in enumerate(params):
            for name, tensor in layer.items():
                require_finite(f"params[{i}][{name!r}]", tensor, np.dtype("float64"))
        weight = jnp.full(x.shape[0], 1 / x.shape[0])
        cost, grads = _cost_and_gradient(net, params, x, y, weight)
        checks = []
        key = as_key(seed)
        for i, layer in enumerate(params):
            for name, tensor in layer.items():
                key, direction_key = jax.random.split(key)
                V = jax.random.normal(direction_key, (directions, *tensor.shape))
                V = V / jnp.linalg.norm(V.reshape(directions, -1), axis=1).reshape(-1, *[1] * tensor.ndim)
                said = jnp.tensordot(V, grads[i][name], tensor.ndim)
                found = _difference_quotients(net, params, x, y, i, name, V)
                # Beside the directional derivative itself an error is measured against its typical size over random
                # directions, and against the rounding of the cost, which leaves eps |C| / h in the quotient.
                typical = jnp.linalg.norm(grads[i][name]) / jnp.sqrt(tensor.size)
                floor = jnp.maximum(typical, 1e-4 * jnp.abs(cost)) + jnp.finfo(cost.dtype).tiny
                error = jnp.abs(said - found) / jnp.maximum(jnp.maximum(jnp.abs(said), jnp.abs(found)), floor)
                worst = int(jnp.argmax(error))
                checks.append(GradientCheck(i, name, float(said[worst]), float(found[worst]), float(error[worst])))
        return checks


@partial(jax.jit, static_argnums=0)
def _cost_and_gradient(net: Network, params: Params, x: Array, y: Array, weight: Array) -> tuple[Array, Params]:
    return backprop.cost_and_gradient(net, params, x, y, weight)


@partial(jax.jit, static_argnums=(0, 4, 5))
def _difference_quotients(net: Network, params: Params, x: Array, y: Array, i: int, name: str, V: Array) -> Array:
    """(C(p + h v) - C(p - h v)) / 2h for every direction v of tensor `name` of layer i."""

    def cost(tensor: Array) -> Array:
        moved = [layer | {name: tensor} if j == i else layer for j, layer in enumerate(params)]
        return jnp.mean(backprop.output_cost(net, backprop.forward(net, moved, x)[-1], y))

    here = params[i][name]
    return jax.lax.map(lambda v: (cost(here + STEP * v) - cost(here - STEP * v)) / (2 * STEP), V)
