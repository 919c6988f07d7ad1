"""What must be the same for a training to go on from a checkpoint: each setting in words, the data as digests.

Numbers of epochs, time limits and callbacks may change. Functions (schedules, Optax rules) are known by their name and
by the values they enclose, so `optax.adam(1.0, b1=0.8)` differs from `optax.adam(1.0)`.
"""

import dataclasses
import hashlib
import numbers
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

from deltarule.backprop import Params
from deltarule.devices import pieces, sum_over_processes
from deltarule.rows import Rows

if TYPE_CHECKING:
    from deltarule.session import Session

Fingerprint = dict[str, str]
DEEPEST = 12  # of values enclosed in functions enclosed in functions


def fingerprint(session: "Session", starts: list[Params], seed: Any) -> Fingerprint:
    """The settings of a training by name, those that people change first."""
    trainer = session.trainer
    assert dataclasses.is_dataclass(trainer)
    names = [field.name for field in dataclasses.fields(trainer)]
    rules = ("goal", "min_grad", "max_fail")
    return {
        "network": "-".join(in_words(layer) for layer in session.net.layers),
        "cost": in_words(session.net.cost),
        "trainer": type(trainer).__name__,
        **{name: in_words(getattr(trainer, name)) for name in names},
        "seed": in_words(seed),
        "dtype": str(session.rows.x.dtype),
        "restarts": str(len(starts)),
        "monitor": session.monitor,
        "record": in_words(session.recorded),
        **{f"Stopping.{name}": in_words(getattr(session.stopping, name)) for name in rules},
        "training data": _rows_in_words(session.rows),
        "validation data": "none" if session.validation is None else _rows_in_words(session.validation),
        "initial parameters": digest(jax.tree.leaves(starts)),
    }


def digest(arrays: Iterable[Any]) -> str:
    """16 hexadecimal digits that differ where a dtype, a shape or a value of the arrays does."""
    summed = hashlib.blake2b(digest_size=8)
    for array in arrays:
        array = np.asarray(array)
        summed.update(f"{array.dtype}{array.shape}".encode())
        summed.update(np.ascontiguousarray(array).data)
    return summed.hexdigest()


def in_words(value: Any, depth: int = 0) -> str:
    """A setting as text that is the same in another process."""
    if value is None or isinstance(value, bool | str):
        return str(value)
    if isinstance(value, jax.Array) and jnp.issubdtype(value.dtype, jax.dtypes.prng_key):
        value = jax.random.key_data(value)
    if isinstance(value, jax.Array | np.ndarray | np.generic):
        return repr(value.item()) if value.ndim == 0 else digest([value])
    if isinstance(value, numbers.Number):
        return repr(value)
    if depth > DEEPEST:
        return type(value).__name__
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = [(field.name, getattr(value, field.name), field.default) for field in dataclasses.fields(value)]
        given = [f"{name}={in_words(entry, depth + 1)}" for name, entry, default in fields if entry is not default]
        return f"{type(value).__name__}({', '.join(given)})"
    if isinstance(value, tuple | list):
        return f"[{', '.join(in_words(entry, depth + 1) for entry in value)}]"
    if callable(value) and hasattr(value, "__code__"):
        return f"{value.__module__}.{value.__qualname__}({', '.join(_enclosed(value, depth + 1))})"
    return type(value).__name__


def _enclosed(function: Any, depth: int) -> list[str]:
    """The values that a function closes over, its defaults, and the numbers written in it."""
    cells = [cell.cell_contents for cell in function.__closure__ or () if _is_filled(cell)]
    written = [number for number in function.__code__.co_consts if isinstance(number, int | float)]
    return [in_words(value, depth) for value in (*cells, *(function.__defaults__ or ()), *written)]


def _is_filled(cell: Any) -> bool:
    try:
        return cell.cell_contents is not cell
    except ValueError:  # a name that is never bound
        return False


def _rows_in_words(rows: Rows) -> str:
    """Shape and digest of the examples, without padding, however they are divided among devices and processes."""
    width = "x".join(str(size) for size in rows.x.shape[1:])
    shape = f"{int(rows.count)} rows of {width} inputs and {rows.y.shape[1]} targets"
    summed = sum_over_processes(np.array(_row_sums(rows), np.uint64))
    return f"{shape}, digest {''.join(f'{int(number):016x}' for number in summed)}"


def _row_sums(rows: Rows) -> list[int]:
    """One 64-bit sum each of inputs, targets and weights over this process's examples, their numbers mixed in.

    Sums of processes add up to the sum of all, in whatever parts the examples lie.
    """
    sums = []
    for array in (rows.x, rows.y, rows.weight):
        own = pieces(rows, array) if array is not None else ()
        sums.append(sum(_numbered_sum(first, held) for first, held in own) % 2**64)
    return sums


def _numbered_sum(first: int, held: np.ndarray) -> int:
    """sum_i g_i sum_j h_j bits_ij modulo 2^64, with odd multipliers h of the columns and g of the row numbers."""
    words = np.ascontiguousarray(held).reshape(len(held), -1).view(f"u{held.dtype.itemsize}").astype(np.uint64)
    columns = _multipliers(np.arange(words.shape[1], dtype=np.uint64))
    code = _mixed((words ^ (words >> np.uint64(29))) @ columns)
    return int((code * _multipliers(np.arange(first, first + len(held), dtype=np.uint64))).sum(dtype=np.uint64))


def _multipliers(number: np.ndarray) -> np.ndarray:
    """An odd 64-bit number for each whole number."""
    return _mixed(number + np.uint64(1)) | np.uint64(1)


def _mixed(number: np.ndarray) -> np.ndarray:
    """Splitmix64, which lets every bit in change every bit out."""
    number = number * np.uint64(0x9E3779B97F4A7C15)
    number = (number ^ (number >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    number = (number ^ (number >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return number ^ (number >> np.uint64(31))
