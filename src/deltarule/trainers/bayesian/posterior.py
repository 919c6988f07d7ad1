"""Error bars: the Gaussian posterior around a trained network (Laplace's approximation).

Around the parameters of the largest evidence the posterior is N(p, (beta J^T J + A)^-1), so the prediction at x* is
Gaussian with the variance

    Var f(x*) = J* (beta J^T J + A)^-1 J*^T = ‖L^-1 A^(-1/2) J*^T‖²,  H~ = L L^T,                  (BR5)

to which a new measurement adds the noise sigma². In the dual form, with K~* the cross-Gram of x* and the training
examples and K~** that of x* with itself, it is (K~** - K~* (I + K~)^-1 K~*^T) / beta: (GRAM) again, J never formed.

sigma² of each output is ‖r‖²/(m - gamma/k), which for one output is 1/beta at the end of the iteration. Classes have no
noise beside their probabilities: sigma² is 0, and Var f is that of z.
"""

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from deltarule import engine
from deltarule.arrays import Array
from deltarule.curvature.linearization import Linearization, gram, gram_diagonal, linearize
from deltarule.engine.rows import Rows
from deltarule.network.backprop import Params
from deltarule.objective import Objective
from deltarule.trainers.bayesian.hyperparameters import LARGEST_SHARE, Hyperparameters, noise_over_prior, root_variance

if TYPE_CHECKING:
    from deltarule.network.network import Network


class Posterior(NamedTuple):
    """The Gaussian posterior of the parameters.

    Attributes:
        params: p, the parameters of the largest evidence.
        hyper: alpha and beta there.
        noise: sigma² of each output, (k,).
        factor: L with L L^T = H~ (n x n), or I + K~ (m k x m k) for the dual form.
        rows: the training examples for the dual form; None for the primal form.
    """

    params: Params
    hyper: Hyperparameters
    noise: Array
    factor: Array
    rows: Rows | None


def laplace_posterior(F: Objective, params: Params, hyper: Hyperparameters, gamma: Array, *, form: str) -> Posterior:
    """Return the posterior at `params`, whose effective number of parameters is `gamma`."""
    net, rows, E, xp = F.net, F.rows, engine.of(gamma), F.rows.x.__array_namespace__()
    lin = _linearized(net, params, rows)
    if net.cost.has_known_noise(net.output_activation):
        noise = xp.zeros(net.outputs, dtype=lin.r.dtype)
    else:
        count = net.cost.target_weight(rows.y, rows.mask)
        noise = (lin.r**2).sum(axis=0) / (count - xp.minimum(gamma / net.outputs, LARGEST_SHARE * count))
    if form == "primal":
        d = root_variance(hyper, params)
        H = hyper.beta * F.sum(Linearization.normal_equations, params, prepare=linearize).hessian * d[:, None] * d
        return Posterior(params, hyper, noise, E.factor(H, 1.0), None)
    K = _cross_gram(hyper, lin, lin)
    return Posterior(params, hyper, noise, E.factor(K, 1.0), rows)


def output_variance(posterior: Posterior, x: Array, *, net: "Network") -> Array:
    """Var f(x*) (BR5) of every output under the posterior, without the noise, (m, k)."""
    params, hyper, E, xp = posterior.params, posterior.hyper, engine.of(x), x.__array_namespace__()
    lin = _linearized_outputs(net, params, x)
    if posterior.rows is None:
        J = lin.jacobian_transpose()
        Z = E.solve_lower(posterior.factor, root_variance(hyper, params)[:, None] * J)
        return (Z * Z).sum(axis=0).reshape(lin.r.shape)
    prior = gram_diagonal(lin, noise_over_prior(hyper))
    Z = E.solve_lower(posterior.factor, _cross_gram(hyper, _linearized(net, params, posterior.rows), lin))
    explained = (Z * Z).sum(axis=0).reshape(lin.r.shape)
    return xp.maximum(prior - explained, 0) / hyper.beta


def output_covariance(posterior: Posterior, x: Array, *, net: "Network") -> Array:
    """The covariance of z^L at x under the posterior, V = G H^-1 G^T with G = dz/dp, (m, k, k)."""
    params, hyper, E, xp = posterior.params, posterior.hyper, engine.of(x), x.__array_namespace__()
    lin, m, k = _linearized_outputs(net, params, x), len(x), net.outputs
    if posterior.rows is None:
        d = root_variance(hyper, params)[:, None]
        Z = E.solve_lower(posterior.factor, d * lin.jacobian_transpose()).reshape(-1, m, k)
        return xp.einsum("nmi,nmj->mij", Z, Z)
    prior = _cross_gram(hyper, lin, lin).reshape(m, k, m, k)
    cross = _cross_gram(hyper, _linearized(net, params, posterior.rows), lin)
    Z = E.solve_lower(posterior.factor, cross).reshape(-1, m, k)
    each = xp.arange(m)
    return (prior[each, :, each, :] - xp.einsum("nmi,nmj->mij", Z, Z)) / hyper.beta


def parameter_covariance(posterior: Posterior, *, net: "Network") -> Array:
    """(beta J^T J + A)^-1, (n, n), in the order of `trees.ravel(params)`; it forms J."""
    params, hyper, factor = posterior.params, posterior.hyper, posterior.factor
    E, xp = engine.of(factor), factor.__array_namespace__()
    d = root_variance(hyper, params)
    if posterior.rows is None:
        Z = E.inverse_lower(factor) * d
        return Z.T @ Z
    J = _linearized(net, params, posterior.rows).jacobian_transpose()
    Z = E.solve_lower(factor, (xp.sqrt(hyper.beta) * (d * d)[:, None] * J).T)
    return xp.diag(d * d) - Z.T @ Z


def _linearized(net: "Network", params: Params, rows: Rows) -> Linearization:
    return linearize(net, params, rows.x, rows.y, rows.mask)


def _linearized_outputs(net: "Network", params: Params, x: Array) -> Linearization:
    """The linearization of z^L itself, without a cost: S is 1, and there are no targets."""
    xp, k = x.__array_namespace__(), net.outputs
    y, weight = xp.zeros((len(x), k), dtype=x.dtype), xp.ones(len(x), dtype=x.dtype)
    S = xp.broadcast_to(xp.eye(k, dtype=x.dtype), (len(x), k, k))
    return replace(linearize(net, params, x, y, weight), S=S)


def _cross_gram(hyper: Hyperparameters, left: Linearization, right: Linearization) -> Array:
    """K~ = beta J A^-1 J'^T."""
    return gram(left, right, covariance=noise_over_prior(hyper))["all"]
