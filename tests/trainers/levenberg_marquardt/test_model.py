"""The objective, its prior and the vector algebra that the three forms of a step share."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

from deltarule.trainers.levenberg_marquardt.model import (
    acceleration_force,
    dot,
    objective,
    plus,
    prior,
    prior_energy,
    scaled,
    times,
)

pytestmark = pytest.mark.usefixtures("float64")


def flat(tree):
    return np.asarray(ravel_pytree(tree)[0])


def test_the_prior_is_on_weights_and_not_on_biases(few):
    np.testing.assert_array_equal(flat(prior(few.params, 0.4)), 0.4 * few.is_weight)
    np.testing.assert_array_equal(flat(prior(few.params, None)), 0)


def test_the_energy_of_the_prior(few):
    # (0.4/2) sum w²
    assert float(prior_energy(few.params, 0.4)) == pytest.approx(0.2 * np.sum(few.is_weight * few.p**2), rel=1e-14)
    assert prior_energy(few.params, None) == 0


@pytest.mark.parametrize("block", [4, 8])
@pytest.mark.parametrize("l2", [None, 0.4])
def test_the_objective(few, block, l2):
    """F = sum_i w_i C_i + (l2/2) sum w², whatever the blocks; padding adds nothing."""
    expected = few.cost + (l2 or 0) / 2 * np.sum(few.is_weight * few.p**2)
    found = jax.jit(objective, static_argnums=(0, 3))(few.net, few.params, few.rows, block, l2)
    assert float(found) == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize("block", [2, 8])
def test_the_force_of_the_acceleration(few, block):
    v = np.random.default_rng(0).normal(size=few.p.size)
    compiled = jax.jit(acceleration_force, static_argnums=(0, 3))
    force = compiled(few.net, few.params, few.rows, block, few.unravel(jnp.asarray(v)))
    np.testing.assert_allclose(flat(force), few.J.T @ few.acceleration(v), rtol=1e-11, atol=1e-12)


def test_the_algebra_of_parameters(few):
    u, v = few.params, jax.tree.map(lambda q: q * q - 1, few.params)
    p, q = flat(u), flat(v)
    assert float(dot(u, v)) == pytest.approx(p @ q, rel=1e-13)
    np.testing.assert_array_equal(flat(times(u, v)), p * q)
    np.testing.assert_allclose(flat(plus(u, v)), p + q, rtol=1e-15)
    np.testing.assert_allclose(flat(plus(u, v, -0.5)), p - 0.5 * q, rtol=1e-14)
    np.testing.assert_array_equal(flat(scaled(u, 3.0)), 3 * p)
