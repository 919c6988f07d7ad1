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
from deltarule.curvature.normal import normal_equations
from deltarule.network.backprop import Params
from deltarule.objective import JointObjective
from deltarule.trainers.levenberg_marquardt.dual import joint_gram

RIDGE = 1e-12  # eps beside the trace
DETERMINED = (
    0.99  # of (J^T J + eps)^-1 J^T J, the diagonal entry of an unknown: less, and points and data leave it open
)


def standard_errors(F: JointObjective, names: Sequence[str], params: Params) -> tuple[dict[str, float], float]:
    """The standard error of every unknown by name, and the standard deviation of the data's noise.

    By the smaller of J^T J (n, n) and J J^T (R, R); J itself is formed for the rows of the data and of theta alone.

    Args:
        F: the objective, its last part the data.
        names: of the unknowns.
        params: of the lifted network, at the estimate.
    """
    n, count = trees.size(params), len(names)
    lins = F.linearized(params)
    data, lin = F.parts[-1], lins[-1]
    weight = float(data.scale)
    datums, R = int(data.rows.count) * lin.r.shape[1], sum(one.r.size for one in lins)
    if n <= R:
        J = np.asarray(lin.jacobian_transpose())
        hessian = np.array(F.sum(normal_equations, params).hessian)
        ridge, units = RIDGE * np.trace(hessian), np.eye(n)[:, n - count :]
        factor = _with_ridge(hessian)
        A = cho_solve(factor, J)
        of_theta, gamma = A[n - count :], float((A * J).sum())
        known = 1 - ridge * np.diagonal(cho_solve(factor, units)[n - count :])
    else:
        errors = [one.errors() for one in lins]
        K = np.array(joint_gram(F, lins, errors)["all"])
        kept = slice(R - lin.r.size, R)
        factor = _with_ridge(K.copy())
        response = cho_solve(factor, np.eye(R)[:, kept])
        theta = np.concatenate([np.asarray(e[-1])[..., -count:].reshape(-1, count) for e in errors])
        of_theta, known = theta.T @ response, np.ones(count)  # fewer residuals than parameters determine none alone
        gamma = float((K[kept] * response.T).sum())
    r = np.asarray(lin.r)
    noise = float(np.sqrt((r * r).sum() / weight / max(datums - gamma, 1.0)))
    errors = noise * weight**0.5 * np.sqrt((of_theta**2).sum(axis=1))
    errors = np.where(known < DETERMINED, np.inf, errors)
    return {name: float(error) for name, error in zip(names, errors, strict=True)}, noise


def _with_ridge(H: np.ndarray) -> tuple[np.ndarray, bool]:
    """The factor of H + eps."""
    H[np.diag_indices(len(H))] += RIDGE * np.trace(H)
    return cho_factor(H, overwrite_a=True)
