"""Numbers that carry derivatives: every rule against central differences, shapes, and what is refused."""

import numpy as np
import pytest

from deltarule import engine as engines
from deltarule.equations.pointwise import RULES, Number
from deltarule.errors import ConfigurationError

X = np.array([0.31, 0.62, 0.87])  # inside the domain of every function
STEP = 1e-4


def seeded(x=X):
    return Number(Number(x, {0: 1.0}), {0: 1.0})


def value(number):
    return number.value.value


def part(number, *slots):
    """The derivative by these slots, of a Number of Numbers."""
    for slot in slots:
        number = number.parts.get(slot, 0.0) if isinstance(number, Number) else 0.0
    return number.value if isinstance(number, Number) else number


def derivatives(f, x=X):
    """f' and f'' by central differences."""
    up, here, down = f(x + STEP), f(x), f(x - STEP)
    return (up - down) / (2 * STEP), (up - 2 * here + down) / STEP**2


def assert_differentiates(f):
    found = f(seeded())
    first, second = derivatives(f)
    np.testing.assert_allclose(value(found), f(X), rtol=1e-14)
    np.testing.assert_allclose(np.broadcast_to(part(found, 0), X.shape), first, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(np.broadcast_to(part(found, 0, 0), X.shape), second, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", RULES)
def test_every_rule(name):
    assert_differentiates(getattr(np, name))


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x * x * x - 2 / x + x / 3,
        lambda x: x**3,
        lambda x: x**-1.5,
        lambda x: x**1 + x**2,
        lambda x: x ** (1 + x),
        lambda x: 2.0 - x,
        lambda x: (x + 1) / (x * x + 1),
        lambda x: np.exp(-x) * np.sin(3 * x) + abs(-x),
        lambda x: np.array([1.0, 2.0, 3.0]) * x + np.float64(2.0) * np.sqrt(x),
        lambda x: np.where(x > 0.5, x**2, np.sin(x)),
        lambda x: np.maximum(x, 0.7) + np.minimum(0.5, x * x),
        lambda x: np.tanh(np.log(x) * np.cosh(x)),
    ],
)
def test_compositions(f):
    assert_differentiates(f)


def test_a_step_has_no_derivative():
    for f in (np.sign, np.floor):
        np.testing.assert_array_equal(f(seeded()), f(X))
    assert (seeded() > 0.5).tolist() == [False, True, True]


def test_two_slots_and_their_mixed_derivative():
    x, y = Number(Number(X, {0: 1.0}), {0: 1.0}), Number(Number(X + 1, {1: 1.0}), {1: 1.0})
    f = np.sin(x * y) + x / y
    a, b = X, X + 1
    np.testing.assert_allclose(part(f, 0, 1), np.cos(a * b) - a * b * np.sin(a * b) - 1 / b**2, rtol=1e-13)
    np.testing.assert_allclose(part(f, 1, 1), -(a**2) * np.sin(a * b) + 2 * a / b**3, rtol=1e-13)


def test_columns_are_taken_apart_and_put_together():
    u = Number(np.arange(6.0).reshape(3, 2), {0: np.array([[1.0, 0.0]]), 1: np.array([[0.0, 1.0]])})
    first, second = u[:, 0], u[:, 1:]
    assert first.shape == (3,)
    assert second.shape == (3, 1)
    product = np.concatenate([first.reshape(3, 1) * second, second], axis=1)
    np.testing.assert_array_equal(product.parts[0], [[1, 0], [3, 0], [5, 0]])
    np.testing.assert_array_equal(product.parts[1], [[0, 1], [2, 1], [4, 1]])
    stacked = np.stack([first, first * 2], axis=1)
    np.testing.assert_array_equal(stacked.parts[0], [[1, 2]] * 3)
    np.testing.assert_array_equal(np.sum(u, axis=1).parts[1], [1, 1, 1])
    assert len(u) == 3
    assert (u.ndim, u.size) == (2, 6)


@pytest.mark.parametrize("f", [lambda x: np.sinc(x), lambda x: np.cumsum(x), lambda x: np.asarray(x) + 1])
def test_what_has_no_rule_is_refused(f):
    with pytest.raises(ConfigurationError):
        f(seeded())


def test_an_unknown_function_is_named():
    with pytest.raises(ConfigurationError, match="logaddexp"):
        np.logaddexp(seeded(), 1.0)


@pytest.mark.parametrize("exponent", [0, 0.0, np.int64(0), np.array([0.0, 1.0, 2.0]), 1, 2, 3])
def test_powers_of_zero(exponent):
    """0^0 = 1, and no derivative of a power of 0 with a whole exponent is a NaN."""
    x = seeded()
    found, factor = (x - 0.62) ** exponent, np.broadcast_to(exponent, (3,))
    np.testing.assert_allclose(value(found), (X - 0.62) ** factor)
    slope = factor * (X - 0.62) ** np.maximum(factor - 1, 0)
    np.testing.assert_allclose(np.broadcast_to(part(found, 0), (3,)), slope)
    second = factor * (factor - 1) * (X - 0.62) ** np.maximum(factor - 2, 0)
    np.testing.assert_allclose(np.broadcast_to(part(found, 0, 0), (3,)), second, atol=1e-15)


def test_comparisons_choose_on_both_engines(engine):
    """Conditions on x and u, joined by & | ~ and numpy's names, as masks, as factors and as exponents."""
    E = engines.get(engine)

    def f(x, u):
        inside = (x > 0.4) & ~(u < -1.0) | np.logical_and(x > 0.1, x == 7.0)
        return np.where(inside, u * u, np.sin(u)) + np.where(x > 0.5, 1.0, 0.0) * u + (u >= 0.7) * u + u ** (x > 0.7)

    x = np.asarray(X)
    expected = np.where(x > 0.4, x * x, np.sin(x)) + (x > 0.5) * x + (x >= 0.7) * x + x ** (x > 0.7)
    slope = np.where(x > 0.4, 2 * x, np.cos(x)) + (x > 0.5) + (x >= 0.7) + (x > 0.7)
    with E.computing_in(np.dtype("float64")):

        def both(array):
            plain = Number(array) if engine == "jax" else array
            found = f(plain, Number(array, {0: array.__array_namespace__().ones_like(array)}))
            return found.value, found.parts[0]

        value, part = E.call(both, E.put(x)) if engine == "numpy" else __import__("jax").jit(both)(E.put(x))
        np.testing.assert_allclose(np.asarray(value), expected, rtol=1e-14)
        np.testing.assert_allclose(np.asarray(part), slope, rtol=1e-14)
