"""Stacking: the weights with which several models together predict best what each of them has not seen.

With p_ik the density that model k gives to row i without having seen it (LOO), the weights maximise

    sum_i v_i ln sum_k w_k p_ik,   w >= 0,  sum_k w_k = 1,                                               (STACK)

v_i the weight of the row. It is concave in w, and EM climbs it: each row says how likely it is to come from each model,
and w_k is the mean of that,  w_k ← sum_i v_i q_ik / sum_i v_i,  q_ik = w_k p_ik / sum_j w_j p_ij.

Unlike weights by evidence these do not leave all weight to one model because its evidence is tens of units ahead.
Source: Yao, Vehtari, Simpson & Gelman 2018.
"""

import numpy as np

MOST, SETTLED = 2000, 1e-9  # iterations; the gain a row below which they end


def stacked(log_density: np.ndarray, weight: np.ndarray | None = None) -> np.ndarray:
    """The weights of (STACK), (K,), from ln p_ik (N, K) and the weights of the rows (N,), None for ones.

    >>> stacked(np.log([[0.9, 0.1], [0.8, 0.2]])).round(3).tolist()
    [1.0, 0.0]
    """
    v = np.ones(len(log_density)) if weight is None else weight
    v = v / v.sum()
    top = log_density.max(axis=1, keepdims=True)
    p = np.exp(log_density - top)
    w, before = np.full(p.shape[1], 1 / p.shape[1]), -np.inf
    for _ in range(MOST):
        mixture = p @ w
        now = float(v @ np.log(mixture))
        if now - before < SETTLED:
            break
        before = now
        w = w * (p.T @ (v / mixture))
    return w / w.sum()


def score(log_density: np.ndarray, w: np.ndarray, weight: np.ndarray | None = None) -> float:
    """The mean over the rows of ln sum_k w_k p_ik."""
    return float(np.average(mixed(log_density, w), weights=weight))


def mixed(log_density: np.ndarray, w: np.ndarray) -> np.ndarray:
    """ln sum_k w_k p_ik of each row, (N,)."""
    top = log_density.max(axis=1, keepdims=True)
    return np.log(np.exp(log_density - top) @ w) + top[:, 0]
