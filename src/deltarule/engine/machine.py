"""The memory of the machine and of its container, refusing what exceeds it, and the threads that BLAS may use.

XLA ends the whole process where an array on a CPU does not fit, so no exception can be caught there: what is large is
asked for here first.
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
DEFAULT_MEMORY = 8.0 * 2**30  # where the system does not say


class MemoryFactors(NamedTuple):
    """What an engine holds of a training at once, each as the processes grew by it.

    Attributes:
        examples: copies while they are laid out: in the computation's precision, and on JAX padded, and on the device.
        rows: how many rows it lays out for so many examples.
        passes: numbers for each neuron of an example, on the way there and back.
        vectors: of n numbers that a step of first order has, and how many for each that its direction remembers.
        primal: n x n matrices; dual: R x R matrices.
        blocks: of a block's Jacobian or errors: itself, and on JAX what it is made from.
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
    """Bytes of memory that this process may come to use: the machine's, or a container's limit. Always the same."""
    try:
        physical = float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (ValueError, OSError, AttributeError):
        physical = DEFAULT_MEMORY
    return min([physical, *_numbers(LIMIT_FILES)])


def free_memory() -> float:
    """Bytes that are free now, those that the system only uses to remember files among them."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        found = {line.split(":")[0]: 1024.0 * int(line.split()[1]) for line in lines if len(line.split()) == 3}
        free = found["MemAvailable"] + found.get("SwapFree", 0.0)
    except (OSError, KeyError, ValueError):
        free = total_memory()
    limits, used = _numbers(LIMIT_FILES), _numbers(USAGE_FILES)
    if limits and used:
        free = min(free, max(limits[0] - used[0], 0.0))
    return free


def format_bytes(size: float) -> str:
    """Bytes for people.

    >>> format_bytes(3 * 2**20), format_bytes(2.5 * 2**40)
    ('3 MiB', '2.5 TiB')
    """
    units = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB")
    power = 0
    while size >= 1024 and power < len(units) - 1:
        size, power = size / 1024, power + 1
    return f"{size:.3g} {units[power]}"


def require_free_memory(what: str, size: float, cure: str, free: float | None = None) -> None:
    """Raise a TooLargeError if so many bytes are not free: what needs them begins its sentence, the cure ends it;
    `free` None asks the machine.
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


# How many threads BLAS and LAPACK may use
#
# OpenBLAS, which NumPy, SciPy and, on a CPU, JAX call, splits even a 500 x 500 factorisation over all cores and lets
# the threads wait actively. Alone on a machine that gains nothing at this size; beside another busy process it was
# measured to cost a factor of 11 (21 against 231 ms a step). The limit is one of the process. So where several threads
# of Python train at the same time, it holds from the first of them to begin until the last one ends: else the one that
# ended first would lift it for the others, whose sums would then be cut in other parts, and the last one would leave
# behind the limit that it found.

ORDER_WORTH_THREADS = 2000  # the least order of a matrix that is worth factoring on several cores
WORK_WORTH_THREADS = 2e9  # the least multiplications of a step that several cores compute sooner, and not only alone
WORK_OF_ONE_THREAD = 2**14  # multiplications that OpenBLAS divides among no threads, so that no limit is needed

NO_LIMIT = nullcontext()


def threads_for_order(order: int) -> AbstractContextManager:
    """A context in which BLAS and LAPACK use one thread, unless matrices of this order are worth several."""
    return NO_LIMIT if order >= ORDER_WORTH_THREADS else _one_thread()


def threads_for_work(products: float) -> AbstractContextManager:
    """A context in which BLAS uses one thread, unless products of so many multiplications are worth several."""
    return _one_thread() if WORK_OF_ONE_THREAD < products < WORK_WORTH_THREADS else NO_LIMIT


@cache
def _libraries() -> list[Any]:
    """The BLAS libraries of this process; threadpoolctl's own context takes four times as long as setting them."""
    import scipy.linalg.cython_lapack  # noqa: F401 - the library that JAX calls must be loaded to be found
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController().select(user_api="blas").lib_controllers


class _Holders:
    """How many trainings hold the limit, what ends it, and the lock on both."""

    def __init__(self):
        self.lock, self.count = Lock(), 0
        self.before: list[int] = []  # the threads of each library


_holders = _Holders()


@contextmanager
def _one_thread() -> Iterator[None]:
    holders = _holders
    with holders.lock:
        if holders.count == 0:
            holders.before = [library.get_num_threads() for library in _libraries()]
            _set_threads([1] * len(holders.before))
        holders.count += 1
    try:
        yield
    finally:
        with holders.lock:
            holders.count -= 1
            if holders.count == 0:
                _set_threads(holders.before)


def _set_threads(counts: list[int]) -> None:
    for library, count in zip(_libraries(), counts, strict=True):
        library.set_num_threads(count)


def _begin_anew() -> None:
    """In a forked process: whoever holds the limit, or the lock, is a thread of the parent's."""
    global _holders
    _holders = _Holders()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)
