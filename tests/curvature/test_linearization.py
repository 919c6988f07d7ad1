"""J, its diagonal and its products with vectors, held against J by automatic differentiation."""

from typing import Any, NamedTuple

import numpy as np
import pytest

import deltarule as dr
from deltarule import engine, trees
from deltarule.arrays import Array
from deltarule.curvature.linearization import Linearization, linearize
from deltarule.network import backprop
from deltarule.network.layers import Tangents
from deltarule.objective import Objective
from engines import NAMES, off, on, rows_on

V = np.random.default_rng(0).normal(size=39)  # as many as there are parameters
U = np.random.default_rng(1).normal(size=(6, 2))


class Found(NamedTuple):
    """What the library computes at a block on one engine, all of it in one compilation."""

    cost: Array
    r: Array
    S: Array
    deltas: list[Array]
    JT: Array
    diagonal: Any
    Jv: Array
    JTu: Any
    JTr: Any
    tangents: list[Tangents]
    bent: dict[float, Array]  # the acceleration along scale · V
    JT_without_example_2: Array


@pytest.fixture(scope="module", params=NAMES)
def found(request, block) -> Found:
    net = block.net

    def everything(params, x, y, weight, lighter, v, u):
        lin = linearize(net, params, x, y, weight)
        other = linearize(net, params, x, y, lighter)
        deltas = lin.errors()
        return Found(
            cost=lin.cost,
            r=lin.r,
            S=lin.S,
            deltas=deltas,
            JT=lin.jacobian_transpose(deltas),
            diagonal=lin.squared_jacobian(),
            Jv=lin.product(v),
            JTu=lin.transpose_product(u),
            JTr=lin.transpose_product(lin.r),
            tangents=backprop.tangents(net, lin.passes, v),
            bent={scale: lin.acceleration(trees.scale(v, scale)) for scale in (1.0, 2.0, -1.0)},
            JT_without_example_2=other.jacobian_transpose(),
        )

    lighter = block.weight * (np.arange(6) != 2)
    given = (block.params, block.x, block.y, block.weight, lighter, trees.unravel(V, block.params), U)
    E = engine.get(request.param)
    with E.computing_in(np.dtype("float64")):
        return off(E.call(everything, *on(request.param, given)))


@pytest.fixture(scope="module")
def tangents_by_forward_mode(block):
    """(dz, da) of every layer by JAX, from the library's forward pass."""
    import jax

    def passes(params):
        return [(values.z, values.a) for values in backprop.forward(block.net, params, block.x)]

    with jax.enable_x64(True):
        params, v = on("jax", (block.params, trees.unravel(V, block.params)))
        return off(jax.jit(lambda params, v: jax.jvp(passes, (params,), (v,))[1])(params, v))


def close(found, expected):
    np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-13 * np.abs(expected).max())


def test_cost_and_residuals(block, found):
    assert float(found.cost) == pytest.approx(block.cost, rel=1e-13)
    close(found.r.reshape(-1), block.r)


def test_the_transposed_jacobian(block, found):
    close(found.JT, block.J.T)


def test_the_diagonal_of_the_normal_equations(block, found):
    close(trees.ravel(found.diagonal), np.sum(block.J**2, axis=0))


def test_the_jacobian_times_a_vector(block, found):
    assert found.Jv.shape == (6, 2)
    close(found.Jv.reshape(-1), block.J @ V)


def test_the_transposed_jacobian_times_a_vector(block, found):
    assert [place for place, _ in trees.named_leaves(found.JTu)] == [p for p, _ in trees.named_leaves(block.params)]
    close(trees.ravel(found.JTu), block.J.T @ U.reshape(-1))


def test_the_gradient_is_the_transposed_jacobian_times_the_residuals(block, found):
    """J^T r is the gradient of sum_i w_i C_i by BP1-BP4, with no residuals in it."""
    one = [block.net.cost_and_gradient(block.params, block.x[i : i + 1], block.y[i : i + 1])[1] for i in range(6)]
    close(trees.ravel(found.JTr), block.weight @ np.stack([trees.ravel(gradient) for gradient in one]))


def test_the_errors_of_each_residual(found):
    """(m, k, n_l) for each layer; the last are the columns of S."""
    assert [delta.shape for delta in found.deltas] == [(6, 2, 4), (6, 2, 3), (6, 2, 2)]
    np.testing.assert_allclose(found.deltas[-1], np.swapaxes(found.S, 1, 2), rtol=1e-15)


def test_the_tangents_of_every_layer(found, tangents_by_forward_mode):
    for tangent, expected in zip(found.tangents, tangents_by_forward_mode, strict=True):
        close(tangent.dz, expected[0])
        close(tangent.da, expected[1])


def test_the_acceleration_of_the_residuals(block, found):
    with engine.get("jax").computing_in(np.dtype("float64")):
        close(found.bent[1.0].reshape(-1), np.asarray(block.acceleration(V)))


def test_the_acceleration_is_quadratic_in_the_velocity(found):
    close(found.bent[2.0], 4 * found.bent[1.0])
    close(found.bent[-1.0], found.bent[1.0])


def test_an_example_without_weight_has_no_rows(block, found):
    J = found.JT_without_example_2.T
    np.testing.assert_array_equal(J[4:6], 0)
    close(np.delete(J, [4, 5], axis=0), np.delete(block.J, [4, 5], axis=0))


# Forward with the sequence (RTRL)

NET = dr.Network([dr.Recurrent(2), dr.Dense(1, "linear")])  # 2 + 4 + 2 + 3 = 11 parameters


def at(net, steps, features=1):
    draw = np.random.default_rng(steps)
    X = draw.normal(size=(3, steps, features))
    params = net.init(0, (steps, features), "float64")
    Y = draw.normal(size=np.shape(net(params, X)))
    return linearize(net, params, X, Y, np.ones(3))


def test_the_recursion_is_taken_for_fewer_parameters_than_residuals():
    assert trees.size(NET.init(0, (3, 1))) == 11
    assert not at(NET, 11).forward_is_cheaper()
    assert at(NET, 12).forward_is_cheaper()
    last = dr.Network([dr.Recurrent(2, sequences=False), dr.Dense(1, "linear")])
    assert not at(last, 50).forward_is_cheaper()


@pytest.mark.parametrize("layer", [dr.Recurrent(2), dr.GRU(2), dr.LSTM(1)], ids=lambda layer: layer.label)
def test_both_ways_make_the_same_jacobian(layer):
    net = dr.Network([dr.Dense(2, "tanh"), layer, dr.Dense(2, "sigmoid")])
    lin = at(net, 40, 2)
    forward, backward = lin.recursion(), lin.jacobian_transpose(lin.errors())
    assert lin.forward_is_cheaper()
    np.testing.assert_allclose(forward, backward, rtol=1e-10, atol=1e-12)


# J^T J and J^T r. The symmetric product: `engine/test_jax_engine`


@pytest.mark.parametrize("size", [2, 4, 8])
@pytest.mark.usefixtures("float64")
def test_the_normal_equations_in_every_size_of_blocks(block, size, engine):
    """Six examples, on JAX and two rows of padding, in blocks of 2, 4 and 8: JAX's last of two is padding alone."""
    rows = rows_on(engine, block.x, block.y, block.weight)
    assert rows.x.shape[0] == (8 if engine == "jax" else 6)
    F = Objective(block.net, rows, size)
    cost, gradient, hessian = F.call(equations, on(engine, block.params))
    assert float(cost) == pytest.approx(block.cost, rel=1e-13)
    for found, expected in ((gradient, block.J.T @ block.r), (hessian, block.J.T @ block.J)):
        np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-13 * np.abs(expected).max())


def equations(F, params):
    return F.sum(Linearization.normal_equations, params, prepare=linearize)
