"""From a user's seed to a JAX key."""

import numbers

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.core import Tracer

from deltarule.errors import ConfigurationError

SEEDS = 2**32  # JAX folds larger ones onto these without a word


def as_key(seed: int | Array) -> Array:
    """The key of a seed; a key, also one of `jax.random.PRNGKey`, is returned as it is.

    Raises:
        ConfigurationError: neither a whole number from 0 to 2³² - 1 nor one key.
    """
    if isinstance(seed, Array) and jnp.issubdtype(seed.dtype, jax.dtypes.prng_key) and seed.ndim == 0:
        return seed
    if isinstance(seed, Array) and seed.dtype == jnp.uint32 and seed.shape == (2,):
        return jax.random.wrap_key_data(seed, impl="threefry2x32")
    if isinstance(seed, Tracer):
        return jax.random.key(seed)
    if isinstance(seed, Array | np.ndarray) and seed.ndim == 0 and np.issubdtype(seed.dtype, np.integer):
        seed = int(seed)
    if isinstance(seed, bool) or not isinstance(seed, numbers.Integral) or not 0 <= seed < SEEDS:
        raise ConfigurationError(
            f"seed must be a whole number from 0 to {SEEDS - 1}, and is {seed!r}: give such a value."
        )
    return jax.random.key(int(seed))
