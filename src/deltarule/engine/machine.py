"""The memory of the machine or its container, refusals of what exceeds it, and thread limits of BLAS.

XLA ends the whole process if an array does not fit the memory of a CPU, and nothing can catch that. So the memory of
large arrays is checked beforehand.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

from deltarule.errors import TooLargeError

LIMIT_FILES = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
USAGE_FILES = ("/sys/fs/cgroup/memory.current", "/sys/fs/cgroup/memory/memory.usage_in_bytes")
DEFAULT_MEMORY = 8.0 * 2**30  # if the system does not say


class MemoryFactors(NamedTuple):
    """How much of a training an engine holds in memory at once, measured by the growth of processes.

    Attributes:
        examples: how many copies of the examples: in the computation's precision, and on JAX padded, and on the device.
        rows: the number of rows that the engine stores for a number of examples.
        passes: how many numbers for each neuron of an example, for the forward and the backward pass.
        vectors: how many vectors of n numbers in a first-order step, and how many for each that its direction keeps.
        primal: how many n x n matrices.
        dual: how many R x R matrices.
        blocks: how many times a block's Jacobian or errors, on JAX with the arrays from which they are computed.
    """

    examples: int
    rows: Callable[[int], int]
    passes: int
    vectors: tuple[int, int]
    primal: int
    dual: int
    blocks: int


@cache
def total_memory() -> float:
    """The bytes of memory of the machine, or the limit of its container."""
    try:
        physical = float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (ValueError, OSError, AttributeError):
        physical = DEFAULT_MEMORY
    return min([physical, *_numbers(LIMIT_FILES)])


def free_memory() -> float:
    """The bytes of memory that are free now, the system's file cache included."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        sizes = {line.split(":")[0]: 1024.0 * int(line.split()[1]) for line in lines if len(line.split()) == 3}
        free = sizes["MemAvailable"] + sizes.get("SwapFree", 0.0)
    except (OSError, KeyError, ValueError):
        free = total_memory()
    limits, used = _numbers(LIMIT_FILES), _numbers(USAGE_FILES)
    if limits and used:
        free = min(free, max(limits[0] - used[0], 0.0))
    return free


def format_bytes(size: float) -> str:
    """A number of bytes with its unit.

    >>> format_bytes(3 * 2**20), format_bytes(2.5 * 2**40)
    ('3 MiB', '2.5 TiB')
    """
    units = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB")
    power = 0
    while size >= 1024 and power < len(units) - 1:
        size, power = size / 1024, power + 1
    return f"{size:.3g} {units[power]}"


def require_free_memory(what: str, size: float, cure: str, free: float | None = None) -> None:
    """Raise a TooLargeError if fewer than `size` bytes are free.

    `what` is the subject of the message, `cure` says at its end what to do; `free` None asks the machine.
    """
    free = free_memory() if free is None else free
    if size > free:
        raise TooLargeError(
            f"{what} need about {format_bytes(size)} of memory, and {format_bytes(free)} are free: {cure}."
        )


def _numbers(paths: tuple[str, ...]) -> list[float]:
    """The number in the first of the files that holds one."""
    for path in paths:
        try:
            return [float(Path(path).read_text())]
        except (OSError, ValueError):  # no such file, or "max", which is no limit
            continue
    return []


# Thread limits of BLAS and LAPACK
#
# OpenBLAS, which NumPy, SciPy and, on a CPU, JAX call, splits even a 500 x 500 factorisation over all cores and lets
# the threads wait actively. On an idle machine that gains nothing at this size; beside another busy process it was
# measured to cost a factor of 11 (21 against 231 ms a step). The limit belongs to the whole process. If several Python
# threads train at the same time, it holds from the start of the first training to the end of the last: otherwise the
# training that ended first would lift it for the others, which would then round their sums differently.

ORDER_WORTH_THREADS = 2000  # the least order of a matrix that several cores factor faster
WORK_WORTH_THREADS = 2e9  # the least multiplications of a step that several cores compute faster on a busy machine too
WORK_OF_ONE_THREAD = 2**14  # up to so many multiplications OpenBLAS uses one thread by itself

NO_LIMIT = nullcontext()


def threads_for_order(order: int) -> AbstractContextManager:
    """A context in which BLAS and LAPACK use one thread, unless several factor matrices of this order faster."""
    return NO_LIMIT if order >= ORDER_WORTH_THREADS else _one_thread()


def threads_for_work(products: float) -> AbstractContextManager:
    """A context in which BLAS uses one thread, unless several compute so many multiplications faster."""
    return _one_thread() if WORK_OF_ONE_THREAD < products < WORK_WORTH_THREADS else NO_LIMIT


@cache
def _libraries() -> list[Any]:
    """The BLAS libraries of this process; setting them is four times as fast as threadpoolctl's own context."""
    import scipy.linalg.cython_lapack  # noqa: F401 - loads the library that JAX calls, so that it is found
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController().select(user_api="blas").lib_controllers


class _Limit:
    """How many trainings hold the limit of one thread, the numbers of threads before it, and the lock on both."""

    def __init__(self):
        self.lock, self.count = Lock(), 0
        self.before: list[int] = []  # the threads of each library


_limit = _Limit()


@contextmanager
def _one_thread() -> Iterator[None]:
    limit = _limit
    with limit.lock:
        if limit.count == 0:
            limit.before = [library.get_num_threads() for library in _libraries()]
            _set_threads([1] * len(limit.before))
        limit.count += 1
    try:
        yield
    finally:
        with limit.lock:
            limit.count -= 1
            if limit.count == 0:
                _set_threads(limit.before)


def _set_threads(counts: list[int]) -> None:
    for library, count in zip(_libraries(), counts, strict=True):
        library.set_num_threads(count)


def _forget_parent_threads() -> None:
    """In a forked process, drop the limit and the lock: the threads that hold them exist in the parent only."""
    global _limit
    _limit = _Limit()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_parent_threads)
