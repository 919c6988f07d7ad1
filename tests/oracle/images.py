"""Convolution and pooling stated a second time, by XLA's own primitives: nothing here comes from deltarule.

Automatic differentiation of these is the oracle for the layers' hand-written derivatives.
"""

import numpy as np

from oracle.plain_network import activation, jax

jnp, lax = jax.numpy, jax.lax


def convolution(W, b, a, stride, padding):
    """z (m, H', W', f) of kernels W (f, h, w, c) on images a (m, H, W, c)."""
    layout = ("NHWC", "OHWI", "NHWC")
    return lax.conv_general_dilated(a, W, stride, padding.upper(), dimension_numbers=layout) + b


def pool(kind, a, size, stride, padding):
    """The maximum, mean or Euclidean norm of each window."""
    window, move = (1, *size, 1), (1, *stride, 1)
    if kind == "MaxPool":
        return lax.reduce_window(a, -jnp.inf, lax.max, window, move, padding.upper())
    if kind == "MeanPool":
        count = lax.reduce_window(jnp.ones_like(a), 0.0, lax.add, window, move, padding.upper())
        return lax.reduce_window(a, 0.0, lax.add, window, move, padding.upper()) / count
    return jnp.sqrt(lax.reduce_window(a * a, 0.0, lax.add, window, move, padding.upper()))


def outputs(stack, params, x):
    """a^L of a stack of layers given as tuples: their kind, then what the functions above take."""
    a = x
    for (kind, *rest), p in zip(stack, params, strict=True):
        if kind == "Convolution":
            name, *geometry = rest
            a = activation(jnp, name, convolution(p["W"], p["b"], a, *geometry))
        elif kind == "Dense":
            a = activation(jnp, rest[0], a.reshape(len(a), -1) @ p["W"].T + p["b"])
        else:
            a = pool(kind, a, *rest)
    return a


def random_params(draw: np.random.Generator, shapes):
    """Normal numbers for each layer's {name: shape}, weights scaled by the square root of a neuron's inputs."""
    return [
        {name: draw.normal(size=s) / np.sqrt(max(1, np.prod(s[1:]))) for name, s in layer.items()} for layer in shapes
    ]
