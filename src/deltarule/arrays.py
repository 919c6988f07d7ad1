"""What kind of array a value is, told without importing JAX."""

import sys
from typing import Any

import numpy as np

Array = Any  # numpy.ndarray, or jax.Array


def is_jax(value: Any) -> bool:
    """Whether a value is an array of JAX, traced ones among them; where JAX is not imported nothing is."""
    jax = sys.modules.get("jax")
    return jax is not None and isinstance(value, jax.Array)


def is_key(value: Any) -> bool:
    """Whether a value is a key, or an array of keys, of JAX's random numbers."""
    return is_jax(value) and not hasattr(value.dtype, "kind")


def key_words(key: Any) -> np.ndarray:
    """The whole numbers that a key of JAX is made of, uint32."""
    return np.asarray(sys.modules["jax"].random.key_data(key))


def key_of(words: np.ndarray, like: Any) -> Any:
    """The key of JAX that is made of these numbers, of the same kind as another one."""
    jax = sys.modules["jax"]
    return jax.random.wrap_key_data(jax.numpy.asarray(words), impl=jax.random.key_impl(like))


def is_traced(value: Any) -> bool:
    """Whether a value stands for numbers that a compiled function will be given, so that nobody can look at it."""
    jax = sys.modules.get("jax")
    return jax is not None and isinstance(value, jax.core.Tracer)
