"""Weights that the P places of an example share: the positions of an image, the steps of a sequence.

Their inputs are a (m, P, n_in), and the errors of the residuals are delta (m, k, P, n). The row of J of a residual is
a sum of outer products over the places (BP4), dW = sum_p delta_p a_p^T, so two rows have the inner product

    sum_{p,p'} ⟨delta_p, delta'_p'⟩ ⟨a_p, a'_p'⟩                                                 (GRAM)

It is computed over pairs of places, or neuron by neuron with the sum over places first, whichever costs less.
"""

from collections.abc import Sequence

from deltarule import engine
from deltarule.arrays import Array


def product(W: Array, a: Array) -> Array:
    """W a at every place, (..., n), of a (..., n_in)."""
    return engine.of(a).dense(W, _rows(a)).reshape(*a.shape[:-1], W.shape[0])


def transposed(W: Array, delta: Array) -> Array:
    """W^T delta at every place, (..., n_in), of delta (..., n)."""
    return engine.of(delta).dense_transposed(W, _rows(delta)).reshape(*delta.shape[:-1], W.shape[1])


def outer(a: Array, delta: Array) -> Array:
    """sum over examples and places of delta a^T, (n, n_in) (BP4)."""
    return engine.of(delta).dense_outer(_rows(delta), _rows(a))


def _rows(array: Array) -> Array:
    return array.reshape(-1, array.shape[-1])


def jacobian_rows(a: Array, delta: Array) -> Array:
    """dW of each residual as a column, (n n_in, m k)."""
    m, k, _, n = delta.shape
    dW = _summed(a, delta).reshape(m, k, n, -1)
    return dW.transpose(2, 3, 0, 1).reshape(-1, m * k)


def _summed(a: Array, delta: Array) -> Array:
    """sum_p delta_p a_p^T of every residual, (m, k n, n_in)."""
    m, k, P, n = delta.shape
    return delta.swapaxes(-1, -2).reshape(m, k * n, P) @ a


def squares(a: Array, delta: Array) -> Array:
    """sum over residuals of dW², (n, n_in), example by example."""
    n, n_in = delta.shape[-1], a.shape[-1]

    def add(total: Array, pair: Sequence[Array]) -> Array:
        dW = _summed(pair[0][None], pair[1][None]).reshape(-1, n, n_in)
        return total + (dW * dW).sum(axis=0)

    zero = delta.__array_namespace__().zeros((n, n_in), dtype=delta.dtype)
    return engine.of(delta).fold(add, zero, (a, delta))


def bias_rows(delta: Array) -> Array:
    """db of each residual as a column, (n, m k)."""
    return delta.sum(axis=2).transpose(2, 0, 1).reshape(delta.shape[-1], -1)


def bias_squares(delta: Array) -> Array:
    """sum over residuals of db², (n,)."""
    db = delta.sum(axis=2)
    return (db * db).sum(axis=(0, 1))


def gram(a: Sequence[Array], delta: Sequence[Array]) -> Array:
    """(GRAM) between two sets of examples, (m, k, m', k')."""
    (P, n), n_in = delta[0].shape[2:], a[0].shape[-1]
    shape = (*delta[0].shape[:2], *delta[1].shape[:2])
    if P * delta[1].shape[2] * (n + n_in) < n * n_in:
        return _over_pairs(a, delta)
    xp = delta[0].__array_namespace__()

    def rows(side: int, of_neuron: Array) -> Array:
        return (of_neuron @ a[side]).reshape(-1, n_in)

    def add(total: Array, pair: Sequence[Array]) -> Array:
        return total + rows(0, pair[0]) @ rows(1, pair[1]).T

    zero = xp.zeros((shape[0] * shape[1], shape[2] * shape[3]), dtype=delta[0].dtype)
    return engine.of(zero).fold(add, zero, [xp.moveaxis(d, -1, 0) for d in delta]).reshape(shape)


def _over_pairs(a: Sequence[Array], delta: Sequence[Array]) -> Array:
    """(GRAM) from inner products of errors and of inputs, summed over pairs of places."""
    (m, k, P, n), (m2, k2, P2, _) = delta[0].shape, delta[1].shape
    errors = (delta[0].reshape(-1, n) @ delta[1].reshape(-1, n).T).reshape(m, k, P, m2, k2, P2)
    inputs = (_rows(a[0]) @ _rows(a[1]).T).reshape(m, 1, P, m2, 1, P2)
    return (errors * inputs).sum(axis=(2, 5))


def bias_gram(delta: Sequence[Array]) -> Array:
    """⟨db, db'⟩, (m, k, m', k')."""
    db = [d.sum(axis=2).reshape(-1, d.shape[-1]) for d in delta]
    return (db[0] @ db[1].T).reshape(*delta[0].shape[:2], *delta[1].shape[:2])


def units(a: Array, neurons: Array) -> Array:
    """dz for a unit change of each weight, (rows n_in, ..., n): e_j a_k for weight (j, k); `neurons` are the e_j."""
    xp = a.__array_namespace__()
    e = neurons.reshape(len(neurons), *[1] * a.ndim, neurons.shape[-1])
    dz = e * xp.moveaxis(a, -1, 0)[None, ..., None]
    return dz.reshape(-1, *dz.shape[2:])
