"""How many threads BLAS and LAPACK may use.

OpenBLAS, which NumPy, SciPy and, on a CPU, JAX call, splits even a 500 x 500 factorisation over all cores and lets the
threads wait actively. Alone on a machine that gains nothing at this size; beside another busy process it was measured
to cost a factor of 11 (21 against 231 ms a step).

The limit is one of the process. So where several threads of Python train at the same time, it holds from the first of
them to begin until the last one ends: else the one that ended first would lift it for the others, whose sums would then
be cut in other parts, and the last one would leave behind the limit that it found.
"""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from threading import Lock
from typing import Any

from threadpoolctl import ThreadpoolController

ORDER_WORTH_THREADS = 2000  # the least order of a matrix that is worth factoring on several cores
WORK_WORTH_THREADS = 2e9  # the least multiplications of a step that several cores compute sooner, and not only alone
WORK_OF_ONE_THREAD = 2**14  # multiplications that OpenBLAS divides among no threads, so that no limit is needed

FREE = nullcontext()


def threads_for_order(order: int) -> AbstractContextManager:
    """A context in which BLAS and LAPACK use one thread, unless matrices of this order are worth several."""
    return FREE if order >= ORDER_WORTH_THREADS else _one_thread()


def threads_for_work(products: float) -> AbstractContextManager:
    """A context in which BLAS uses one thread, unless products of so many multiplications are worth several."""
    return _one_thread() if WORK_OF_ONE_THREAD < products < WORK_WORTH_THREADS else FREE


@cache
def _libraries() -> list[Any]:
    """The BLAS libraries of this process; threadpoolctl's own context takes four times as long as setting them."""
    import scipy.linalg.cython_lapack  # noqa: F401 - the library that JAX calls must be loaded to be found

    return ThreadpoolController().select(user_api="blas").lib_controllers


class _Holders:
    """How many trainings hold the limit, what ends it, and the lock on both."""

    def __init__(self):
        """Nobody."""
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
