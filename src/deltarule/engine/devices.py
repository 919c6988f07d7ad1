"""Several devices: a one-dimensional mesh that shards the examples and replicates the parameters.

With several processes (`jax.distributed`) each gives its own share of the examples; they are numbered through the
processes in order. Compiled code is written for all examples at once and JAX divides it. Only loops over examples
(blocks of a sum, mini-batches) are written for one device, inside `jax.shard_map`, so that no example ever moves to
another device.
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
SHARDED, REPLICATED = PartitionSpec(AXIS), PartitionSpec()


@dataclass(frozen=True)
class Shards:
    """How examples are divided: device d holds the `counts[d]` examples from number `firsts[d]` on, then padding rows.

    Both are (D,) int32, `firsts` ascending; the mesh is static.
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
        """The places of the examples with these numbers among `size` rows."""
        device = jnp.searchsorted(self.firsts, number, side="right") - 1
        return device * (size // self.devices) + number - self.firsts[device]

    def sum(self, part: Callable[..., Any], *arrays: Array) -> Any:
        """The sum over the devices of part(a device's rows of each array), by one all-reduce."""

        def sum_on_device(*arrays: Array) -> Any:
            return lax.psum(part(*arrays), AXIS)

        return jax.shard_map(sum_on_device, mesh=self.mesh, in_specs=SHARDED, out_specs=REPLICATED, check_vma=False)(
            *arrays
        )

    def replicate(self, tree: Any) -> Any:
        """Inside compiled code, the tree with a whole copy on every device."""
        return lax.with_sharding_constraint(tree, NamedSharding(self.mesh, REPLICATED))


register(Shards, leaves=("firsts", "counts"))


def mesh_of(devices: Sequence[Any] | None) -> Mesh | None:
    """The mesh of these devices; None without devices, when JAX's default device computes alone.

    A ConfigurationError unless they are distinct and, with several processes, all devices of all processes.
    """
    if devices is None:
        return None
    devices = list(devices)
    if not devices or not all(isinstance(device, jax.Device) for device in devices):
        raise ConfigurationError(f"devices is {devices!r}: give a list of JAX devices, such as jax.devices().")
    if len(set(devices)) < len(devices):
        raise ConfigurationError(f"devices names {len(devices)} devices, some of them twice: name each once.")
    if jax.process_count() > 1 and set(devices) != set(jax.devices()):
        raise ConfigurationError(
            f"devices names {len(devices)} of the {len(jax.devices())} devices of {jax.process_count()} processes, and "
            "every process must take part: give jax.devices()."
        )
    # Examples are numbered through the processes in order, so the devices of a process must be neighbours.
    return Mesh(np.array(sorted(devices, key=lambda device: device.process_index)), (AXIS,))


def shard_rows(
    mesh: Mesh, x: Any, y: Any, weight: Any = None, counts: np.ndarray | None = None, rows: int | None = None
) -> Rows:
    """Divide this process's examples evenly among its devices of the mesh; see `Rows.shards`.

    `counts` is the number of examples of each process, None asks the processes for it; `rows` is the size of a device's
    share with its padding, None takes `padded_size`.
    """
    counts = process_counts(len(x)) if counts is None else counts
    owners = np.array([device.process_index for device in mesh.devices.flat])
    own_devices = np.flatnonzero(owners == jax.process_index()).tolist()
    counts = np.concatenate([_evenly(counts[p], int((owners == p).sum())) for p in range(len(counts))])
    if counts.sum() >= 2**31:
        raise DataError(f"there are {counts.sum():,} examples, and devices can number at most 2³¹ - 1: stream them.")
    rows = padded_size(int(counts.max())) if rows is None else rows
    edges = np.concatenate([[0], np.cumsum(counts[own_devices])])
    spans = list(zip(edges[:-1], edges[1:], mesh.devices.flat[own_devices], strict=True))

    def shard(array: Any) -> Array:
        array = np.asarray(array)

        def put(start: int, end: int, device: Any) -> Array:
            widths = [(0, rows - (end - start))] + [(0, 0)] * (array.ndim - 1)
            return jax.device_put(np.pad(array[start:end], widths), device)

        shape, shards = (rows * mesh.size, *array.shape[1:]), [put(*span) for span in spans]
        return jax.make_array_from_single_device_arrays(shape, NamedSharding(mesh, SHARDED), shards)

    first = np.concatenate([[0], np.cumsum(counts)[:-1]])
    firsts, device_counts, count = replicate(mesh, [a.astype(np.int32) for a in (first, counts, counts.sum())])
    shards = Shards(mesh, firsts, device_counts)
    return Rows(shard(x), shard(y), None if weight is None else shard(weight), count, shards)


def process_counts(count: int) -> np.ndarray:
    """The number of examples of each process, (processes,)."""
    counts = np.zeros(jax.process_count(), np.int64)
    counts[jax.process_index()] = count
    return sum_over_processes(counts)


def _evenly(count: int, parts: int) -> np.ndarray:
    """The count divided into `parts` whole numbers that differ by at most one."""
    return np.diff([count * i // parts for i in range(parts + 1)])


def local_rows(rows: Rows, array: Array) -> list[tuple[int, np.ndarray]]:
    """The rows of an array that this process holds, without padding: for each device the first number and the rows."""
    if rows.shards is None:
        return [(0, np.asarray(array)[: int(rows.count)])]
    firsts, counts = np.asarray(rows.shards.firsts), np.asarray(rows.shards.counts)
    size = array.shape[0] // rows.shards.devices
    shards = [((shard.index[0].start or 0) // size, np.asarray(shard.data)) for shard in array.addressable_shards]
    return [(int(firsts[d]), data[: counts[d]]) for d, data in shards]


def replicate(mesh: Mesh | None, tree: Any) -> Any:
    """Copy the tree, which every process has, to every device of the mesh; without a mesh return it unchanged."""
    if mesh is None:
        return tree
    sharding = NamedSharding(mesh, REPLICATED)

    def put(leaf: Any) -> Array:
        if isinstance(leaf, Array) and jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key):
            return jax.random.wrap_key_data(put(jax.random.key_data(leaf)), impl=jax.random.key_impl(leaf))
        value = np.asarray(leaf)
        return jax.make_array_from_callback(value.shape, sharding, lambda index: value[index])

    return jax.tree.map(put, tree)


def unreplicate(tree: Any) -> Any:
    """A replicated tree on this process's default device."""
    return jax.tree.map(lambda leaf: jnp.asarray(np.asarray(leaf)), tree)


def broadcast(*values: int) -> tuple[int, ...]:
    """The numbers of process 0 in every process, so that all take the same decision after a clock or a callback."""
    if jax.process_count() == 1:
        return values
    from jax.experimental import multihost_utils

    return tuple(int(value) for value in multihost_utils.broadcast_one_to_all(np.array(values, np.int32)))


def sum_over_processes(counts: np.ndarray) -> np.ndarray:
    """The sum over the processes of an array of 64-bit whole numbers."""
    if jax.process_count() == 1:
        return counts
    from jax.experimental import multihost_utils

    with jax.enable_x64(True):
        return np.asarray(multihost_utils.process_allgather(counts)).sum(axis=0)
