"""The memory of the machine and of its container: how much there is, how much is free, and refusing what exceeds it.

XLA ends the whole process where an array on a CPU does not fit, so no exception can be caught there: what is large is
asked for here first.
"""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

from threadpoolctl import ThreadpoolController

from deltarule.errors import TooLargeError

LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
USES = ("/sys/fs/cgroup/memory.current", "/sys/fs/cgroup/memory/memory.usage_in_bytes")
UNKNOWN = 8.0 * 2**30  # where the system does not say


@cache
def total_memory() -> float:
    """Bytes of memory that this process may come to use: the machine's, or a container's limit. Always the same."""
    try:
        physical = float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (ValueError, OSError, AttributeError):
        physical = UNKNOWN
    return min([physical, *_numbers(LIMITS)])


def free_memory() -> float:
    """Bytes that are free now, those that the system only uses to remember files among them."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        found = {line.split(":")[0]: 1024.0 * int(line.split()[1]) for line in lines if len(line.split()) == 3}
        free = found["MemAvailable"] + found.get("SwapFree", 0.0)
    except (OSError, KeyError, ValueError):
        free = total_memory()
    limits, used = _numbers(LIMITS), _numbers(USES)
    if limits and used:
        free = min(free, max(limits[0] - used[0], 0.0))
    return free


def in_units(size: float) -> str:
    """Bytes for people.

    >>> in_units(3 * 2**20), in_units(2.5 * 2**40)
    ('3 MiB', '2.5 TiB')
    """
    units = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB")
    power = 0
    while size >= 1024 and power < len(units) - 1:
        size, power = size / 1024, power + 1
    return f"{size:.3g} {units[power]}"


def require_room(what: str, size: float, cure: str, free: float | None = None) -> None:
    """Raise a TooLargeError if so many bytes are not free.

    Args:
        what: what needs them, the subject of the sentence, in the plural or with "and".
        size: bytes.
        cure: what to do.
        free: bytes that are free; None asks the machine.
    """
    free = free_memory() if free is None else free
    if size > free:
        raise TooLargeError(f"{what} need about {in_units(size)} of memory, and {in_units(free)} are free: {cure}.")


def _numbers(paths: tuple[str, ...]) -> list[float]:
    """The number in the first of the files that holds one."""
    for path in paths:
        try:
            return [float(Path(path).read_text())]
        except (OSError, ValueError):  # no such file, or "max", which is no limit
            continue
    return []


ORDER_WORTH_THREADS = 2000  # the least order of a matrix that is worth factoring on several cores
WORK_WORTH_THREADS = 2e9  # the least multiplications of a step that several cores compute sooner, and not only alone


def threads_for_order(order: int) -> AbstractContextManager:
    """A context in which BLAS and LAPACK use one thread, unless matrices of this order are worth several."""
    return nullcontext() if order >= ORDER_WORTH_THREADS else _one_thread()


def threads_for_work(products: float) -> AbstractContextManager:
    """A context in which BLAS uses one thread, unless products of so many multiplications are worth several."""
    return nullcontext() if products >= WORK_WORTH_THREADS else _one_thread()


@cache
def _controller() -> ThreadpoolController:
    import scipy.linalg.cython_lapack  # noqa: F401 - the library that JAX calls must be loaded to be found

    return ThreadpoolController()


class _Holders:
    """How many trainings hold the limit, what ends it, and the lock on both."""

    def __init__(self):
        self.lock, self.count = Lock(), 0
        self.limit: Any = None


_holders = _Holders()


@contextmanager
def _one_thread() -> Iterator[None]:
    holders = _holders
    with holders.lock:
        if holders.count == 0:
            holders.limit = _controller().limit(limits=1, user_api="blas")
        holders.count += 1
    try:
        yield
    finally:
        with holders.lock:
            holders.count -= 1
            if holders.count == 0:
                holders.limit.restore_original_limits()


def _begin_anew() -> None:
    """In a forked process: whoever holds the limit, or the lock, is a thread of the parent's."""
    global _holders
    _holders = _Holders()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)
