"""The two engines that compute: NumPy, for small and middle-sized work at once, and JAX, for what is worth compiling.

The mathematics stands once, written against the arrays that it is given: `xp = z.__array_namespace__()` is `numpy` or
`jax.numpy`. What that namespace has no name for is asked of the engine of an array, `engine.of(z)`:

    numpy_engine    plain arrays, Python loops, LAPACK through SciPy; nothing compiles and nothing is padded
    jax_engine      the extra `jax`: compiled functions and loops, GPUs, devices, processes

Both are modules with the same names, `Engine` below. JAX is imported where its engine is asked for, and nowhere else.
"""

import sys
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np

from deltarule.checks import require_choice
from deltarule.engine import numpy_engine
from deltarule.errors import ConfigurationError, how_to_install

ENGINES = ("numpy", "jax")
Engine = Any  # a module: numpy_engine, or jax_engine


class _EngineOfType(dict[type, Engine]):
    def __missing__(self, kind: type) -> Engine:
        self[kind] = numpy_engine if issubclass(kind, np.ndarray | np.generic | float | int) else get("jax")
        return self[kind]


ENGINE_OF_TYPE = (
    _EngineOfType()
)  # the engine of each type of array, found once; a dict, so that a debugger does not stop in it


def of(array: Any) -> Engine:
    """The engine whose array this is; Python's own numbers are NumPy's."""
    return ENGINE_OF_TYPE[type(array)]


def of_params(params: Any) -> Engine:
    """The engine of a network's parameters; NumPy's where a network has none."""
    for layer in params:
        for array in layer.values():
            return of(array)
    return numpy_engine


def get(name: str) -> Engine:
    """The engine of that name; a ConfigurationError if it is not in `ENGINES`, or JAX is not installed."""
    if require_choice("engine", name, ENGINES) == "numpy":
        return numpy_engine
    require_jax()
    return import_module("deltarule.engine.jax_engine")


def require_jax() -> None:
    """Raise a ConfigurationError unless the extra `jax` is there."""
    if not jax_is_installed():
        raise ConfigurationError(
            "the JAX engine, which GPUs, several devices and Optax rules need, needs the package jax, which is not "
            f"installed: {how_to_install('jax')}."
        )


def jax_is_installed() -> bool:
    """Whether the extra `jax` is there; it is not imported to find out."""
    return "jax" in sys.modules or find_spec("jax") is not None
