"""Factor the system of a Levenberg-Marquardt step on every device, or divided among the devices, and compare.

python -m benchmarks.cholesky [ORDER,ORDER...] [DEVICES,DEVICES...]

Simulated devices share the cores of one machine, so beside the seconds of a call the table has what D devices with a
core each would need, the processor's seconds divided by D: computation alone, no network.
"""

import os
import sys
import time
from collections.abc import Callable
from functools import partial

REPEATS = 5


def divided_cholesky(mesh) -> Callable:
    """Compile a factorisation whose work is divided among the devices."""
    import jax
    import jax.numpy as jnp

    from benchmarks.panels import factored

    return jax.jit(lambda A: jnp.tril(factored(A, mesh)))


def replicated_cholesky(mesh) -> Callable:
    """Compile a factorisation of the whole matrix on every device."""
    import jax
    import jax.numpy as jnp
    from jax.sharding import PartitionSpec

    whole = PartitionSpec()
    return jax.jit(jax.shard_map(jnp.linalg.cholesky, mesh=mesh, in_specs=whole, out_specs=whole, check_vma=False))


def seconds(call: Callable) -> tuple[float, float]:
    """The median time of a call, on the clock and of the processor."""
    import jax

    jax.block_until_ready(call())
    taken = []
    for _ in range(REPEATS):
        began, busy = time.perf_counter(), time.process_time()
        jax.block_until_ready(call())
        taken.append((time.perf_counter() - began, time.process_time() - busy))
    return sorted(t for t, _ in taken)[REPEATS // 2], sorted(t for _, t in taken)[REPEATS // 2]


def main(orders: list[int], counts: list[int]) -> None:
    """Print the table."""
    import jax
    import numpy as np
    from jax.sharding import Mesh, NamedSharding, PartitionSpec

    print("| order | devices | every device, s | divided, s | a core each: every device, s | divided, s | apart |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for order in orders:
        for devices in counts:
            J = np.random.default_rng(0).standard_normal((order, order))
            mesh = Mesh(np.array(jax.devices()[:devices]), ("data",))
            A = jax.device_put(J @ J.T / order + np.eye(order), NamedSharding(mesh, PartitionSpec()))
            every, divided = replicated_cholesky(mesh), divided_cholesky(mesh)
            apart = np.abs(np.asarray(divided(A)) - np.asarray(every(A))).max()
            (a, a_busy), (b, b_busy) = seconds(partial(every, A)), seconds(partial(divided, A))
            row = (f"{t:.3f}" for t in (a, b, a_busy / devices, b_busy / devices))
            print(f"| {order:,} | {devices} | {' | '.join(row)} | {apart:.0e} |", flush=True)


if __name__ == "__main__":
    given = [[int(word) for word in words.split(",")] for words in sys.argv[1:3]]
    orders, counts = (given + [[1000, 2000, 4000], [2, 4]][len(given) :])[:2]
    os.environ["XLA_FLAGS"] = f"--xla_force_host_platform_device_count={max(counts)}"
    import jax

    with jax.enable_x64(True):
        main(orders, counts)
