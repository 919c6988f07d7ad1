"""J^T J and J^T r over blocks of examples. The symmetric product: `engine/test_jax_engine`."""

import numpy as np
import pytest

from deltarule.curvature.normal import normal_equations
from deltarule.objective import Objective
from engines import on, rows_on

pytestmark = pytest.mark.usefixtures("float64")


@pytest.mark.parametrize("size", [2, 4, 8])
def test_every_size_of_blocks(block, size, engine):
    """Six examples, on JAX and two rows of padding, in blocks of 2, 4 and 8: JAX's last of two is padding alone."""
    rows = rows_on(engine, block.x, block.y, block.weight)
    assert rows.x.shape[0] == (8 if engine == "jax" else 6)
    F = Objective(block.net, rows, size)
    cost, gradient, hessian = F.call(equations, on(engine, block.params))
    assert float(cost) == pytest.approx(block.cost, rel=1e-13)
    for found, expected in ((gradient, block.J.T @ block.r), (hessian, block.J.T @ block.J)):
        np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-13 * np.abs(expected).max())


def equations(F, params):
    return F.sum(normal_equations, params)
