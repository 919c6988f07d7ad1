"""Keras on its JAX backend: Sequential, compile(jit_compile=True), fit on arrays with shuffle=True."""

import keras
import numpy as np

from benchmarks.descent.task import Start, Task

STEPS_PER_EXECUTION = 32


class Keras:
    """Keras's Sequential, trained by one call of fit for each pass."""

    def __init__(self, task: Task, steps: int | None = None):
        """`steps`: the steps of an epoch if every step draws anew; they are drawn before the call."""
        self.task, self.steps = task, task.steps(steps or 0)
        keras.utils.set_random_seed(0)
        shape = task.image or task.X.shape[1:]
        layers: list[keras.Layer] = [keras.Input(shape)]
        flat = not task.image
        for kind, *numbers in task.layers:
            if kind == "pool":
                layers.append(keras.layers.MaxPooling2D(numbers[0]))
            elif kind == "convolution":
                layers.append(keras.layers.Conv2D(numbers[0], numbers[1], activation=numbers[2]))
            else:
                layers += [] if flat else [keras.layers.Flatten()]
                flat = True
                layers.append(keras.layers.Dense(numbers[0], None if numbers[1] == "softmax" else numbers[1]))
        self.model = keras.Sequential(layers)
        self.X = task.X.reshape(-1, *shape)
        classes = task.cost == "log-likelihood"
        self.Y = task.labels if classes else task.Y
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True) if classes else half_squares
        self.model.compile(
            optimizer=keras.optimizers.SGD(task.eta),
            loss=loss,
            jit_compile=True,
            steps_per_execution=min(STEPS_PER_EXECUTION, self.steps),
        )
        self.model.set_weights([array for W, b in task.start for array in (np.moveaxis(W, 0, -1), b)])
        self.random = np.random.default_rng(0)

    def epoch(self) -> None:
        """Run one pass over a new permutation, or `steps` draws."""
        X, Y, uniform = self.X, self.Y, self.task.sampling == "uniform"
        if uniform:
            drawn = self.random.integers(0, len(X), self.steps * self.task.batch)
            X, Y = X[drawn], Y[drawn]
        self.model.fit(X, Y, batch_size=self.task.batch, epochs=1, shuffle=not uniform, verbose=0)

    def params(self) -> Start:
        """Return W and b; Keras stores (in, out) and (height, width, in, out)."""
        weights = self.model.get_weights()
        return [(np.moveaxis(W, -1, 0), b) for W, b in zip(weights[::2], weights[1::2], strict=True)]


def half_squares(y, a):
    """1/2 ‖y - a‖² of each example."""
    return 0.5 * keras.ops.sum((a - y) ** 2, axis=-1)
