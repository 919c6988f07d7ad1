"""Sensitivities: the exact derivatives of a network's outputs by its inputs."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from deltarule import engine
from deltarule.arrays import Array
from deltarule.errors import ConfigurationError
from deltarule.network.backprop import Params
from deltarule.network.layers.jet import Components, Jet

if TYPE_CHECKING:
    from deltarule.network.network import Network


class Derivatives(NamedTuple):
    """u (N, k), du (N, k, d) and d2u (N, k, d, d); None for derivatives that were not computed."""

    u: Array
    du: Array | None
    d2u: Array | None


def require_smooth(net: "Network") -> None:
    """Raise a ConfigurationError unless every layer is Dense and its activation has four derivatives."""
    for i, layer in enumerate(net.layers):
        if not layer.has_jets or len(layer.sigma.higher) < 2:
            raise ConfigurationError(
                f"layer {i} is {layer!r}, and derivatives by the inputs need Dense layers with smooth activations: use "
                "tanh, sigmoid, softplus, exponential or linear, or give your own Activation(higher=...)."
            )


def derivatives(params: Params, x: Array, *, net: "Network") -> Derivatives:
    """The outputs and their first and second derivatives at x (N, d)."""
    E = engine.of_params(params)
    d = x.shape[1]
    components = Components.covering([(i, j) for i in range(d) for j in range(i, d)])
    a = E.put(components.seed(x, np.zeros(d, x.dtype), np.ones(d, x.dtype)))
    for layer, p in zip(net.layers, params, strict=True):
        a = Jet(layer, components).forward(p, a).a  # pyright: ignore[reportArgumentType]
    return arranged(a, components, d)


def arranged(jet: Array, components: Components, d: int) -> Derivatives:
    """A jet (N, C, k) with all components, as arrays of outputs, first and second derivatives."""
    xp = jet.__array_namespace__()
    du = xp.stack([jet[:, components.place((i,))] for i in range(d)], axis=-1)
    rows = [xp.stack([jet[:, components.place((i, j))] for j in range(d)], axis=-1) for i in range(d)]
    return Derivatives(jet[:, 0], du, xp.stack(rows, axis=-2))
