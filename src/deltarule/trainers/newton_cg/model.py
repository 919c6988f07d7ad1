"""The quadratic model of Newton-CG at one point: F, its gradient g, and the products v ↦ H v with its exact Hessian."""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import jax.numpy as jnp
from jax import Array

from deltarule import backprop
from deltarule.backprop import Params
from deltarule.curvature.hessian import backward_pass, gradient, hessian_product
from deltarule.regularization import add_penalty_gradient, penalty
from deltarule.rows import Rows, block_size, sum_over_blocks

if TYPE_CHECKING:
    from deltarule.network import Network

Number = float | Array

BLOCK_BYTES = 2**27  # what the passes of one block of examples may take


class Model(NamedTuple):
    """The objective at one point, its gradient, and the products with its Hessian."""

    objective: Array
    gradient: Params
    product: Callable[[Params], Params]


def quadratic_model(net: "Network", params: Params, rows: Rows, l2: Number | None, share: Array, total: Array) -> Model:
    """F = the mean cost over `share`, the rows' weight, with regularisation over `total`, and its derivatives."""
    block = _block(net, rows)

    def first(x: Array, y: Array, weight: Array) -> tuple[Array, Params]:
        at = backward_pass(net, params, x, y, weight / share)
        return at.cost, gradient(net, at)

    def regularised(sums: Params, p: Params) -> Params:
        return add_penalty_gradient(sums, p, l2, None, total)  # linear in p, so it serves H v as well

    if block == rows.x.shape[0]:  # then the passes are kept and serve every product
        at = backward_pass(net, params, rows.x, rows.y, rows.mask / share)
        cost, grads = at.cost, gradient(net, at)

        def product(v: Params) -> Params:
            return regularised(hessian_product(net, params, at, v), v)
    else:
        cost, grads = sum_over_blocks(rows, block, first)

        def product(v: Params) -> Params:
            def part(x: Array, y: Array, weight: Array) -> Params:
                return hessian_product(net, params, backward_pass(net, params, x, y, weight / share), v)

            return regularised(sum_over_blocks(rows, block, part), v)

    return Model(cost + penalty(params, l2, None, total), regularised(grads, params), product)


def objective(net: "Network", params: Params, rows: Rows, l2: Number | None, share: Array, total: Array) -> Array:
    """F alone."""

    def part(x: Array, y: Array, weight: Array) -> Array:
        return jnp.sum(weight * backprop.output_cost(net, backprop.forward(net, params, x)[-1], y))

    cost = sum_over_blocks(rows, _block(net, rows), part) / share
    return cost + penalty(params, l2, None, total)


def _block(net: "Network", rows: Rows) -> int:
    """How many examples are passed at once: some twelve numbers for each neuron must fit BLOCK_BYTES."""
    return block_size(rows.x.shape[0], max(1, BLOCK_BYTES // (8 * 12 * net.neurons(rows.x.shape[1:]))))
