"""The hyper-parameters of Bayesian regularisation [MK]: precisions alpha of the parameters, beta of the noise.

The prior of a parameter of group g is N(0, 1/alpha_g), and a target is normal around the output, with variance 1/beta.
The weights from each input are a group, so an input that explains nothing gets a large alpha and is switched off
(automatic relevance determination); without `relevance` all weights of the first layer are one group. The biases of
each hidden layer are a group. Two kinds of precision are fixed: that of the weights of later layers, from n neurons, at
n times a constant, because in a nearly linear network W^1 can shrink while W^2 grows and the evidence is flat in that
direction; and that of the output bias, which only holds the mean.

A Gamma hyper-prior of shape a and mean m keeps alpha finite: without any data alpha is m.
"""

from typing import NamedTuple

import numpy as np

from deltarule import trees
from deltarule.arrays import Array
from deltarule.network.backprop import Params

INPUT_SHAPE, INPUT_MEAN = 0.05, 10.0  # weak: the alpha of a useless input stays finite
SHARED_SHAPE, SHARED_MEAN = 0.5, 1.0  # without relevance
BIAS_SHAPE, BIAS_MEAN = 0.5, 1.0
MIDDLE_VARIANCE, OUTPUT_VARIANCE = 1.0, 4.0  # n / alpha: the variance of a sum over the n neurons of a layer
OUTPUT_BIAS = 0.01
SMALLEST, LARGEST = 1e-8, 1e8  # of alpha
LARGEST_BETA = 1e10
LARGEST_SHARE = 0.98  # of gamma in the number of residuals, so that m - gamma stays above 0
FASTEST_ALPHA, FASTEST_BETA = 2.0, 10.0  # the largest factors of change in one update

Precisions = list[dict[str, Array]]


class Hyperparameters(NamedTuple):
    """alpha of every layer, {"W": (n_in,) for the weights from each input, "b": ()}, and beta, ()."""

    alpha: Precisions
    beta: Array


def initial(params: Params) -> Hyperparameters:
    """Return alpha = 1 / mean w² for the first layer, as its weights were drawn, and beta = 1."""
    W = params[0]["W"]
    xp = W.__array_namespace__()
    drawn = xp.clip(1 / xp.mean(W * W), SMALLEST, LARGEST)
    alpha = []
    for i, layer in enumerate(params):
        n_in = layer["W"].shape[1]
        variance = OUTPUT_VARIANCE if i == len(params) - 1 else MIDDLE_VARIANCE
        weights = drawn if i == 0 else n_in / variance
        alpha.append({"W": xp.full(n_in, weights, dtype=W.dtype), "b": xp.full((), BIAS_MEAN, dtype=W.dtype)})
    alpha[-1]["b"] = xp.full((), OUTPUT_BIAS, dtype=W.dtype)
    return Hyperparameters(alpha, xp.ones((), dtype=W.dtype))


def broadcast_alpha(alpha: Precisions, params: Params) -> Params:
    """The diagonal of A, in the shape of the parameters."""
    return [
        {name: p[name].__array_namespace__().broadcast_to(a[name], p[name].shape) for name in p}
        for a, p in zip(alpha, params, strict=True)
    ]


def root_variance(hyper: Hyperparameters, params: Params) -> Array:
    """A^(-1/2), (n,)."""
    return trees.ravel(broadcast_alpha(hyper.alpha, params)) ** -0.5


def noise_over_prior(hyper: Hyperparameters) -> Precisions:
    """beta / alpha, by which (GRAM) scales the inputs of each layer."""
    return trees.map_leaves(lambda alpha: hyper.beta / alpha, hyper.alpha)


def update(
    now: Hyperparameters,
    params: Params,
    gamma: Precisions,
    residuals: Array | None,
    square: Array,
    relevance: bool = True,
) -> Hyperparameters:
    """Return alpha_g = (gamma_g + 2a) / (‖p_g‖² + 2a/mean) and beta = (m k - gamma) / ‖r‖² [MK], limited in change.

    Args:
        now: alpha and beta.
        params: the parameters.
        gamma: the effective number of parameters of each group, in the shape of alpha.
        residuals: m k, or None if beta is fixed at 1.
        square: ‖r‖².
        relevance: whether each input has a precision of its own.
    """
    alpha = [dict(layer) for layer in now.alpha]
    for i, (layer, g) in enumerate(zip(params, gamma, strict=True)):
        if i == 0:
            squares, shape, mean = (layer["W"] ** 2).sum(axis=0), INPUT_SHAPE, INPUT_MEAN
            gamma_W = g["W"]
            if not relevance:
                gamma_W, squares = (array.sum() + 0 * array for array in (gamma_W, squares))
                shape, mean = SHARED_SHAPE, SHARED_MEAN
            alpha[i]["W"] = _new_alpha(now.alpha[i]["W"], gamma_W, squares, shape, mean)
        if i < len(params) - 1:
            alpha[i]["b"] = _new_alpha(now.alpha[i]["b"], g["b"], (layer["b"] ** 2).sum(), BIAS_SHAPE, BIAS_MEAN)
    if residuals is None:
        return Hyperparameters(alpha, now.beta)
    xp = square.__array_namespace__()
    gamma_total = xp.minimum(total(gamma), LARGEST_SHARE * residuals)
    beta = _limited(now.beta, (residuals - gamma_total) / square, FASTEST_BETA)
    return Hyperparameters(alpha, xp.minimum(beta, LARGEST_BETA))


def log_hyper_prior(alpha: Precisions, relevance: bool = True) -> Array:
    """The log density of the free ln alphas under the hyper-prior, up to a constant: sum a (ln alpha - alpha/mean)."""
    xp = alpha[0]["W"].__array_namespace__()
    W = alpha[0]["W"]
    if relevance:
        inputs = INPUT_SHAPE * (xp.log(W) - W / INPUT_MEAN).sum()
    else:
        inputs = SHARED_SHAPE * (xp.log(W) - W / SHARED_MEAN).mean()
    biases = sum(xp.log(layer["b"]) - layer["b"] / BIAS_MEAN for layer in alpha[:-1])
    return inputs + BIAS_SHAPE * biases


def total(gamma: Precisions) -> Array:
    """The sum of gamma over all groups."""
    return sum(group.sum() for group in trees.leaves(gamma))


def flatten(alpha: Precisions) -> Array:
    """One number for each group, as in the history: each input's, the first bias's, W's and b's of each later layer."""
    later = [value for layer in alpha[1:] for value in (layer["W"][0], layer["b"])]
    xp = alpha[0]["W"].__array_namespace__()
    return xp.concatenate([alpha[0]["W"], xp.stack([alpha[0]["b"], *later])])


def unflatten(groups: np.ndarray, params: Params) -> Precisions:
    """The inverse of `flatten`, as arrays of NumPy."""
    inputs = params[0]["W"].shape[1]
    alpha = [{"W": groups[:inputs], "b": np.asarray(groups[inputs])}]
    for i, layer in enumerate(params[1:]):
        W, b = groups[inputs + 1 + 2 * i], groups[inputs + 2 + 2 * i]
        alpha.append({"W": np.full(layer["W"].shape[1], W), "b": np.asarray(b)})
    return alpha


def _new_alpha(old: Array, gamma: Array, squares: Array, shape: float, mean: float) -> Array:
    new = _limited(old, (gamma + 2 * shape) / (squares + 2 * shape / mean), FASTEST_ALPHA)
    return new.__array_namespace__().clip(new, SMALLEST, LARGEST)


def _limited(old: Array, new: Array, fastest: float) -> Array:
    """`new`, limited to a factor `fastest` from `old`; `old` if `new` is not finite."""
    xp = new.__array_namespace__()
    return xp.where(xp.isfinite(new), xp.clip(new, old / fastest, old * fastest), old)
