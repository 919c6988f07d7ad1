"""The factor of a system; on one device it is LAPACK's. tests/devices has it divided."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.linalg import cho_solve

from deltarule import factorization
from deltarule.devices import mesh_of
from deltarule.sharding import Shards

random = np.random.default_rng(0)
J = random.normal(size=(21, 21))
A = J @ J.T + np.eye(21)


def panels(A, monkeypatch):
    """Factored in panels of 4 columns by a mesh of one device."""
    monkeypatch.setattr(factorization, "PANEL", 4)
    mesh = mesh_of(jax.devices()[:1])
    each = -(-len(A) // 4)
    padded = jnp.eye(4 * each).at[: len(A), : len(A)].set(A)
    own = jax.shard_map(
        partial(factorization._factor, 4, each, 1),
        mesh=mesh,
        in_specs=factorization.WHOLE,
        out_specs=factorization.WHOLE,
        check_vma=False,
    )
    return jax.jit(own)(padded)[: len(A), : len(A)]


def test_one_device_solves(float64):
    b = random.normal(size=21)
    mesh = mesh_of(jax.devices()[:1])
    shards = Shards(mesh, jnp.zeros(1, jnp.int32), jnp.zeros(1, jnp.int32))
    for held in (None, shards):
        np.testing.assert_allclose(cho_solve(factorization.factored(jnp.asarray(A), held), b), np.linalg.solve(A, b))


def test_panels_give_the_factor(float64, monkeypatch):
    np.testing.assert_allclose(panels(A, monkeypatch), np.linalg.cholesky(A), atol=1e-13)


def test_what_is_not_positive_definite_has_no_finite_factor(float64, monkeypatch):
    assert np.isnan(panels(A - 30 * np.eye(21), monkeypatch)).any()
