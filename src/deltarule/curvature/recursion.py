"""The Jacobian of outputs at every step of sequences, by the recursion that goes forward with them (RTRL).

    S_t = dh_t/dp = diag(sigma'(z_t)) (V S_{t-1} + [x_t, h_{t-1}, 1] in the places of W, V, b)                   (RTRL)

and the rows of J are read off S_t. It carries one tangent for each parameter, (BPTT) one error for each residual: of a
network of n parameters with k outputs at each of T steps the recursion costs n and backpropagation T k runs through the
sequence, so it is taken where n < T k.
"""

from typing import TYPE_CHECKING

from deltarule import trees
from deltarule.arrays import Array
from deltarule.network import backprop
from deltarule.network.backprop import Params

if TYPE_CHECKING:
    from deltarule.curvature.linearization import Linearization
    from deltarule.network.network import Network


def is_cheaper(net: "Network", params: Params, lin: "Linearization") -> bool:
    """Whether there are fewer parameters than residuals of an example, and every layer can go forward."""
    if lin.r.ndim < 3 or not all(layer.unit_tangents for layer in net.layers):
        return False
    return trees.size(params) < lin.r.shape[1] * lin.r.shape[2]


def jacobian_transpose(net: "Network", params: Params, lin: "Linearization") -> Array:
    """J^T, (n, m T k), rows in the order of `trees.ravel(params)`: S^T dz^L as each parameter moves by one."""
    da = dz = None
    for layer, p, a_prev, here in zip(
        net.layers, params, backprop.inputs_of(lin.x, lin.passes), lin.passes, strict=True
    ):
        dz, da = layer.unit_tangent(p, a_prev, here, da)
    assert dz is not None
    return (lin.S * dz[..., None]).sum(axis=-2).reshape(len(dz), -1)
