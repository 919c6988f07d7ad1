"""Checks of arguments: numbers, counts, choices and arrays.

`as_numbers` reads arrays as NumPy does, but refuses those that NumPy would misread: NumPy drops imaginary parts and
masks, reads dates as numbers, and packs a sparse matrix into one object.
"""

import math
import numbers
from typing import Any

import numpy as np

from deltarule import trees
from deltarule.arrays import Array, is_jax, is_traced
from deltarule.errors import ConfigurationError, DataError

MISREAD_KINDS = {"c": "complex numbers", "m": "time spans", "M": "dates", "V": "records of several fields"}


def require_number(
    name: str,
    value: Any,
    *,
    above: float | None = None,
    least: float | None = None,
    below: float | None = None,
) -> Any:
    """Return the value as a float if `above` < value, `least` <= value and value < `below`.

    A value traced by JAX cannot be checked and is returned as it is.

    Raises:
        ConfigurationError: it is not such a number.
    """
    if is_traced(value):
        return value
    rule = "a finite number"
    if above is not None:
        rule += f" above {above:g}"
    if least is not None:
        rule += f" of at least {least:g}"
    if below is not None:
        rule += f" and below {below:g}"
    if (is_jax(value) or isinstance(value, np.ndarray)) and value.ndim == 0:
        value = value.item()
    number = float(value) if isinstance(value, numbers.Real) and not isinstance(value, bool) else math.nan
    if (
        not math.isfinite(number)
        or (above is not None and not number > above)
        or (least is not None and not number >= least)
        or (below is not None and not number < below)
    ):
        raise ConfigurationError(f"{name} must be {rule}, and is {value!r}: give such a value.")
    return number


def require_count(name: str, value: Any, least: int = 1, most: int | None = None) -> int:
    """Return the value as an int if `least` <= value <= `most`; else raise a ConfigurationError."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral) or value < least:
        raise ConfigurationError(
            f"{name} must be a whole number of at least {least}, and is {value!r}: give such a value."
        )
    count = int(value)
    if most is not None and count > most:
        raise ConfigurationError(f"{name} must be at most {most}, and is {count}: give a smaller number.")
    return count


def check_fields(
    instance: Any, *, above_0: tuple[str, ...] = (), least_0: tuple[str, ...] = (), counts: tuple[str, ...] = ()
) -> None:
    """Check fields of a frozen dataclass: numbers above 0, numbers of at least 0, or counts; a default None passes."""
    for names, rule in ((above_0, {"above": 0}), (least_0, {"least": 0}), (counts, None)):
        for name in names:
            value = getattr(instance, name)
            if value is None and instance.__dataclass_fields__[name].default is None:
                continue
            number = require_count(name, value) if rule is None else require_number(name, value, **rule)
            object.__setattr__(instance, name, number)


def require_choice(name: str, value: Any, choices: tuple[str, ...]) -> str:
    """Return the value if it is one of the choices; else raise a ConfigurationError."""
    if value not in choices:
        raise ConfigurationError(f"{name} must be one of {', '.join(choices)}, and is {value!r}: choose one of them.")
    return value


def as_numbers(name: str, values: Any, dtype: np.dtype | None = None, shape: str = "(N, n)") -> np.ndarray:
    """Return the values as an array of `dtype`; with None integers and booleans keep their type.

    A missing value (None, pandas' NA, a masked entry) becomes NaN. Values that are not real numbers are a DataError.
    """
    if type(values) is np.ndarray and values.dtype.kind == "f":
        return np.asarray(values, np.float64 if dtype is None else dtype)
    if hasattr(values, "toarray") and hasattr(values, "nnz"):
        raise DataError(f"{name} is a sparse matrix of shape {values.shape}: give {name}.toarray().")
    try:
        if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
            values = np.ma.filled(values.astype(np.float64), np.nan)
        array = values if is_jax(values) else np.asarray(values)
        require_real(name, array)
        if isinstance(array, np.ndarray) and array.dtype.kind == "O":
            array = _from_objects(values, array)
        if dtype is None:
            return np.asarray(array) if array.dtype.kind in "iub" else np.asarray(array, np.float64)
        return np.asarray(array, dtype)
    except (TypeError, ValueError, OverflowError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{name} cannot be read as numbers ({error}): give an array of shape {shape}.") from None


def as_array(name: str, values: Any, dtype: np.dtype | None = None, shape: str = "(N, n)") -> Array:
    """Return the values as `as_numbers` does, but an array of JAX unchanged."""
    if type(values) is np.ndarray or not is_jax(values):
        return as_numbers(name, values, dtype, shape)
    require_real(name, values)
    return values


def require_real(name: str, array: Array) -> None:
    """Raise a DataError if the array is of a kind that NumPy would misread as real numbers."""
    kind = array.dtype.kind
    if kind == "f":
        return
    misread = (
        MISREAD_KINDS.get(kind) if isinstance(array, np.ndarray) or kind == "c" else None
    )  # JAX's bfloat16 is a "V"
    if misread is not None:
        raise DataError(f"{name} holds {misread} ({array.dtype}): give real numbers.")


def _from_objects(values: Any, array: np.ndarray) -> np.ndarray:
    """Convert Python objects or pandas' nullable columns to floats; integers without a missing one stay integers."""
    if hasattr(values, "to_numpy"):
        floats = values.to_numpy(dtype=np.float64, na_value=np.nan)
        is_whole = getattr(getattr(values, "dtype", None), "kind", "f") in "iub" and np.isfinite(floats).all()
        return floats.astype(np.int64) if is_whole else floats
    if any(isinstance(value, complex | np.complexfloating) for value in array.flat):
        raise ValueError("it holds complex numbers")
    return np.array([np.nan if _is_missing(value) else value for value in array.flat], np.float64).reshape(array.shape)


def _is_missing(value: Any) -> bool:
    return value is None or type(value).__name__ == "NAType"


def as_dtype(dtype: Any) -> np.dtype:
    """Return float32 or float64 as a NumPy dtype; any other is a ConfigurationError."""
    try:
        numpy_dtype = np.dtype(dtype)
    except TypeError:
        numpy_dtype = None
    if numpy_dtype is None or numpy_dtype not in (np.dtype("float32"), np.dtype("float64")):
        raise ConfigurationError(f"dtype must be 'float32' or 'float64', and is {dtype!r}: choose one of them.")
    return numpy_dtype


def dtype_of(params: Any) -> np.dtype:
    """Return the dtype in which a network with these parameters computes."""
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
