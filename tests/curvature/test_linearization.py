"""J, its diagonal and its products with vectors, held against J by automatic differentiation."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import Array
from jax.flatten_util import ravel_pytree

from deltarule import backprop
from deltarule.curvature import (
    Linearization,
    jacobian_diagonal,
    jacobian_product,
    jacobian_transpose,
    linearize,
    residual_acceleration,
    residual_errors,
    transpose_product,
)

V = np.random.default_rng(0).normal(size=39)  # as many as there are parameters
U = np.random.default_rng(1).normal(size=(6, 2))


class Found(NamedTuple):
    """What the library computes at a block, all of it in one compilation."""

    lin: Linearization
    deltas: list[Array]
    JT: Array
    diagonal: Any
    Jv: Array
    JTu: Any
    JTr: Any
    moved: list[tuple[Array, Array]]
    moved_by_forward_mode: Any
    bent: dict[float, Array]  # the acceleration along scale · V
    JT_without_example_2: Array


@pytest.fixture(scope="module")
def found(block) -> Found:
    net, x, y = block.net, block.x, block.y

    def passes(params):
        a, here = jnp.asarray(x), []
        for layer, p in zip(net.layers, params, strict=True):
            here.append(layer.forward(p, a))
            a = here[-1].a
        return [(each.z, each.a) for each in here]

    def everything(params, x, y, weight):
        v = block.unravel(jnp.asarray(V))
        lin = linearize(net, params, x, y, weight)
        return Found(
            lin=lin,
            deltas=residual_errors(net, params, lin),
            JT=jacobian_transpose(net, params, lin),
            diagonal=jacobian_diagonal(net, params, lin),
            Jv=jacobian_product(net, params, lin, v),
            JTu=transpose_product(net, params, lin, jnp.asarray(U)),
            JTr=transpose_product(net, params, lin, lin.r),
            moved=backprop.tangents(net, params, lin.x, lin.passes, v),
            moved_by_forward_mode=jax.jvp(passes, (params,), (v,))[1],
            bent={
                scale: residual_acceleration(net, params, lin, weight, block.unravel(jnp.asarray(scale * V)))
                for scale in (1.0, 2.0, -1.0)
            },
            JT_without_example_2=jacobian_transpose(
                net, params, linearize(net, params, x, y, weight * (jnp.arange(6) != 2))
            ),
        )

    with jax.enable_x64(True):
        fast = jax.jit(everything, compiler_options={"xla_backend_optimization_level": 0})
        return jax.tree.map(np.asarray, fast(block.params, x, y, block.weight))


def close(found, expected):
    np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-13 * np.abs(expected).max())


def flat(tree):
    with jax.enable_x64(True):
        return np.asarray(ravel_pytree(tree)[0])


def test_cost_and_residuals(block, found):
    assert float(found.lin.cost) == pytest.approx(block.cost, rel=1e-13)
    close(found.lin.r.reshape(-1), block.r)


def test_the_transposed_jacobian(block, found):
    close(found.JT, block.J.T)


def test_the_diagonal_of_the_normal_equations(block, found):
    close(flat(found.diagonal), np.sum(block.J**2, axis=0))


def test_the_jacobian_times_a_vector(block, found):
    assert found.Jv.shape == (6, 2)
    close(found.Jv.reshape(-1), block.J @ V)


def test_the_transposed_jacobian_times_a_vector(block, found):
    assert jax.tree.structure(found.JTu) == jax.tree.structure(block.params)
    close(flat(found.JTu), block.J.T @ U.reshape(-1))


def test_the_gradient_is_the_transposed_jacobian_times_the_residuals(block, found):
    """J^T r is the gradient of sum_i w_i C_i by BP1-BP4, with no residuals in it."""
    one = [block.net.cost_and_gradient(block.params, block.x[i : i + 1], block.y[i : i + 1])[1] for i in range(6)]
    close(flat(found.JTr), block.weight @ np.stack([flat(gradient) for gradient in one]))


def test_the_errors_of_each_residual(found):
    """(m, k, n_l) for each layer; the last are the columns of S."""
    assert [delta.shape for delta in found.deltas] == [(6, 2, 4), (6, 2, 3), (6, 2, 2)]
    np.testing.assert_allclose(found.deltas[-1], np.swapaxes(found.lin.S, 1, 2), rtol=1e-15)


def test_the_tangents_of_every_layer(found):
    for here, expected in zip(found.moved, found.moved_by_forward_mode, strict=True):
        close(here[0], expected[0])
        close(here[1], expected[1])


def test_the_acceleration_of_the_residuals(block, found):
    with jax.enable_x64(True):
        close(found.bent[1.0].reshape(-1), np.asarray(block.acceleration(V)))


def test_the_acceleration_is_quadratic_in_the_velocity(found):
    close(found.bent[2.0], 4 * found.bent[1.0])
    close(found.bent[-1.0], found.bent[1.0])


def test_an_example_without_weight_has_no_rows(block, found):
    J = found.JT_without_example_2.T
    np.testing.assert_array_equal(J[4:6], 0)
    close(np.delete(J, [4, 5], axis=0), np.delete(block.J, [4, 5], axis=0))
