"""Several classifiers as one: weights of their logits by how they predict rows that were left out.

With z_ik the outputs of candidate k before the softmax for row i, without that row (ALO), the weights minimise

    sum_i v_i C(sum_k w_k z_ik, y_i) + (STRENGTH K / 2) ‖w - 1/K‖²,   w >= 0,                             (STACK-Z)

v_i the weight of the row, C the cost of classes, which is convex in z and so in w. Averages of logits are those of one
network whose hidden layers stand side by side, averages of probabilities are not. The weights need not sum to 1: 1/sum
is the temperature that would calibrate the mean, found on all rows with none held out. The second term, a normal prior
of the mean of the candidates, keeps few rows from trusting one of them, and T from 0 where all rows are right.

Source: the logarithmic pool of Genest & Zidek 1986, weighed as Yao, Vehtari, Simpson & Gelman 2018 weigh a linear one.
"""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from deltarule.network.network import Network

STRENGTH = 10.0  # measured on the choosing half of the development tables, beside 1, 3 and 30
LEAST = 1e-3  # of the sum of the weights, where nothing is to be learnt: a temperature of 1,000
MOST, SETTLED = 50, 1e-10  # Newton steps; the fall, as a share of the whole, below which they end


def stacked(net: "Network", Z: np.ndarray, Y: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """The weights of (STACK-Z), (K,), by Newton's method over those that are not held at 0.

    Args:
        net: its output and cost, of classes.
        Z: z of each candidate for every row, (K, N, k).
        Y: targets (N, k).
        weight: of the rows, (N,).
    """
    K = len(Z)
    w, prior = np.full(K, 1 / K), STRENGTH * K
    before = lost(net, Z, Y, weight, w) * weight.sum()
    for _ in range(MOST):
        z = np.tensordot(w, Z, 1)
        a, sigma = net.output_activation.sigma(z), net.output_activation
        delta = weight[:, None] * net.cost.output_error(sigma, z, a, Y)
        bent = np.stack([weight[:, None] * net.cost.output_error_tangent(sigma, z, a, Y, each) for each in Z])
        gradient = np.tensordot(Z, delta, 2) + prior * (w - 1 / K)
        H = np.tensordot(Z, bent, ([1, 2], [1, 2])) + prior * np.eye(K)
        free = (w > 0) | (gradient < 0)
        step = np.zeros(K)
        step[free] = -np.linalg.solve(H[np.ix_(free, free)], gradient[free])
        w, now = _shortened(net, Z, Y, weight, w, step, before)
        if before - now <= SETTLED * max(abs(before), 1.0):
            break
        before = now
    return w if w.sum() > LEAST else np.full(K, LEAST / K)


def lost(net: "Network", Z: np.ndarray, Y: np.ndarray, weight: np.ndarray, w: np.ndarray) -> float:
    """The mean cost of the weighted sum of the logits."""
    z = np.tensordot(w, Z, 1)
    return float(
        np.average(net.cost.value(net.output_activation, z, net.output_activation.sigma(z), Y), weights=weight)
    )


def _shortened(
    net: "Network", Z: np.ndarray, Y: np.ndarray, weight: np.ndarray, w: np.ndarray, step: np.ndarray, before: float
) -> tuple[np.ndarray, float]:
    """The step with weights below 0 set to 0, halved until it leads down; no step where none of 30 does."""
    K = len(w)
    for _ in range(30):
        there = np.maximum(w + step, 0.0)
        now = lost(net, Z, Y, weight, there) * weight.sum() + 0.5 * STRENGTH * K * float(((there - 1 / K) ** 2).sum())
        if now <= before:
            return there, now
        step = 0.5 * step
    return w, before
