"""H v, the exact second derivative of the cost along a line, as the tangent of the hand-written gradient.

Every quantity of BP1-BP4 is differentiated once more along p + t v, which Pearlmutter 1994 writes as R{·}: a forward
pass of tangents, then

    R{delta^L} = d(∇_a C ⊙ sigma'(z^L))                                       from the cost
    R{dC/da^{l-1}} = (W^l)^T R{delta^l} + (V^l)^T delta^l                     (BP2'), V the part of v that moves W
    R{delta^l} = R{dC/da^l} ⊙ sigma'(z^l) + dC/da^l ⊙ sigma''(z^l) ⊙ R{z^l}   (BP2)
    R{dC/dW^l_jk} = a^{l-1}_k R{delta^l_j} + R{a^{l-1}_k} delta^l_j           (BP4)

H v costs about twice a gradient, forms no matrix and approximates nothing: where H is indefinite, so is the product.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from deltarule.arrays import Array
from deltarule.network import backprop
from deltarule.network.backprop import Params
from deltarule.network.layers import Pass
from deltarule.trees import register

if TYPE_CHECKING:
    from deltarule.network.network import Network


@dataclass(frozen=True)
class BackwardPass:
    """A block of examples forward and back: cost = sum_i w_i C_i, and delta^l and dC/da^l of every layer, weights w_i
    included. dC_da[i] belongs to net.layers[i]; the last layer has none, because the cost gives its delta (BP1).
    """

    net: "Network"
    y: Array
    weight: Array
    passes: list[Pass]
    cost: Array
    deltas: list[Array]
    dC_da: list[Array]

    def gradient(self) -> Params:
        """BP3 and BP4."""
        return backprop.gradients(self.net, self.passes, self.deltas)

    def hessian_product(self, v: Params) -> Params:
        """H v of the cost of these examples, in the shape of the parameters."""
        net, layers, passes = self.net, self.net.layers, self.passes
        tangents, out = backprop.tangents(net, passes, v), passes[-1]
        ddelta = net.cost.output_error_tangent(net.output_activation, out.z, out.a, self.y, tangents[-1].dz)
        ddeltas = [backprop.with_trailing_axes(self.weight, ddelta) * ddelta]
        for i in range(len(layers) - 1, 0, -1):
            ddC_da = layers[i].propagate_tangent(passes[i], tangents[i], self.deltas[i], ddeltas[0])
            ddeltas.insert(0, layers[i - 1].error_tangent(passes[i - 1], tangents[i - 1], self.dC_da[i - 1], ddC_da))
        parts = zip(layers, passes, tangents, self.deltas, ddeltas, strict=True)
        return [layer.gradient_tangent(values, tangent, d, dd) for layer, values, tangent, d, dd in parts]


register(BackwardPass, leaves=("y", "weight", "passes", "cost", "deltas", "dC_da"))


def backward_pass(net: "Network", params: Params, x: Array, y: Array, weight: Array) -> BackwardPass:
    """Run the examples forward and back by BP1 and BP2, and keep everything; x (m, ...), y (m, k), weight (m,)."""
    passes = backprop.forward(net, params, x)
    out = passes[-1]
    cost = (weight * backprop.output_cost(net, out, y)).sum()
    delta = net.cost.output_error(net.output_activation, out.z, out.a, y)
    deltas = [backprop.with_trailing_axes(weight, delta) * delta]
    dC_da: list[Array] = []
    for i in range(len(net.layers) - 1, 0, -1):
        dC_da.insert(0, net.layers[i].propagate(passes[i], deltas[0]))
        deltas.insert(0, net.layers[i - 1].error(passes[i - 1], dC_da[0]))
    return BackwardPass(net, y, weight, passes, cost, deltas, dC_da)
