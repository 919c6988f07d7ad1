"""Nielsen's chapter 2: the gradient of 784-30-10 by backpropagation, and by one difference for each of 23,860 weights.

`deltarule reproduce nielsen-2` times both for five sizes and draws the figure.
"""

import time

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

import deltarule as dr

net = dr.Network([dr.Dense(30, "sigmoid"), dr.Dense(10, "sigmoid")])
params = net.init(0, input_shape=(784,))
x, y = np.random.default_rng(0).uniform(size=(1, 784)), np.eye(10)[[3]]
w, unravel = ravel_pytree(params)


@jax.jit
def by_differences(w, h=1e-2):
    """(C(w + h e_j) - C(w - h e_j)) / 2h for every weight and bias: 2n forward passes."""

    def cost(w):
        return jnp.sum((net(unravel(w), x) - y) ** 2) / 2

    return jax.lax.map(lambda j: (cost(w.at[j].add(h)) - cost(w.at[j].add(-h))) / (2 * h), jnp.arange(w.size))


for name, compute in {
    "backpropagation": lambda: ravel_pytree(net.cost_and_gradient(params, x, y)[1])[0],
    "differences": lambda: by_differences(w),
}.items():
    compute().block_until_ready()  # compile first
    started = time.perf_counter()
    gradient = compute().block_until_ready()
    print(f"{name}: {1000 * (time.perf_counter() - started):.2f} ms, dC/db of the first output {gradient[-10]:+.6f}")
