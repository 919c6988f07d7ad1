"""Which floating-point precision a computation runs in: a network computes in its parameters' dtype."""

from typing import Any

import numpy as np

from deltarule import trees
from deltarule.errors import ConfigurationError


def as_dtype(dtype: Any) -> np.dtype:
    """float32 or float64 as a NumPy dtype.

    Raises:
        ConfigurationError: any other dtype.
    """
    try:
        found = np.dtype(dtype)
    except TypeError:
        found = None
    if found is None or found not in (np.dtype("float32"), np.dtype("float64")):
        raise ConfigurationError(f"dtype must be 'float32' or 'float64', and is {dtype!r}.")
    return found


def dtype_of(params: Any) -> np.dtype:
    """The dtype that a network with these parameters computes in."""
    leaves = trees.leaves(params)
    if not leaves:
        raise ConfigurationError("the parameters hold no arrays: make them with net.init(seed, input_shape).")
    try:
        dtypes = {leaf.dtype for leaf in leaves}
        return dtypes.pop() if len(dtypes) == 1 else np.result_type(*dtypes)
    except AttributeError:
        kinds = sorted({type(leaf).__name__ for leaf in leaves if not hasattr(leaf, "dtype")})
        raise ConfigurationError(
            f"the parameters hold {', '.join(kinds)} where arrays belong: give a list with one dict of arrays for each "
            "layer, as net.init makes it."
        ) from None
