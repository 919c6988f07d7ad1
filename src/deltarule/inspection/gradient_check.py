"""The gradient check: BP1-BP4 against central differences of the cost, in float64."""

from typing import Any, NamedTuple

import numpy as np

from deltarule import engine, trees
from deltarule.checks import dtype_of, require_count
from deltarule.engine.randomness import DIRECTION, as_path, generator
from deltarule.network import backprop
from deltarule.network.backprop import Params
from deltarule.network.examples import as_inputs, as_targets, require_finite, require_inputs, require_targets
from deltarule.network.missing_targets import mask_missing_targets
from deltarule.network.network import Network

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
        for i, layer in enumerate(params):
            for name, tensor in layer.items():
                V = random.standard_normal((directions, *tensor.shape))
                V = V / np.linalg.norm(V.reshape(directions, -1), axis=1).reshape(-1, *[1] * tensor.ndim)
                dC = np.asarray(grads[i][name])
                said = np.tensordot(V, dC, tensor.ndim)
                quotients = (E.call(_difference_quotient, params, x, y, E.put(v), net=net, i=i, name=name) for v in V)
                found = np.array([float(quotient) for quotient in quotients])
                # Beside the directional derivative itself an error is measured against its typical size over random
                # directions, and against the rounding of the cost, which leaves eps |C| / h in the quotient.
                typical = np.linalg.norm(dC) / tensor.size**0.5
                floor = max(typical, 1e-4 * abs(float(cost))) + np.finfo(dtype).tiny
                error = np.abs(said - found) / np.maximum(np.maximum(np.abs(said), np.abs(found)), floor)
                worst = int(np.argmax(error))
                checks.append(GradientCheck(i, name, float(said[worst]), float(found[worst]), float(error[worst])))
        return checks


def _difference_quotient(params: Params, x: Any, y: Any, v: Any, *, net: Network, i: int, name: str) -> Any:
    """(C(p + h v) - C(p - h v)) / 2h along v in tensor `name` of layer i."""

    def cost(tensor: Any) -> Any:
        moved = [layer | {name: tensor} if j == i else layer for j, layer in enumerate(params)]
        return backprop.output_cost(net, backprop.forward(net, moved, x)[-1], y).mean()

    here = params[i][name]
    return (cost(here + STEP * v) - cost(here - STEP * v)) / (2 * STEP)
