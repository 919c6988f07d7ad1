"""Progress as named arrays and back: arrays of both engines, plain numbers and random keys."""

import numpy as np
import pytest

from deltarule import engine as engines
from deltarule import trees
from deltarule.arrays import is_key, key_data
from deltarule.errors import CheckpointError
from deltarule.trainers.levenberg_marquardt.damping import Damping
from deltarule.training import loop
from deltarule.training.checkpoints.storage import from_tensors, to_tensors
from deltarule.training.loop import Progress
from engines import on


def carry(engine, number=0.0):
    """What a training holds: parameters, plain numbers, scalars of NumPy, and on JAX a key."""
    params = on(engine, [{"W": np.full((2, 3), 1 + number, np.float32)}])
    state = {"params": params, "memory": (), "verdict": on(engine, np.zeros((), np.int8)), "none": None}
    state["damping"] = Damping(0.25 + number, 2.0, 7.0)
    if engine == "jax":
        state["key"] = engines.get("jax").key((3, int(number)))
    return loop.Carry(state, params, np.float32(0.5 + number), np.float32(-np.inf), 3, 4, 0)


def entries(carry):
    """The leaves with their kinds, keys by their words."""
    leaves = trees.leaves(carry)
    return [(type(leaf), np.asarray(key_data(leaf) if is_key(leaf) else leaf)) for leaf in leaves]


@pytest.mark.parametrize("lanes", [1, 2])
def test_to_tensors_and_back(engine, lanes):
    parts = [{"cost": np.arange(3.0), "epoch": np.arange(1, 4)}, {"cost": np.ones(1), "epoch": np.array([4])}]
    progress = Progress([carry(engine, float(lane)) for lane in range(lanes)], [parts] * lanes)
    assert progress.epoch == 4
    tensors = to_tensors(progress)
    assert all(isinstance(array, np.ndarray) for array in tensors.values())
    back = from_tensors(tensors, [carry(engine, 9.0) for _ in range(lanes)])
    for one, other in zip(back.carries, progress.carries, strict=True):
        assert [place for place, _ in trees.named_leaves(one)] == [place for place, _ in trees.named_leaves(other)]
        for (kind, found), (wanted_kind, wanted) in zip(entries(one), entries(other), strict=True):
            assert kind is wanted_kind
            assert found.dtype == wanted.dtype
            np.testing.assert_array_equal(found, wanted)
    for (part,) in back.parts:
        np.testing.assert_array_equal(part["cost"], [0, 1, 2, 1])
        np.testing.assert_array_equal(part["epoch"], [1, 2, 3, 4])


def test_a_plain_number_may_come_from_one_of_numpy_s(engine):
    """The reason to stop is Python's 0 at first, and what a rule said of the epoch later."""
    tensors = to_tensors(Progress([carry(engine)._replace(stop=np.int32(5))], [[]]))
    (back,) = from_tensors(tensors, [carry(engine)]).carries
    assert back.stop == 5


def test_before_the_first_epoch_there_are_no_records(engine):
    assert from_tensors(to_tensors(Progress([carry(engine)], [[]])), [carry(engine)]).parts == [[]]


@pytest.mark.parametrize("wrong", [None, np.ones((3, 2), np.float32), np.ones((2, 3), np.float64)])
def test_an_array_of_another_shape_is_named(engine, wrong):
    tensors = to_tensors(Progress([carry(engine)], [[]]))
    name = "0.carry.best[0]['W']"
    if wrong is None:
        del tensors[name]
    else:
        tensors[name] = wrong
    with pytest.raises(CheckpointError, match=r"best\[0\]\['W'\]"):
        from_tensors(tensors, [carry(engine)])
