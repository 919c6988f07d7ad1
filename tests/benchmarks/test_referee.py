"""The referee: it knows a right step from a wrong one, and deltarule's layouts of dense and convolutional networks."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("jax", reason="the referee differentiates by JAX")
from benchmarks.descent import referee
from benchmarks.descent.contestant import save
from benchmarks.descent.deltarule_sgd import Deltarule
from benchmarks.descent.task import Task, read, write

DENSE = Task("dense", [["dense", 4, "sigmoid"], ["dense", 3, "softmax"]], 5, 0.5)
IMAGES = Task("images", [["convolution", 2, 3, "relu"], ["pool", 2], ["dense", 3, "softmax"]], 5, 0.1, image=(6, 6, 1))


def with_arrays(task):
    random = np.random.default_rng(0)
    inputs = 36 if task.image else 8
    X, Y = random.random((20, inputs), np.float32), np.eye(3, dtype=np.float32)[random.integers(0, 3, 20)]
    shapes = [(2, 3, 3, 1), (3, 8)] if task.image else [(4, 8), (3, 4)]
    arrays = {"X": X, "Y": Y, "Xt": X, "Yt": Y}
    for i, shape in enumerate(shapes):
        arrays |= {f"W{i}": random.standard_normal(shape).astype(np.float32), f"b{i}": np.zeros(shape[0], np.float32)}
    return replace(task, arrays=arrays)


@pytest.mark.parametrize("engine", ["numpy", "jax"])
@pytest.mark.parametrize("task", [DENSE, IMAGES], ids=lambda task: task.name)
def test_a_right_step_and_a_wrong_one(task, engine):
    task = with_arrays(task)
    one = Deltarule(task.first_batch(), engine=engine)
    one.epoch()
    expected = referee.step(task)
    assert referee.step_error(task, one.params(), expected) < 1e-4
    doubled = [(2 * W - V, 2 * b - c) for (W, b), (V, c) in zip(one.params(), task.start, strict=True)]
    assert referee.step_error(task, doubled, expected) == pytest.approx(1, abs=1e-3)


def test_what_lies_in_the_folder(tmp_path):
    task = with_arrays(DENSE)
    write(task, tmp_path)
    assert np.array_equal(read(tmp_path).X, task.X)
    assert read(tmp_path).layers == task.layers
    save(task.start, tmp_path / "c0.after.npz")
    save(task.start, tmp_path / "c0.step.npz")
    found = referee.Referee(str(tmp_path)).finish()
    assert list(found) == ["c0"]
    assert found["c0"]["step error"] == pytest.approx(1, abs=1e-6)  # it did not move
    assert 0 <= found["c0"]["accuracy %"] <= 100
