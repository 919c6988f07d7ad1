"""The directions against Optax's own: the same steps, to rounding, over many of them."""

import jax
import numpy as np
import optax
import pytest

from deltarule.trainers.direction import from_optax, momentum, steepest

DRAW = np.random.default_rng(0)
START = [{"W": DRAW.normal(size=(3, 2)), "b": DRAW.normal(size=3)}]


def gradient(params, t):
    """A gradient that depends on the place and on the time, with no meaning of its own."""
    return jax.tree.map(lambda p: np.sin(3 * p) + 0.1 * np.cos(t + p), params)


def walk(direction, eta, steps):
    params, state = START, direction.init(START)
    for t in range(steps):
        step, state = direction.update(gradient(params, t), state, eta, params)
        params = jax.tree.map(lambda p, s: np.asarray(p + s), params, step)
    return params


def walk_with_optax(rule, steps):
    params, state = START, rule.init(START)
    for t in range(steps):
        updates, state = rule.update(gradient(params, t), state, params)
        params = jax.tree.map(lambda p, u: np.asarray(p + u), params, updates)
    return params


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize(
    ("direction", "rule"),
    [
        (steepest(), optax.sgd(0.07)),
        (momentum(0.0, nesterov=False), optax.sgd(0.07)),
        (momentum(0.9, nesterov=False), optax.sgd(0.07, momentum=0.9)),
        (momentum(0.9, nesterov=True), optax.sgd(0.07, momentum=0.9, nesterov=True)),
        (momentum(0.5, nesterov=True), optax.sgd(0.07, momentum=0.5, nesterov=True)),
    ],
)
def test_the_textbook_s_rules_are_optax_s(direction, rule):
    found, expected = walk(direction, 0.07, 200), walk_with_optax(rule, 200)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-13, atol=1e-14), found, expected)


@pytest.mark.usefixtures("float64")
def test_eta_multiplies_an_optax_rule():
    found = walk(from_optax(optax.adam(0.2)), 0.1, 20)
    expected = walk_with_optax(optax.chain(optax.adam(0.2), optax.scale(0.1)), 20)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-12), found, expected)


def test_steepest_descent_has_no_memory():
    step, state = steepest().update([{"b": np.array([2.0])}], (), 0.5, [{"b": np.array([9.0])}])
    assert step[0]["b"].tolist() == [-1.0]
    assert state == ()


def test_momentum_starts_at_rest():
    velocity = momentum(0.9, nesterov=False).init(START)
    assert not any(np.asarray(v).any() for v in jax.tree.leaves(velocity))
