"""One epoch of 784-30-10 in batches of 10 over 50,000 examples, against a bare JAX scan of the same step.

The bare scan is the floor that JAX allows: the derivatives written out for this one network, nothing recorded,
nothing checked. It runs twice: over the examples as they lie, which no stochastic descent may do, and over a fresh
permutation, which is the same work as an epoch of deltarule.

    python -m benchmarks.epoch [--data-dir DIR]      MNIST if DIR holds it, random images of its size otherwise
"""

import argparse
import statistics
import time
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

import deltarule as dr
from deltarule import loop
from deltarule.rows import pad_rows

ETA, M, ROUNDS = 3.0, 10, 11
NET = dr.Network([dr.Dense(30, "sigmoid"), dr.Dense(10, "sigmoid")], cost="quadratic")


def bare_step(params: Any, x: Array, y: Array) -> Any:
    """One step of gradient descent on the mean quadratic cost of a batch, for this network only."""
    (W1, b1), (W2, b2) = params
    a1 = jax.nn.sigmoid(x @ W1.T + b1)
    a2 = jax.nn.sigmoid(a1 @ W2.T + b2)
    delta2 = (a2 - y) * a2 * (1 - a2)
    delta1 = (delta2 @ W2) * a1 * (1 - a1)
    s = ETA / M
    return (
        (W1 - s * (delta1.T @ x), b1 - s * delta1.sum(0)),
        (W2 - s * (delta2.T @ a1), b2 - s * delta2.sum(0)),
    )


@jax.jit
def bare_epoch(params: Any, X: Array, Y: Array) -> Any:
    """The scan over the batches as they lie."""
    batches = (X.reshape(-1, M, X.shape[1]), Y.reshape(-1, M, Y.shape[1]))
    return lax.scan(lambda p, xy: (bare_step(p, *xy), None), params, batches)[0]


@jax.jit
def bare_shuffled_epoch(params: Any, X: Array, Y: Array, key: Array) -> Any:
    """The same scan over a fresh permutation of the examples."""
    order = jax.random.permutation(key, X.shape[0])
    batches = (X[order].reshape(-1, M, X.shape[1]), Y[order].reshape(-1, M, Y.shape[1]))
    return lax.scan(lambda p, xy: (bare_step(p, *xy), None), params, batches)[0]


def examples(data_dir: str | None) -> tuple[np.ndarray, np.ndarray]:
    """MNIST's 50,000 training images, or random ones of the same size."""
    if data_dir is not None and Path(data_dir).is_dir():
        from deltarule.data import load

        train = load("mnist", data_dir=data_dir).train
        return np.asarray(train.X, np.float32), np.asarray(train.Y, np.float32)
    random = np.random.default_rng(0)
    X = random.random((50_000, 784), np.float32)
    return X, np.eye(10, dtype=np.float32)[random.integers(0, 10, 50_000)]


def main() -> None:
    """Interleave the three, take medians, print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir")
    X, Y = examples(parser.parse_args().data_dir)
    x, y = jnp.asarray(X), jnp.asarray(Y)
    params = NET.init(0, (784,))
    bare_params = tuple((layer["W"], layer["b"]) for layer in params)
    trainer, rows = dr.GradientDescent(eta=ETA, batch_size=M), pad_rows(X, Y)
    carry, rules, one = loop.start(NET, trainer, params, rows), dr.Stopping(), jnp.asarray(1, jnp.int32)
    contestants = {
        "bare scan, examples as they lie": lambda key: bare_epoch(bare_params, x, y),
        "bare scan, fresh permutation": lambda key: bare_shuffled_epoch(bare_params, x, y, key),
        "deltarule, epoch of dr.train": lambda key: loop.advance(
            NET, trainer, rules, "cost", carry, rows, None, key, one
        ),
    }
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for round_number in range(ROUNDS + 1):  # the first round compiles
        for name, epoch in contestants.items():
            began = time.perf_counter()
            jax.block_until_ready(epoch(jax.random.key(round_number)))
            if round_number:
                seconds[name].append(time.perf_counter() - began)
    steps = X.shape[0] // M
    floor = statistics.median(seconds["bare scan, examples as they lie"])
    print(f"784-30-10, batches of {M}, {X.shape[0]:,} examples, float32, jax {jax.__version__}: {ROUNDS} rounds\n")
    print("| epoch | median µs a step | least µs a step | ratio of medians |\n| --- | --- | --- | --- |")
    for name, values in seconds.items():
        median = statistics.median(values)
        print(f"| {name} | {median / steps * 1e6:.1f} | {min(values) / steps * 1e6:.1f} | {median / floor:.2f} |")


if __name__ == "__main__":
    main()
