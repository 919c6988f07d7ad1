"""The step of a two-layer network in bare JAX, without records and checks: the best that JAX allows.

Also the matrix products of a step alone, and a large product, which say what the processor allows.
"""

import time

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from benchmarks.descent.task import Start, Task

SQUARE = 2048  # of the product that stands for the processor's peak


class BareScan:
    """Sigmoid hidden layer, softmax and log-likelihood; the epoch is one scan."""

    def __init__(self, task: Task, shuffled: bool = True):
        """Without `shuffled` the examples are taken as they lie, which no stochastic descent may do."""
        self.X, self.Y, self.steps = jnp.asarray(task.X), jnp.asarray(task.Y), task.steps()
        self.state = [(jnp.asarray(W), jnp.asarray(b)) for W, b in task.start]
        self.key, m, eta = jax.random.key(0), task.batch, task.eta

        def step(params, xy):
            (W1, b1), (W2, b2) = params
            x, y = xy
            a1 = jax.nn.sigmoid(x @ W1.T + b1)
            a2 = jax.nn.softmax(a1 @ W2.T + b2)
            delta2 = (a2 - y) / m
            delta1 = (delta2 @ W2) * a1 * (1 - a1)
            return [
                (W1 - eta * (delta1.T @ x), b1 - eta * delta1.sum(0)),
                (W2 - eta * (delta2.T @ a1), b2 - eta * delta2.sum(0)),
            ], None

        @jax.jit
        def epoch(params, X, Y, key):
            if shuffled:
                order = jax.random.permutation(key, X.shape[0])
                X, Y = X[order], Y[order]
            batches = tuple(part.reshape(-1, m, part.shape[1]) for part in (X, Y))
            return lax.scan(step, params, batches)[0]

        self.one_epoch = epoch

    def epoch(self) -> None:
        """Run one scan."""
        self.key, key = jax.random.split(self.key)
        self.state = jax.block_until_ready(self.one_epoch(self.state, self.X, self.Y, key))

    def params(self) -> Start:
        """Return W and b."""
        return [(np.asarray(W), np.asarray(b)) for W, b in self.state]


class Products:
    """The matrix products of a step of a dense network, forward, backward and gradients, and p ← p - eta g.

    With eta in the update, not in the error: XLA's code for a difference of two arrays alone, p ← p - g, takes eight
    times as long as its code for p ← p - eta g (8 and 1 µs for 30 x 784, jaxlib 0.10).
    """

    units = 1.0

    def __init__(self, task: Task):
        """Take as many steps as an epoch has whole batches."""
        self.units = float(len(task.X) // task.batch)
        m, eta, X = task.batch, task.eta, jnp.asarray(task.X)
        self.W = [jnp.asarray(W) for W, _ in task.start]
        self.X = X[: int(self.units) * m].reshape(-1, m, X.shape[1])

        def step(W: list[Array], x: Array):
            a = [x]
            for w in W:
                a.append(a[-1] @ w.T)
            delta, moved = a.pop(), []
            for w in reversed(W):
                across = delta.T
                if m >= 64 or len(w) <= 32:  # where it is the faster one: see src/deltarule/engine/jax_engine.py
                    across = lax.optimization_barrier(across)
                moved.insert(0, w - eta * (across @ a.pop()))
                delta = delta @ w if a else delta
            return moved, None

        self.scan = jax.jit(lambda W, X: lax.scan(step, W, X)[0])

    def lap(self) -> None:
        """Run one pass; the results are not used."""
        jax.block_until_ready(self.scan(self.W, self.X))

    def finish(self) -> dict[str, float]:
        """Return nothing, because there is nothing to compare."""
        return {}


class Peak:
    """The time of the step's products at the rate of one large float32 product, the best of XLA and NumPy."""

    units = 1.0

    def __init__(self, task: Task):
        """The operations of a step: 2 m n_l n_{l-1} for each product, two products for the first layer, else three."""
        sizes = [W.size for W, _ in task.start]
        self.operations = 2.0 * task.batch * (2 * sizes[0] + 3 * sum(sizes[1:]))
        self.A = np.random.default_rng(0).random((SQUARE, SQUARE), np.float32)
        self.product = jax.jit(lambda a: a @ a)
        self.on_device, self.rate = jnp.asarray(self.A), 0.0

    def lap(self) -> float:
        """Return the seconds of a step at this lap's rate."""
        seconds = []
        for multiply in (lambda: jax.block_until_ready(self.product(self.on_device)), lambda: self.A @ self.A):
            began = time.perf_counter()
            multiply()
            seconds.append(time.perf_counter() - began)
        self.rate = max(self.rate, 2 * SQUARE**3 / min(seconds) / 1e9)
        return self.operations * min(seconds) / (2 * SQUARE**3)

    def finish(self) -> dict[str, float]:
        """Return the best rate."""
        return {"GFLOP/s": self.rate}


def products(folder: str) -> Products:
    """Make `Products`."""
    from benchmarks.descent.task import read

    return Products(read(folder))


def peak(folder: str) -> Peak:
    """Make `Peak`."""
    from benchmarks.descent.task import read

    return Peak(read(folder))
