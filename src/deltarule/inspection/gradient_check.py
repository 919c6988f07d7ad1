"""The gradient check: BP1-BP4 against central differences of the cost, in float64."""

from functools import reduce
from typing import Any, NamedTuple

import numpy as np

from deltarule import engine, trees
from deltarule.arrays import Array
from deltarule.checks import dtype_of, require_count
from deltarule.curvature.linearization import linearize
from deltarule.engine.randomness import DIRECTION, as_path, generator
from deltarule.network import backprop
from deltarule.network.backprop import Params
from deltarule.network.examples import as_inputs, as_targets, require_finite, require_inputs, require_targets
from deltarule.network.missing_targets import mask_missing_targets
from deltarule.network.network import Network

STEP = float(np.finfo(np.float64).eps) ** (1 / 3)  # balances truncation, h²/6 C''', against rounding, eps C / h
SCALING_ROWS, SCALING_PROBES = 100, 8  # examples and random vectors by which the entries of a direction are scaled


class GradientCheck(NamedTuple):
    """The worst direction of one tensor: ∇C·v by backpropagation, by central differences, and their relative error."""

    layer: int
    name: str
    backpropagation: float
    difference: float
    error: float


def check_gradient(net: Network, params: Params, X: Any, Y: Any, directions: int = 10, seed: int = 0) -> float:
    """The largest relative error of the gradient against central differences, over every tensor of parameters.

    For random directions v of one tensor at a time, ∇C·v is compared with (C(p + h v) - C(p - h v)) / 2h in float64.
    The more a parameter moves the outputs, the smaller is its entry of v: so all entries count alike where weights
    differ by orders of magnitude, as in an average of networks of different depths. A right gradient gives about 1e-9.
    An error above 1e-6 means a mistake, a kink (relu) within h of an example, or a minimum, where ∇C is 0 and only the
    truncation error of the quotient is left: check untrained parameters.

    Args:
        net: the network.
        params: its parameters, of any dtype.
        X: inputs, (N, n_1).
        Y: targets, (N, k).
        directions: the number of random directions for each tensor.
        seed: the seed of the directions.

    Raises:
        DataError: X, Y or the parameters are empty or not finite, or the cost cannot use Y.
        ConfigurationError: `directions` is below 1.
    """
    return max(check.error for check in check_gradient_by_layer(net, params, X, Y, directions, seed))


def check_gradient_by_layer(
    net: Network, params: Params, X: Any, Y: Any, directions: int = 10, seed: int = 0
) -> list[GradientCheck]:
    """The worst direction of each tensor, in the order of the parameters; see `check_gradient`."""
    require_count("directions", directions)
    E, dtype = engine.of_params(params), np.dtype("float64")
    dtype_of(params)
    with E.computing_in(dtype):
        params = trees.map_leaves(lambda p: E.put(np.asarray(p), dtype), params)
        x = as_inputs(net, params, require_inputs(net, "X", X, dtype), dtype)
        y = as_targets(net, Y, x)
        net = mask_missing_targets(net, y) if net.is_recurrent else net
        require_targets(net, "Y", np.asarray(y))
        for place, tensor in trees.named_leaves(params):
            require_finite(f"params{place}", tensor, dtype)
        cost, grads = net.cost_and_gradient(params, x, y)
        x, y, random, checks = E.put(x), E.put(y), generator(*as_path(seed), DIRECTION), []
        scales = E.call(_scales, params, x[:SCALING_ROWS], y[:SCALING_ROWS], net=net)
        for i, layer in enumerate(params):
            for name, tensor in layer.items():
                V = random.standard_normal((directions, *tensor.shape))
                V = V / np.linalg.norm(V.reshape(directions, -1), axis=1).reshape(-1, *[1] * tensor.ndim)
                dC, scale = np.asarray(grads[i][name]), np.asarray(scales[i][name])
                V = V * scale
                slopes = np.tensordot(V, dC, tensor.ndim)
                quotients = (E.call(_difference_quotient, params, x, y, E.put(v), net=net, i=i, name=name) for v in V)
                differences = np.array([float(quotient) for quotient in quotients])
                # An error is relative to the largest of: the directional derivative, its typical size over random
                # directions, and the rounding of the cost, which leaves eps |C| / h in the quotient.
                typical = np.linalg.norm(scale * dC) / tensor.size**0.5
                floor = max(typical, 1e-4 * abs(float(cost))) + np.finfo(dtype).tiny
                size = np.maximum(np.maximum(np.abs(slopes), np.abs(differences)), floor)
                error = np.abs(slopes - differences) / size
                worst = int(np.argmax(error))
                numbers = (float(values[worst]) for values in (slopes, differences, error))
                checks.append(GradientCheck(i, name, *numbers))
        return checks


def _scales(params: Params, x: Array, y: Array, *, net: Network) -> Params:
    """The size of each entry of a direction: √C / √(JᵀJ)_jj, and at most that of its parameter, or 1.

    So a step of `STEP` along it changes the residuals by at most about `STEP` times their size. (JᵀJ)_jj is the mean of
    (Jᵀu)_j² over vectors u of random signs, which takes one backward pass each and never holds J.
    """
    xp, draw = x.__array_namespace__(), np.random.default_rng(0)
    linearization = linearize(net, params, x, y, xp.full(x.shape[0], 1 / x.shape[0], dtype=x.dtype))
    size = xp.maximum(xp.sqrt(xp.abs(linearization.cost)), 1e-3)
    signs = (xp.asarray(draw.choice([-1.0, 1.0], linearization.r.shape), dtype=x.dtype) for _ in range(SCALING_PROBES))
    products = (linearization.transpose_product(u) for u in signs)
    squares = trees.scale(reduce(trees.add, (trees.multiply(g, g) for g in products)), 1 / SCALING_PROBES)
    return trees.map_pairs(lambda p, d: size / xp.maximum(xp.sqrt(d), size / xp.maximum(xp.abs(p), 1)), params, squares)


def _difference_quotient(params: Params, x: Any, y: Any, v: Any, *, net: Network, i: int, name: str) -> Any:
    """(C(p + h v) - C(p - h v)) / 2h along v in tensor `name` of layer i."""

    def cost(tensor: Any) -> Any:
        moved = [layer | {name: tensor} if j == i else layer for j, layer in enumerate(params)]
        return backprop.output_cost(net, backprop.forward(net, moved, x)[-1], y).mean()

    p = params[i][name]
    return (cost(p + STEP * v) - cost(p - STEP * v)) / (2 * STEP)
