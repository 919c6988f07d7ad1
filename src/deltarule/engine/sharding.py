"""Examples divided among devices: which device holds which, and sums over all of them.

Every device of a one-dimensional mesh holds a share of the examples and all of the parameters. What compiles is written
for all the examples at once and divided by JAX; only where a loop runs over examples (blocks of a sum, mini-batches) is
the part of one device written out, inside `jax.shard_map`, so that examples never travel.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array, lax
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from deltarule.engine.pytrees import register

AXIS = "data"  # the mesh's only axis
DIVIDED, WHOLE = PartitionSpec(AXIS), PartitionSpec()


@dataclass(frozen=True)
class Shards:
    """Device d holds the `counts[d]` examples numbered from `firsts[d]` on, followed by its padding rows.

    Args:
        mesh: the devices; static.
        firsts: the number of each device's first example, (D,) int32, ascending.
        counts: how many examples each device holds, (D,) int32.
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

    def everywhere(self, tree: Any) -> Any:
        """The tree, gathered so that every device holds all of it."""
        return lax.with_sharding_constraint(tree, NamedSharding(self.mesh, WHOLE))


register(Shards, leaves=("firsts", "counts"))
