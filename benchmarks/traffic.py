"""Count what a step sends between devices: the bytes of every collective in the compiled programs, by loop.

python -m benchmarks.traffic [--devices P]
"""

import argparse
import os
import re
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

WIDTH = {"f64": 8, "f32": 4, "s64": 8, "u64": 8, "s32": 4, "u32": 4, "s8": 1, "pred": 1}
COLLECTIVES = "all-reduce|all-gather|all-to-all|collective-permute|reduce-scatter"


def collectives(text: str) -> dict[str, list[tuple[str, int]]]:
    """(operation, bytes of its result) of every collective of an HLO module, by the computation it stands in."""
    found: dict[str, list[tuple[str, int]]] = defaultdict(list)
    computation = ""
    for line in text.splitlines():
        if opening := re.match(r"(?:ENTRY )?%?([\w.-]+) .*\{$", line):
            computation = opening[1]
        if operation := re.search(rf"= (.+?) ({COLLECTIVES})(?:-start)?\(", line):
            shapes = re.findall(r"(\w+)\[([\d,]*)\]", operation[1])
            size = sum(WIDTH[kind] * _product(dims) for kind, dims in shapes)
            found[computation].append((operation[2], size))
    return found


def _product(dims: str) -> int:
    size = 1
    for n in dims.split(",") if dims else []:
        size *= int(n)
    return size


@contextmanager
def caught() -> Iterator[dict[str, str]]:
    """Within it every program that the JAX engine calls is compiled apart, once for each: its name, and its text.

    Gradient descent is one program, the epochs; a second-order step is several, its pieces.
    """
    from deltarule.engine import jax_engine
    from deltarule.training import compiled_loop

    found: dict[str, str] = {}
    call, call_of = jax_engine.call, compiled_loop.call_of

    def piece(f: Any, *args: Any, **static: Any) -> Any:
        name = f"{f.__module__.rpartition('.')[2]}.{f.__name__}"
        if name not in found:
            found[name] = jax_engine._compiled(f, tuple(static)).lower(*args, **static).compile().as_text()
        return call(f, *args, **static)

    def epochs(*arguments: Any) -> Any:
        function, given, static = call_of(*arguments)
        found.setdefault("epochs", function.lower(*given, **static).compile().as_text())
        return function, given, static

    jax_engine.call, compiled_loop.call_of = piece, epochs
    try:
        yield found
    finally:
        jax_engine.call, compiled_loop.call_of = call, call_of


def main() -> None:
    """Compile a training of each kind on simulated devices and print what it sends."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--devices", type=int, default=4)
    options = parser.parse_args()
    os.environ["XLA_FLAGS"] = f"--xla_force_host_platform_device_count={options.devices}"

    import jax
    import numpy as np

    import deltarule as dr

    cases = {
        "SGD, 784-30-10, batches of 1,024": (dr.GradientDescent(eta=0.1, batch_size=1024), (784, 30, 10), 8192),
        "gradient descent, 784-30-10": (dr.GradientDescent(eta=0.1), (784, 30, 10), 8192),
        "LM primal, 8-20-1": (dr.LevenbergMarquardt(solver="primal"), (8, 20, 1), 8192),
        "LM dual, 100-200-1": (dr.LevenbergMarquardt(solver="dual"), (100, 200, 1), 512),
    }
    print(
        "| training | parameters (bytes) | examples (bytes) | program: collectives, bytes by the loop they stand in |"
    )
    print("| --- | --- | --- | --- |")
    for name, (trainer, sizes, N) in cases.items():
        net = dr.Network([*(dr.Dense(n, "tanh") for n in sizes[1:-1]), dr.Dense(sizes[-1], "linear")])
        random = np.random.default_rng(0)
        X, Y = random.normal(size=(N, sizes[0])), random.normal(size=(N, sizes[-1]))
        with caught() as programs:
            result = dr.train(net, X, Y, trainer=trainer, epochs=1, devices=jax.devices())
        width = result.params[0]["W"].dtype.itemsize
        n = sum(p.size for p in jax.tree.leaves(result.params))
        sent = []
        for program, text in programs.items():
            for computation, ops in collectives(text).items():
                words = ", ".join(f"{kind} {size:,}" for kind, size in ops)
                sent.append(f"{program}: {computation}: {words}")
        print(f"| {name} | {n:,} ({n * width:,}) | {N:,} ({X.size * width:,}) | {'; '.join(sent)} |", flush=True)


if __name__ == "__main__":
    main()
