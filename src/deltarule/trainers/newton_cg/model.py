"""The quadratic model of Newton-CG at one point: F, its gradient g, and the products v ↦ H v with its exact Hessian."""

from typing import TYPE_CHECKING, NamedTuple

from deltarule.arrays import Array
from deltarule.curvature.hessian import BackwardPass, backward_pass
from deltarule.engine.rows import Rows, block_size
from deltarule.network.backprop import Params
from deltarule.objective import Objective
from deltarule.trees import norm, plus, times

if TYPE_CHECKING:
    from deltarule.network.network import Network

BLOCK_BYTES = 2**27  # what the passes of one block of examples may take
PASSES = 12  # numbers for each neuron of an example, or so


class Model(NamedTuple):
    """The objective at one point, its gradient g and ‖g‖.

    passes are those of all examples where they go through the network together: they serve every product.
    """

    objective: Array
    gradient: Params
    gradient_norm: Array
    passes: BackwardPass | None


def quadratic_model(F: Objective, p: Params) -> Model:
    """One backward pass over the examples."""
    passes = None
    if F.in_one_block:
        passes = backward_pass(F.net, p, F.rows.x, F.rows.y, F.scale * F.rows.mask)
        cost, g = passes.cost, passes.gradient()
    else:
        cost, g = F.sum(_first_sums, p, at=backward_pass)
    g = g if F.l2 is None else plus(g, times(F.prior(p), p))
    return Model(cost + F.prior_energy(p), g, norm(g), passes)


def product(F: Objective, p: Params, at: Model, v: Params) -> Params:
    """H v."""
    Hv = (
        at.passes.hessian_product(v)
        if at.passes is not None
        else F.sum(BackwardPass.hessian_product, p, v, at=backward_pass)
    )
    return Hv if F.l2 is None else plus(Hv, times(F.prior(p), v))


def _first_sums(at: BackwardPass) -> tuple[Array, Params]:
    return at.cost, at.gradient()


def block_of(net: "Network", rows: Rows) -> int:
    """How many examples are passed at once: PASSES numbers for each neuron must fit BLOCK_BYTES."""
    return block_size(rows.x.shape[0], max(1, BLOCK_BYTES // (8 * PASSES * net.sizes(rows.input_shape).neurons)))
