"""The network's output as a linear function of its parameters: r(p + s) ≈ r + J s, with J never formed.

J = dr/dp has one row for each residual: (i, o) is residual o of example i. Seeding BP2 with column o of the cost's
factor S gives the errors Delta^l of that residual, and BP3, BP4 on them its row of J. So J v is one forward pass of
tangents and J^T u one backward pass, at the price of about one gradient each.
"""

from typing import TYPE_CHECKING, NamedTuple

from deltarule import engine, trees
from deltarule.arrays import Array
from deltarule.curvature import recursion
from deltarule.network import backprop
from deltarule.network.backprop import Direction, Params
from deltarule.network.layers import Pass

if TYPE_CHECKING:
    from deltarule.network.network import Network


class Linearization(NamedTuple):
    """A network at one point of its parameters and a block of examples.

    cost is sum_i w_i C_i; S (m, k, k) and r (m, k) carry the square roots of the weights w_i, so that J^T r is the
    gradient of that cost and J^T J its Gauss-Newton matrix. Outputs at T steps have S (m, T, k, k) and r (m, T, k): T k
    residuals an example, step by step.
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
    root = backprop.beside(weight.__array_namespace__().sqrt(weight), r)
    cost = (weight * backprop.output_cost(net, passes[-1], y)).sum()
    return Linearization(x, y, passes, cost, root[..., None] * S, root * r)


def residual_errors(net: "Network", params: Params, lin: Linearization) -> list[Array]:
    """Delta^l of every residual, (m, k, n_l) for each layer: BP2 seeded with the columns of S."""

    def backward(seed: Array) -> list[Array]:
        return backprop.errors(net, params, lin.passes, seed)

    if lin.S.ndim == 3:
        return engine.of(lin.S).columns(backward, lin.S)
    # The error of a step's residual is 0 at the others; all residuals go back together, on an axis in front.
    m, T, k, _ = lin.S.shape
    xp = lin.S.__array_namespace__()
    seeds = xp.einsum("mtjo,ts->tomsj", lin.S, xp.eye(T, dtype=lin.S.dtype)).reshape(T * k, m, T, k)
    return [xp.moveaxis(errors, 0, 1) for errors in backward(seeds)]


def jacobian_transpose(net: "Network", lin: Linearization, errors: list[Array]) -> Array:
    """J^T itself, (n, m k), rows in the order of `trees.ravel(params)`; for small blocks only.

    Transposed, because then J^T J contracts its contiguous axis: on a CPU more than twice as fast as J.T @ J.
    """
    inputs = backprop.inputs_of(lin.x, lin.passes)
    parts = zip(net.layers, inputs, errors, strict=True)
    return engine.of(lin.r).rows_of_products([pair for layer, a, d in parts for pair in layer.jacobian_transpose(a, d)])


def jacobian_diagonal(net: "Network", params: Params, lin: Linearization) -> Params:
    """The diagonal of J^T J, in the shape of the parameters."""
    if recursion.is_cheaper(net, params, lin):
        rows = recursion.jacobian_transpose(net, params, lin)
        return trees.unravel((rows * rows).sum(axis=1), params)
    inputs = backprop.inputs_of(lin.x, lin.passes)
    deltas = residual_errors(net, params, lin)
    return [layer.squared_jacobian(a, d) for layer, a, d in zip(net.layers, inputs, deltas, strict=True)]


def jacobian_product(net: "Network", params: Params, lin: Linearization, v: Direction) -> Array:
    """J v = S^T dz^L, in the shape of r: one forward pass of tangents."""
    dz = backprop.tangents(net, params, lin.x, lin.passes, v)[-1].dz
    return (lin.S * dz[..., None]).sum(axis=-2)


def transpose_product(net: "Network", params: Params, lin: Linearization, u: Array) -> Params:
    """J^T u for u of the shape of r, in the shape of the parameters: one backward pass seeded with S u."""
    seed = (lin.S * u[..., None, :]).sum(axis=-1)
    deltas = backprop.errors(net, params, lin.passes, seed)
    return backprop.gradients(net, lin.x, lin.passes, deltas)


def errors_along(errors: list[Array], u: Array) -> list[Array]:
    """delta^l = sum_o u_o Delta^l_o, (m, n_l): the errors that a backward pass seeded with S u would give.

    BP2 is linear in the output error, so nothing need be propagated again. BP3 and BP4 on them are J^T u; as a
    `Direction` they stand for J^T u without it.
    """
    return [_along(error, u.reshape(len(u), -1)) for error in errors]


def _along(error: Array, u: Array) -> Array:
    """sum_o u_o Delta_o of every example."""
    if u.shape[1] == 1:
        return error[:, 0] * u.reshape(-1, *[1] * (error.ndim - 2))
    return error.__array_namespace__().einsum("mo...,mo->m...", error, u)


def residual_acceleration(net: "Network", params: Params, lin: Linearization, weight: Array, v: Direction) -> Array:
    """d²r/dt² along the straight line p + t v, in the shape of r: a second forward pass, of the tangents."""
    dda, ddz, da = None, None, None
    inputs = backprop.inputs_of(lin.x, lin.passes)
    moved = backprop.tangents(net, params, lin.x, lin.passes, v)
    for layer, p, dp, a_prev, here, motion in zip(net.layers, params, v, inputs, lin.passes, moved, strict=True):
        along = layer.second_tangent if isinstance(dp, dict) else layer.second_tangent_along_gradient
        ddz, dda = along(p, dp, a_prev, here, motion.dz, da, dda)
        da = motion.da
    assert ddz is not None
    out = lin.passes[-1]
    bent = net.cost.residual_acceleration(net.output_activation, out.z, out.a, lin.y, moved[-1].dz, ddz)
    return backprop.beside(weight.__array_namespace__().sqrt(weight), bent) * bent
