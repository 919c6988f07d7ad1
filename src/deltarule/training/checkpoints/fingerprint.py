"""What must be the same for a training to go on from a checkpoint: each setting in words, the data as digests.

Numbers of epochs, time limits and callbacks may change. Functions (schedules, Optax rules) are known by their name, by
the values they enclose, so that `optax.adam(1.0, b1=0.8)` differs from `optax.adam(1.0)`, and by their code, those of
Optax and JAX apart; a function of the user's that they call in turn is known by its name alone.
"""

import dataclasses
import functools
import hashlib
import inspect
import numbers
from collections.abc import Iterable
from types import CodeType
from typing import TYPE_CHECKING, Any

import numpy as np

from deltarule import engine, trees
from deltarule.arrays import is_jax, is_key, key_words
from deltarule.data.row_sums import row_sum
from deltarule.engine.rows import Rows
from deltarule.network.backprop import Params

if TYPE_CHECKING:
    from deltarule.data.stream import Stream
    from deltarule.training.loop import Course
    from deltarule.training.streaming.course import StreamedCourse

Fingerprint = dict[str, str]
DEEPEST = 12  # of values enclosed in functions enclosed in functions
LIBRARIES = ("jax", "jaxlib", "optax")  # whose functions' code is not compared, so that an update is no other training
SAMPLED = 32  # blocks of a stream that are read for its digest


def fingerprint(
    settings: "Course | StreamedCourse", starts: list[Params], seed: Any, dtype: Any, training_data: str
) -> Fingerprint:
    """The settings of a training by name, those that people change first; its examples as `rows_in_words` has them."""
    trainer = settings.trainer
    assert dataclasses.is_dataclass(trainer)
    names = [field.name for field in dataclasses.fields(trainer)]
    rules = ("goal", "min_grad", "max_fail")
    return {
        "engine": settings.engine.name,
        "network": "-".join(in_words(layer) for layer in settings.net.layers),
        "cost": in_words(settings.net.cost),
        "trainer": type(trainer).__name__,
        **{name: in_words(getattr(trainer, name)) for name in names},
        "seed": in_words(seed),
        "dtype": str(dtype),
        "restarts": str(len(starts)),
        "monitor": settings.monitor,
        "record": in_words(settings.recorded),
        **{f"Stopping.{name}": in_words(getattr(settings.rules, name)) for name in rules},
        "training data": training_data,
        "validation data": "none" if settings.validation is None else rows_in_words(settings.validation),
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
    if value is None or isinstance(value, bool | str):
        return str(value)
    if is_key(value):
        value = key_words(value)
    if is_jax(value) or isinstance(value, np.ndarray | np.generic):
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
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {in_words(entry, depth + 1)}' for key, entry in value.items())}}}"
    if isinstance(value, functools.partial):
        return f"partial{in_words([value.func, value.args, value.keywords], depth + 1)}"
    if inspect.isfunction(value) or inspect.ismethod(value):
        return f"{value.__module__}.{value.__qualname__}({', '.join(_enclosed(value, depth + 1))})"
    if inspect.isbuiltin(value) or isinstance(value, type):
        return f"{value.__module__}.{value.__qualname__}"
    wrapped = getattr(value, "__wrapped__", None)  # of what jax.jit returns, for one
    if wrapped is not None:
        return in_words(wrapped, depth + 1)
    call = inspect.getattr_static(type(value), "__call__", None)
    if inspect.isfunction(call):  # an object that is called; what others hold may be no setting, such as a logger's
        return f"{type(value).__name__}{in_words([getattr(value, '__dict__', {}), call], depth + 1)}"
    return f"{type(value).__name__} {getattr(value, '__name__', '')}".strip()  # such as "ufunc exp"


def _enclosed(function: Any, depth: int) -> list[str]:
    """The object that a method is of, the values that a function closes over, its defaults, the numbers that it reads
    from its module, and its code.
    """
    of = [function.__self__] if hasattr(function, "__self__") else []
    cells = [cell.cell_contents for cell in function.__closure__ or () if _is_filled(cell)]
    given = [*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()]
    read = [function.__globals__[name] for name in function.__code__.co_names if name in function.__globals__]
    numbers_read = [value for value in read if isinstance(value, numbers.Number | np.ndarray) or is_jax(value)]
    words = [in_words(value, depth) for value in (*of, *cells, *given, *numbers_read)]
    if (function.__module__ or "").split(".")[0] in LIBRARIES:
        return [*words, *(in_words(number, depth) for number in _numbers_in(function.__code__))]
    return [*words, f"code {hashlib.blake2b(_code_in_words(function.__code__).encode(), digest_size=4).hexdigest()}"]


def _numbers_in(code: CodeType) -> list[int | float]:
    return [number for number in code.co_consts if isinstance(number, int | float)]


def _code_in_words(code: CodeType) -> str:
    """The instructions of a function, the names and constants in them, and so on of functions that it defines."""
    return f"{code.co_code.hex()} {code.co_names} {_constant_in_words(code.co_consts)}"


def _constant_in_words(value: Any) -> str:
    """A constant of a function; a set's in an order of their own, for that of a set is another in each process."""
    if isinstance(value, CodeType):
        return _code_in_words(value)
    if isinstance(value, tuple | frozenset):
        parts = [_constant_in_words(each) for each in value]
        return str(sorted(parts) if isinstance(value, frozenset) else parts)
    return repr(value)


def _is_filled(cell: Any) -> bool:
    try:
        return cell.cell_contents is not cell
    except ValueError:  # a name that is never bound
        return False


def rows_in_words(rows: Rows) -> str:
    """Shape and digest of the examples, without padding, however they are divided among devices and processes."""
    width = "x".join(str(size) for size in rows.x.shape[1:])
    shape = f"{int(rows.count)} rows of {width} inputs and {rows.y.shape[1]} targets"
    return f"{shape}, digest {_summed(engine.of(rows.x), _row_sums(rows))}"


def stream_in_words(E: Any, whole: "Stream", own: "Stream") -> str:
    """Shape and digest of a stream's examples, however its blocks are divided among processes.

    Batches follow from how the rows are cut into blocks, so that is compared as well. The digest is that of all rows
    where a pass over them has taken it; else that of the first piece of `SAMPLED` blocks evenly spread from the first
    to the last, of which each process reads those of its own part.
    """
    cut = hashlib.blake2b(str([block.rows for block in whole.blocks]).encode(), digest_size=4).hexdigest()
    columns = f"{whole.rows} rows of {whole.inputs} inputs and {whole.targets} targets"
    shape = f"a stream of {columns} in {len(whole.blocks)} blocks ({cut})"
    if whole.digest is not None:
        return f"{shape}, digest {whole.digest}"
    mine, sums = set(own.blocks), [0, 0]
    numbers = np.unique(np.linspace(0, len(whole.blocks) - 1, SAMPLED).round().astype(int))
    firsts = np.cumsum([0, *(block.rows for block in whole.blocks)])
    for number in numbers:
        if (block := whole.blocks[number]) in mine:
            piece = next(iter(whole.pieces(block)))
            sums = [(one + row_sum(int(firsts[number]), held)) % 2**64 for one, held in zip(sums, piece, strict=True)]
    return f"{shape}, digest {_summed(E, sums)} of {len(numbers)} blocks of {len(whole.blocks)}"


def _summed(E: Any, sums: list[int]) -> str:
    """The 64-bit sums, those of all processes added, in hexadecimal digits."""
    return "".join(f"{int(number):016x}" for number in E.sum_over_processes(np.array(sums, np.uint64)))


def _row_sums(rows: Rows) -> list[int]:
    """One 64-bit sum each of inputs, targets and weights over this process's examples, their numbers mixed in.

    Sums of processes add up to the sum of all, in whatever parts the examples lie.
    """
    sums = []
    for array in (rows.x, rows.y, rows.weight):
        own = engine.of(rows.x).pieces(rows, array) if array is not None else ()
        sums.append(sum(row_sum(first, held) for first, held in own) % 2**64)
    return sums
