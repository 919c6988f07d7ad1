"""A residual as a cost: what it asks for, its shapes, its derivatives by hand and by arithmetic."""

import numpy as np
import pytest

from deltarule.equations.residual import Residual, check_transform, probe_residual
from deltarule.errors import ConfigurationError, ShapeError
from deltarule.network.activations import ACTIVATIONS

LINEAR = ACTIVATIONS["linear"]
X = np.random.default_rng(0).normal(size=(5, 2))


def burgers(x, u, p):
    return u.d(1) + u.value * u.d(0) - p["nu"] * u.d(0, 0)


def made(function, k=1, names=(), **options):
    return probe_residual(Residual(function, None, 2, k, tuple(names), **options), X)


def test_it_says_what_it_needs():
    cost = made(burgers, names=["nu"])
    assert cost.components.keys == ((), (0,), (1,), (0, 0))
    assert (cost.slots, cost.count) == (5, 1)
    assert made(lambda x, u, p: u.d(1, 0)).components.keys == ((), (0,), (1,), (0, 1))


def test_burgers_by_hand():
    # slots u, u_x, u_t, u_xx, nu: R = u_t + u u_x - nu u_xx = 3 + 2·5 - 0.5·4 = 11; ∂R = (u_x, u, 1, -nu, -u_xx)
    z = np.array([[2.0, 5.0, 3.0, 4.0, 0.5]])
    S, r = made(burgers, names=["nu"]).gauss_newton(LINEAR, z, z, X[:1])
    assert r.tolist() == [[11.0]]
    assert S[0, :, 0].tolist() == [5.0, 2.0, 1.0, -0.5, -4.0]


@pytest.mark.parametrize("name", ["p.nu", 'p["nu"]'])
def test_unknowns_by_name_either_way(name):
    cost = made(eval(f"lambda x, u, p: u.value - {name}"), names=["nu"])
    z = np.array([[2.0, 0.5]])
    assert cost.residuals(z, X[:1]).tolist() == [[1.5]]


def by_hand(x, u, p):
    return {"u": u.d(0), (0,): u.value, (1,): 1.0, (0, 0): -p["nu"], "nu": -u.d(0, 0)}


def test_derivatives_by_hand_are_the_same():
    z = np.random.default_rng(1).normal(size=(5, 5))
    z[:, 4] = 0.3
    one, other = (made(burgers, names=["nu"], derivatives=f) for f in (None, by_hand))
    for left, right in zip(one.gauss_newton(LINEAR, z, z, X), other.gauss_newton(LINEAR, z, z, X), strict=True):
        np.testing.assert_allclose(left, right, rtol=1e-14)
    np.testing.assert_allclose(one.output_error(LINEAR, z, z, X), other.output_error(LINEAR, z, z, X), rtol=1e-14)


def test_derivatives_of_a_system_by_hand():
    def R(x, u, p):
        return u.value[:, 0] * u.value[:, 1], u.d(0)[:, 1]

    def slopes(x, u, p):
        return {"u": u.value[:, ::-1]}, {(0,): np.array([[0.0, 1.0]])}

    z = np.random.default_rng(2).normal(size=(5, 4))
    one, other = (made(R, k=2, derivatives=f) for f in (None, slopes))
    np.testing.assert_allclose(one.gauss_newton(LINEAR, z, z, X)[0], other.gauss_newton(LINEAR, z, z, X)[0])


def test_a_derivative_that_is_not_asked_for_is_refused():
    cost = made(burgers, names=["nu"], derivatives=lambda x, u, p: {(1, 1): 1.0})
    with pytest.raises(ConfigurationError, match=r"\(1, 1\)"):
        cost.gauss_newton(LINEAR, np.zeros((5, 5)), None, X)


@pytest.mark.parametrize(
    "function",
    [lambda x, u, p: x[:, 0] * u.value, lambda x, u, p: u.value[:, :, None], lambda x, u, p: u.value[:, None, :]],
)
def test_a_wrong_shape_is_refused(function):
    with pytest.raises(ShapeError, match=r"return|write"):
        made(function)


@pytest.mark.parametrize(
    "function",
    [
        lambda x, u, p: u.value[:2],
        lambda x, u, p: u.value[:1] - u.value[1:2],
        lambda x, u, p: u.value - u.value[::-1],
        lambda x, u, p: u.value - u.value.sum(axis=0),
        lambda x, u, p: u.value.reshape(1, -1),
    ],
)
def test_a_residual_that_mixes_points_is_refused(function):
    with pytest.raises(ConfigurationError, match="own point"):
        made(function)


@pytest.mark.parametrize("k", [2, 3, 4])
def test_as_many_points_as_outputs(k):
    """(m, k) with m = k is no product of a column and a row."""
    cost = made(lambda x, u, p: u.d(0) + u.value, k=k)
    z = np.arange(float(2 * k * k)).reshape(k, 2 * k)
    assert cost.residuals(z, X[:1].repeat(k, axis=0)).shape == (k, k)


@pytest.mark.parametrize("function", [lambda x, u: u.value, lambda x, u, p: None, lambda x, u, p: u.value.mean()])
def test_a_function_of_another_kind_is_refused(function):
    with pytest.raises(ConfigurationError, match="residual"):
        made(function)


def test_one_dict_of_derivatives_for_each_residual():
    cost = made(lambda x, u, p: (u.d(0), u.value), derivatives=lambda x, u, p: {(0,): 1.0})
    with pytest.raises(ConfigurationError, match="has 2 residuals"):
        cost.gauss_newton(LINEAR, np.zeros((5, 2)), None, X)


@pytest.mark.parametrize("inputs", [(), (0, 0, 0), (-1,), (0.5,)])
def test_what_no_derivative_is_named_by(inputs):
    with pytest.raises(ConfigurationError, match="u\\.d"):
        made(lambda x, u, p: u.d(*inputs))


def test_an_unknown_that_is_not_there():
    with pytest.raises(ConfigurationError, match="'mu'"):
        made(lambda x, u, p: u.value * p["mu"], names=["nu"])


def test_residuals_come_in_every_shape():
    def flat(x, u, p):
        return u.value[:, 0] - 1

    shapes = (flat, lambda x, u, p: u.value - 1, lambda x, u, p: (flat(x, u, p),), lambda x, u, p: [u.value - 1])
    z = np.arange(5.0)[:, None]
    for function in shapes:
        np.testing.assert_array_equal(made(function).residuals(z, X), z - 1)
    both = made(lambda x, u, p: (u.value, 3.0, x))
    assert both.count == 4
    np.testing.assert_array_equal(both.residuals(z, X), np.hstack([z, np.full((5, 1), 3.0), X]))


@pytest.mark.parametrize(
    ("hard", "kind", "said"),
    [
        (3, ConfigurationError, "hard is 3: give a function"),
        (lambda x: x, ConfigurationError, "hard cannot be used"),
        (lambda x, v: x[:, 2] * v, ConfigurationError, "out of bounds"),
        (lambda x, v: np.sinc(v), ConfigurationError, "sinc"),
        (lambda x, v: None, ShapeError, "hard returns the shape"),
        (lambda x, v: x[:, 0] * v, ShapeError, "hard returns the shape"),
        (lambda x, v: x[:3] * v, ShapeError, "hard does not fit"),
    ],
)
def test_a_hard_condition_is_tried_once(hard, kind, said):
    with pytest.raises(kind, match=said):
        check_transform(hard, X, 1)


def test_the_bend_of_derivatives_by_hand():
    """d²R along a curve of the slots, from differences of the user's derivatives and from arithmetic."""
    draw = np.random.default_rng(3)
    z, dz, ddz = (draw.normal(size=(5, 5)) for _ in range(3))
    for array in (z, dz, ddz):
        array[:, 4] = array[0, 4]
    one, other = (
        made(burgers, names=["nu"], derivatives=f).residual_acceleration(LINEAR, z, z, X, dz, ddz)
        for f in (None, by_hand)
    )
    np.testing.assert_allclose(other, one, rtol=1e-8)
    flat = made(burgers, names=["nu"], derivatives=by_hand).residual_acceleration(LINEAR, z, z, X, 0 * dz, 0 * ddz)
    np.testing.assert_array_equal(flat, 0)
