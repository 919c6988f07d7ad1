"""How large a network is, by the inputs that it is given: what decides the form of a step, memory and time."""

from math import prod
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from deltarule.network.layers import Shape
    from deltarule.network.network import Network


class Sizes(NamedTuple):
    """Counts of a network, and of one example that goes through it.

    Attributes:
        parameters: n.
        inputs: the numbers of an example.
        outputs: k, or T k where there are outputs at each of T steps.
        steps: T, or 1.
        neurons: the numbers that the layers hold for the way back, besides the inputs.
        products: the multiplications by weights of a forward pass, n without biases but where places share weights.
        gram: the length of the inner products behind each entry of J J^T, over all layers.
    """

    parameters: int
    inputs: int
    outputs: int
    steps: int
    neurons: int
    products: int
    gram: int


def sizes_of(net: "Network", shapes: "list[Shape]", own: "list[dict[str, Shape]]") -> Sizes:
    """Those of a network whose activations a^1, a^2, ..., a^L and whose parameters have these shapes."""
    counts = [
        (sum(map(prod, p.values())), layer.held(below), layer.multiplications(below), layer.gram_width(p, net.outputs))
        for layer, below, p in zip(net.layers, shapes[:-1], own, strict=True)
    ]
    parameters, neurons, products, gram = map(sum, zip(*counts, strict=True))
    steps = prod(shapes[-1][:-1])
    return Sizes(parameters, prod(shapes[0]), steps * net.outputs, steps, neurons, products, gram)
