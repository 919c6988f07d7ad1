"""The refit of a linear output layer against damped least squares by NumPy."""

import numpy as np
import pytest

import deltarule as dr
from deltarule import engine as engines
from deltarule.errors import ConfigurationError
from deltarule.objective import Objective
from deltarule.trainers.levenberg_marquardt.model import refit_output_layer
from engines import off, on

pytestmark = pytest.mark.usefixtures("float64")


def refit(engine, net, params, data, block, lam, l2):
    """The refit as the engine computes it, in NumPy's arrays; JAX pads the examples to a multiple of 8."""
    rows = engines.get(engine).make_rows(*on(engine, data))
    return off(Objective(net, rows, block, l2).call(refit_output_layer, on(engine, params), lam))


def setting(m, h, scale, weighted=True, k=2):
    """A 3-h-k network (3-k for h = 0), its examples, B = √(2 scale w) [a, 1] and the weighted residuals y - a^L."""
    draw = np.random.default_rng(m + h)
    x, y = draw.normal(size=(m, 3)), draw.normal(size=(m, k))
    weight = draw.uniform(0.2, 3, m) if weighted else None
    below = [dr.Dense(h, "tanh")] if h else []
    net = dr.Network([*below, dr.Dense(k, "linear")], dr.Quadratic(scale))
    params = net.init(1, (3,), "float64")
    a = np.tanh(x @ np.asarray(params[0]["W"]).T + np.asarray(params[0]["b"])) if h else x
    root = np.sqrt(2 * scale * (np.ones(m) if weight is None else weight))[:, None]
    W = np.concatenate([params[-1]["W"], np.asarray(params[-1]["b"])[:, None]], axis=1).T  # (h + 1, k)
    B = np.concatenate([a, np.ones((m, 1))], axis=1)
    return net, params, (x, y, weight), root * B, root * (y - B @ W), W


def ridge(B, missing, W, lam, l2):
    """argmin over V of ‖B V - missing‖² + lam ‖V‖² + l2 ‖(W + V) without its biases‖², by stacking."""
    h, k = W.shape[0] - 1, W.shape[1]
    weights = np.sqrt(l2) * np.eye(h + 1)[:h]
    stacked = np.concatenate([B, np.sqrt(lam) * np.eye(h + 1), weights])
    return W + np.linalg.lstsq(stacked, np.concatenate([missing, np.zeros((h + 1, k)), -weights @ W]), rcond=None)[0]


@pytest.mark.parametrize(
    ("m", "h", "scale", "weighted", "l2", "block"),
    [
        (30, 4, 0.5, True, None, 32),  # more rows than features: B^T B
        (30, 4, 1.0, True, 0.7, 8),
        (30, 4, 0.5, False, 0.7, 32),
        (7, 8, 0.5, True, None, 8),  # seven rows, or eight with the padding, nine features: B B^T
        (7, 20, 1.0, True, None, 8),
        (7, 20, 0.5, False, None, 8),
        (7, 20, 1.0, True, 0.7, 8),  # L2 is for B^T B, whatever the rows
        (30, 0, 0.5, True, 0.7, 32),  # no layer below: the inputs are the features
    ],
)
def test_the_refit_is_damped_least_squares(engine, m, h, scale, weighted, l2, block):
    net, params, data, B, missing, W = setting(m, h, scale, weighted)
    for lam in (1e-3, 1.0):
        found = refit(engine, net, params, data, block, lam, l2)
        expected = ridge(B, missing, W, lam, l2 or 0.0)
        np.testing.assert_allclose(found[-1]["W"], expected[:-1].T, rtol=1e-8, atol=1e-9)
        np.testing.assert_allclose(found[-1]["b"], expected[-1], rtol=1e-8, atol=1e-9)
        for layer, before in zip(found[:-1], params[:-1], strict=True):
            for name in layer:
                np.testing.assert_array_equal(layer[name], before[name])


def test_great_damping_leaves_the_layer_where_it_is(engine):
    net, params, data, *_ = setting(30, 4, 0.5)
    found = refit(engine, net, params, data, 32, 1e18, None)
    np.testing.assert_allclose(found[-1]["W"], params[-1]["W"], rtol=1e-12)
    np.testing.assert_allclose(found[-1]["b"], params[-1]["b"], atol=1e-15)


def test_no_other_output_layer_has_a_lower_cost(engine):
    """lambda -> 0: the gradient of the cost for the last layer, B^T of the residuals, is zero."""
    net, params, (x, y, weight), B, _, _ = setting(30, 4, 0.5)
    found = refit(engine, net, params, (x, y, weight), 32, 1e-12, None)
    residual = np.sqrt(weight)[:, None] * (y - net(found, x))
    np.testing.assert_allclose(B.T @ residual, 0, atol=1e-9)


@pytest.mark.parametrize(
    ("layers", "cost", "expected"),
    [
        ([dr.Dense(3, "tanh"), dr.Dense(2, "linear")], "quadratic", True),
        ([dr.Dense(2, "linear")], dr.Quadratic(1), True),
        ([dr.Dense(3, "tanh"), dr.Dense(2, "tanh")], "quadratic", False),
        ([dr.Dense(3, "tanh"), dr.Dense(2, "linear")], "cross-entropy", False),
        ([dr.Dense(3, "tanh"), dr.Dense(2, "softmax")], "log-likelihood", False),
    ],
)
def test_where_it_applies(layers, cost, expected):
    net = dr.Network(layers, cost)
    assert net.can_refit is expected
    trainer = dr.LevenbergMarquardt(refit=True)
    if expected:
        trainer.check(net, 10)
    else:
        with pytest.raises(ConfigurationError, match="refit=True needs a linear output layer"):
            trainer.check(net, 10)
