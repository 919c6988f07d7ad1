"""The JAX engine: compiled pieces, long trainings in one compiled loop, GPUs, several devices and processes.

JAX computes in float32 unless 64-bit types are enabled. deltarule enables them inside its own calls only, and only for
parameters in float64. `jax_convolution` has the products of a convolution, `jax_batches` the mini-batches;
`deltarule.training.compiled_loop` is the loop over epochs. `numpy_engine` documents the functions without a docstring.
"""

import os
import tempfile
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import cache, partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jax.core import Tracer
from jax.scipy.linalg import solve_triangular

from deltarule import trees
from deltarule.engine import machine
from deltarule.engine.devices import (
    broadcast,
    local_rows,
    mesh_of,
    process_counts,
    replicate,
    shard_rows,
    sum_over_processes,
    unreplicate,
)
from deltarule.engine.jax_batches import (
    each_batch,
    full_gradient,
    make_rows,
    sum_over_blocks,
    take_batch,
    train_on_chunk,
)
from deltarule.engine.jax_convolution import correlate, correlate_transposed, kernel_gradient
from deltarule.engine.processes import broadcast_bytes, detect_lost_process, is_leader, process_index, shard_stream
from deltarule.engine.rows import padded_size

name = "jax"
xp = jnp
memory = machine.MemoryFactors(examples=3, rows=padded_size, passes=2, vectors=(3, 1), primal=4, dual=11, blocks=2)
__all__ = [
    "broadcast", "broadcast_bytes", "correlate", "correlate_transposed", "detect_lost_process", "each_batch",
    "full_gradient", "is_leader", "kernel_gradient", "local_rows", "make_rows", "mesh_of", "process_counts",
    "process_index", "replicate", "shard_rows", "shard_stream", "sum_over_blocks", "sum_over_processes", "take_batch",
    "train_on_chunk", "unreplicate",
]  # fmt: skip


# Arrays


def computing_in(dtype: np.dtype) -> AbstractContextManager:
    """A context in which arrays of this dtype can be computed with: it enables 64-bit types for float64."""
    return jax.enable_x64(True) if dtype == np.float64 else nullcontext()


def put(array: Any, dtype: Any = None) -> Array:
    return jnp.asarray(array, dtype)


def prepare_inputs(X: Any, params: Any) -> Any:
    """The inputs X as an argument of a call with these parameters; a NumPy array is converted only if JAX traces."""
    traced = any(isinstance(leaf, Tracer) for leaf in (X, *jax.tree.leaves(params)))
    return jnp.asarray(X) if traced else X


def wait(tree: Any) -> Any:
    """The tree, after waiting until it is computed: until then JAX reads NumPy arrays that callers may change."""
    return jax.block_until_ready(tree)


def select(condition: Any, chosen: Any, otherwise: Any) -> Any:
    if not isinstance(condition, Tracer):
        return chosen if condition else otherwise
    return jax.tree.map(partial(jnp.where, condition), chosen, otherwise)


def ignore_float_errors() -> AbstractContextManager:
    """A context in which overflow gives no warning; JAX never warns, but scores and records are numbers of NumPy."""
    return np.errstate(all="ignore")


def threads_for(products: float) -> AbstractContextManager:
    """No limit: XLA computes products with threads of its own."""
    return nullcontext()


# Random numbers


def fold_in(key: Array, number: Any) -> Array:
    return jax.random.fold_in(key, number)


def key(path: tuple[int, ...]) -> Array:
    seed, *rest = np.random.SeedSequence(path).generate_state(2).tolist()
    return jax.random.fold_in(jax.random.key(seed), rest[0])


def bits(key: Array, shape: tuple[int, ...]) -> Array:
    return jax.random.bits(key, shape, jnp.uint32)


# Functions that the array namespaces lack

sigmoid = lax.logistic
softmax = jax.nn.softmax
log_softmax = jax.nn.log_softmax


def logsumexp(z: Array) -> Array:
    return jax.nn.logsumexp(z, axis=-1, keepdims=True)


def pad(array: Array, value: float, widths: Sequence[tuple[int, int, int]]) -> Array:
    return lax.pad(array, jnp.asarray(value, array.dtype), widths)


def map_columns(f: Callable[[Array], Any], S: Array) -> list[Array]:
    return jax.vmap(f, in_axes=-1, out_axes=1)(S)


# The products of a dense layer

# When to write out delta^T before dW = delta^T a. A product that contracts the first axis of both factors reaches half
# of a CPU's peak in float64 (46 against 92 GFLOP/s for 512 rows of 1,000, one core) and in float32 between 64 and 512
# rows (75 against 120 for 100 rows of 260). With more rows in float32 it is faster (153 against 105 for 10,000 of 260),
# and in small batches too, except for few neurons: 10 rows take 9.0 against 7.3 µs for 30 x 784, and 21 against 24 for
# 100 x 784.
TRANSPOSE_ROWS = 64
TRANSPOSE_ROWS_SINGLE = 512
TRANSPOSE_NEURONS = 32
# Products of up to so many terms are written as sums. XLA compiles a loop as a whole if its body touches little memory
# and calls no matrix product: a stochastic step of 2-2-3-2 then takes 0.10 instead of 0.86 µs.
FEW_TERMS = 64


def dense(W: Array, a: Array) -> Array:
    return jnp.sum(a[:, None, :] * W, axis=-1) if len(a) * W.size <= FEW_TERMS else a @ W.T


def dense_transposed(W: Array, delta: Array) -> Array:
    return jnp.sum(delta[:, :, None] * W, axis=1) if len(delta) * W.size <= FEW_TERMS else delta @ W


def dense_outer(delta: Array, a: Array) -> Array:
    if delta.size * a.shape[-1] <= FEW_TERMS:
        return jnp.sum(delta[:, :, None] * a[:, None, :], axis=0)
    transposed = delta.T
    if _transpose_first(delta):
        transposed = lax.optimization_barrier(transposed)  # keeps XLA from folding the transpose into the product
    return transposed @ a


def _transpose_first(delta: Array) -> bool:
    """Whether delta^T a is faster if delta^T is written out first."""
    m, n = delta.shape
    if m < TRANSPOSE_ROWS:
        return n <= TRANSPOSE_NEURONS
    return delta.dtype == jnp.float64 or m < TRANSPOSE_ROWS_SINGLE


# Linear algebra


def khatri_rao_rows(pairs: Sequence[tuple[Array, Array]]) -> Array:
    """The Khatri-Rao products of pairs (u, v), one below the other; see `numpy_engine`."""
    products = [u[..., :, None, :] * v[..., None, :, :] for u, v in pairs]
    products = [product if product.ndim == 3 else product.sum(axis=0) for product in products]
    return jnp.concatenate([product.reshape(-1, product.shape[-1]) for product in products])


PANEL = 192  # the least number of rows of a panel of the symmetric product


def symmetric_product(B: Array) -> Array:
    """B B^T by panels of rows: those on and above the diagonal are multiplied, the others mirrored."""
    n = B.shape[0]
    panels = min(8, n // PANEL)
    if panels < 2:
        return B @ B.T
    edges = [round(i * n / panels) for i in range(panels + 1)]
    H = jnp.zeros((n, n), B.dtype)
    for first, last in pairwise(edges):
        upper = B[first:last] @ B[first:].T
        H = H.at[first:last, first:].set(upper)
        H = H.at[last:, first:last].set(upper[:, last - first :].T)
    return H


def factor(H: Array, diagonal: Any) -> Array:
    return jnp.linalg.cholesky(H + jnp.diag(jnp.broadcast_to(jnp.asarray(diagonal, H.dtype), (len(H),))))


def solve(L: Array, b: Array) -> Array:
    return jax.scipy.linalg.cho_solve((L, True), b)


def solve_lower(L: Array, B: Array) -> Array:
    return solve_triangular(L, B, lower=True)


def inverse_lower(L: Array) -> Array:
    return solve_triangular(L, jnp.eye(len(L), dtype=L.dtype), lower=True)


# Calls and loops


def call(f: Callable[..., Any], *args: Any, **static: Any) -> Any:
    """f(*args, **static), compiled once for each shape of `args` and value of `static`."""
    return _compiled(f, tuple(static))(*args, **static)


@cache
def _compiled(f: Callable[..., Any], static: tuple[str, ...]) -> Callable[..., Any]:
    return jax.jit(f, static_argnames=static)


def while_loop(condition: Callable[[Any], Any], step: Callable[[Any], Any], carry: Any) -> Any:
    return lax.while_loop(condition, step, carry)


def fold(add: Callable[[Any, Any], Any], zero: Any, arrays: Sequence[Array]) -> Any:
    return lax.scan(lambda total, entries: (add(total, entries), None), zero, tuple(arrays))[0]


def scan(step: Callable[..., Any], state: Any, arrays: Sequence[Array], reverse: bool = False) -> tuple:
    steps = tuple(jnp.moveaxis(array, -2, 0) for array in arrays)
    _, outputs = lax.scan(lambda state, entries: step(state, *entries), state, steps, reverse=reverse)
    return tuple(jnp.moveaxis(array, 0, -2) for array in outputs)


def free_memory(devices: int) -> float:
    device = jax.local_devices()[0]
    stats = device.memory_stats() if device.platform != "cpu" else None
    if stats and "bytes_limit" in stats:
        return float(stats["bytes_limit"] - stats.get("bytes_in_use", 0))
    return machine.free_memory() / devices  # devices on a CPU share its memory


def device() -> str:
    """The engine and the device, for messages."""
    first = jax.devices()[0]
    kind = first.device_kind
    return f"JAX on {kind}" if kind == first.platform else f"JAX on {first.platform}, {kind}"


# Settings of JAX: the cache of compiled programs, and deltarule's classes as trees

OFF = "0"  # the value of DELTARULE_CACHE that switches the cache off


def _enable_compilation_cache() -> None:
    """Keep compiled programs on disk, so that another process need not compile them again.

    The folder is $DELTARULE_CACHE or the user's cache folder; DELTARULE_CACHE=0 switches the cache off. A folder that
    is set in JAX's configuration stays. Without a folder that can be written there is no cache.
    """
    setting = os.environ.get("DELTARULE_CACHE", "")
    if setting == OFF or getattr(jax.config, "jax_compilation_cache_dir", None) is not None:
        return
    try:
        folder = Path(setting) if setting else _user_folder()
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError:  # the cache only saves time
        return
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", 0)


def _user_folder() -> Path:
    from platformdirs import user_cache_dir  # not needed if DELTARULE_CACHE is set

    return Path(user_cache_dir("deltarule")) / "compiled"


def _register(cls: type, leaves: tuple[str, ...], static: tuple[str, ...]) -> None:
    """Make a frozen dataclass a pytree, see `deltarule.trees.register`.

    Unflattening does not call the constructor, because its checks would refuse JAX's placeholders.
    """

    def flatten(instance: Any) -> tuple[tuple, tuple]:
        return tuple(getattr(instance, n) for n in leaves), tuple(getattr(instance, n) for n in static)

    def unflatten(choices: tuple, children: Iterable[Any]) -> Any:
        instance = object.__new__(cls)
        for name, value in zip(leaves + static, (*children, *choices), strict=True):
            object.__setattr__(instance, name, value)
        return instance

    jax.tree_util.register_pytree_node(cls, flatten, unflatten)


_enable_compilation_cache()
trees.on_registered(_register)
