"""Batches of images in two halves, which a CPU computes beside each other."""

import numpy as np
import pytest

import deltarule as dr
from deltarule import trees
from deltarule.network import backprop
from engines import assert_close, on

jax = pytest.importorskip("jax")
jax_batches = pytest.importorskip("deltarule.engine.jax_batches")
pytestmark = pytest.mark.usefixtures("float64")

IMAGES = dr.Network(
    [dr.Convolution(2, 2, "tanh"), dr.Flatten(), dr.Dropout(0.5), dr.Dense(3, "softmax")], "log-likelihood"
)
FLAT = dr.Network([dr.Dense(3, "softmax")], "log-likelihood")


def watched(net, seen):
    """The gradient of a batch, which notes how many examples it is given."""

    def one(params, x, y, weight, key):
        seen.append(len(x))
        return backprop.cost_and_gradient(net, params, x, y, weight, key)

    return one


def batch_of(m, shape):
    random = np.random.default_rng(5)
    return on("jax", (random.normal(size=(m, *shape)), np.eye(3)[random.integers(0, 3, m)], random.uniform(size=m)))


@pytest.mark.skipif(jax.default_backend() != "cpu", reason="on a GPU a batch is not halved")
@pytest.mark.parametrize("more", [-1, pytest.param(0, marks=pytest.mark.slow), 1])
def test_a_batch_of_images_in_halves_is_the_whole_batch(more):
    m, seen = jax_batches.HALVED_FROM + more, []
    params = on("jax", IMAGES.init(0, (3, 3, 1), "float64"))
    x, y, weight = batch_of(m, (3, 3, 1))
    expected = backprop.cost_and_gradient(IMAGES, params, x, y, weight)
    found = jax_batches._in_halves(watched(IMAGES, seen), params, x, y, weight, None)
    assert seen == ([m] if more < 0 else [m // 2, m - m // 2])
    assert_close(list(found), list(expected))


def test_a_batch_without_images_is_not_halved():
    seen = []
    jax_batches._in_halves(watched(FLAT, seen), on("jax", FLAT.init(0, (4,), "float64")), *batch_of(50, (4,)), None)
    assert seen == [50]


@pytest.mark.skipif(jax.default_backend() != "cpu", reason="on a GPU a batch is not halved")
def test_the_halves_draw_masks_of_their_own():
    m = jax_batches.HALVED_FROM
    params = on("jax", IMAGES.init(0, (3, 3, 1), "float64"))
    x, y, halves = np.ones((m, 3, 3, 1)), np.ones((m, 3)) / 3, np.repeat(np.eye(2), m // 2, axis=1)
    one, other = (
        jax_batches._in_halves(watched(IMAGES, []), params, *on("jax", (x, y, w)), jax.random.key(0))[1] for w in halves
    )
    assert not np.allclose(trees.ravel(one), trees.ravel(other))
