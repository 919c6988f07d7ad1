"""The settings that must be the same for a training to resume from a checkpoint: each as text, the data as digests.

Numbers of epochs, time limits and callbacks may change. Functions (schedules, Optax rules) are compared by their names
and the values in their closures, so `optax.adam(1.0, b1=0.8)` differs from `optax.adam(1.0)`; code is not compared.
"""

import dataclasses
import functools
import hashlib
import inspect
import numbers
from collections.abc import Iterable
from types import CellType
from typing import TYPE_CHECKING, Any

import numpy as np

from deltarule import engine, trees
from deltarule.arrays import is_jax, is_key, key_data
from deltarule.data.row_codes import rows_checksum
from deltarule.engine.rows import Rows
from deltarule.network.backprop import Params

if TYPE_CHECKING:
    from deltarule.data.stream import Stream
    from deltarule.training.loop import Course

Fingerprint = dict[str, str]
EMPTY = CellType()  # the closure cell of a name that is never bound
DEEPEST = 12  # levels of closures within closures
SAMPLED = 32  # blocks of a stream that are read for its digest


def fingerprint(course: "Course", starts: list[Params], seed: Any, dtype: Any, training_data: str) -> Fingerprint:
    """Return the settings of a training by name, the most often changed first."""
    trainer: Any = course.trainer
    rules = ("goal", "min_grad", "max_fail")
    return {
        "engine": course.engine.name,
        "network": "-".join(describe(layer) for layer in course.net.layers),
        "cost": describe(course.net.cost),
        "trainer": type(trainer).__name__,
        **{field.name: describe(getattr(trainer, field.name)) for field in dataclasses.fields(trainer)},
        "seed": describe(seed),
        "dtype": str(dtype),
        "restarts": str(len(starts)),
        "monitor": course.monitor,
        "record": describe(course.recorded),
        **{f"Stopping.{name}": describe(getattr(course.rules, name)) for name in rules},
        "training data": training_data,
        "validation data": "none" if course.validation is None else describe_rows(course.validation),
        "initial parameters": digest(trees.leaves(starts)),
    }


def digest(arrays: Iterable[Any]) -> str:
    """Return 16 hexadecimal digits that depend on every dtype, shape and value of the arrays."""
    hashed = hashlib.blake2b(digest_size=8)
    for array in arrays:
        array = np.asarray(array)
        hashed.update(f"{array.dtype}{array.shape}".encode())
        hashed.update(np.ascontiguousarray(array).data)
    return hashed.hexdigest()


def describe(value: Any, depth: int = 0) -> str:
    """Return a setting as text that is the same in every process."""

    def each(values: Iterable[Any]) -> str:
        return ", ".join(describe(value, depth + 1) for value in values)

    if value is None or isinstance(value, bool | str):
        return str(value)
    if is_key(value):
        value = key_data(value)
    if is_jax(value) or isinstance(value, np.ndarray | np.generic):
        return repr(value.item()) if value.ndim == 0 else digest([value])
    if isinstance(value, numbers.Number):
        return repr(value)
    if depth > DEEPEST:
        return type(value).__name__
    if isinstance(value, tuple | list):
        return f"[{each(value)}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {each([entry])}' for key, entry in value.items())}}}"
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = [(field.name, getattr(value, field.name), field.default) for field in dataclasses.fields(value)]
        changed = [f"{name}={each([entry])}" for name, entry, default in fields if entry is not default]
        return f"{type(value).__name__}({', '.join(changed)})"
    name = getattr(value, "__qualname__", getattr(value, "__name__", type(value).__name__))
    return f"{getattr(value, '__module__', '')}.{name}({each(_closure(value))})"


def _closure(value: Any) -> list[Any]:
    """The values that distinguish a function or a callable object from others of the same name."""
    if inspect.isfunction(value) or inspect.ismethod(value):
        cells = [cell.cell_contents for cell in value.__closure__ or () if cell != EMPTY]
        return [getattr(value, name, None) for name in ("__self__", "__defaults__", "__kwdefaults__")] + cells
    if isinstance(value, functools.partial):
        return [value.func, value.args, value.keywords]
    if hasattr(value, "__wrapped__"):  # such as a function that jax.jit returned
        return [value.__wrapped__]
    call = inspect.getattr_static(type(value), "__call__", None)
    # Only attributes of callable objects count: those of others, such as a logger, may be no settings.
    return [getattr(value, "__dict__", {})] if inspect.isfunction(call) else []


def describe_rows(rows: Rows) -> str:
    """Return shape and digest of the examples without padding, the same however devices and processes divide them."""
    E, sums = engine.of(rows.x), []
    for array in (rows.x, rows.y, rows.weight):
        pieces = E.local_rows(rows, array) if array is not None else ()
        sums.append(sum(rows_checksum(first, piece) for first, piece in pieces) % 2**64)
    width = "x".join(str(size) for size in rows.x.shape[1:])
    return f"{int(rows.count)} rows of {width} inputs and {rows.y.shape[1]} targets, digest {_total_digest(E, sums)}"


def describe_stream(E: Any, whole: "Stream", share: "Stream") -> str:
    """Return shape and digest of a stream's examples; how processes share its blocks does not matter.

    Batches depend on the sizes of the blocks, so these are compared as well. The digest is that of all rows if a pass
    over them has computed it; else that of the first piece of `SAMPLED` evenly spread blocks, of which each process
    reads those in its own share.
    """
    count, sizes = len(whole.blocks), str([block.rows for block in whole.blocks]).encode()
    columns = f"{len(whole)} rows of {whole.inputs} inputs and {whole.targets} targets"
    shape = f"a stream of {columns} in {count} blocks ({hashlib.blake2b(sizes, digest_size=4).hexdigest()})"
    if whole.digest is not None:
        return f"{shape}, digest {whole.digest}"
    own_blocks, sums = set(share.blocks), [0, 0]
    numbers = np.unique(np.linspace(0, count - 1, SAMPLED).round().astype(int))
    firsts = np.cumsum([0, *(block.rows for block in whole.blocks)])
    for number in numbers:
        if (block := whole.blocks[number]) in own_blocks:
            first, arrays = int(firsts[number]), next(iter(whole.pieces(block)))
            sums = [(total + rows_checksum(first, array)) % 2**64 for total, array in zip(sums, arrays, strict=True)]
    return f"{shape}, digest {_total_digest(E, sums)} of {len(numbers)} blocks of {count}"


def _total_digest(E: Any, sums: list[int]) -> str:
    """Add the 64-bit sums of all processes and return them in hexadecimal digits."""
    return "".join(f"{int(number):016x}" for number in E.sum_over_processes(np.array(sums, np.uint64)))
