"""Two settings of [N] as a plain NumPy loop in float64, without deltarule, to separate the setting from our code.

    python -m benchmarks.book                  ch. 1: 784-100-10, quadratic cost, eta 3
    python -m benchmarks.book --regularised    ch. 3: 784-30-10, cross-entropy, eta 0.5, lambda 5

Mini-batches of 10, 30 epochs, weights and biases from N(0, 1). Prints for each start the accuracy on the test images in
the best epoch and in the last. MNIST is read from $DELTARULE_DATA or the user's cache. One BLAS thread is the quickest.
"""

import argparse
import os
from typing import NamedTuple

import numpy as np

from deltarule import data

BATCH, EPOCHS = 10, 30


class Setting(NamedTuple):
    """What differs between the two chapters."""

    hidden: int
    eta: float
    lam: float
    cross_entropy: bool


CHAPTER_1 = Setting(100, 3.0, 0.0, cross_entropy=False)
CHAPTER_3 = Setting(30, 0.5, 5.0, cross_entropy=True)


def sigma(z: np.ndarray) -> np.ndarray:
    """1 / (1 + e^-z)."""
    return 1 / (1 + np.exp(-np.clip(z, -700, 700)))


def train(
    setting: Setting, X: np.ndarray, Y: np.ndarray, test: tuple[np.ndarray, np.ndarray], seed: int
) -> list[float]:
    """The accuracy on the test images after every epoch, in percent."""
    random = np.random.default_rng(seed)
    b1, b2 = random.normal(size=setting.hidden), random.normal(size=10)
    W1, W2 = random.normal(size=(setting.hidden, 784)), random.normal(size=(10, setting.hidden))
    decay, rate = 1 - setting.eta * setting.lam / len(X), setting.eta / BATCH
    accuracies = []
    for _ in range(EPOCHS):
        order = random.permutation(len(X))
        for start in range(0, len(X), BATCH):
            chosen = order[start : start + BATCH]
            x, y = X[chosen], Y[chosen]
            a1 = sigma(x @ W1.T + b1)
            a2 = sigma(a1 @ W2.T + b2)
            delta2 = a2 - y if setting.cross_entropy else (a2 - y) * a2 * (1 - a2)
            delta1 = (delta2 @ W2) * a1 * (1 - a1)
            W2 = decay * W2 - rate * delta2.T @ a1
            W1 = decay * W1 - rate * delta1.T @ x
            b2 -= rate * delta2.sum(axis=0)
            b1 -= rate * delta1.sum(axis=0)
        outputs = sigma(sigma(test[0] @ W1.T + b1) @ W2.T + b2)
        accuracies.append(100 * float(np.mean(outputs.argmax(axis=1) == test[1])))
    return accuracies


def main() -> None:
    """Train from some starts with one setting."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--regularised", action="store_true", help="the setting of chapter 3")
    parser.add_argument("--starts", type=int, default=8)
    chosen = parser.parse_args()
    setting = CHAPTER_3 if chosen.regularised else CHAPTER_1
    mnist = data.load("mnist", data_dir=os.environ.get("DELTARULE_DATA"))
    X, Y, Xt = (np.asarray(part, float) for part in (mnist.train.X, mnist.train.Y, mnist.test.X))
    for seed in range(chosen.starts):
        accuracies = train(setting, X, Y, (Xt, np.asarray(mnist.test.Y).argmax(axis=1)), seed)
        print(f"start {seed}: best epoch {max(accuracies):.2f} %, last {accuracies[-1]:.2f} %", flush=True)


if __name__ == "__main__":
    main()
