"""What kind of array a value is, told without importing JAX."""

import sys
from typing import Any

Array = Any  # numpy.ndarray, or jax.Array


def is_jax(value: Any) -> bool:
    """Whether a value is an array of JAX, traced ones among them; where JAX is not imported nothing is."""
    jax = sys.modules.get("jax")
    return jax is not None and isinstance(value, jax.Array)


def is_traced(value: Any) -> bool:
    """Whether a value stands for numbers that a compiled function will be given, so that nobody can look at it."""
    jax = sys.modules.get("jax")
    return jax is not None and isinstance(value, jax.core.Tracer)
