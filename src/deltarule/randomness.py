"""From a user's seed to a JAX key."""

import numbers

import jax
from jax import Array

from deltarule.errors import ConfigurationError

SEEDS = 2**32  # JAX folds larger ones onto these without a word


def as_key(seed: int | Array) -> Array:
    """The key of a seed; a key is returned as it is.

    Raises:
        ConfigurationError: not a whole number from 0 to 2³² - 1.
    """
    if isinstance(seed, Array):
        return seed
    if isinstance(seed, bool) or not isinstance(seed, numbers.Integral) or not 0 <= seed < SEEDS:
        raise ConfigurationError(
            f"seed must be a whole number from 0 to {SEEDS - 1}, and is {seed!r}: give such a value."
        )
    return jax.random.key(int(seed))
