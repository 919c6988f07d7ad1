"""The gates of LSTM and GRU: sigmoids that open and close, and last a tanh, the candidate for what is remembered."""

from deltarule import engine
from deltarule.arrays import Array


def gate_values(z: Array, n: int) -> Array:
    """Sigmoid of all but the last n of z, tanh of these."""
    xp = z.__array_namespace__()
    return xp.concatenate([engine.of(z).sigmoid(z[..., :-n]), xp.tanh(z[..., -n:])], axis=-1)


def gate_slopes(a: Array, n: int) -> Array:
    """Their sigma', from their values: a (1 - a), and 1 - a²."""
    opening, candidate = a[..., :-n], a[..., -n:]
    parts = [opening * (1 - opening), 1 - candidate * candidate]
    return a.__array_namespace__().concatenate(parts, axis=-1)


def gate_curvatures(a: Array, slopes: Array, n: int) -> Array:
    """Their sigma'', from values and slopes: a (1 - a) (1 - 2 a), and -2 a (1 - a²)."""
    opening, candidate = a[..., :-n], a[..., -n:]
    factors = a.__array_namespace__().concatenate([1 - 2 * opening, -2 * candidate], axis=-1)
    return factors * slopes


def split(array: Array, n: int) -> list[Array]:
    """Gate by gate, (..., n) each."""
    return [array[..., first : first + n] for first in range(0, array.shape[-1], n)]


def joined(*parts: Array) -> Array:
    """Gates side by side."""
    return parts[0].__array_namespace__().concatenate(parts, axis=-1)
