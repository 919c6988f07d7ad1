"""How many threads BLAS and LAPACK may use.

OpenBLAS, which NumPy, SciPy and, on a CPU, JAX call, splits even a 500 x 500 factorisation over all cores and lets the
threads wait actively. Alone on a machine that gains nothing at this size; beside another busy process it was measured
to cost a factor of 11 (21 against 231 ms a step).
"""

from contextlib import AbstractContextManager, nullcontext
from functools import cache

from threadpoolctl import ThreadpoolController

ORDER_WORTH_THREADS = 2000  # the least order of a matrix that is worth factoring on several cores


@cache
def _controller() -> ThreadpoolController:
    import scipy.linalg.cython_lapack  # noqa: F401 - the library that JAX calls must be loaded to be found

    return ThreadpoolController()


def threads_for_order(order: int) -> AbstractContextManager:
    """A context in which BLAS and LAPACK use one thread, unless matrices of this order are worth several."""
    return nullcontext() if order >= ORDER_WORTH_THREADS else _controller().limit(limits=1, user_api="blas")


WORK_WORTH_THREADS = 2e9  # the least multiplications of a step that several cores compute sooner, and not only alone


def threads_for_work(products: float) -> AbstractContextManager:
    """A context in which BLAS uses one thread, unless products of so many multiplications are worth several."""
    return nullcontext() if products >= WORK_WORTH_THREADS else _controller().limit(limits=1, user_api="blas")
