"""Pairs of output activation and cost that are computed from z, because BP1 fails if the output saturates.

∇_a C ⊙ sigma'(z) is a product such as 1/a times a: once a rounds to 0 or 1 the product is 0, and the examples with the
largest errors teach nothing. Here the factors are cancelled by hand, so that nothing overflows or loses digits.
`Cost.pairs` lists the pairs of a cost; the natural ones have delta^L = a - y. Of each pair `value` is C_x of each
example, (m,); `output_error` delta^L (BP1), (m, k); `output_error_tangent` its tangent as z moves by dz; `gauss_newton`
S (m, k, k) and r (m, k) with S r = delta^L. Shapes: z, a, y are (m, k).

Softmax with cross-entropy. Let c_j = 1 - a_j, e_j = a_j (1 - y_j) - c_j y_j and t the largest output of a row. Its
c_t = sum_{k≠t} a_k is summed, not subtracted, and b_j = a_j / c_t for j ≠ t is a softmax of the others:

    delta_i = sum_{j≠t} (e_j / c_j) ([i=j] - a_i) + e_t ([i=t] - b_i),    c_j >= 1/2 for j ≠ t.

Softplus with log-likelihood. With rho(z) = sigma'(z)/sigma(z), which goes to 1 for z → -∞: delta = -y rho(z).

Exponential with Poisson's cost. a - y ln a = e^z - y z, so delta = e^z - y and d²C/dz² = e^z for any y. Softplus with
Poisson's cost is softplus with log-likelihood plus the sum of a.
"""

from typing import NamedTuple

import numpy as np

from deltarule import engine
from deltarule.arrays import Array
from deltarule.network.activations import sigmoid, softmax_times_slope, softplus
from deltarule.network.cost import diagonal

SMALLEST_SLOPE = 1e-8  # the least S of a saturated output, so that r = delta / S stays finite


class Shares(NamedTuple):
    """Softmax outputs without loss of digits: a, c = 1 - a, their logarithms, the largest one-hot, and b."""

    a: Array
    c: Array
    ln_a: Array
    ln_c: Array
    top: Array
    b: Array


class Natural:
    """A pair whose sigma' cancels in delta^L = a - y."""

    def output_error(self, z: Array, a: Array, y: Array) -> Array:
        return a - y


class SigmoidCrossEntropy(Natural):
    """-sum_j [y_j ln a_j + (1 - y_j) ln(1 - a_j)] with a = sigmoid(z)."""

    def value(self, z: Array, a: Array, y: Array) -> Array:
        """-ln a is softplus(-z), -ln(1 - a) is softplus(z)."""
        return (softplus(z) - y * z).sum(axis=-1)

    def output_error_tangent(self, z: Array, a: Array, y: Array, dz: Array) -> Array:
        """da."""
        return a * (1 - a) * dz

    def gauss_newton(self, z: Array, a: Array, y: Array) -> tuple[Array, Array]:
        """S² = a (1 - a), computed from z because 1 - a has no digits left once a rounds to 1."""
        xp = z.__array_namespace__()
        root = xp.maximum(xp.exp(-0.5 * (softplus(z) + softplus(-z))), SMALLEST_SLOPE)
        return diagonal(root), (a - y) / root


class SoftmaxLogLikelihood(Natural):
    """-sum_j y_j ln a_j with a = softmax(z), for targets that sum to one."""

    def value(self, z: Array, a: Array, y: Array) -> Array:
        """ln a by log-sum-exp."""
        return -(y * engine.of(z).log_softmax(z)).sum(axis=-1)

    def output_error_tangent(self, z: Array, a: Array, y: Array, dz: Array) -> Array:
        """da."""
        return softmax_times_slope(a, dz)

    def gauss_newton(self, z: Array, a: Array, y: Array) -> tuple[Array, Array]:
        """S = diag(√a) (1 - √a √a^T), whose S S^T is diag(a) - a a^T; r = (a - y)/√a."""
        xp = a.__array_namespace__()
        root = xp.maximum(xp.sqrt(a), SMALLEST_SLOPE)
        eye = xp.eye(a.shape[-1], dtype=a.dtype)
        return root[..., :, None] * (eye - root[..., :, None] * root[..., None, :]), (a - y) / root


class SigmoidLogLikelihood:
    """-sum_j y_j ln a_j with a = sigmoid(z)."""

    def value(self, z: Array, a: Array, y: Array) -> Array:
        """-ln a is softplus(-z)."""
        return (y * softplus(-z)).sum(axis=-1)

    def output_error(self, z: Array, a: Array, y: Array) -> Array:
        """-y (1 - a), with 1 - a computed from z."""
        return -y * sigmoid(-z)

    def output_error_tangent(self, z: Array, a: Array, y: Array, dz: Array) -> Array:
        """y da."""
        return y * (a * (1 - a) * dz)

    def gauss_newton(self, z: Array, a: Array, y: Array) -> tuple[Array, Array]:
        """S = diag(√y (1 - a)), r = -√y."""
        root = y.__array_namespace__().sqrt(y)
        return diagonal(root * sigmoid(-z)), -root


class SoftmaxCrossEntropy:
    """-sum_j [y_j ln a_j + (1 - y_j) ln(1 - a_j)] with a = softmax(z)."""

    def value(self, z: Array, a: Array, y: Array) -> Array:
        """ln a and ln(1 - a) by log-sum-exp."""
        shares = _shares(z)
        return -(y * shares.ln_a + (1 - y) * shares.ln_c).sum(axis=-1)

    def output_error(self, z: Array, a: Array, y: Array) -> Array:
        """The formula of the module's docstring."""
        shares = _shares(z)
        e, w = _parts(shares, y)
        return w - shares.a * _row_sum(w) + _row_sum(e * shares.top) * (shares.top - shares.b)

    def output_error_tangent(self, z: Array, a: Array, y: Array, dz: Array) -> Array:
        """By the product rule, with de = da and dw = da (1 + w)/c, because dc = -da."""
        shares = _shares(z)
        e, w = _parts(shares, y)
        da = shares.a * (dz - _row_sum(shares.a * dz))
        db = shares.b * (dz - _row_sum(shares.b * dz))
        dw = z.__array_namespace__().where(shares.top > 0, 0, da * (1 + w) / _at_least_half(shares))
        e_top, de_top = _row_sum(e * shares.top), _row_sum(da * shares.top)
        along = dw - da * _row_sum(w) - shares.a * _row_sum(dw)
        return along + de_top * (shares.top - shares.b) - e_top * db

    def gauss_newton(self, z: Array, a: Array, y: Array) -> tuple[Array, Array]:
        """S_ij = h_j/c_j ([i=j] - a_i), for the largest h_t ([i=t] - b_i); r = e/h, h = |√y c + i √(1-y) a|."""
        shares, xp = _shares(z), z.__array_namespace__()
        h = xp.hypot(xp.sqrt(y) * shares.c, xp.sqrt(1 - y) * shares.a)
        e, _ = _parts(shares, y)
        eye = xp.eye(z.shape[-1], dtype=z.dtype)
        others = (h / _at_least_half(shares))[..., None, :] * (eye - shares.a[..., :, None])
        largest = h[..., None, :] * (eye - shares.b[..., :, None])
        return xp.where(shares.top[..., None, :] > 0, largest, others), e / xp.maximum(h, np.finfo(z.dtype).tiny)


class SoftplusLogLikelihood:
    """-sum_j y_j ln a_j with a = softplus(z)."""

    def value(self, z: Array, a: Array, y: Array) -> Array:
        """ln softplus(z) is z - e^z/2 + ... where e^z is small."""
        return -(y * _ln_softplus(z)).sum(axis=-1)

    def output_error(self, z: Array, a: Array, y: Array) -> Array:
        """-y rho(z)."""
        return -y * _rho(z)

    def output_error_tangent(self, z: Array, a: Array, y: Array, dz: Array) -> Array:
        """rho' = rho (1 - logistic(z) - rho), which goes to -e^z/2."""
        (small, safe), xp = _small(z), z.__array_namespace__()
        slope = _rho(safe) * (sigmoid(-safe) - _rho(safe))
        return -y * xp.where(small, -0.5 * xp.exp(xp.minimum(z, 0)), slope) * dz

    def gauss_newton(self, z: Array, a: Array, y: Array) -> tuple[Array, Array]:
        """S = diag(√y rho), r = -√y."""
        root = z.__array_namespace__().sqrt(y)
        return diagonal(root * _rho(z)), -root


class ExponentialPoisson(Natural):
    """sum_j [a_j - y_j - y_j ln(a_j / y_j)] with a = e^z."""

    def value(self, z: Array, a: Array, y: Array) -> Array:
        """ln a is z."""
        return (a - y - y_ln_a_over_y(z, y)).sum(axis=-1)

    def output_error_tangent(self, z: Array, a: Array, y: Array, dz: Array) -> Array:
        """da = a dz."""
        return a * dz

    def gauss_newton(self, z: Array, a: Array, y: Array) -> tuple[Array, Array]:
        """S = diag(√a), r = (a - y)/√a, with √a = e^{z/2} at least the smallest slope."""
        xp = z.__array_namespace__()
        root = xp.maximum(xp.exp(0.5 * z), SMALLEST_SLOPE)
        return diagonal(root), (a - y) / root


class SoftplusPoisson:
    """sum_j [a_j - y_j - y_j ln(a_j / y_j)] with a = softplus(z)."""

    def value(self, z: Array, a: Array, y: Array) -> Array:
        """ln a as for log-likelihood."""
        return (softplus(z) - y - y_ln_a_over_y(_ln_softplus(z), y)).sum(axis=-1)

    def output_error(self, z: Array, a: Array, y: Array) -> Array:
        """sigma'(z) - y rho(z)."""
        return sigmoid(z) - y * _rho(z)

    def output_error_tangent(self, z: Array, a: Array, y: Array, dz: Array) -> Array:
        """sigma''(z) dz plus the tangent for log-likelihood."""
        return sigmoid(z) * sigmoid(-z) * dz + SoftplusLogLikelihood().output_error_tangent(z, a, y, dz)

    def gauss_newton(self, z: Array, a: Array, y: Array) -> tuple[Array, Array]:
        """S = sigma'/√a = √(sigma' rho), at least the smallest slope, and r = delta / S."""
        xp = z.__array_namespace__()
        root = xp.maximum(xp.sqrt(sigmoid(z) * _rho(z)), SMALLEST_SLOPE)
        return diagonal(root), self.output_error(z, a, y) / root


def _shares(z: Array) -> Shares:
    E, xp, k = engine.of(z), z.__array_namespace__(), z.shape[-1]
    top = (xp.argmax(z, axis=-1)[..., None] == xp.arange(k)).astype(z.dtype)
    ln_a = E.log_softmax(z)
    a = xp.exp(ln_a)
    if k == 1:  # a = 1 for any z, and ln c is that of the smallest number
        zero = xp.zeros_like(z)
        return Shares(a, zero, ln_a, xp.full_like(z, np.log(np.finfo(z.dtype).tiny)), top, zero)
    rest = xp.where(top > 0, -xp.inf, z)
    ln_c_top = E.logsumexp(rest) - E.logsumexp(z)
    ln_c = xp.where(top > 0, ln_c_top, xp.log1p(-xp.where(top > 0, 0, a)))
    return Shares(a, xp.exp(ln_c), ln_a, ln_c, top, E.softmax(rest))


def _parts(shares: Shares, y: Array) -> tuple[Array, Array]:
    """e, and w = e/c with 0 for the largest output."""
    e = shares.a * (1 - y) - shares.c * y
    return e, e.__array_namespace__().where(shares.top > 0, 0, e / _at_least_half(shares))


def _at_least_half(shares: Shares) -> Array:
    """c, with 1 for the largest output."""
    return shares.c.__array_namespace__().where(shares.top > 0, 1, shares.c)


def y_ln_a_over_y(ln_a: Array, y: Array) -> Array:
    """y ln(a/y) of each output, 0 where y is 0."""
    xp = y.__array_namespace__()
    return y * (ln_a - xp.log(xp.where(y > 0, y, 1)))


def _row_sum(v: Array) -> Array:
    return v.sum(axis=-1, keepdims=True)


def _small(z: Array) -> tuple[Array, Array]:
    """Whether e^{2z} rounds to 0 beside 1, and z with 0 in these places, for the branch that is not used there."""
    small = z < 0.5 * float(np.log(np.finfo(z.dtype).eps))
    return small, z.__array_namespace__().where(small, 0, z)


def _ln_softplus(z: Array) -> Array:
    """z - e^z/2 + ... where e^z is small."""
    (small, safe), xp = _small(z), z.__array_namespace__()
    return xp.where(small, z - 0.5 * xp.exp(xp.minimum(z, 0)), xp.log(softplus(safe)))


def _rho(z: Array) -> Array:
    """sigma'(z)/sigma(z) of softplus: 1 - e^z/2 + ... where e^z is small."""
    (small, safe), xp = _small(z), z.__array_namespace__()
    return xp.where(small, 1 - 0.5 * xp.exp(xp.minimum(z, 0)), sigmoid(safe) / softplus(safe))
