"""How far unknown coefficients can be believed: what noise of the data does to an estimate.

The estimate makes F = (1/2) ‖r‖² small, r the weighted residuals of equations and data. Had the data been off by e, it
would to first order have moved by (J^T J)^-1 J_d^T w e, with J_d the rows of the data and w their root weight;
equations carry no noise. So with noise of standard deviation s in every datum

    cov = s² w² A A^T,  A = (J^T J + eps)^-1 J_d^T                                                              (SE)
    s²  = ‖u - y‖² / (N_d k - gamma),  gamma = tr A J_d

of which the rows of theta are the unknowns'. gamma is how many parameters the data, and not the equations, determine.
eps is there because J^T J has directions of no curvature; an unknown that lies in one has an infinite standard error.
What is not in it: an error of the equations themselves, and that of a network which satisfies them badly.
"""

from collections.abc import Sequence

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from deltarule import trees
from deltarule.curvature.linearization import Linearization, linearize
from deltarule.network.backprop import Params
from deltarule.objective import JointObjective, Objective
from deltarule.trainers.levenberg_marquardt.dual import joint_gram

RIDGE = 1e-12  # eps beside the trace
DETERMINED = (
    0.99  # of (J^T J + eps)^-1 J^T J, the diagonal entry of an unknown: less, and points and data leave it open
)


def bytes_needed(n: int, R: int, datums: int) -> float:
    """What `standard_errors` takes for n parameters and R residuals, of which so many are of data."""
    return 8.0 * (4 * n**2 if n <= R else 3 * R**2 + R * datums)


def standard_errors(F: JointObjective, names: Sequence[str], params: Params) -> tuple[dict[str, float], float]:
    """The standard error of every unknown by name, and the standard deviation of the data's noise.

    By the smaller of J^T J (n, n), summed over blocks of the points, and J J^T (R, R), as (GRAM-JET).
    The last part of F is the data; `params` are those of the lifted network, at the estimate.
    """
    n, count, data = trees.size(params), len(names), F.parts[-1]
    weight, datums = float(data.scale), int(data.rows.count) * data.net.outputs
    R = sum(part.rows.x.shape[0] * part.net.outputs for part in F.parts)
    if n <= R:
        hessian, of_data = (
            np.array(G.sum(Linearization.normal_equations, params, prepare=linearize).hessian) for G in (F, data)
        )
        ridge, units = RIDGE * np.trace(hessian), np.eye(n)[:, n - count :]
        factor = _with_ridge(hessian)
        of_theta = cho_solve(factor, units)  # (J^T J + eps)^-1, its columns of theta
        squares = (of_theta * (of_data @ of_theta)).sum(axis=0)
        gamma = float(np.trace(cho_solve(factor, of_data)))
        known = 1 - ridge * np.diagonal(of_theta[n - count :])
    else:
        lins = F.linearized(params)
        errors = [one.errors() for one in lins]
        K = np.array(joint_gram(F, lins, errors)["all"])
        kept = slice(R - lins[-1].r.size, R)
        rows = K[kept].copy()
        response = cho_solve(_with_ridge(K), np.eye(R)[:, kept])
        theta = np.concatenate([np.asarray(e[-1])[..., -count:].reshape(-1, count) for e in errors])
        squares = ((theta.T @ response) ** 2).sum(axis=1)
        gamma, known = float((rows * response.T).sum()), np.ones(count)  # fewer residuals determine no parameter alone
    noise = float(np.sqrt(2 * float(data.call(Objective.value, params)) / weight / max(datums - gamma, 1.0)))
    errors = np.where(known < DETERMINED, np.inf, noise * weight**0.5 * np.sqrt(squares))
    return {name: float(error) for name, error in zip(names, errors, strict=True)}, noise


def _with_ridge(H: np.ndarray) -> tuple[np.ndarray, bool]:
    """The factor of H + eps."""
    H[np.diag_indices(len(H))] += RIDGE * np.trace(H)
    return cho_factor(H, overwrite_a=True)
