"""What a posterior would predict for each training row without that row, in closed form (LOO).

For the linearised Gaussian model around the weights, with r_i a row's residuals of k outputs, w_i its weight and
H_i = beta w_i J_i (beta J^T J + A)^-1 J_i^T its block of the leverages, without a weight c of it

    r without it = (I - s H_i)^-1 r_i,   Var f without it = ((I - s H_i)^-1 - I) / (beta c),   s = c/w_i           (LOO)

which for a single row of one output are r_i/(1 - h_i) and h_i/((1 - h_i) beta): no refit. In the dual form I - H is
(I + K~)^-1. Copies of a row have its J and r, so that it leaves with all of them where c is the sum of their weights.

Source: method of [MK]'s linearisation; Yao, Vehtari, Simpson & Gelman 2018 for its use (`models.stacked_regressors`).
"""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from deltarule.curvature.linearization import linearize
from deltarule.engine import numpy_engine as E
from deltarule.engine.rows import Rows
from deltarule.trainers.bayesian.hyperparameters import spread
from deltarule.trainers.bayesian.posterior import Posterior
from deltarule.trees import ravel

if TYPE_CHECKING:
    from deltarule.network.network import Network

LARGEST_FACTOR = 1e6  # of (I - H)^-1, past which a row alone determines the output there
BLOCK = 2**22  # numbers of J at once


class LeftOut(NamedTuple):
    """Predictions without the row itself: mean (N, k), in the network's units, and Var f there, (N, k)."""

    mean: np.ndarray
    variance: np.ndarray


def leave_one_out(net: "Network", known: Posterior, rows: Rows, leaving: np.ndarray | None = None) -> LeftOut:
    """(LOO) of every training row.

    Args:
        net: of the posterior.
        known: the posterior.
        rows: the examples that trained it.
        leaving: the weight that leaves with each row, (N,); None takes the row's own.
    """
    N, k = len(rows.x), net.outputs
    weight = np.where(rows.mask > 0, rows.mask, np.nan)  # of a row without weight nothing is known
    leaving = weight if leaving is None else np.where(rows.mask > 0, leaving, np.nan)
    share = np.nan_to_num(leaving / weight)[:, None, None]
    M, Mr = np.empty((N, k, k)), np.empty((N, k))  # (I - s H)^-1 of each row, and times r
    root = np.sqrt(known.hyper.beta / ravel(spread(known.hyper.alpha, known.params)))
    Q = None
    if known.rows is not None:
        inverse = E.inverse_lower(known.factor)
        Q = inverse.T @ inverse  # (I + K~)^-1 = I - H
    step = max(1, BLOCK // max(len(known.factor), 1))
    for start in range(0, N, step):
        some = slice(start, min(start + step, N))
        lin = linearize(net, known.params, rows.x[some], rows.y[some], rows.mask[some])
        if Q is None:
            Z = E.solve_lower(known.factor, root[:, None] * lin.jacobian_transpose()).T.reshape(-1, k, len(root))
            H = Z @ Z.transpose(0, 2, 1)
        else:
            at = np.arange(some.start, some.stop)[:, None] * k + np.arange(k)
            H = np.eye(k) - Q[at[:, :, None], at[:, None, :]]
        M[some] = _inverse(np.eye(k) - share[some] * H)
        Mr[some] = (M[some] @ lin.r[..., None])[..., 0]
    left = np.diagonal(M, axis1=1, axis2=2)
    variance = np.maximum(left - 1, 0) / (known.hyper.beta * leaving[:, None])
    return LeftOut(rows.y + Mr / np.sqrt(weight)[:, None], variance)


def _inverse(blocks: np.ndarray) -> np.ndarray:
    """The inverses of symmetric positive blocks (N, k, k), their eigenvalues bounded."""
    values, vectors = np.linalg.eigh((blocks + blocks.transpose(0, 2, 1)) / 2)
    values = 1 / np.clip(values, 1 / LARGEST_FACTOR, 1.0)
    return (vectors * values[:, None, :]) @ vectors.transpose(0, 2, 1)
