"""The devices that a training is divided among: their mesh, the examples laid out on it, and what processes agree on.

With several processes (`jax.distributed`) each gives its own share of the examples, and the examples are numbered
through the processes in their order. Every device of a one-dimensional mesh holds a share of the examples and all of
the parameters. What compiles is written for all the examples at once and divided by JAX; only where a loop runs over
examples (blocks of a sum, mini-batches) is the part of one device written out, inside `jax.shard_map`, so that examples
never travel.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from deltarule.engine.rows import Rows, padded_size
from deltarule.errors import ConfigurationError, DataError
from deltarule.trees import register

AXIS = "data"  # the mesh's only axis
DIVIDED, WHOLE = PartitionSpec(AXIS), PartitionSpec()


@dataclass(frozen=True)
class Shards:
    """Device d of the mesh, which is static, holds the `counts[d]` examples numbered from `firsts[d]` on, followed by
    its padding rows; both are (D,) int32, `firsts` ascending.
    """

    mesh: Mesh
    firsts: Array
    counts: Array

    @property
    def devices(self) -> int:
        """D."""
        return self.mesh.size

    def real(self, size: int) -> Array:
        """Whether each of `size` rows, padding included, is an example: (size,)."""
        place = jnp.arange(size // self.devices)
        return (place[None] < self.counts[:, None]).reshape(size)

    def places(self, number: Array, size: int) -> Array:
        """Where among `size` rows the examples of these numbers lie."""
        device = jnp.searchsorted(self.firsts, number, side="right") - 1
        return device * (size // self.devices) + number - self.firsts[device]

    def sum(self, part: Callable[..., Any], *arrays: Array) -> Any:
        """The sum over the devices of part(a device's rows of each array): one all-reduce of what `part` returns."""

        def own(*arrays: Array) -> Any:
            return lax.psum(part(*arrays), AXIS)

        return jax.shard_map(own, mesh=self.mesh, in_specs=DIVIDED, out_specs=WHOLE, check_vma=False)(*arrays)

    def replicate(self, tree: Any) -> Any:
        """The tree, gathered so that every device holds all of it."""
        return lax.with_sharding_constraint(tree, NamedSharding(self.mesh, WHOLE))


register(Shards, leaves=("firsts", "counts"))


def mesh_of(devices: Sequence[Any] | None) -> Mesh | None:
    """The devices in a row, or None where none are named: then JAX's default device computes alone. A
    ConfigurationError unless they are distinct devices of one kind and, with several processes, all of them.
    """
    if devices is None:
        return None
    devices = list(devices)
    if not devices or not all(isinstance(device, jax.Device) for device in devices):
        raise ConfigurationError(f"devices is {devices!r}, which is no list of JAX devices: give jax.devices().")
    if len(set(devices)) < len(devices):
        raise ConfigurationError(f"devices names {len(devices)} devices, and some twice: name each once.")
    if jax.process_count() > 1 and set(devices) != set(jax.devices()):
        raise ConfigurationError(
            f"devices names {len(devices)} of the {len(jax.devices())} devices of {jax.process_count()} processes: "
            "give jax.devices(), because every process must take part."
        )
    # Examples are numbered through the processes in their order, so each process's devices stand together.
    return Mesh(np.array(sorted(devices, key=lambda device: device.process_index)), (AXIS,))


def shard_rows(
    mesh: Mesh, x: Any, y: Any, weight: Any = None, counts: np.ndarray | None = None, rows: int | None = None
) -> Rows:
    """This process's examples divided among its devices of the mesh, as evenly as can be; see `Rows.shards`. `counts`
    are the examples of each process, None asks them; `rows` are those that each device is to hold, padding included,
    None takes `padded_size`.
    """
    counts = process_counts(len(x)) if counts is None else counts
    owners = np.array([device.process_index for device in mesh.devices.flat])
    own = np.flatnonzero(owners == jax.process_index()).tolist()
    counts = np.concatenate([_evenly(counts[p], int((owners == p).sum())) for p in range(len(counts))])
    held = counts[own]
    if counts.sum() >= 2**31:
        raise DataError(f"there are {counts.sum():,} examples, and the devices number at most 2³¹ - 1: stream them.")
    rows = padded_size(int(counts.max())) if rows is None else rows
    edges = np.concatenate([[0], np.cumsum(held)])
    places = [(edges[i], edges[i + 1], mesh.devices.flat[d]) for i, d in enumerate(own)]

    def lay_out(array: Any) -> Array:
        array = np.asarray(array)

        def piece(start: int, end: int, device: Any) -> Array:
            widths = [(0, rows - (end - start))] + [(0, 0)] * (array.ndim - 1)
            return jax.device_put(np.pad(array[start:end], widths), device)

        shape = (rows * mesh.size, *array.shape[1:])
        pieces = [piece(*place) for place in places]
        return jax.make_array_from_single_device_arrays(shape, NamedSharding(mesh, DIVIDED), pieces)

    first = np.concatenate([[0], np.cumsum(counts)[:-1]])
    firsts, counted, count = replicate(mesh, [a.astype(np.int32) for a in (first, counts, counts.sum())])
    return Rows(
        lay_out(x), lay_out(y), None if weight is None else lay_out(weight), count, Shards(mesh, firsts, counted)
    )


def process_counts(count: int) -> np.ndarray:
    """How many examples each process has, (processes,)."""
    mine = np.zeros(jax.process_count(), np.int64)
    mine[jax.process_index()] = count
    return sum_over_processes(mine)


def _evenly(count: int, parts: int) -> np.ndarray:
    """The count in so many parts that differ by at most one."""
    return np.diff([count * i // parts for i in range(parts + 1)])


def local_rows(rows: Rows, array: Array) -> list[tuple[int, np.ndarray]]:
    """The examples' part of an array of the rows that this process holds: the number of the first one, and the rows."""
    if rows.shards is None:
        return [(0, np.asarray(array)[: int(rows.count)])]
    firsts, counts = np.asarray(rows.shards.firsts), np.asarray(rows.shards.counts)
    size = array.shape[0] // rows.shards.devices
    held = [((piece.index[0].start or 0) // size, np.asarray(piece.data)) for piece in array.addressable_shards]
    return [(int(firsts[d]), own[: counts[d]]) for d, own in held]


def replicate(mesh: Mesh | None, tree: Any) -> Any:
    """The tree with a whole copy on every device of the mesh, or as it is without one; every process gives the same."""
    if mesh is None:
        return tree
    sharding = NamedSharding(mesh, WHOLE)

    def put(leaf: Any) -> Array:
        if isinstance(leaf, Array) and jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key):
            return jax.random.wrap_key_data(put(jax.random.key_data(leaf)), impl=jax.random.key_impl(leaf))
        value = np.asarray(leaf)
        return jax.make_array_from_callback(value.shape, sharding, lambda index: value[index])

    return jax.tree.map(put, tree)


def unreplicate(tree: Any) -> Any:
    """The tree on this process's default device, of one that is whole on every device."""
    return jax.tree.map(lambda leaf: jnp.asarray(np.asarray(leaf)), tree)


def broadcast(*values: int) -> tuple[int, ...]:
    """What process 0 says, in every process: a clock or a callback must not lead them apart."""
    if jax.process_count() == 1:
        return values
    from jax.experimental import multihost_utils

    return tuple(int(value) for value in multihost_utils.broadcast_one_to_all(np.array(values, np.int32)))


def sum_over_processes(counts: np.ndarray) -> np.ndarray:
    """The sum of each process's array of 64-bit whole numbers."""
    if jax.process_count() == 1:
        return counts
    from jax.experimental import multihost_utils

    with jax.enable_x64(True):
        return np.asarray(multihost_utils.process_allgather(counts)).sum(axis=0)
