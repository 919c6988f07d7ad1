"""The NumPy engine: plain arrays, Python loops, BLAS and LAPACK through SciPy.

Nothing is compiled, so the first call is as fast as any other, a breakpoint shows numbers, and a forked process can
go on computing. Overflows in results that are checked later give no warning.
"""

import os
import platform
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from types import SimpleNamespace
from typing import Any

import numpy as np
from scipy.linalg import lapack
from scipy.special import expit

from deltarule.engine import machine, randomness
from deltarule.engine.machine import threads_for_work as threads_for
from deltarule.engine.numpy_convolution import correlate, correlate_transposed, kernel_gradient
from deltarule.engine.rows import (
    each_batch,
    full_gradient,
    make_rows,
    sum_over_blocks,
    take_batch,
    train_on_chunk,
)
from deltarule.errors import ConfigurationError, pluralized

name = "numpy"
xp = np
memory = machine.MemoryFactors(examples=1, rows=int, passes=5, vectors=(3, 2), primal=3, dual=6, blocks=1)
__all__ = [
    "correlate",
    "correlate_transposed",
    "each_batch",
    "full_gradient",
    "kernel_gradient",
    "make_rows",
    "sum_over_blocks",
    "take_batch",
    "threads_for",
    "train_on_chunk",
]  # fmt: skip


# Arrays


def computing_in(dtype: np.dtype) -> AbstractContextManager:
    """A context in which arrays of this dtype can be computed with; JAX enables float64 in it."""
    return nullcontext()


def put(array: Any, dtype: Any = None) -> np.ndarray:
    """The array as an array of this engine."""
    return np.asarray(array, dtype)


def prepare_inputs(X: Any, params: Any) -> Any:
    """The inputs X as an argument of a call with these parameters."""
    return X


def wait(tree: Any) -> Any:
    """The tree, after waiting until JAX has computed it."""
    return tree


def select(condition: Any, chosen: Any, otherwise: Any) -> Any:
    """One of two trees of the same structure, by a condition."""
    return chosen if condition else otherwise


def ignore_float_errors() -> AbstractContextManager:
    """A context in which overflow gives no warning, because the results are checked."""
    return np.errstate(all="ignore")


# Random numbers


def fold_in(key: tuple[int, ...], number: int) -> tuple[int, ...]:
    """A new key, made from a key and a number."""
    return (*key, number)


def key(path: tuple[int, ...]) -> tuple[int, ...]:
    """The key of a path, see `deltarule.engine.randomness`."""
    return path


def bits(key: tuple[int, ...], shape: tuple[int, ...]) -> np.ndarray:
    """Random 32-bit words."""
    return randomness.generator(*key).integers(0, 2**32, shape, np.uint32)


# Functions that the array namespaces lack


def sigmoid(z: np.ndarray) -> np.ndarray:
    """1/(1 + e^-z)."""
    return expit(z)


def logsumexp(z: np.ndarray) -> np.ndarray:
    """ln sum_k e^{z_k} over the last axis, which stays with length 1."""
    top = z.max(axis=-1, keepdims=True)
    top = np.where(np.isfinite(top), top, 0)
    return top + np.log(np.sum(np.exp(z - top), axis=-1, keepdims=True))


def softmax(z: np.ndarray) -> np.ndarray:
    """e^{z_j} / sum_k e^{z_k} over the last axis."""
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def log_softmax(z: np.ndarray) -> np.ndarray:
    """ln softmax(z)."""
    z = z - z.max(axis=-1, keepdims=True)
    return z - np.log(np.sum(np.exp(z), axis=-1, keepdims=True))


def pad(array: np.ndarray, value: float, widths: Sequence[tuple[int, int, int]]) -> np.ndarray:
    """The array with (before, after, between) entries of `value` added on each axis; negative numbers cut off."""
    shape = [
        n + before + after + max(n - 1, 0) * between
        for n, (before, after, between) in zip(array.shape, widths, strict=True)
    ]
    padded = np.full(shape, value, array.dtype)
    into, source = [], []
    for n, size, (before, _, between) in zip(array.shape, shape, widths, strict=True):
        step = between + 1
        first = max(0, -(before // step)) if before < 0 else 0
        last = min(n, -(-(size - before) // step))
        source.append(slice(first, max(first, last)))
        start = before + first * step
        into.append(slice(start, start + max(0, last - first) * step, step))
    padded[tuple(into)] = array[tuple(source)]
    return padded


def map_columns(f: Callable[[np.ndarray], Any], S: np.ndarray) -> list[np.ndarray]:
    """The arrays of f(S[..., o]), (m, ...) each, stacked over all o to (m, k, ...)."""
    mapped = [f(S[..., o]) for o in range(S.shape[-1])]
    if len(mapped) == 1:
        return [array[:, None] for array in mapped[0]]
    return [np.stack(arrays, axis=1) for arrays in zip(*mapped, strict=True)]


# The products of a dense layer; those of a convolution are in `numpy_convolution`


def dense(W: np.ndarray, a: np.ndarray) -> np.ndarray:
    """W a of every example, (m, n_l)."""
    return a @ W.T


def dense_transposed(W: np.ndarray, delta: np.ndarray) -> np.ndarray:
    """W^T delta of every example, (m, n_{l-1})."""
    return delta @ W


def dense_outer(delta: np.ndarray, a: np.ndarray) -> np.ndarray:
    """sum over the batch of delta a^T, (n_l, n_{l-1})."""
    return delta.T @ a


# Linear algebra


ROUTINES = ("potrf", "potrs", "trtrs", "trtri")
LAPACK = {
    np.dtype(dtype): SimpleNamespace(**{name: getattr(lapack, letter + name) for name in ROUTINES})
    for dtype, letter in (("float64", "d"), ("float32", "s"))
}


def khatri_rao_rows(pairs: Sequence[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """The Khatri-Rao products of pairs (u, v), one below the other: rows u_j ⊙ v_i, i running faster.

    If u and v have three axes, the rows are sums of u_cj ⊙ v_ci over c.
    """
    sizes = [u.shape[-2] * v.shape[-2] for u, v in pairs]
    shape, first = (sum(sizes), pairs[0][0].shape[-1]), 0
    summed = any(u.ndim == 3 for u, _ in pairs)  # computed by matrix products, column by column
    rows = np.empty(shape, pairs[0][0].dtype, order="F" if summed else "C")
    for (u, v), size in zip(pairs, sizes, strict=True):
        block, first = rows[first : first + size], first + size
        if u.ndim == 3:
            np.matmul(u.transpose(2, 1, 0), v.transpose(2, 0, 1), out=block.T.reshape(-1, u.shape[1], v.shape[1]))
        elif summed:
            block[...] = (u[:, None] * v[None]).reshape(block.shape)
        else:
            np.multiply(u[:, None], v[None], out=block.reshape(len(u), len(v), -1))
    return rows


def symmetric_product(B: np.ndarray) -> np.ndarray:
    """B B^T; NumPy calls BLAS's symmetric product, which takes half the operations."""
    return B @ B.T


def factor(H: np.ndarray, diagonal: Any) -> np.ndarray:
    """The Cholesky factor L, L L^T = H + diag(diagonal), or NaN if that is not positive definite."""
    A = H.T.copy(order="F")
    A.ravel(order="K")[:: len(A) + 1] += diagonal
    L, failed = LAPACK[A.dtype].potrf(A, lower=1, overwrite_a=1, clean=1)
    if failed:
        L[...] = np.nan
    return L


def solve(L: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(L L^T)^-1 b, for a vector or for columns."""
    return LAPACK[L.dtype].potrs(L, b, lower=1)[0]


def solve_lower(L: np.ndarray, B: np.ndarray) -> np.ndarray:
    """L^-1 B."""
    trtrs = LAPACK[L.dtype].trtrs
    return trtrs(L, B, lower=1)[0] if L.flags.f_contiguous else trtrs(L.T, B, lower=0, trans=1)[0]


def inverse_lower(L: np.ndarray) -> np.ndarray:
    """L^-1."""
    return LAPACK[L.dtype].trtri(L, lower=1)[0]


# Calls and loops


def call(f: Callable[..., Any], *args: Any, **static: Any) -> Any:
    """f(*args, **static); JAX compiles it once for each shape of `args` and value of `static`."""
    with np.errstate(all="ignore"):
        return f(*args, **static)


def while_loop(condition: Callable[[Any], Any], step: Callable[[Any], Any], carry: Any) -> Any:
    """The first of carry, step(carry), step(step(carry)), ... that does not meet the condition."""
    while condition(carry):
        carry = step(carry)
    return carry


def fold(add: Callable[[Any, Any], Any], zero: Any, arrays: Sequence[np.ndarray]) -> Any:
    """add(... add(add(zero, entries 0), entries 1) ...), with the entries of all arrays on their first axis."""
    total = zero
    for entries in zip(*arrays, strict=True):
        total = add(total, entries)
    return total


def scan(step: Callable[..., Any], state: Any, arrays: Sequence[np.ndarray], reverse: bool = False) -> tuple:
    """state, outputs = step(state, *entries t of each array) for every t; return the outputs of all steps.

    Time is the axis before the last of every array and output.
    """
    T, outputs = arrays[0].shape[-2], ()
    for t in reversed(range(T)) if reverse else range(T):
        state, entries = step(state, *(array[..., t, :] for array in arrays))
        outputs = outputs or tuple(np.empty((*a.shape[:-1], T, a.shape[-1]), a.dtype) for a in entries)
        for array, entry in zip(outputs, entries, strict=True):
            array[..., t, :] = entry
    return outputs


# One process, one device


def is_leader() -> bool:
    """Whether this process writes and reports."""
    return True


def broadcast_bytes(content: bytes) -> bytes:
    """The bytes of process 0, in every process."""
    return content


def detect_lost_process() -> AbstractContextManager:
    """A context that turns the loss of another process into a `ProcessError`."""
    return nullcontext()


def process_index() -> int:
    """The number of this process."""
    return 0


def process_counts(count: int) -> np.ndarray:
    """The number of examples of each process, (processes,)."""
    return np.array([count])


def sum_over_processes(counts: np.ndarray) -> np.ndarray:
    """The sum over the processes of an array of 64-bit whole numbers."""
    return counts


def local_rows(rows: Any, array: np.ndarray) -> list[tuple[int, np.ndarray]]:
    """The rows of an array that this process holds: for each device the number of the first row, and the rows."""
    return [(0, array)]


def mesh_of(devices: Any) -> None:
    """None, for no mesh; a ConfigurationError if devices are named."""
    if devices is not None:
        raise ConfigurationError(
            "devices is given, but engine is 'numpy' and only JAX uses devices: leave one of the two out."
        )


def free_memory(devices: int) -> float:
    """The bytes of memory that are free for the arrays of one device."""
    return machine.free_memory()


def device() -> str:
    """The engine and the processor, for messages."""
    return f"NumPy on {platform.machine()}, {pluralized(os.cpu_count() or 1, 'core')}"
