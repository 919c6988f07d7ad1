"""Progress as named arrays, and back: for every trainer, random keys of Optax rules included."""

import jax
import numpy as np
import pytest

from deltarule import loop
from deltarule.checkpoints.progress import Progress, from_tensors, to_tensors
from deltarule.errors import CheckpointError


def carry(lanes=None):
    shape = () if lanes is None else (lanes,)
    key = jax.random.key(3) if lanes is None else jax.random.split(jax.random.key(3), lanes)
    params = [{"W": np.ones((*shape, 2, 3), np.float32)}]
    count = np.zeros(shape, np.int32)
    state = {"params": params, "key": key, "memory": (), "verdict": count.astype(np.int8)}
    return jax.tree.map(jax.numpy.asarray, loop.Carry(state, params, count + 0.5, count, count, count + 4, count))


@pytest.mark.parametrize("lanes", [None, 2])
def test_there_and_back(lanes):
    parts = [[{"cost": np.arange(3.0), "epoch": np.arange(1, 4)}, {"cost": np.ones(1), "epoch": np.array([4])}]]
    progress = Progress(carry(lanes), parts * (lanes or 1))
    assert progress.epoch == 4
    tensors = to_tensors(progress)
    assert all(isinstance(array, np.ndarray) for array in tensors.values())
    back = from_tensors(tensors, lambda: carry(lanes))
    assert jax.tree.structure(back.carry) == jax.tree.structure(progress.carry)
    for one, other in zip(jax.tree.leaves(back.carry), jax.tree.leaves(progress.carry), strict=True):
        assert one.dtype == other.dtype
        assert (one == other).all()
    for part in back.parts:
        np.testing.assert_array_equal(part[0]["cost"], [0, 1, 2, 1])
        np.testing.assert_array_equal(part[0]["epoch"], [1, 2, 3, 4])


def test_before_the_first_epoch_there_are_no_records():
    assert from_tensors(to_tensors(Progress(carry(), [[]])), carry).parts == [[]]


@pytest.mark.parametrize("wrong", [None, np.ones((3, 2), np.float32), np.ones((2, 3), np.float64)])
def test_an_array_that_does_not_fit_is_named(wrong):
    tensors = to_tensors(Progress(carry(), [[]]))
    name = "carry.best[0]['W']"
    if wrong is None:
        del tensors[name]
    else:
        tensors[name] = wrong
    with pytest.raises(CheckpointError, match=r"best\[0\]\['W'\]"):
        from_tensors(tensors, carry)
