"""What a posterior would predict for each training row without that row, in closed form (LOO).

For the linearised Gaussian model around the weights, with g the rows that leave together (a row and its copies), r_g
their residuals and H_gg = beta J_g (beta J^T J + A)^-1 J_g^T their block of the leverages,

    r without g = (I - H_gg)^-1 r_g,   Var f without g = ((I - H_gg)^-1 - I) / beta                          (LOO)

which for a single row of one output are r_i/(1 - h_i) and h_i/((1 - h_i) beta): no refit. In the dual form I - H is
(I + K~)^-1. A row of weight w counts as w copies, which leave together: its J and r carry sqrt(w).

Source: method of [MK]'s linearisation; Yao, Vehtari, Simpson & Gelman 2018 for what it is used for (`models.stacking`).
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

LARGEST_GROUP = 50  # rows that leave together; of larger groups each row leaves alone
LARGEST_FACTOR = 1e6  # of (I - H)^-1, past which a row alone determines the output there
BLOCK = 2**22  # numbers of J at once


class LeftOut(NamedTuple):
    """Predictions without the row itself: mean (N, k), in the network's units, and Var f there, (N, k)."""

    mean: np.ndarray
    variance: np.ndarray


def leave_one_out(net: "Network", known: Posterior, rows: Rows, groups: np.ndarray | None = None) -> LeftOut:
    """(LOO) of every training row.

    Args:
        net: of the posterior.
        known: the posterior.
        rows: the examples that trained it.
        groups: (N,) whole numbers; rows of one number leave together. None lets each row leave alone.
    """
    N, k = len(rows.x), net.outputs
    r = np.empty((N, k))
    M = np.empty((N, k, k))  # the blocks (I - H_gg)^-1 of each row
    Mr = np.empty((N, k))
    together = _together(groups)
    Q = None
    root = np.sqrt(known.hyper.beta / ravel(spread(known.hyper.alpha, known.params)))
    if known.rows is not None:
        inverse = E.inverse_lower(known.factor)
        Q = inverse.T @ inverse  # (I + K~)^-1 = I - H
    J_of, step = {}, max(1, BLOCK // max(len(known.factor), 1))
    wanted = np.unique(np.concatenate(together)) if together else np.zeros(0, int)
    for start in range(0, N, step):
        some = slice(start, min(start + step, N))
        lin = linearize(net, known.params, rows.x[some], rows.y[some], rows.mask[some])
        r[some] = lin.r
        if Q is None:
            J = root[:, None] * lin.jacobian_transpose()
            Z = E.solve_lower(known.factor, J).T.reshape(-1, k, len(J))
            out = np.eye(k) - Z @ Z.transpose(0, 2, 1)
            J_of |= {i: Z[i - start] for i in wanted[(wanted >= some.start) & (wanted < some.stop)]}
        else:
            at = np.arange(some.start, some.stop)[:, None] * k + np.arange(k)
            out = Q[at[:, :, None], at[:, None, :]]
        M[some] = _inverse(out)
        Mr[some] = (M[some] @ lin.r[..., None])[..., 0]
    for group in together:
        at = (group[:, None] * k + np.arange(k)).reshape(-1)
        if Q is None:
            Z = np.concatenate([J_of[i] for i in group])
            out = np.eye(len(at)) - Z @ Z.T
        else:
            out = Q[np.ix_(at, at)]
        inverse = _inverse(out[None])[0]
        Mr[group] = (inverse @ r[group].reshape(-1)).reshape(len(group), k)
        blocks = inverse.reshape(len(group), k, len(group), k)
        M[group] = np.stack([blocks[i, :, i] for i in range(len(group))])
    weight = np.where(rows.mask > 0, rows.mask, np.nan)[:, None]  # of a row without weight nothing is known
    mean = rows.y + Mr / np.sqrt(weight)
    left = np.diagonal(M, axis1=1, axis2=2)
    return LeftOut(mean, np.maximum(left - 1, 0) / (known.hyper.beta * weight))


def _together(groups: np.ndarray | None) -> list[np.ndarray]:
    """The rows of each group of several."""
    if groups is None:
        return []
    order = np.argsort(groups, kind="stable")
    cuts = np.flatnonzero(np.diff(groups[order])) + 1
    return [rows for rows in np.split(order, cuts) if 1 < len(rows) <= LARGEST_GROUP]


def _inverse(blocks: np.ndarray) -> np.ndarray:
    """The inverses of symmetric positive blocks (N, k, k), their eigenvalues bounded."""
    values, vectors = np.linalg.eigh((blocks + blocks.transpose(0, 2, 1)) / 2)
    values = 1 / np.clip(values, 1 / LARGEST_FACTOR, 1.0)
    return (vectors * values[:, None, :]) @ vectors.transpose(0, 2, 1)
