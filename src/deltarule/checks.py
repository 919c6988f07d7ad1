"""What a user gives, checked once: numbers, counts, choices and arrays.

A check says the argument, the rule, the value found and what to do. `as_numbers` reads as an array what NumPy reads,
but refuses what NumPy would misread: NumPy drops imaginary parts and masks, takes dates for numbers, and packs a sparse
matrix into one object. Each of these would train a network on something else than what was given.
"""

import math
import numbers
from typing import Any

import numpy as np

from deltarule import trees
from deltarule.arrays import Array, is_jax, is_traced
from deltarule.errors import ConfigurationError, DataError

REFUSED = {"c": "complex numbers", "m": "time spans", "M": "dates", "V": "records of several fields"}


def require_number(
    name: str,
    value: Any,
    *,
    above: float | None = None,
    least: float | None = None,
    below: float | None = None,
) -> Any:
    """The value as a float with `above` < value, `least` <= value and value < `below`; else a ConfigurationError. A
    value traced by JAX cannot be looked at and passes unchecked.
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
    """The value as an int of at least `least` and at most `most`; else a ConfigurationError."""
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
    """Check these fields of a frozen dataclass, as numbers above 0, of at least 0, or counts; None stays a default."""
    for names, rule in ((above_0, {"above": 0}), (least_0, {"least": 0}), (counts, None)):
        for name in names:
            value = getattr(instance, name)
            if value is None and instance.__dataclass_fields__[name].default is None:
                continue
            number = require_count(name, value) if rule is None else require_number(name, value, **rule)
            object.__setattr__(instance, name, number)


def require_choice(name: str, value: Any, choices: tuple[str, ...]) -> str:
    """The value, if it is one of the choices; else a ConfigurationError."""
    if value not in choices:
        raise ConfigurationError(f"{name} must be one of {', '.join(choices)}, and is {value!r}: choose one of them.")
    return value


def as_numbers(name: str, values: Any, dtype: np.dtype | None = None, shape: str = "(N, n)") -> np.ndarray:
    """The values as an array of `dtype`; with None whole numbers and truth values stay what they are. A missing value
    (None, pandas' NA, a masked entry) becomes NaN. A DataError if they are no numbers that have a place in a network.
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
    """As `as_numbers`, but an array of JAX stays one."""
    if type(values) is np.ndarray or not is_jax(values):
        return as_numbers(name, values, dtype, shape)
    require_real(name, values)
    return values


def require_real(name: str, array: Array) -> None:
    """Raise a DataError if the array is of a kind that NumPy casts to numbers of another meaning."""
    kind = array.dtype.kind
    if kind == "f":
        return
    what = REFUSED.get(kind) if isinstance(array, np.ndarray) or kind == "c" else None  # JAX's bfloat16 is a "V"
    if what is not None:
        raise DataError(f"{name} holds {what} ({array.dtype}): give real numbers.")


def _from_objects(values: Any, array: np.ndarray) -> np.ndarray:
    """Numbers from Python objects, pandas' nullable columns among them; whole numbers without a gap stay whole."""
    if hasattr(values, "to_numpy"):
        numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
        whole = getattr(getattr(values, "dtype", None), "kind", "f") in "iub" and np.isfinite(numbers).all()
        return numbers.astype(np.int64) if whole else numbers
    if any(isinstance(value, complex | np.complexfloating) for value in array.flat):
        raise ValueError("it holds complex numbers")
    return np.array([np.nan if _is_missing(value) else value for value in array.flat], np.float64).reshape(array.shape)


def _is_missing(value: Any) -> bool:
    return value is None or type(value).__name__ == "NAType"


def as_dtype(dtype: Any) -> np.dtype:
    """float32 or float64 as a NumPy dtype; of any other a ConfigurationError."""
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
