"""The normal equations of one Gauss-Newton step, J^T J and J^T r."""

from typing import TYPE_CHECKING, NamedTuple

from deltarule import engine
from deltarule.arrays import Array
from deltarule.curvature.linearization import Linearization, linearize
from deltarule.network.backprop import Params

if TYPE_CHECKING:
    from deltarule.network.network import Network


class NormalEquations(NamedTuple):
    """sum_i w_i C_i, J^T r (n,) and J^T J (n, n)."""

    cost: Array
    gradient: Array
    hessian: Array


def normal_equations(net: "Network", params: Params, x: Array, y: Array, weight: Array) -> NormalEquations:
    """Those of some examples; summed over blocks, memory is n² and one block's J, however many examples there are."""
    return equations_at(linearize(net, params, x, y, weight))[0]


def equations_at(lin: Linearization) -> tuple[NormalEquations, Array]:
    """Those of a linearization, and J^T (n, m k)."""
    J = lin.jacobian_transpose()
    return NormalEquations(lin.cost, J @ lin.r.reshape(-1), engine.of(lin.r).symmetric_product(J)), J
