"""What kind of array a value is, found out without importing JAX."""

import sys
from typing import Any

import numpy as np

Array = Any  # numpy.ndarray, or jax.Array


def is_jax(value: Any) -> bool:
    """Whether a value is an array of JAX, or a tracer of one."""
    jax = sys.modules.get("jax")
    return jax is not None and isinstance(value, jax.Array)


def is_traced(value: Any) -> bool:
    """Whether a value is one of JAX's tracers, whose numbers are not known while a function is compiled."""
    jax = sys.modules.get("jax")
    return jax is not None and isinstance(value, jax.core.Tracer)


def is_key(value: Any) -> bool:
    """Whether a value is a key of JAX's random numbers, or an array of keys."""
    return is_jax(value) and not hasattr(value.dtype, "kind")


def key_data(key: Any) -> np.ndarray:
    """The whole numbers that make a key of JAX, uint32."""
    return np.asarray(sys.modules["jax"].random.key_data(key))


def wrap_key(words: np.ndarray, like: Any) -> Any:
    """The key of JAX that is made of these numbers, for the generator of the key `like`."""
    jax = sys.modules["jax"]
    return jax.random.wrap_key_data(jax.numpy.asarray(words), impl=jax.random.key_impl(like))
