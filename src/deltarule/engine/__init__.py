"""The two engines: NumPy computes small and middle-sized work at once, JAX compiles long and large trainings.

Every equation is written once, for the arrays of either: `xp = z.__array_namespace__()` is `numpy` or `jax.numpy`. The
engine of an array, `engine.of(z)`, has the functions that these namespaces lack:

    numpy_engine    plain arrays, Python loops, LAPACK through SciPy; compiles nothing and pads nothing
    jax_engine      the extra `jax`: compiled functions and loops, GPUs, several devices and processes

Both are modules with the same functions. JAX is imported only when its engine is first used.
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
Engine = Any  # a module: numpy_engine or jax_engine


class _EngineOfType(dict[type, Engine]):
    def __missing__(self, kind: type) -> Engine:
        self[kind] = numpy_engine if issubclass(kind, np.ndarray | np.generic | float | int) else get("jax")
        return self[kind]


ENGINE_OF_TYPE = _EngineOfType()  # by the type of an array; a dict, because a debugger would step into a function


def of(array: Any) -> Engine:
    """The engine of an array; Python's numbers belong to NumPy's."""
    return ENGINE_OF_TYPE[type(array)]


def of_params(params: Any) -> Engine:
    """The engine of a network's parameters; NumPy's if it has none."""
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
    """Raise a ConfigurationError unless JAX is installed."""
    if not jax_is_installed():
        raise ConfigurationError(
            "the JAX engine, for GPUs, several devices and Optax's rules, needs the package jax, which is not "
            f"installed: {how_to_install('jax')}."
        )


def jax_is_installed() -> bool:
    """Whether JAX is installed, without importing it."""
    return "jax" in sys.modules or find_spec("jax") is not None
