"""The registry of initializers, which draw the initial weights and biases of a layer.

A layer has `n_out` neurons with `n_in` weights each: W is (n_out, n_in), b is (n_out,). The record of an activation
names the default for its layers.
"""

from collections.abc import Callable

import numpy as np

from deltarule.errors import ConfigurationError

Random = np.random.Generator
Initializer = Callable[..., tuple[np.ndarray, np.ndarray]]


def old(random: Random, n_out: int, n_in: int, dtype) -> tuple[np.ndarray, np.ndarray]:
    """Weights and biases N(0, 1), which saturate wide layers: [N] ch. 1."""
    return random.standard_normal((n_out, n_in)).astype(dtype), random.standard_normal(n_out).astype(dtype)


def new(random: Random, n_out: int, n_in: int, dtype) -> tuple[np.ndarray, np.ndarray]:
    """Weights N(0, 1/n_in), biases N(0, 1): [N] ch. 3."""
    W, b = old(random, n_out, n_in, dtype)
    return W / n_in**0.5, b


def glorot(random: Random, n_out: int, n_in: int, dtype) -> tuple[np.ndarray, np.ndarray]:
    """Weights N(0, 2/(n_in + n_out)), biases 0: Glorot & Bengio 2010."""
    scale = (2 / (n_in + n_out)) ** 0.5
    return (scale * random.standard_normal((n_out, n_in))).astype(dtype), np.zeros(n_out, dtype)


def he(random: Random, n_out: int, n_in: int, dtype) -> tuple[np.ndarray, np.ndarray]:
    """Weights N(0, 2/n_in), biases 0: He et al. 2015, for rectified units."""
    scale = (2 / n_in) ** 0.5
    return (scale * random.standard_normal((n_out, n_in))).astype(dtype), np.zeros(n_out, dtype)


def nguyen_widrow(random: Random, n_out: int, n_in: int, dtype) -> tuple[np.ndarray, np.ndarray]:
    """Random directions and evenly spaced biases: the active regions of tanh neurons tile [-1, 1]^n_in.

    Each row of W has length beta = 1.4 n_out^(1/n_in), and the biases are evenly spaced on [-beta, beta]: 0.7 as in
    Nguyen & Widrow 1990, times 2 because tanh is active for z in [-2, 2] (MATLAB's initnw). Inputs should be in [-1, 1]
    or standardised.
    """
    beta = 1.4 * n_out ** (1 / n_in)
    direction = random.uniform(-1, 1, (n_out, n_in))
    direction = direction / np.linalg.norm(direction, axis=1, keepdims=True)
    centre = np.linspace(-1, 1, n_out) if n_out > 1 else np.zeros(1)
    return (beta * direction).astype(dtype), (beta * centre * np.sign(direction[:, 0])).astype(dtype)


INITIALIZERS: dict[str, Initializer] = {
    "old": old,
    "new": new,
    "glorot": glorot,
    "he": he,
    "nguyen-widrow": nguyen_widrow,
}


def get_initializer(name: str) -> Initializer:
    """The initializer of that name; a ConfigurationError if it is not in `INITIALIZERS`."""
    if not isinstance(name, str) or name not in INITIALIZERS:
        raise ConfigurationError(f"initializer {name!r} is not known: choose one of {', '.join(INITIALIZERS)}.")
    return INITIALIZERS[name]
