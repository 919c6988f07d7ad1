"""The device mesh and the examples sharded over it, on one device."""

import numpy as np
import pytest

import deltarule as dr
from deltarule.errors import CheckpointError, ConfigurationError

jax = pytest.importorskip("jax", reason="JAX is not installed")
from deltarule.engine.devices import broadcast, mesh_of, replicate, shard_rows, unreplicate  # noqa: E402


def test_no_devices_are_no_mesh():
    assert mesh_of(None) is None


def test_devices_are_jax_s():
    x = np.zeros((8, 2))
    net, trainer = dr.Network([dr.Dense(1, "linear")]), dr.LevenbergMarquardt()
    assert dr.train(net, x, x[:, :1], trainer=trainer, epochs=1, devices=jax.devices()[:1]).engine == "jax"
    with pytest.raises(ConfigurationError, match=r"engine is 'numpy'.* devices"):
        dr.train(net, x, x[:, :1], trainer=trainer, epochs=1, devices=jax.devices()[:1], engine="numpy")


@pytest.mark.parametrize("devices", [[], ["cpu"], [0]])
def test_what_is_no_device_is_refused(devices):
    with pytest.raises(ConfigurationError, match=r"devices is .*jax.devices\(\)"):
        mesh_of(devices)


def test_a_device_named_twice_is_refused():
    with pytest.raises(ConfigurationError, match=r"2 devices.* twice"):
        mesh_of(jax.devices()[:1] * 2)


def test_rows_end_with_padding_that_weighs_nothing():
    x = np.arange(33, dtype=np.float32).reshape(11, 3)
    rows = shard_rows(mesh_of(jax.devices()[:1]), x, x[:, :1], np.full(11, 2, np.float32))
    assert rows.x.shape == (16, 3)
    np.testing.assert_array_equal(rows.x[:11], x)
    np.testing.assert_array_equal(rows.mask, [2.0] * 11 + [0.0] * 5)
    assert int(rows.count) == 11
    assert rows.shards is not None
    np.testing.assert_array_equal(rows.shards.places(np.arange(11), 16), np.arange(11))


def test_a_tree_is_replicated_and_brought_back():
    mesh = mesh_of(jax.devices()[:1])
    key = jax.random.key(3)
    whole = replicate(mesh, {"W": np.ones((2, 3)), "key": key})
    np.testing.assert_array_equal(unreplicate(whole["W"]), np.ones((2, 3)))
    assert (jax.random.key_data(whole["key"]) == jax.random.key_data(key)).all()
    assert broadcast(5, 6) == (5, 6)


def test_a_training_goes_on_on_a_mesh(tmp_path):
    """A checkpoint written on one device can be resumed on a mesh, because it does not depend on the sharding."""
    x = np.random.default_rng(0).normal(size=(30, 2))
    net = dr.Network([dr.Dense(2, "tanh"), dr.Dense(1, "linear")])

    def train(**options):
        trainer = dr.GradientDescent(eta=0.1, batch_size=8)
        return dr.train(
            net, x, x[:, :1], trainer=trainer, weights=np.arange(1.0, 31.0), dtype="float64", engine="jax", **options
        )

    train(epochs=2, checkpoint=tmp_path)
    resumed = train(epochs=3, resume=tmp_path, devices=jax.devices()[:1])
    np.testing.assert_allclose(resumed.history["cost"], train(epochs=3).history["cost"], rtol=1e-12)
    with pytest.raises(CheckpointError, match="another training, with training data"):
        dr.train(
            net,
            x[::-1],
            x[:, :1],
            trainer=dr.GradientDescent(eta=0.1, batch_size=8),
            epochs=3,
            dtype="float64",
            engine="jax",
            weights=np.arange(1.0, 31.0),
            resume=tmp_path,
        )
