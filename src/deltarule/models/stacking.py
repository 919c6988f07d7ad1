"""Stacking: the weights with which several models together predict best what each of them has not seen.

With p_ik the density that model k gives to row i without having seen it (LOO), the weights maximise

    sum_i v_i ln sum_k w_k p_ik,   w >= 0,  sum_k w_k = 1,                                               (STACK)

v_i the weight of the row. It is concave in w, and EM climbs it: each row says how likely it is to come from each model,
and w_k is the mean of that,  w_k ← sum_i v_i q_ik / sum_i v_i,  q_ik = w_k p_ik / sum_j w_j p_ij.

Where models are nearly as good as each other few rows say little about their weights, and the average of all is better
than the luckiest. So some rows more, `prior` times the root of their number, are taken as shared out evenly, a
Dirichlet prior; but not to a model that is clearly worse, which some steps of EM without it leave next to no weight.

Unlike weights by evidence these do not leave all weight to one model because its evidence is tens of units ahead.
Source: Yao, Vehtari, Simpson & Gelman 2018.
"""

import numpy as np

MOST, SETTLED = 2000, 1e-9  # iterations; the gain a row below which they end
FEW, LEAST = 30, 0.02  # steps, and the weight after them, below which a model has no share in what is shared out evenly
PRIOR = 0.5  # times the root of the number of rows: the rows that are shared out evenly among the models


def stacked(log_density: np.ndarray, weight: np.ndarray | None = None, prior: float = 0.0) -> np.ndarray:
    """The weights of (STACK), (K,), from ln p_ik (N, K) and the weights of the rows (N,), None for ones.

    `prior` times the root of the sum of the weights are the rows that are shared out evenly.

    >>> stacked(np.log([[0.9, 0.1], [0.8, 0.2]])).round(3).tolist()
    [1.0, 0.0]
    """
    v = np.ones(len(log_density)) if weight is None else weight
    even = prior / (prior + np.sqrt(v.sum()))  # prior sqrt(N) of N + prior sqrt(N) rows
    v = v / v.sum()
    w = _climbed(log_density, v, 0.0, FEW if prior else MOST)
    if prior:
        own = w >= LEAST
        w = np.zeros(len(w))
        w[own] = _climbed(log_density[:, own], v, even, MOST)
    return w


def _climbed(log_density: np.ndarray, v: np.ndarray, even: float, most: int) -> np.ndarray:
    """EM from equal weights in at most so many steps, a share `even` of the rows shared out evenly."""
    p = np.exp(log_density - log_density.max(axis=1, keepdims=True))
    w, before = np.full(p.shape[1], 1 / p.shape[1]), -np.inf
    for _ in range(most):
        mixture = p @ w
        now = float((1 - even) * (v @ np.log(mixture)) + even * np.log(np.maximum(w, 1e-300)).mean())
        if now - before < SETTLED:
            break
        before = now
        w = (1 - even) * w * (p.T @ (v / mixture)) + even / len(w)
    return w / w.sum()


def score(log_density: np.ndarray, w: np.ndarray, weight: np.ndarray | None = None) -> float:
    """The mean over the rows of ln sum_k w_k p_ik."""
    return float(np.average(mixed(log_density, w), weights=weight))


def mixed(log_density: np.ndarray, w: np.ndarray) -> np.ndarray:
    """ln sum_k w_k p_ik of each row, (N,)."""
    log_density, w = log_density[:, w > 0], w[w > 0]
    top = log_density.max(axis=1, keepdims=True)
    return np.log(np.exp(log_density - top) @ w) + top[:, 0]
