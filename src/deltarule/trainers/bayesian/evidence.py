"""The evidence of the hyper-parameters at one point, and the damped step there, in whitened parameters.

With S(p) = beta C + (1/2) p^T A p, C = sum_i w_i C_i, which is (1/2) ‖r‖² of a quadratic cost, and u = A^(1/2) p, the
Gauss-Newton Hessian of S in u is

    H~ = I + J~^T J~,  J~ = sqrt(beta) J A^(-1/2),                                             (BR1)

whose eigenvalues are at least 1, so its factorisation cannot fail. The evidence of alpha and beta is [MK]

    ln p(Y | alpha, beta) = -S - (1/2) ln |H~| + (m k / 2) ln(beta / 2 pi)                      (BR2)

for Gaussian noise. If C itself is -ln p(Y | p), as for classes, beta is 1 and there is no third term:

    ln p(Y | alpha) = -C - (1/2) p^T A p - (1/2) ln |H| + (1/2) sum ln alpha,  H = J^T J + A,       (BR2')

with J^T J the Gauss-Newton matrix, J = S^T dz/dp and S S^T = d²C/dz². The effective number of parameters of group g is
gamma_g = n_g - tr_g H~^-1 (BR3). A damped step solves

    (H~ + mu I) du = -∇_u S,  which is  (beta J^T J + (1 + mu) A) s = -(beta J^T r + A p).      (BR4)

The primal form factors H~, n x n. The dual form, for m k < n, factors I + K~, m k x m k, with K~ = J~ J~^T by (GRAM),
each input of a layer scaled by 1/sqrt(alpha): ln |H~| = ln |I + K~|, and gamma_g is the trace of (I + K~)^-1 K~_g.
"""

from typing import NamedTuple

from deltarule import engine
from deltarule.arrays import Array
from deltarule.curvature.linearization import Linearization, errors_along, gram, gram_traces, linearize
from deltarule.network import backprop
from deltarule.network.backprop import Params
from deltarule.objective import Objective, cost
from deltarule.trainers.bayesian.hyperparameters import (
    Hyperparameters,
    Precisions,
    broadcast_alpha,
    log_hyper_prior,
    noise_over_prior,
    root_variance,
)
from deltarule.trainers.levenberg_marquardt.model import Step, corrected_step
from deltarule.trees import add, divide, dot, multiply, ravel, scale, unravel


class Evidence(NamedTuple):
    """At one point: S, (BR2) with the hyper-prior of alpha, gamma (BR3) in the shape of alpha, and ‖∇_u S‖."""

    objective: Array
    log_evidence: Array
    gamma: Precisions
    gradient_norm: Array


class Primal(NamedTuple):
    """2 C (‖r‖²), J^T r and J^T J at one point, for n <= m k; they do not depend on the hyper-parameters."""

    square: Array
    gradient: Array
    hessian: Array


class Dual(NamedTuple):
    """2 C (‖r‖²), the linearization and the errors of every residual at one point, for m k < n."""

    square: Array
    lin: Linearization
    errors: list[Array]


def objective(p: Params, hyper: Hyperparameters, square: Array) -> Array:
    """S = beta C + (1/2) p^T A p, from 2 C."""
    return 0.5 * hyper.beta * square + 0.5 * dot(p, multiply(broadcast_alpha(hyper.alpha, p), p))


def primal_point(F: Objective, p: Params) -> Primal:
    """Sum J^T J over blocks of the examples."""
    equations = F.sum(Linearization.normal_equations, p, prepare=linearize)
    return Primal(2 * equations.cost, equations.gradient, equations.hessian)


def dual_point(F: Objective, p: Params) -> Dual:
    """Compute the errors of every residual."""
    lin = linearize(F.net, p, F.rows.x, F.rows.y, F.rows.mask)
    return Dual(2 * lin.cost, lin, lin.errors())


def primal_evidence(F: Objective, p: Params, at: Primal, hyper: Hyperparameters, *, relevance: bool = True) -> Evidence:
    """The evidence from the factor of H~, n x n."""
    E, xp = engine.of(at.hessian), at.hessian.__array_namespace__()
    d = root_variance(hyper, p)
    L = E.factor(_whitened(at, hyper, d), 1.0)
    inverse = E.inverse_lower(L)
    determined = unravel(1 - (inverse * inverse).sum(axis=0), p)  # 1 - (H~^-1)_ii of each parameter
    gamma = [{name: entry.sum(axis=0) for name, entry in layer.items()} for layer in determined]
    g = _whitened_gradient(at, hyper, p, d)
    S = objective(p, hyper, at.square)
    return Evidence(S, _log_evidence(F, S, L, hyper, relevance), gamma, xp.sqrt(xp.vdot(g, g)))


def primal_step(F: Objective, p: Params, at: Primal, hyper: Hyperparameters, mu: Array) -> Step:
    """The solution of (BR4) with its geodesic correction."""
    E, xp = engine.of(at.hessian), at.hessian.__array_namespace__()
    d = root_variance(hyper, p)
    g = _whitened_gradient(at, hyper, p, d)
    factor = E.factor(_whitened(at, hyper, d), 1 + mu)
    du = -E.solve(factor, g)
    s = unravel(d * du, p)
    force = hyper.beta * d * ravel(F.acceleration_force(p, s))
    predicted = 0.5 * (mu * xp.vdot(du, du) - xp.vdot(g, du))
    return corrected_step(s, unravel(-0.5 * d * E.solve(factor, force), p), predicted)


def _whitened(at: Primal, hyper: Hyperparameters, d: Array) -> Array:
    """J~^T J~."""
    return at.hessian * (hyper.beta * d[:, None]) * d


def _whitened_gradient(at: Primal, hyper: Hyperparameters, p: Params, d: Array) -> Array:
    """∇_u S."""
    return hyper.beta * d * at.gradient + ravel(p) / d


def dual_evidence(F: Objective, p: Params, at: Dual, hyper: Hyperparameters, *, relevance: bool = True) -> Evidence:
    """The evidence from the factor of I + K~, m k x m k, with K~ by (GRAM)."""
    E, xp = engine.of(at.lin.r), at.lin.r.__array_namespace__()
    covariance, A = noise_over_prior(hyper), broadcast_alpha(hyper.alpha, p)
    L = E.factor(_whitened_gram(at, covariance), 1.0)
    traces = gram_traces(at.lin, at.errors, E.solve(L, xp.eye(len(L), dtype=L.dtype)))
    gradient = add(scale(_transposed_product(at, at.lin.r), hyper.beta), multiply(A, p))
    S = objective(p, hyper, at.square)
    gradient_norm = xp.sqrt(dot(gradient, divide(gradient, A)))
    return Evidence(S, _log_evidence(F, S, L, hyper, relevance), multiply(covariance, traces), gradient_norm)


def dual_step(F: Objective, p: Params, at: Dual, hyper: Hyperparameters, mu: Array) -> Step:
    """The solution of (BR4) by Woodbury's identity, with its geodesic correction."""
    E, r = engine.of(at.lin.r), at.lin.r
    A = broadcast_alpha(hyper.alpha, p)
    factor = E.factor(_whitened_gram(at, noise_over_prior(hyper)) / (1 + mu), 1.0)

    def solve(r: Array) -> Params:
        """(beta J^T J + (1 + mu) A)^-1 beta J^T r."""
        u = E.solve(factor, r.reshape(-1)).reshape(r.shape) * (hyper.beta / (1 + mu))
        return divide(_transposed_product(at, u), A)

    gradient = add(scale(_transposed_product(at, r), hyper.beta), multiply(A, p))
    shrinkage = scale(p, 1 / (1 + mu))
    s = scale(add(shrinkage, solve(r - at.lin.product(shrinkage))), -1.0)
    predicted = 0.5 * (mu * dot(s, multiply(A, s)) - dot(gradient, s))
    return corrected_step(s, scale(solve(at.lin.acceleration(s)), -0.5), predicted)


def _whitened_gram(at: Dual, covariance: Precisions) -> Array:
    """K~ = J~ J~^T."""
    return gram(at.lin, at.lin, errors=(at.errors, at.errors), covariance=covariance)["all"]


def _transposed_product(at: Dual, u: Array) -> Params:
    """J^T u."""
    return backprop.gradients(at.lin.net, at.lin.passes, errors_along(at.errors, u))


def attempt(F: Objective, p: Params, at: Primal | Dual, hyper: Hyperparameters, mu: Array, *, form: str) -> tuple:
    """Return the parameters after a step of this damping, S there, and its predicted fall."""
    step = STEPS[form](F, p, at, hyper, mu)  # pyright: ignore[reportArgumentType]
    params = add(p, step.corrected)
    return params, objective(params, hyper, 2 * F.sum(cost, params)), step.predicted


POINTS = {"primal": primal_point, "dual": dual_point}
EVIDENCE = {"primal": primal_evidence, "dual": dual_evidence}
STEPS = {"primal": primal_step, "dual": dual_step}


def residual_count(F: Objective) -> Array | None:
    """The weighted number of targets that are not missing, m k if none is; None if the cost has no beta."""
    if F.net.cost.has_known_noise(F.net.output_activation):
        return None
    return F.net.outputs * F.net.cost.target_weight(F.rows.y, F.rows.mask).mean()


def _log_evidence(F: Objective, S: Array, L: Array, hyper: Hyperparameters, relevance: bool) -> Array:
    """(BR2) and the hyper-prior; L is the factor of H~ or of I + K~."""
    xp = L.__array_namespace__()
    residuals = residual_count(F)
    half_log_determinant = xp.log(xp.diagonal(L)).sum()
    scale = 0.0 if residuals is None else 0.5 * residuals * xp.log(hyper.beta / (2 * xp.pi))
    return scale - S - half_log_determinant + log_hyper_prior(hyper.alpha, relevance)
