"""Standard errors of unknown coefficients.

The estimate minimises F = (1/2) ‖r‖², with r the weighted residuals of equations and data. A change e of the data moves
it to first order by (J^T J)^-1 J_d^T w e, with J_d the rows of the data and w the root of their weight; equations have
no noise. With noise of standard deviation s in every datum

    cov = s² w² A A^T,  A = (J^T J + eps)^-1 J_d^T                                                              (SE)
    s²  = ‖u - y‖² / (N_d k - gamma),  gamma = tr A J_d

whose entries for theta are those of the unknowns. gamma is the number of parameters that the data, and not the
equations, determine. J^T J has directions of no curvature, hence eps; an unknown in such a direction has an infinite
standard error. Errors of the equations, and of a network that does not satisfy them, are not included.
"""

from collections.abc import Sequence

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from deltarule import trees
from deltarule.curvature.linearization import Linearization, linearize
from deltarule.network.backprop import Params
from deltarule.objective import JointObjective, Objective
from deltarule.trainers.levenberg_marquardt.dual import joint_gram

RIDGE = 1e-12  # eps over the trace
DETERMINED = 0.99  # an unknown with a smaller diagonal entry of (J^T J + eps)^-1 J^T J is not determined


def bytes_needed(n: int, R: int, datums: int) -> float:
    """The memory of `standard_errors` for n parameters and R residuals, `datums` of them of data."""
    return 8.0 * (4 * n**2 if n <= R else 3 * R**2 + R * datums)


def standard_errors(F: JointObjective, names: Sequence[str], params: Params) -> tuple[dict[str, float], float]:
    """Return the standard error of every unknown by name, and the standard deviation of the data's noise.

    It factors the smaller of J^T J (n, n) and J J^T (R, R), by (GRAM-JET). The last part of F is the data; `params` are
    those of the lifted network at the estimate.
    """
    n, count, data = trees.size(params), len(names), F.parts[-1]
    weight, datums = float(data.scale), int(data.rows.count) * data.net.outputs
    R = sum(part.rows.x.shape[0] * part.net.outputs for part in F.parts)
    if n <= R:
        hessian, data_hessian = (
            np.array(G.sum(Linearization.normal_equations, params, prepare=linearize).hessian) for G in (F, data)
        )
        ridge, units = RIDGE * np.trace(hessian), np.eye(n)[:, n - count :]
        factor = _factor_with_ridge(hessian)
        columns = cho_solve(factor, units)  # those of (J^T J + eps)^-1 for theta
        squares = (columns * (data_hessian @ columns)).sum(axis=0)
        gamma = float(np.trace(cho_solve(factor, data_hessian)))
        determined = 1 - ridge * np.diagonal(columns[n - count :])
    else:
        lins = F.linearized(params)
        errors = [lin.errors() for lin in lins]
        K = np.array(joint_gram(F, lins, errors)["all"])
        of_data = slice(R - lins[-1].r.size, R)
        rows = K[of_data].copy()
        response = cho_solve(_factor_with_ridge(K), np.eye(R)[:, of_data])
        theta = np.concatenate([np.asarray(e[-1])[..., -count:].reshape(-1, count) for e in errors])
        squares = ((theta.T @ response) ** 2).sum(axis=1)
        gamma, determined = float((rows * response.T).sum()), np.ones(count)
    noise = float(np.sqrt(2 * float(data.call(Objective.value, params)) / weight / max(datums - gamma, 1.0)))
    errors = np.where(determined < DETERMINED, np.inf, noise * weight**0.5 * np.sqrt(squares))
    return {name: float(error) for name, error in zip(names, errors, strict=True)}, noise


def _factor_with_ridge(H: np.ndarray) -> tuple[np.ndarray, bool]:
    """Factor H + eps."""
    H[np.diag_indices(len(H))] += RIDGE * np.trace(H)
    return cho_factor(H, overwrite_a=True)
