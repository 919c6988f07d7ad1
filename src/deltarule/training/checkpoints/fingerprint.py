"""What must be the same for a training to go on from a checkpoint: each setting in words, the data as digests.

Numbers of epochs, time limits and callbacks may change. Functions (schedules, Optax rules) are known by their name and
the values that they enclose, so that `optax.adam(1.0, b1=0.8)` differs from `optax.adam(1.0)`; code is not compared.
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
from deltarule.data.row_codes import row_sum
from deltarule.engine.rows import Rows
from deltarule.network.backprop import Params

if TYPE_CHECKING:
    from deltarule.data.stream import Stream
    from deltarule.training.loop import Course

Fingerprint = dict[str, str]
EMPTY = CellType()  # of a name that is never bound
DEEPEST = 12  # of values enclosed in functions enclosed in functions
SAMPLED = 32  # blocks of a stream that are read for its digest


def fingerprint(course: "Course", starts: list[Params], seed: Any, dtype: Any, training_data: str) -> Fingerprint:
    """The settings of a training by name, those that people change first; its examples as `rows_in_words` has them."""
    trainer: Any = course.trainer
    rules = ("goal", "min_grad", "max_fail")
    return {
        "engine": course.engine.name,
        "network": "-".join(in_words(layer) for layer in course.net.layers),
        "cost": in_words(course.net.cost),
        "trainer": type(trainer).__name__,
        **{field.name: in_words(getattr(trainer, field.name)) for field in dataclasses.fields(trainer)},
        "seed": in_words(seed),
        "dtype": str(dtype),
        "restarts": str(len(starts)),
        "monitor": course.monitor,
        "record": in_words(course.recorded),
        **{f"Stopping.{name}": in_words(getattr(course.rules, name)) for name in rules},
        "training data": training_data,
        "validation data": "none" if course.validation is None else rows_in_words(course.validation),
        "initial parameters": digest(trees.leaves(starts)),
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

    def each(values: Iterable[Any]) -> str:
        return ", ".join(in_words(one, depth + 1) for one in values)

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
        given = [f"{name}={each([entry])}" for name, entry, default in fields if entry is not default]
        return f"{type(value).__name__}({', '.join(given)})"
    name = getattr(value, "__qualname__", getattr(value, "__name__", type(value).__name__))
    return f"{getattr(value, '__module__', '')}.{name}({each(_enclosed(value))})"


def _enclosed(value: Any) -> list[Any]:
    """What tells a function, a class or an object from others of its name."""
    if inspect.isfunction(value) or inspect.ismethod(value):  # the object that it is of, what it closes over, defaults
        cells = [cell.cell_contents for cell in value.__closure__ or () if cell != EMPTY]
        return [getattr(value, name, None) for name in ("__self__", "__defaults__", "__kwdefaults__")] + cells
    if isinstance(value, functools.partial):
        return [value.func, value.args, value.keywords]
    if hasattr(value, "__wrapped__"):  # what jax.jit returns, for one
        return [value.__wrapped__]
    call = inspect.getattr_static(type(value), "__call__", None)
    # Of objects only those that are called: what others hold may be no setting, such as a logger's.
    return [getattr(value, "__dict__", {})] if inspect.isfunction(call) else []


def rows_in_words(rows: Rows) -> str:
    """Shape and digest of the examples, without padding, however they are divided among devices and processes."""
    E, sums = engine.of(rows.x), []
    for array in (rows.x, rows.y, rows.weight):
        own = E.local_rows(rows, array) if array is not None else ()
        sums.append(sum(row_sum(first, held) for first, held in own) % 2**64)
    width = "x".join(str(size) for size in rows.x.shape[1:])
    return f"{int(rows.count)} rows of {width} inputs and {rows.y.shape[1]} targets, digest {_summed(E, sums)}"


def stream_in_words(E: Any, whole: "Stream", own: "Stream") -> str:
    """Shape and digest of a stream's examples, however its blocks are divided among processes.

    Batches follow from how the rows are cut into blocks, so that is compared as well. The digest is that of all rows
    where a pass over them has taken it; else that of the first piece of `SAMPLED` blocks evenly spread from the first
    to the last, of which each process reads those of its own part.
    """
    count, cut = len(whole.blocks), hashlib.blake2b(str([block.rows for block in whole.blocks]).encode(), digest_size=4)
    columns = f"{len(whole)} rows of {whole.inputs} inputs and {whole.targets} targets"
    shape = f"a stream of {columns} in {count} blocks ({cut.hexdigest()})"
    if whole.digest is not None:
        return f"{shape}, digest {whole.digest}"
    mine, sums = set(own.blocks), [0, 0]
    numbers = np.unique(np.linspace(0, count - 1, SAMPLED).round().astype(int))
    firsts = np.cumsum([0, *(block.rows for block in whole.blocks)])
    for number in numbers:
        if (block := whole.blocks[number]) in mine:
            piece = next(iter(whole.pieces(block)))
            sums = [(one + row_sum(int(firsts[number]), held)) % 2**64 for one, held in zip(sums, piece, strict=True)]
    return f"{shape}, digest {_summed(E, sums)} of {len(numbers)} blocks of {count}"


def _summed(E: Any, sums: list[int]) -> str:
    """The 64-bit sums, those of all processes added, in hexadecimal digits."""
    return "".join(f"{int(number):016x}" for number in E.sum_over_processes(np.array(sums, np.uint64)))
