"""The Cholesky factor of a matrix that every device holds, its work divided among them.

Right-looking, in panels of columns: panel j is the work of device j mod D, which factors it and sends it to all, one
all-reduce of its size; each device then takes the panel's product from the panels that are its work. So what is sent is
the factor, n² numbers, once, and every device ends with all of it. `python -m benchmarks.cholesky` measures it beside
the factorisation that every device repeats.
"""

from functools import partial

import jax
import jax.numpy as jnp
from jax import Array, lax
from jax.sharding import Mesh

from deltarule.engine.devices import AXIS, REPLICATED

PANEL = 128  # columns, more where there would be too many panels
MOST_PANELS = 64  # each is compiled


def factored(A: Array, mesh: Mesh) -> Array:
    """The lower triangular L with L L^T = A, for A symmetric, (n, n), whole on every device of the mesh."""
    order = A.shape[0]
    panel = max(PANEL, -(-order // MOST_PANELS))
    each = -(-order // (panel * mesh.size))
    size = each * mesh.size * panel
    padded = jnp.eye(size, dtype=A.dtype).at[:order, :order].set(A)
    own = partial(_factor, panel, each, mesh.size)
    return jax.shard_map(own, mesh=mesh, in_specs=REPLICATED, out_specs=REPLICATED, check_vma=False)(padded)[
        :order, :order
    ]


def _factor(panel: int, each: int, devices: int, A: Array) -> Array:
    """The factor, from what this device does and what the others send."""
    here = lax.axis_index(AXIS)
    panels = A.reshape(len(A), each, devices, panel).transpose(2, 1, 0, 3)
    mine = lax.dynamic_index_in_dim(panels, here, keepdims=False)  # (each, n, panel): panels here, here + D, ...
    factor = jnp.zeros_like(A)
    for j in range(each * devices):
        top, at = j * panel, j // devices
        its_work = here == j % devices  # the others compute on an identity, and send zeros
        column = mine[at, top:]
        L = jnp.linalg.cholesky(jnp.where(its_work, column[:panel], jnp.eye(panel, dtype=A.dtype)))
        below = lax.linalg.triangular_solve(L, column[panel:], left_side=False, lower=True, transpose_a=True)
        done = lax.psum(jnp.where(its_work, jnp.concatenate([L, below]), 0), AXIS)
        factor = factor.at[top:, top : top + panel].set(done)
        first = (j + 1) // devices  # of this device's panels, the first that may lie to the right of panel j
        if first < each:
            number = jnp.arange(first, each) * devices + here
            rows = done.reshape(-1, panel, panel)[jnp.maximum(number - j, 0)]
            rows = jnp.where((number > j)[:, None, None], rows, 0)
            change = done @ rows.reshape(-1, panel).T
            mine = mine.at[first:, top:].add(-change.reshape(-1, each - first, panel).transpose(1, 0, 2))
    return factor
