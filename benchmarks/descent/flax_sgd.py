"""Flax (linen) with Optax on the CPU: a jitted step for every batch, or an epoch as one scan; the state is donated."""

from functools import partial
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax.training.train_state import TrainState

from benchmarks.descent.task import Start, Task


class Model(nn.Module):
    """The task's layers without softmax, which the loss computes from z."""

    layers: tuple[tuple[Any, ...], ...]
    image: tuple[int, int, int] | None

    @nn.compact
    def __call__(self, x):
        """Return the outputs, or z before a softmax."""
        x = x.reshape(-1, *self.image) if self.image else x
        for kind, *numbers in self.layers:
            if kind == "pool":
                x = nn.max_pool(x, (numbers[0],) * 2, strides=(numbers[0],) * 2)
                continue
            if kind == "convolution":
                x = nn.Conv(numbers[0], (numbers[1],) * 2, padding="VALID")(x)
            else:
                x = nn.Dense(numbers[0])(x.reshape(x.shape[0], -1))
            x = {"sigmoid": nn.sigmoid, "relu": nn.relu, "softmax": lambda z: z}[numbers[-1]](x)
        return x


class Flax:
    """TrainState and optax.sgd."""

    def __init__(self, task: Task, scanned: bool = False, steps: int | None = None):
        """`steps`: the steps of an epoch if every step draws anew."""
        self.task, self.steps, self.scanned = task, task.steps(steps or 0), scanned
        self.X, self.key = jnp.asarray(task.X), jax.random.key(0)
        self.Y = jnp.asarray(task.labels if task.cost == "log-likelihood" else task.Y)
        model = Model(tuple(map(tuple, task.layers)), task.image and tuple(task.image))
        variables = named(task)
        self.state = TrainState.create(apply_fn=model.apply, params=variables, tx=optax.sgd(task.eta))
        m, one_hot = task.batch, task.cost == "log-likelihood"

        def cost(params, x, y):
            a = model.apply({"params": params}, x)
            if one_hot:
                return optax.softmax_cross_entropy_with_integer_labels(a, y).mean()
            return 0.5 * jnp.sum((a - y) ** 2, axis=1).mean()

        def step(state, x, y):
            return state.apply_gradients(grads=jax.grad(cost)(state.params, x, y))

        @partial(jax.jit, donate_argnums=0)
        def one_step(state, X, Y, i):
            return step(state, *(jax.lax.dynamic_slice_in_dim(part, i * m, m) for part in (X, Y)))

        @partial(jax.jit, static_argnums=3)
        def shuffled(X, Y, key, steps):
            N = X.shape[0]
            if task.sampling == "uniform":
                order = jax.random.randint(key, (steps * m,), 0, N)
            else:
                order = jax.random.permutation(key, N)
            return X[order], Y[order]

        @partial(jax.jit, donate_argnums=0)
        def one_epoch(state, X, Y):
            batches = tuple(part.reshape(-1, m, *part.shape[1:]) for part in (X, Y))
            return jax.lax.scan(lambda state, xy: (step(state, *xy), None), state, batches)[0]

        self.one_step, self.one_epoch, self.shuffled = one_step, one_epoch, shuffled

    def epoch(self) -> None:
        """Run one pass over a new permutation, or `steps` draws; a last batch that is not full is left out by the
        scan.
        """
        self.key, key = jax.random.split(self.key)
        X, Y = self.shuffled(self.X, self.Y, key, self.steps)
        if self.scanned:
            whole = len(X) // self.task.batch * self.task.batch
            self.state = self.one_epoch(self.state, X[:whole], Y[:whole])
        else:
            for i in range(self.steps):
                self.state = self.one_step(self.state, X, Y, i)
        jax.block_until_ready(self.state)

    def params(self) -> Start:
        """Return W and b; Flax stores (in, out) and (height, width, in, out)."""
        return [(_moved(layer["kernel"]), np.asarray(layer["bias"])) for layer in self.state.params.values()]


def _moved(kernel: Any) -> np.ndarray:
    """Return Flax's kernel with the outputs first."""
    return np.moveaxis(np.asarray(kernel), -1, 0)


def named(task: Task) -> dict[str, dict[str, jax.Array]]:
    """Return the start under Flax's names, in the order of the layers."""
    found: dict[str, dict[str, jax.Array]] = {}
    counts = {"convolution": 0, "dense": 0}
    kinds = [kind for kind, *_ in task.layers if kind != "pool"]
    for kind, (W, b) in zip(kinds, task.start, strict=True):
        title = f"{'Conv' if kind == 'convolution' else 'Dense'}_{counts[kind]}"
        counts[kind] += 1
        # A copy: the state is donated, and what was donated must not be the task's own array.
        found[title] = {"kernel": jnp.array(np.moveaxis(W, 0, -1)), "bias": jnp.array(b)}
    return found
