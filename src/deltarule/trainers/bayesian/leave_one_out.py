"""Leave-one-out predictions in closed form: what a posterior predicts for each training row without that row.

In the linearised Gaussian model around the weights, let a row have k residuals r_i, the weight w_i and the block
H_i = beta w_i J_i (beta J^T J + A)^-1 J_i^T of the leverages. With a weight c of that row removed

    r without it = (I - s H_i)^-1 r_i,   Var f without it = ((I - s H_i)^-1 - I) / (beta c),   s = c/w_i           (LOO)

which for a single row of one output are r_i/(1 - h_i) and h_i/((1 - h_i) beta). In the dual form I - H is (I + K~)^-1.
Copies of a row have the same J and r: where c is the sum of their weights, all of them are removed together.

For other costs one Newton step from the minimum p of S = beta sum_i w_i C_i + (1/2) p^T A p, whose Hessian is
H = beta J^T J + A, moves the pre-activation z_i of the output layer to that of the minimum without example i,

    z_i^(-i) = z_i + beta V_i S_i (I - beta S_i^T V_i S_i)^-1 r_i,   V_i = G_i H^-1 G_i^T,  G_i = dz_i/dp,      (ALO)

by Woodbury's identity in k dimensions, with J_i = S_i^T G_i. S and r hold the root of w_i; both are multiplied by the
root of c/w_i. This is the approximate leave-one-out of Rad & Maleki 2020, with the Gauss-Newton matrix as the Hessian;
for one linear output it is (LOO).

Source: the linearisation of [MK]; Yao, Vehtari, Simpson & Gelman 2018 for stacking by these predictions.
"""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from deltarule.curvature.linearization import linearize
from deltarule.engine import numpy_engine as E
from deltarule.engine.rows import Rows
from deltarule.trainers.bayesian.hyperparameters import broadcast_alpha
from deltarule.trainers.bayesian.posterior import Posterior, output_covariance
from deltarule.trees import ravel

if TYPE_CHECKING:
    from deltarule.network.network import Network

LARGEST_FACTOR = 1e6  # of (I - H)^-1: beyond it the row alone determines the output there
BLOCK = 2**22  # numbers of J that are held together
LOGIT_ROWS = 512  # rows whose G is held together


class LeftOut(NamedTuple):
    """Predictions without the row itself: mean, in the network's units, and variance of the output, (N, k) each."""

    mean: np.ndarray
    variance: np.ndarray


def leave_one_out(net: "Network", posterior: Posterior, rows: Rows, removed: np.ndarray | None = None) -> LeftOut:
    """Return (LOO) for every training row of a network with linear outputs.

    Args:
        net: the network of the posterior.
        posterior: the posterior.
        rows: the examples that it was trained on.
        removed: c, the weight removed with each row, (N,); None removes the row's own.
    """
    N, k = len(rows.x), net.outputs
    weight = np.where(rows.mask > 0, rows.mask, np.nan)  # a row without weight gets NaN
    removed = weight if removed is None else np.where(rows.mask > 0, removed, np.nan)
    share = np.nan_to_num(removed / weight)[:, None, None]
    M, Mr = np.empty((N, k, k)), np.empty((N, k))  # (I - s H)^-1 of each row, and its product with r
    root = np.sqrt(posterior.hyper.beta / ravel(broadcast_alpha(posterior.hyper.alpha, posterior.params)))
    Q = None
    if posterior.rows is not None:
        inverse = E.inverse_lower(posterior.factor)
        Q = inverse.T @ inverse  # (I + K~)^-1 = I - H
    step = max(1, BLOCK // max(len(posterior.factor), 1))
    for start in range(0, N, step):
        block = slice(start, min(start + step, N))
        lin = linearize(net, posterior.params, rows.x[block], rows.y[block], rows.mask[block])
        if Q is None:
            Z = E.solve_lower(posterior.factor, root[:, None] * lin.jacobian_transpose()).T.reshape(-1, k, len(root))
            H = Z @ Z.transpose(0, 2, 1)
        else:
            index = np.arange(block.start, block.stop)[:, None] * k + np.arange(k)
            H = np.eye(k) - Q[index[:, :, None], index[:, None, :]]
        M[block] = _inverse(np.eye(k) - share[block] * H)
        Mr[block] = (M[block] @ lin.r[..., None])[..., 0]
    diagonal = np.diagonal(M, axis1=1, axis2=2)
    variance = np.maximum(diagonal - 1, 0) / (posterior.hyper.beta * removed[:, None])
    return LeftOut(rows.y + Mr / np.sqrt(weight)[:, None], variance)


def _inverse(blocks: np.ndarray) -> np.ndarray:
    """The inverses of symmetric positive blocks (N, k, k), their eigenvalues bounded."""
    values, vectors = np.linalg.eigh((blocks + blocks.transpose(0, 2, 1)) / 2)
    values = 1 / np.clip(values, 1 / LARGEST_FACTOR, 1.0)
    return (vectors * values[:, None, :]) @ vectors.transpose(0, 2, 1)


def leave_one_out_logits(
    net: "Network", posterior: Posterior, rows: Rows, removed: np.ndarray | None = None
) -> np.ndarray:
    """Return z_i^(-i) of the output layer (ALO) for every example, (N, k); arguments as in `leave_one_out`."""
    share = np.ones(len(rows.x)) if removed is None else removed / np.where(rows.mask > 0, rows.mask, np.inf)
    step = LOGIT_ROWS if posterior.rows is None else len(rows.x)
    arrays = rows.x, rows.y, rows.mask, np.sqrt(share)[:, None]
    blocks = (tuple(array[i : i + step] for array in arrays) for i in range(0, len(rows.x), step))
    return np.concatenate([E.call(_logits_of_block, posterior, *block, net=net) for block in blocks])


def _logits_of_block(
    posterior: Posterior, x: np.ndarray, y: np.ndarray, weight: np.ndarray, root: np.ndarray, *, net: "Network"
) -> np.ndarray:
    lin, beta = linearize(net, posterior.params, x, y, weight), posterior.hyper.beta
    S = root[..., None] * lin.S
    VS = output_covariance(posterior, x, net=net) @ S
    M = np.eye(S.shape[-1], dtype=x.dtype) - beta * np.swapaxes(S, 1, 2) @ VS
    moved = beta * VS @ np.linalg.solve(M, (root * lin.r)[..., None])
    return lin.passes[-1].z + moved[..., 0]
