"""The directions against Optax's own, the same steps to rounding over many of them, and Adam by hand."""

import numpy as np
import pytest

from deltarule import trees
from deltarule.trainers.direction import DIRECTIONS, adam, from_optax, momentum, steepest
from engines import WITHOUT_JAX, off, on

try:
    import optax
except ImportError:
    optax = None

pytestmark = pytest.mark.usefixtures("float64")
NEEDS_OPTAX = pytest.mark.skipif(optax is None, reason="Optax is not installed")

DRAW = np.random.default_rng(0)
START = [{"W": DRAW.normal(size=(3, 2)), "b": DRAW.normal(size=3)}]


def gradient(params, t):
    """A gradient that depends on the place and on the time, with no meaning of its own."""
    return trees.map_leaves(lambda p: np.sin(3 * np.asarray(p)) + 0.1 * np.cos(t + np.asarray(p)), params)


def walk(direction, eta, steps, engine="jax", dtype="float64"):
    params = on(engine, trees.map_leaves(lambda p: p.astype(dtype), START))
    state = direction.init(params)
    for t in range(steps):
        grads = on(engine, trees.map_leaves(lambda g: g.astype(dtype), gradient(params, t)))
        step, state = direction.update(grads, state, eta, params)
        params = trees.add(params, step)
        assert {leaf.dtype for leaf in trees.leaves(params)} == {np.dtype(dtype)}
    return off(params)


def walk_with_optax(rule, steps, dtype="float64"):
    params = on("jax", trees.map_leaves(lambda p: p.astype(dtype), START))
    state = rule.init(params)
    for t in range(steps):
        grads = on("jax", trees.map_leaves(lambda g: g.astype(dtype), gradient(params, t)))
        updates, state = rule.update(grads, state, params)
        params = trees.add(params, updates)
    return off(params)


def assert_close(found, expected, rtol, atol=0.0):
    trees.map_leaves(lambda a, b: np.testing.assert_allclose(a, b, rtol=rtol, atol=atol), found, expected)


@NEEDS_OPTAX
@pytest.mark.parametrize(
    ("direction", "rule", "options"),
    [
        (steepest(), "sgd", {}),
        (momentum(0.0, nesterov=False), "sgd", {}),
        (momentum(0.9, nesterov=False), "sgd", {"momentum": 0.9}),
        (momentum(0.9, nesterov=True), "sgd", {"momentum": 0.9, "nesterov": True}),
        (momentum(0.5, nesterov=True), "sgd", {"momentum": 0.5, "nesterov": True}),
        (adam(), "adam", {}),
        (adam(0.5, 0.9, 1e-3), "adam", {"b1": 0.5, "b2": 0.9, "eps": 1e-3}),
    ],
)
def test_the_textbook_s_rules_are_optax_s(engine, direction, rule, options):
    found, expected = walk(direction, 0.07, 200, engine), walk_with_optax(getattr(optax, rule)(0.07, **options), 200)
    assert_close(found, expected, rtol=1e-12, atol=1e-13)


@NEEDS_OPTAX
def test_adam_in_single_precision_is_optax_s_in_double(engine):
    """To 1e-6; Optax's own in single precision is off by more, because its 1 - 0.999^t cancels in the first steps."""
    exact = walk_with_optax(optax.adam(0.01), 100)
    assert_close(walk(adam(), 0.01, 100, engine, "float32"), exact, rtol=1e-6, atol=1e-6)
    assert_close(walk_with_optax(optax.adam(0.01), 100, "float32"), exact, rtol=1e-5, atol=1e-5)


def test_two_steps_of_adam_by_hand(engine):
    """b1 = 1/2, b2 = 3/4, floor 1, eta = 1, from g = 2 and then g = -4."""
    direction = adam(0.5, 0.75, 1.0)
    p = on(engine, [{"b": np.array([0.0])}])
    state = direction.init(p)
    # m = 1, v = 1; m_hat = 1/(1/2) = 2, v_hat = 1/(1/4) = 4: the step is -2/(2 + 1).
    step, state = direction.update(on(engine, [{"b": np.array([2.0])}]), state, 1.0, p)
    assert float(step[0]["b"][0]) == pytest.approx(-2 / 3, rel=1e-15)
    # m = 1/2 - 2 = -3/2, v = 3/4 + 16/4 = 19/4; m_hat = -3/2/(3/4) = -2, v_hat = 19/4/(7/16) = 76/7.
    step, state = direction.update(on(engine, [{"b": np.array([-4.0])}]), state, 1.0, p)
    assert float(step[0]["b"][0]) == pytest.approx(2 / ((76 / 7) ** 0.5 + 1), rel=1e-15)
    assert int(state.steps) == 2
    assert {"adam": adam} == DIRECTIONS


@NEEDS_OPTAX
@WITHOUT_JAX
def test_eta_multiplies_an_optax_rule():
    found = walk(from_optax(optax.adam(0.2)), 0.1, 20)
    expected = walk_with_optax(optax.chain(optax.adam(0.2), optax.scale(0.1)), 20)
    assert_close(found, expected, rtol=1e-12)


def test_steepest_descent_has_no_memory():
    step, state = steepest().update([{"b": np.array([2.0])}], (), 0.5, [{"b": np.array([9.0])}])
    assert step[0]["b"].tolist() == [-1.0]
    assert state == ()


def test_momentum_starts_at_rest(engine):
    velocity = momentum(0.9, nesterov=False).init(on(engine, START))
    assert not any(np.asarray(v).any() for v in trees.leaves(velocity))
