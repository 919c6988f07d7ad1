"""The natural pairs at weighted inputs where a saturates: costs and errors stay finite and right, in float32."""

import numpy as np
import pytest

from deltarule.network.activations import ACTIVATIONS
from deltarule.network.costs import CrossEntropy, LogLikelihood
from engines import put

SIGMOID, SOFTMAX = ACTIVATIONS["sigmoid"], ACTIVATIONS["softmax"]


def single(engine, *values):
    return put(engine, np.array([values], np.float32))


@pytest.mark.parametrize("size", [1e3, 1e4])
@pytest.mark.parametrize(
    ("sign", "y", "cost", "error"),
    # C = ln(1 + e^z) - y z: with y = 1 it is ln(1 + e^-z), with y = 0 ln(1 + e^z), whose limits are 0 and |z|.
    [(1, 1, 0, 0), (1, 0, 1, 1), (-1, 1, 1, -1), (-1, 0, 0, 0)],
)
def test_sigmoid_with_cross_entropy(size, sign, y, cost, error, engine):
    z, y = single(engine, sign * size), single(engine, y)
    a = SIGMOID.sigma(z)
    assert CrossEntropy().value(SIGMOID, z, a, y).item() == cost * size
    assert CrossEntropy().output_error(SIGMOID, z, a, y).item() == error
    S, r = CrossEntropy().gauss_newton(SIGMOID, z, a, y)
    assert np.isfinite(S).all()
    assert np.isfinite(r).all()
    assert (S[0] @ r[0]).item() == pytest.approx(error, rel=1e-6)


@pytest.mark.parametrize("size", [1e3, 1e4])
@pytest.mark.parametrize(
    ("target", "cost", "error"),
    # z = (s, -s, 0): C = ln sum e^z - z_y, whose limits are 0, 2s and s; a = (1, 0, 0).
    [(0, 0, (0, 0, 0)), (1, 2, (1, -1, 0)), (2, 1, (1, 0, -1))],
)
def test_softmax_with_log_likelihood(size, target, cost, error, engine):
    z, y = single(engine, size, -size, 0), single(engine, *np.eye(3)[target])
    a = SOFTMAX.sigma(z)
    assert LogLikelihood().value(SOFTMAX, z, a, y).item() == cost * size
    np.testing.assert_array_equal(LogLikelihood().output_error(SOFTMAX, z, a, y), [error])
    S, r = LogLikelihood().gauss_newton(SOFTMAX, z, a, y)
    assert np.isfinite(S).all()
    assert np.isfinite(r).all()
    np.testing.assert_allclose(S[0] @ r[0], error, atol=1e-6)


@pytest.mark.parametrize("size", [1e3, 1e4])
@pytest.mark.parametrize(("sign", "cost", "error"), [(1, 0, 0), (-1, 1, -1)])
def test_sigmoid_with_log_likelihood(size, sign, cost, error, engine):
    z, y = single(engine, sign * size), single(engine, 1)
    a = SIGMOID.sigma(z)
    assert LogLikelihood().value(SIGMOID, z, a, y).item() == cost * size
    assert LogLikelihood().output_error(SIGMOID, z, a, y).item() == error


@pytest.mark.parametrize("y", [0, 0.25, 1])
def test_float32_agrees_with_the_exact_cost_between_the_limits(y, engine):
    # In float64 by NumPy: ln(1 + e^z) = logaddexp(0, z), sigma(z) = e^{z - ln(1 + e^z)}.
    z = np.concatenate([np.linspace(-120, 120, 49), [-1e-6, 1e-6]])
    here = put(engine, z[:, None].astype(np.float32))
    a = SIGMOID.sigma(here)
    target = put(engine, np.full((len(z), 1), y, np.float32))
    exact = np.logaddexp(0, z) - y * z
    rounding = 4e-7 * (1 + np.abs(z))
    assert (np.abs(CrossEntropy().value(SIGMOID, here, a, target) - exact) <= rounding).all()
    error = CrossEntropy().output_error(SIGMOID, here, a, target)[:, 0]
    np.testing.assert_allclose(error, np.exp(z - np.logaddexp(0, z)) - y, atol=2e-7)


@pytest.mark.parametrize("cost", [CrossEntropy(), LogLikelihood()], ids=lambda cost: cost.name)
@pytest.mark.parametrize("name", [name for name in ACTIVATIONS if name not in ("step", "exponential")])
def test_every_other_pair_stays_finite(cost, name, engine):
    """Where a saturates the cost is held at ln of the smallest number, never infinite or NaN."""
    z = put(engine, np.array([[1e3, -1e3], [-1e3, 1e3], [0, 0]], np.float32))
    a = ACTIVATIONS[name].sigma(z)
    for y in ([1, 0], [0, 1]):
        target = put(engine, np.array([y] * 3, np.float32))
        assert np.isfinite(cost.value(ACTIVATIONS[name], z, a, target)).all()
        assert np.isfinite(cost.output_error(ACTIVATIONS[name], z, a, target)).all()
        S, r = cost.gauss_newton(ACTIVATIONS[name], z, a, target)
        assert np.isfinite(S).all()
        assert np.isfinite(r).all()
