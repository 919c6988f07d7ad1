"""The pairs in z: against automatic differentiation, and at weighted inputs where the plain formula has no digits."""

import numpy as np
import pytest

import deltarule as dr
from deltarule.network.activations import ACTIVATIONS
from deltarule.network.costs import CrossEntropy, LogLikelihood
from engines import on, put

SOFTMAX, SOFTPLUS = ACTIVATIONS["softmax"], ACTIVATIONS["softplus"]
PAIRS = [(SOFTMAX, CrossEntropy()), (SOFTPLUS, LogLikelihood())]


def plain(jnp, activation, z, y):
    """The cost by its definition, which loses digits where outputs saturate."""
    a = activation.sigma(z)
    terms = y * jnp.log(a) + (1 - y) * jnp.log1p(-a) if activation is SOFTMAX else y * jnp.log(a)
    return -jnp.sum(terms, axis=-1)


def row_of(engine, *values):
    return put(engine, np.array([values], np.float32))


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize(("activation", "cost"), PAIRS, ids=["softmax", "softplus"])
def test_against_automatic_differentiation(activation, cost, engine):
    jax = pytest.importorskip("jax")
    jnp = jax.numpy
    random = np.random.default_rng(0)
    z, dz = jnp.asarray(random.normal(size=(2, 40, 4)) * 3)
    y = random.dirichlet(np.ones(4), 40)
    y[:10] = np.eye(4)[random.integers(4, size=10)]
    y = jnp.asarray(y)
    ours = on(engine, (z, activation.sigma(z), y))
    np.testing.assert_allclose(cost.value(activation, *ours), plain(jnp, activation, z, y), rtol=1e-11)
    gradient = jax.grad(lambda z: jnp.sum(plain(jnp, activation, z, y)))
    delta, tangent = jax.jvp(gradient, (z,), (dz,))
    np.testing.assert_allclose(cost.output_error(activation, *ours), delta, rtol=1e-9, atol=1e-12)
    moved = cost.output_error_tangent(activation, *ours, put(engine, dz))
    np.testing.assert_allclose(moved, tangent, rtol=1e-7, atol=1e-10)
    S, r = cost.gauss_newton(activation, *ours)
    np.testing.assert_allclose(jnp.einsum("mjo,mo->mj", S, r), delta, rtol=1e-9, atol=1e-12)
    # S S^T = sigma'^T diag(C'') sigma', with C'' = y/a² + (1 - y)/(1 - a)² or y/a².
    a = activation.sigma(z)
    curvature = y / a**2 + ((1 - y) / (1 - a) ** 2 if activation is SOFTMAX else 0)
    slope = jax.vmap(jax.jacobian(activation.sigma))(z)
    expected = jnp.einsum("mji,mj,mjl->mil", slope, curvature, slope)
    np.testing.assert_allclose(jnp.einsum("mio,mlo->mil", S, S), expected, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("size", [1e2, 1e3, 1e4])
@pytest.mark.parametrize(
    ("target", "cost", "error"),
    # z = (s, -s, 0), so a = (1, 0, 0) and ln(1 - a_1) = -s. C = -ln a_y - sum_{j≠y} ln(1 - a_j); delta by its limits:
    # target 1: 0; target 2: 2s + s, delta = (2, -1, -1) for b = (0, 0, 1); target 3: s + s, delta = (2, 0, -2).
    [(0, 0, (0, 0, 0)), (1, 3, (2, -1, -1)), (2, 2, (2, 0, -2))],
)
def test_softmax_with_cross_entropy_where_it_saturates(size, target, cost, error, engine):
    z, y = row_of(engine, size, -size, 0), row_of(engine, *np.eye(3)[target])
    a = SOFTMAX.sigma(z)
    assert CrossEntropy().value(SOFTMAX, z, a, y).item() == pytest.approx(cost * size, rel=1e-6, abs=1e-30)
    np.testing.assert_allclose(CrossEntropy().output_error(SOFTMAX, z, a, y), [error], atol=1e-6)
    S, r = CrossEntropy().gauss_newton(SOFTMAX, z, a, y)
    np.testing.assert_allclose(S[0] @ r[0], error, atol=1e-6)
    assert np.isfinite(CrossEntropy().output_error_tangent(SOFTMAX, z, a, y, put(engine, np.ones_like(z)))).all()


@pytest.mark.parametrize("size", [1e2, 1e3, 1e4])
def test_softplus_with_log_likelihood_where_it_saturates(size, engine):
    """ln softplus(z) goes to z for z → -∞, so C = s and delta = -1."""
    z, y = row_of(engine, -size), row_of(engine, 1)
    a = SOFTPLUS.sigma(z)
    assert LogLikelihood().value(SOFTPLUS, z, a, y).item() == size
    assert LogLikelihood().output_error(SOFTPLUS, z, a, y).item() == -1
    S, r = LogLikelihood().gauss_newton(SOFTPLUS, z, a, y)
    assert (S[0] @ r[0]).item() == -1
    bend = LogLikelihood().output_error_tangent(SOFTPLUS, z, a, y, z).item()
    assert abs(bend) < np.finfo(np.float32).tiny  # of the size of e^-100, which JAX takes for 0


@pytest.mark.parametrize(("activation", "cost"), PAIRS, ids=["softmax", "softplus"])
@pytest.mark.slow
def test_float32_agrees_with_float64_all_the_way(activation, cost, engine):
    rows = np.stack([np.linspace(-80, 80, 161), np.zeros(161), np.full(161, -1.0)], axis=1)
    y = np.tile([0.2, 0.5, 0.3], (161, 1))
    exact = [f(activation, rows, activation.sigma(rows), y) for f in (cost.value, cost.output_error)]
    z, y = on(engine, (rows.astype(np.float32), y.astype(np.float32)))
    a = activation.sigma(z)
    np.testing.assert_allclose(cost.value(activation, z, a, y), exact[0], rtol=2e-6, atol=1e-6)
    np.testing.assert_allclose(cost.output_error(activation, z, a, y), exact[1], rtol=1e-5, atol=2e-6)


def test_one_softmax_output_teaches_nothing_and_breaks_nothing(engine):
    z, y = row_of(engine, 3), row_of(engine, 1)
    a = SOFTMAX.sigma(z)
    assert CrossEntropy().value(SOFTMAX, z, a, y).item() == 0
    assert CrossEntropy().output_error(SOFTMAX, z, a, y).item() == 0


@pytest.mark.parametrize(
    ("pair", "trainer"),
    [
        (("softmax", "cross-entropy"), dr.LevenbergMarquardt()),
        (("softplus", "log-likelihood"), dr.GradientDescent(eta=1.0)),
        pytest.param(("softmax", "cross-entropy"), dr.GradientDescent(eta=1.0), marks=pytest.mark.slow),
        pytest.param(("softplus", "log-likelihood"), dr.LevenbergMarquardt(), marks=pytest.mark.slow),
    ],
)
def test_a_network_that_is_wrong_by_200_learns(pair, trainer, engine):
    """Both pairs used to stand still there: the gradient was 0."""
    activation, cost = pair
    net = dr.Network([dr.Dense(2, activation)], cost=cost)
    params = [{"W": np.zeros((2, 1)), "b": np.array([-200.0, 200.0])}]
    result = dr.train(
        net, [[1.0], [2.0]], [[1, 0], [1, 0]], trainer=trainer, epochs=5, params=params, dtype="float32", engine=engine
    )
    before, after = (float(net.cost_and_gradient(on(engine, p), [[1.0]], [[1, 0]])[0]) for p in (params, result.params))
    assert after < before - 1
