"""Error bars: the Gaussian posterior around a trained network, and ensembles of them.

Around the parameters of the largest evidence the posterior is N(p, (beta J^T J + A)^-1), so the prediction at x* is
Gaussian with the variance

    Var f(x*) = J* (beta J^T J + A)^-1 J*^T = ‖L^-1 A^(-1/2) J*^T‖²,  H~ = L L^T,                  (BR5)

to which a new measurement adds the noise sigma². In the dual form, with K~* the cross-Gram of x* and the training
examples and K~** that of x* with itself, it is (K~** - K~* (I + K~)^-1 K~*^T) / beta: (GRAM) again, J never formed.

sigma² of each output is ‖r‖²/(m - gamma/k), which for one output is 1/beta at the end of the iteration.
"""

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jax.flatten_util import ravel_pytree
from jax.scipy.linalg import solve_triangular

from deltarule.backprop import Params
from deltarule.curvature import (
    Linearization,
    gram,
    jacobian_transpose,
    linearize,
    normal_equations,
)
from deltarule.rows import Rows
from deltarule.trainers.bayesian.hyperparameters import LARGEST_SHARE, Hyperparameters, spread

if TYPE_CHECKING:
    from deltarule.network import Network


class Posterior(NamedTuple):
    """A trained network that knows how far it can be believed.

    Attributes:
        params: p, the parameters of the largest evidence.
        hyper: alpha and beta there.
        noise: sigma² of each output, (k,).
        factor: L with L L^T = H~ (n x n), or I + K~ (m k x m k) for the dual form.
        rows: the training examples, which the dual form needs; None for the primal form.
    """

    params: Params
    hyper: Hyperparameters
    noise: Array
    factor: Array
    rows: Rows | None


@partial(jax.jit, static_argnums=(0, 5, 6))
def posterior(
    net: "Network", params: Params, hyper: Hyperparameters, rows: Rows, gamma: Array, form: str, block: int
) -> Posterior:
    """The posterior at `params`, whose effective number of parameters is `gamma`."""
    residuals = linearize(net, params, rows.x, rows.y, rows.mask).r
    count = jnp.sum(rows.mask)
    used = jnp.minimum(gamma / net.outputs, LARGEST_SHARE * count)
    noise = jnp.sum(residuals**2, axis=0) / (count - used)
    if form == "primal":
        d = ravel_pytree(spread(hyper.alpha, params))[0] ** -0.5
        H = hyper.beta * normal_equations(net, params, rows, block).hessian * d[:, None] * d
        return Posterior(params, hyper, noise, jnp.linalg.cholesky(H + jnp.eye(d.size)), None)
    around = _around(net, params, rows)
    K = _cross_gram(net, params, hyper, around, around)
    return Posterior(params, hyper, noise, jnp.linalg.cholesky(K + jnp.eye(len(K))), rows)


@partial(jax.jit, static_argnums=0)
def output_variance(net: "Network", known: Posterior, x: Array) -> Array:
    """Var f(x*) (BR5) of every output, (m, k): what the parameters leave open, without the noise."""
    params, hyper = known.params, known.hyper
    there = _examples(net, params, x)
    if known.rows is None:
        d = ravel_pytree(spread(hyper.alpha, params))[0] ** -0.5
        Z = solve_triangular(known.factor, d[:, None] * jacobian_transpose(net, params, there), lower=True)
        return jnp.sum(Z * Z, axis=0).reshape(there.r.shape)

    def itself(one: Array) -> Array:
        lin = _examples(net, params, one[None])
        return jnp.diag(_cross_gram(net, params, hyper, lin, lin))

    across = _cross_gram(net, params, hyper, _around(net, params, known.rows), there)
    Z = solve_triangular(known.factor, across, lower=True)
    explained = jnp.sum(Z * Z, axis=0).reshape(there.r.shape)
    return jnp.maximum(jax.vmap(itself)(x) - explained, 0) / hyper.beta


@partial(jax.jit, static_argnums=0)
def parameter_covariance(net: "Network", known: Posterior) -> Array:
    """(beta J^T J + A)^-1, (n, n), in the order of `jax.flatten_util.ravel_pytree(params)`; it forms J."""
    params, hyper = known.params, known.hyper
    d = ravel_pytree(spread(hyper.alpha, params))[0] ** -0.5
    if known.rows is None:
        Z = solve_triangular(known.factor, jnp.diag(d), lower=True)
        return Z.T @ Z
    J = jnp.sqrt(hyper.beta) * d[:, None] * jacobian_transpose(net, params, _around(net, params, known.rows))
    Z = solve_triangular(known.factor, (J * d[:, None]).T, lower=True)
    return jnp.diag(d * d) - Z.T @ Z


def _around(net: "Network", params: Params, rows: Rows) -> Linearization:
    return linearize(net, params, rows.x, rows.y, rows.mask)


def _examples(net: "Network", params: Params, x: Array) -> Linearization:
    """The linearization at new inputs; their targets do not enter."""
    return linearize(net, params, x, jnp.zeros((x.shape[0], net.outputs), x.dtype), jnp.ones(x.shape[0], x.dtype))


def _cross_gram(
    net: "Network", params: Params, hyper: Hyperparameters, left: Linearization, right: Linearization
) -> Array:
    """K~ = beta J A^-1 J'^T."""
    covariance = jax.tree.map(lambda alpha: hyper.beta / alpha, hyper.alpha)
    return gram(net, params, left, right, covariance=covariance)["all"]
