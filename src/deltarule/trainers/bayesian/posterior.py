"""Error bars: the Gaussian posterior around a trained network, and ensembles of them.

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

from deltarule import engine, trees
from deltarule.arrays import Array
from deltarule.curvature.linearization import Linearization, gram, gram_diagonal, linearize
from deltarule.engine.rows import Rows
from deltarule.network.backprop import Params
from deltarule.objective import Objective
from deltarule.trainers.bayesian.hyperparameters import LARGEST_SHARE, Hyperparameters, broadcast_alpha

if TYPE_CHECKING:
    from deltarule.network.network import Network


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


def laplace_posterior(F: Objective, params: Params, hyper: Hyperparameters, gamma: Array, *, form: str) -> Posterior:
    """The posterior at `params`, whose effective number of parameters is `gamma`; a piece of `Objective.call`."""
    net, rows, E, xp = F.net, F.rows, engine.of(gamma), F.rows.x.__array_namespace__()
    around = _around(net, params, rows)
    if net.cost.has_known_noise(net.output_activation):
        noise = xp.zeros(net.outputs, dtype=around.r.dtype)
    else:
        count = net.cost.target_weight(rows.y, rows.mask)
        used = xp.minimum(gamma / net.outputs, LARGEST_SHARE * count)
        noise = (around.r**2).sum(axis=0) / (count - used)
    if form == "primal":
        d = _root_variance(hyper, params)
        H = hyper.beta * F.sum(Linearization.normal_equations, params, prepare=linearize).hessian * d[:, None] * d
        return Posterior(params, hyper, noise, E.factor(H, 1.0), None)
    K = _cross_gram(hyper, around, around)
    return Posterior(params, hyper, noise, E.factor(K, 1.0), rows)


def output_variance(known: Posterior, x: Array, *, net: "Network") -> Array:
    """Var f(x*) (BR5) of every output, (m, k): what the parameters leave open, without the noise."""
    params, hyper, E, xp = known.params, known.hyper, engine.of(x), x.__array_namespace__()
    there = _examples(net, params, x)
    if known.rows is None:
        J = there.jacobian_transpose()
        Z = E.solve_lower(known.factor, _root_variance(hyper, params)[:, None] * J)
        return (Z * Z).sum(axis=0).reshape(there.r.shape)
    covariance = trees.map_leaves(lambda alpha: hyper.beta / alpha, hyper.alpha)
    itself = gram_diagonal(there, covariance)
    across = _cross_gram(hyper, _around(net, params, known.rows), there)
    Z = E.solve_lower(known.factor, across)
    explained = (Z * Z).sum(axis=0).reshape(there.r.shape)
    return xp.maximum(itself - explained, 0) / hyper.beta


def output_covariance(known: Posterior, x: Array, *, net: "Network") -> Array:
    """The covariance of z^L at x under the posterior, V = G H^-1 G^T with G = dz/dp, (m, k, k)."""
    params, hyper, E, xp = known.params, known.hyper, engine.of(x), x.__array_namespace__()
    there, m, k = _examples(net, params, x), len(x), net.outputs
    if known.rows is None:
        d = _root_variance(hyper, params)[:, None]
        Z = E.solve_lower(known.factor, d * there.jacobian_transpose()).reshape(-1, m, k)
        return xp.einsum("nmi,nmj->mij", Z, Z)
    covariance = trees.map_leaves(lambda alpha: hyper.beta / alpha, hyper.alpha)
    itself = gram(there, there, covariance=covariance)["all"].reshape(m, k, m, k)
    across = _cross_gram(hyper, _around(net, params, known.rows), there)
    Z = E.solve_lower(known.factor, across).reshape(-1, m, k)
    each = xp.arange(m)
    return (itself[each, :, each, :] - xp.einsum("nmi,nmj->mij", Z, Z)) / hyper.beta


def parameter_covariance(known: Posterior, *, net: "Network") -> Array:
    """(beta J^T J + A)^-1, (n, n), in the order of `trees.ravel(params)`; it forms J."""
    params, hyper, E, xp = known.params, known.hyper, engine.of(known.factor), known.factor.__array_namespace__()
    d = _root_variance(hyper, params)
    if known.rows is None:
        Z = E.inverse_lower(known.factor) * d
        return Z.T @ Z
    around = _around(net, params, known.rows)
    J = around.jacobian_transpose()
    Z = E.solve_lower(known.factor, (xp.sqrt(hyper.beta) * (d * d)[:, None] * J).T)
    return xp.diag(d * d) - Z.T @ Z


def _root_variance(hyper: Hyperparameters, params: Params) -> Array:
    """A^(-1/2), (n,)."""
    return trees.ravel(broadcast_alpha(hyper.alpha, params)) ** -0.5


def _around(net: "Network", params: Params, rows: Rows) -> Linearization:
    return linearize(net, params, rows.x, rows.y, rows.mask)


def _examples(net: "Network", params: Params, x: Array) -> Linearization:
    """The linearization of z^L at inputs: its S is 1, and targets do not enter."""
    xp, k = x.__array_namespace__(), net.outputs
    y, weight = xp.zeros((len(x), k), dtype=x.dtype), xp.ones(len(x), dtype=x.dtype)
    S = xp.broadcast_to(xp.eye(k, dtype=x.dtype), (len(x), k, k))
    return replace(linearize(net, params, x, y, weight), S=S)


def _cross_gram(hyper: Hyperparameters, left: Linearization, right: Linearization) -> Array:
    """K~ = beta J A^-1 J'^T."""
    covariance = trees.map_leaves(lambda alpha: hyper.beta / alpha, hyper.alpha)
    return gram(left, right, covariance=covariance)["all"]
