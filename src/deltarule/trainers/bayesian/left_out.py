"""What a network would have said of each training example had it been trained without it, with no training anew.

At the parameters p of a minimum of S = beta sum_i w_i C_i + (1/2) p^T A p the Hessian is H = beta J^T J + A. Without
example i the gradient there is -beta J_i^T r_i and the Hessian H - beta J_i^T J_i. One Newton step from p moves z_i by

    z_i^(-i) = z_i + beta V_i S_i (I - beta S_i^T V_i S_i)^-1 r_i,   V_i = G_i H^-1 G_i^T,  G_i = dz_i/dp,      (ALO)

by Woodbury's identity in k dimensions, with J_i = S_i^T G_i. S and r hold the root of the weight w_i; where a weight c
of the example leaves, both are multiplied by the root of c/w_i. For one linear output S = 1 and h = beta V is the
leverage: the error of the output becomes r/(1 - h), exact for a model linear in its parameters. For other costs it is
the approximate leave-one-out of Rad & Maleki 2020, and for networks the Gauss-Newton matrix stands for the Hessian.
"""

from typing import TYPE_CHECKING

import numpy as np

from deltarule.arrays import Array
from deltarule.curvature.linearization import linearize
from deltarule.engine import numpy_engine
from deltarule.engine.rows import Rows
from deltarule.trainers.bayesian.posterior import Posterior, output_covariance

if TYPE_CHECKING:
    from deltarule.network.network import Network

BLOCK = 512  # examples whose G is held at once


def left_out(net: "Network", known: Posterior, rows: Rows, leaving: np.ndarray | None = None) -> np.ndarray:
    """z_i^(-i) of the output layer for every example (m, k), without example i (ALO).

    Args:
        net: the network of the posterior.
        known: its posterior.
        rows: the examples that it was trained on, with their weights, as NumPy's arrays.
        leaving: the weight that leaves with each example, (m,); None takes the example's own.
    """
    share = np.ones(len(rows.x)) if leaving is None else leaving / np.where(rows.mask > 0, rows.mask, np.inf)
    step = BLOCK if known.rows is None else len(rows.x)
    parts = [
        numpy_engine.call(
            _left_out,
            known,
            *(part[i : i + step] for part in (rows.x, rows.y, rows.mask, np.sqrt(share)[:, None])),
            net=net,
        )
        for i in range(0, len(rows.x), step)
    ]
    return np.concatenate(parts)


def _left_out(known: Posterior, x: Array, y: Array, weight: Array, root: Array, *, net: "Network") -> Array:
    lin, xp, beta = linearize(net, known.params, x, y, weight), x.__array_namespace__(), known.hyper.beta
    S = root[..., None] * lin.S
    VS = output_covariance(known, x, net=net) @ S
    M = xp.eye(S.shape[-1], dtype=x.dtype) - beta * xp.swapaxes(S, 1, 2) @ VS
    moved = beta * VS @ xp.linalg.solve(M, (root * lin.r)[..., None])
    return lin.passes[-1].z + moved[..., 0]
