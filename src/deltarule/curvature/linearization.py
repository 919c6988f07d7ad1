"""The network's output as a linear function of its parameters: r(p + s) ≈ r + J s, with J never formed.

J = dr/dp has one row for each residual: (i, o) is residual o of example i. Seeding BP2 with column o of the cost's
factor S gives the errors Delta^l of that residual, and BP3, BP4 on them its row of J. So J v is one forward pass of
tangents and J^T u one backward pass, at the price of about one gradient each.
"""

from typing import TYPE_CHECKING, NamedTuple

from deltarule import engine
from deltarule.arrays import Array
from deltarule.network import backprop
from deltarule.network.backprop import Direction, Params
from deltarule.network.layers import Pass

if TYPE_CHECKING:
    from deltarule.network.network import Network


class Linearization(NamedTuple):
    """A network at one point of its parameters and a block of examples.

    cost is sum_i w_i C_i; S (m, k, k) and r (m, k) carry the square roots of the weights w_i, so that J^T r is the
    gradient of that cost and J^T J its Gauss-Newton matrix.
    """

    x: Array
    y: Array
    passes: list[Pass]
    cost: Array
    S: Array
    r: Array


def linearize(net: "Network", params: Params, x: Array, y: Array, weight: Array) -> Linearization:
    """Run the examples forward and factor the curvature of their cost."""
    passes = backprop.forward(net, params, x)
    z, a = passes[-1].z, passes[-1].a
    S, r = net.cost.gauss_newton(net.output_activation, z, a, y)
    root = weight.__array_namespace__().sqrt(weight)
    cost = (weight * backprop.output_cost(net, passes[-1], y)).sum()
    return Linearization(x, y, passes, cost, root[:, None, None] * S, root[:, None] * r)


def residual_errors(net: "Network", params: Params, lin: Linearization) -> list[Array]:
    """Delta^l of every residual, (m, k, n_l) for each layer: BP2 seeded with the columns of S."""

    def backward(seed: Array) -> list[Array]:
        return backprop.errors(net, params, lin.passes, seed)

    return engine.of(lin.S).columns(backward, lin.S)


def jacobian_transpose(net: "Network", lin: Linearization, errors: list[Array]) -> Array:
    """J^T itself, (n, m k), rows in the order of `trees.ravel(params)`; for small blocks only.

    Transposed, because then J^T J contracts its contiguous axis: on a CPU more than twice as fast as J.T @ J.
    """
    inputs = backprop.inputs_of(lin.x, lin.passes)
    parts = zip(net.layers, inputs, errors, strict=True)
    return engine.of(lin.r).rows_of_products([pair for layer, a, d in parts for pair in layer.jacobian_transpose(a, d)])


def jacobian_diagonal(net: "Network", params: Params, lin: Linearization) -> Params:
    """The diagonal of J^T J, in the shape of the parameters."""
    inputs = backprop.inputs_of(lin.x, lin.passes)
    deltas = residual_errors(net, params, lin)
    return [layer.squared_jacobian(a, d) for layer, a, d in zip(net.layers, inputs, deltas, strict=True)]


def jacobian_product(net: "Network", params: Params, lin: Linearization, v: Direction) -> Array:
    """J v = S^T dz^L, (m, k): one forward pass of tangents."""
    dz = backprop.tangents(net, params, lin.x, lin.passes, v)[-1][0]
    return (lin.S * dz[..., None]).sum(axis=1)


def transpose_product(net: "Network", params: Params, lin: Linearization, u: Array) -> Params:
    """J^T u for u (m, k), in the shape of the parameters: one backward pass seeded with S u."""
    seed = (lin.S * u[:, None]).sum(axis=2)
    deltas = backprop.errors(net, params, lin.passes, seed)
    return backprop.gradients(net, lin.x, lin.passes, deltas)


def errors_along(errors: list[Array], u: Array) -> list[Array]:
    """delta^l = sum_o u_o Delta^l_o, (m, n_l): the errors that a backward pass seeded with S u would give.

    BP2 is linear in the output error, so nothing need be propagated again. BP3 and BP4 on them are J^T u; as a
    `Direction` they stand for J^T u without it.
    """
    return [_along(error, u) for error in errors]


def _along(error: Array, u: Array) -> Array:
    """sum_o u_o Delta_o of every example."""
    if u.shape[1] == 1:
        return error[:, 0] * u.reshape(-1, *[1] * (error.ndim - 2))
    return error.__array_namespace__().einsum("mo...,mo->m...", error, u)


def residual_acceleration(net: "Network", params: Params, lin: Linearization, weight: Array, v: Direction) -> Array:
    """d²r/dt² along the straight line p + t v, (m, k): a second forward pass, the tangent of the tangents."""
    dda, ddz, da = None, None, None
    dz = None
    inputs = backprop.inputs_of(lin.x, lin.passes)
    moved = backprop.tangents(net, params, lin.x, lin.passes, v)
    for layer, p, dp, a_prev, here, (dz, da_here) in zip(net.layers, params, v, inputs, lin.passes, moved, strict=True):
        if isinstance(dp, dict):
            ddz, dda = layer.second_tangent(p, dp, a_prev, here, dz, da, dda)
        else:
            ddz, dda = layer.second_tangent_along_gradient(p, dp, a_prev, here, dz, da, dda)
        da = da_here
    assert dz is not None
    assert ddz is not None
    out = lin.passes[-1]
    bent = net.cost.residual_acceleration(net.output_activation, out.z, out.a, lin.y, dz, ddz)
    return weight.__array_namespace__().sqrt(weight)[:, None] * bent
