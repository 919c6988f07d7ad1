"""J^T J and J^T r over blocks of examples, and the symmetric product by panels."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from deltarule.curvature import normal_equations, symmetric_product
from deltarule.curvature.normal import PANEL
from deltarule.rows import pad_rows

pytestmark = pytest.mark.usefixtures("float64")


def test_every_size_of_blocks(block):
    """Six examples and two rows of padding, in blocks of 2, 4 and 8: the last block of two is padding alone."""
    rows = pad_rows(block.x, block.y, block.weight)
    assert rows.x.shape[0] == 8
    expected_gradient, expected_hessian = block.J.T @ block.r, block.J.T @ block.J

    def every_size(params, rows):
        return [normal_equations(block.net, params, rows, size) for size in (2, 4, 8)]

    fast = jax.jit(every_size, compiler_options={"xla_backend_optimization_level": 0})
    for cost, gradient, hessian in fast(block.params, rows):
        assert float(cost) == pytest.approx(block.cost, rel=1e-13)
        np.testing.assert_allclose(
            gradient, expected_gradient, rtol=1e-11, atol=1e-13 * np.abs(expected_gradient).max()
        )
        np.testing.assert_allclose(hessian, expected_hessian, rtol=1e-11, atol=1e-13 * np.abs(expected_hessian).max())


@pytest.mark.parametrize("n", [1, 2, 33, PANEL, 2 * PANEL - 1, 2 * PANEL, 2 * PANEL + 1, 3 * PANEL + 5, 1000])
def test_the_symmetric_product(n):
    B = np.random.default_rng(n).normal(size=(n, 7))
    H = np.asarray(jax.jit(symmetric_product)(jnp.asarray(B)))
    np.testing.assert_allclose(H, B @ B.T, rtol=1e-13, atol=1e-13)
    if n >= 2 * PANEL:  # whatever is below the diagonal's panels is a copy
        assert np.array_equal(H[n // 2 :, : n // 4], H[: n // 4, n // 2 :].T)


def test_the_symmetric_product_keeps_float32():
    assert symmetric_product(jnp.ones((2 * PANEL, 3), jnp.float32)).dtype == jnp.float32
