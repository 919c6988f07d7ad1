"""How weights and biases start: one function a scheme, one table, and the default for each activation.

Every scheme draws for a layer of `n_out` neurons with `n_in` weights each: W is (n_out, n_in), b is (n_out,).
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import Array

from deltarule.errors import ConfigurationError

Initializer = Callable[..., tuple[Array, Array]]


def old(key: Array, n_out: int, n_in: int, dtype) -> tuple[Array, Array]:
    """Weights and biases N(0, 1): the first scheme of [N] ch. 1, which saturates wide layers."""
    weight_key, bias_key = jax.random.split(key)
    return jax.random.normal(weight_key, (n_out, n_in), dtype), jax.random.normal(bias_key, (n_out,), dtype)


def new(key: Array, n_out: int, n_in: int, dtype) -> tuple[Array, Array]:
    """Weights N(0, 1/n_in), biases N(0, 1): [N] ch. 3."""
    W, b = old(key, n_out, n_in, dtype)
    return W / jnp.sqrt(jnp.asarray(n_in, dtype)), b


def glorot(key: Array, n_out: int, n_in: int, dtype) -> tuple[Array, Array]:
    """Weights N(0, 2/(n_in + n_out)), biases 0: Glorot & Bengio 2010."""
    scale = jnp.sqrt(jnp.asarray(2 / (n_in + n_out), dtype))
    return scale * jax.random.normal(key, (n_out, n_in), dtype), jnp.zeros(n_out, dtype)


def he(key: Array, n_out: int, n_in: int, dtype) -> tuple[Array, Array]:
    """Weights N(0, 2/n_in), biases 0: He et al. 2015, for rectified units."""
    scale = jnp.sqrt(jnp.asarray(2 / n_in, dtype))
    return scale * jax.random.normal(key, (n_out, n_in), dtype), jnp.zeros(n_out, dtype)


def nguyen_widrow(key: Array, n_out: int, n_in: int, dtype) -> tuple[Array, Array]:
    """Directions at random, biases spread evenly: the active regions of tanh neurons tile [-1, 1]^n_in.

    Each row of W has length beta = 1.4 n_out^(1/n_in), and the biases are evenly spaced on [-beta, beta]: 0.7 as in
    Nguyen & Widrow 1990, times 2 because tanh is active for z in [-2, 2] (MATLAB's initnw). It supposes inputs in
    [-1, 1] or standardised.
    """
    beta = 1.4 * n_out ** (1 / n_in)
    direction = jax.random.uniform(key, (n_out, n_in), dtype, -1, 1)
    direction = direction / jnp.linalg.norm(direction, axis=1, keepdims=True)
    centre = jnp.linspace(-1, 1, n_out, dtype=dtype) if n_out > 1 else jnp.zeros(1, dtype)
    return beta * direction, beta * centre * jnp.sign(direction[:, 0])


INITIALIZERS: dict[str, Initializer] = {
    "old": old,
    "new": new,
    "glorot": glorot,
    "he": he,
    "nguyen-widrow": nguyen_widrow,
}

DEFAULT_INITIALIZERS: dict[str, str] = {
    "sigmoid": "new",
    "tanh": "glorot",
    "relu": "he",
    "softplus": "he",
    "linear": "glorot",
    "softmax": "glorot",
    "step": "old",
}


def get_initializer(name: str) -> Initializer:
    """The initializer of that name.

    Raises:
        ConfigurationError: the name is not in `INITIALIZERS`.
    """
    if not isinstance(name, str) or name not in INITIALIZERS:
        raise ConfigurationError(f"initializer {name!r} is not known: choose one of {', '.join(INITIALIZERS)}.")
    return INITIALIZERS[name]
